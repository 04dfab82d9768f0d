"""Rules 22 to 27: no target, nobody waits, corrections, cumulative gauges, levels and their sums."""

import msgspec
import pytest

from loket.domain.levels import LevelCounts, levels
from loket.domain.policy import Budget
from loket.domain.unit import OTHER
from loket.testing.builders import Office, unit_policy
from support.telling import Told, tell

o = Office()
SECOND, MINUTE = 1_000, 60_000


def test_rule_22_without_a_target_there_is_no_judged_breached_over_target_or_level() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="free"),
        o.called("A1", at="12:00"),
        o.issued("A2", at="09:00", service="free"),
    )
    figures = told.figures("15:00").present["free"]
    assert not figures.judges
    assert (figures.judged, figures.breached, figures.over_target) == (0, 0, 0)
    report = told.report("free", now="15:00")
    assert report.judged is msgspec.UNSET
    assert report.breached is msgspec.UNSET
    assert report.over_target is msgspec.UNSET
    assert report.early_leavers is msgspec.UNSET
    assert report.short_leavers is msgspec.UNSET
    assert report.levels is msgspec.UNSET
    assert report.levels_without_no_shows is msgspec.UNSET
    assert (report.answered, report.waiting, report.oldest_wait_s) == (1, 1, 6 * 3600.0)
    assert told.row("free")["waits_answered/none"] == 1


def test_rule_22_a_service_with_a_target_is_judged_from_the_start() -> None:
    told = Told()
    assert told.figures("09:00").present["s"].judges
    assert told.report("s", now="09:00").judged == 0


def test_rule_22_nobody_waits_no_oldest_start() -> None:
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:01"))
    assert told.figures("09:02").present["s"].oldest_wait_start is None
    assert told.report("s", now="09:02").oldest_wait_s is None


def test_rule_22_nothing_of_nothing_is_nothing() -> None:
    nothing = levels(LevelCounts())
    assert set(msgspec.structs.astuple(nothing)) == {None}
    only_left = levels(LevelCounts(left_short=3))
    assert only_left.answered is None
    assert only_left.offered == 0
    assert only_left.excluding_short is None
    assert only_left.abandoned_ok == 1
    assert only_left.excluding_early is None
    assert only_left.live is None


def test_rule_23_what_an_event_takes_back_is_added_to_the_corrections_and_the_total_stays() -> None:
    told = tell(
        o.issued("A1", at="09:00"), o.called("A1", at="09:01", employee="e"), o.no_show("A1", at="09:03", employee="e")
    )
    counts = told.state.tallies["s"].counts
    assert counts.total["tickets_closed/no_show"] == 1
    assert "tickets_closed/no_show" not in counts.corrected
    told.tell(o.started("A1", at="09:04", employee="e"))
    assert counts.total["tickets_closed/no_show"] == 1
    assert counts.corrected["tickets_closed/no_show"] == 1
    assert counts.exact("tickets_closed/no_show") == 0
    assert counts.corrected["calls_nobody_came/yes"] == 1


def test_rule_23_sums_and_counts_of_histograms_are_corrected_and_buckets_are_not() -> None:
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:04"))
    histogram = told.state.tallies["s"].histograms["wait_seconds"]
    assert (histogram.sum_ms, histogram.count, histogram.corrected_ms, histogram.corrected_count) == (240_000, 1, 0, 0)
    # Bounds 10, 30, 60, 120, 300, …: 240 s are in the fifth.
    assert histogram.buckets[4] == 1
    told.tell(o.called("A1", at="09:01"))  # the call of 09:04 was not the first
    assert (histogram.sum_ms, histogram.count, histogram.corrected_ms, histogram.corrected_count) == (
        300_000,
        2,
        240_000,
        1,
    )
    assert histogram.buckets[2] == 1
    assert histogram.buckets[4] == 1
    assert sum(histogram.buckets) == 2


@pytest.mark.parametrize(("wait", "bucket"), [(0, 0), (10_000, 0), (10_001, 1), (7_200_000, 10), (7_200_001, 11)])
def test_rule_23_a_bucket_includes_its_upper_bound(wait: int, bucket: int) -> None:
    issued = o.issued("A1", at="09:00")
    told = tell(issued, o.called("A1", at=int(issued.time) + wait))
    buckets = told.state.tallies["s"].histograms["wait_seconds"].buckets
    assert [index for index, count in enumerate(buckets) if count] == [bucket]


def test_rule_23_a_void_takes_everything_back() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:06", employee="e"),
        o.started("A1", at="09:07", employee="e"),
        o.completed("A1", at="09:10", employee="e"),
        o.voided("A1", at="09:20"),
    )
    for label, tally in told.state.tallies.items():
        assert told.row(label).nonzero() == {}
        assert tally.counts.total == tally.counts.corrected
    assert told.person("e").nonzero() == {}


def test_rule_23_near_the_target_is_over_nine_tenths_up_to_it_and_above_up_to_eleven_tenths() -> None:
    told = Told()
    for number, seconds in enumerate((270, 270.001, 300, 300.001, 330, 330.001)):
        issued = o.issued(f"A{number}", at="09:00")
        told.tell(issued, o.called(f"A{number}", at=int(issued.time) + round(seconds * 1000)))
    assert told.row().some("waits_near_target/below", "waits_near_target/above") == (2, 2)


def test_rule_24_what_time_alone_brings_is_in_no_counter() -> None:
    told = tell(o.issued("A1", at="09:00"))
    row = told.row("s", now="+1 04:00")
    assert row.some("judged", "breached", "expired") == (1, 1, 1)
    assert set(told.state.tallies["s"].counts.total) == {"tickets_issued", "visits"}


def test_rule_24_cumulative_gauges_may_fall_when_a_late_event_comes() -> None:
    told = tell(o.issued("A1", at="09:00"))
    assert told.row("s", now="09:10").some("judged", "breached") == (1, 1)
    told.tell(o.called("A1", at="09:02"))
    assert told.row("s", now="09:10").some("judged", "breached") == (1, 0)


def test_rule_24_cumulative_gauges_never_start_again() -> None:
    told = Told()
    for day in range(4):
        told.tell(o.issued("A1", at=f"+{day} 09:00"))
    told.tell(o.queue_closed(at="+6 09:00"))
    assert told.state.tickets == {}
    assert told.row("s", now="+6 10:00").some("judged", "breached", "expired") == (4, 4, 4)


def test_rule_24_the_days_figures_are_of_the_service_day_of_now() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:06"),
        o.started("A1", at="09:07"),
        o.completed("A1", at="09:10"),
        o.issued("A2", at="09:00"),
        o.issued("B1", at="+1 08:00"),
        o.abandoned("B1", at="+1 08:01"),
    )
    assert told.day("s", now="20:00").nonzero() == {
        "tickets_issued": 2,
        "waits_answered/no": 1,
        "tickets_closed/completed": 1,
        "served": 1,
        "judged": 2,
        "breached": 2,
    }
    assert told.day("s", now="+1 02:00").some("expired", "tickets_issued") == (0, 2)
    assert told.day("s", now="+1 08:30").nonzero() == {"tickets_issued": 1, "tickets_closed/abandoned": 1}


def test_rule_26_who_is_in_a_b_and_bs() -> None:
    told = tell(
        # called within and after
        *(
            o.issued(subject, at="09:00")
            for subject in ("w1", "w2", "late", "short", "leaver", "patient", "gone", "on", "back")
        ),
        o.called("w1", at="09:01"),
        o.called("w2", at="09:05"),
        o.no_show("w2", at="09:06"),
        o.called("late", at="09:06"),
        o.abandoned("short", at="09:00:09"),
        o.abandoned("leaver", at="09:04"),
        o.abandoned("patient", at="09:20"),
        o.transferred("gone", at="09:04", to_unit="b"),
        o.transferred("on", at="09:20", to_unit="b"),
        o.requeued("back", at="09:01"),
        o.abandoned("back", at="09:02"),
        o.issued("stays", at="09:00"),
    )
    report = told.report("s", now="+1 04:00")
    # A≤ w1 w2, A> late, B≤ short leaver (Bs short), B> patient; judged besides: on and stays, both breached.
    # w1, late and stays are still there at the end of the day.
    assert (report.answered, report.left, report.short_leavers, report.early_leavers) == (3, 3, 1, 2)
    assert (report.judged, report.breached, report.closed.expired) == (6, 4, 3)
    assert report.levels is not msgspec.UNSET
    assert report.levels.answered == pytest.approx(2 / 3)
    assert report.levels.offered == pytest.approx(2 / 6)
    assert report.levels.excluding_short == pytest.approx(2 / 5)
    assert report.levels.abandoned_ok == pytest.approx(4 / 6)
    assert report.levels.excluding_early == pytest.approx(2 / 4)
    assert report.levels.live == pytest.approx(2 / 6)
    # Without the no-show w2: A≤ 1, A 2.
    assert report.nobody_came == 1
    assert report.levels_without_no_shows is not msgspec.UNSET
    assert report.levels_without_no_shows.answered == pytest.approx(1 / 2)
    assert report.levels_without_no_shows.offered == pytest.approx(1 / 5)
    assert report.levels_without_no_shows.excluding_short == pytest.approx(1 / 4)
    assert report.levels_without_no_shows.abandoned_ok == pytest.approx(3 / 5)
    assert report.levels_without_no_shows.excluding_early == pytest.approx(1 / 3)
    assert report.levels_without_no_shows.live == pytest.approx(1 / 5)
    assert report.closed.abandoned == 4


def test_rule_26_the_formulas_of_definitions() -> None:
    found = levels(LevelCounts(50, 20, 4, 6, 8, judged=90, breached=30))
    # A 70, B≤ 10, B> 8, Bs 4, O 88
    assert found.answered == pytest.approx(50 / 70)
    assert found.offered == pytest.approx(50 / 88)
    assert found.excluding_short == pytest.approx(50 / 84)
    assert found.abandoned_ok == pytest.approx(60 / 88)
    assert found.excluding_early == pytest.approx(50 / 78)
    assert found.live == pytest.approx(60 / 90)


def test_rule_27_the_units_row_is_sums_over_sums_with_each_tickets_own_target() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="s"),
        o.called("A1", at="09:06"),  # after five minutes
        o.issued("A2", at="09:00", service="t"),
        o.called("A2", at="09:06"),  # within ten
        o.issued("A3", at="09:00", service="t"),
        o.called("A3", at="09:07"),
        o.issued("A4", at="09:00", service="free"),
        o.called("A4", at="11:00"),
    )
    report = told.report(None)
    # Levels over legs with a target (two of three), all else over all four.
    assert report.levels is not msgspec.UNSET
    assert report.levels.answered == pytest.approx(2 / 3)
    assert report.levels.live == pytest.approx(2 / 3)
    assert (report.judged, report.breached, report.answered, report.issued, report.wait_stretches) == (3, 1, 4, 4, 4)
    assert report.wait_s_sum == 6 * 60 + 6 * 60 + 7 * 60 + 120 * 60


def test_rule_27_the_oldest_wait_of_the_unit_is_the_oldest_of_its_services() -> None:
    told = tell(o.issued("A1", at="09:02", service="s"), o.issued("A2", at="09:01", service="t"))
    assert told.report(None, now="09:05").oldest_wait_s == 240
    assert told.report(None, now="09:05").waiting == 2


def test_labels_names_beyond_the_budget_are_tallied_as_other() -> None:
    policy = unit_policy({"s": 300}, budget=Budget(services=3, employees=2))
    told = Told(policy)
    for number, service in enumerate(("x", "y", "z", "s", "x", "z")):
        told.tell(o.issued(f"A{number}", at="09:00", service=service))
        told.tell(o.started(f"A{number}", at="09:01", employee=f"e{number}"))
        told.tell(o.completed(f"A{number}", at="09:02", employee=f"e{number}"))
    # `s` has its place as a target names it; of three two are left, for the first that came.
    assert {label: told.row(label)["served"] for label in told.state.tallies} == {
        "": 0,
        "s": 1,
        "x": 2,
        "y": 1,
        OTHER: 2,
    }
    assert {name: told.person(name)["served"] for name in told.state.people} == {"e0": 1, "e1": 1, OTHER: 4}


def test_labels_a_service_and_an_employee_of_one_name_are_two() -> None:
    policy = unit_policy({"s": 300}, budget=Budget(services=1, employees=2))
    told = Told(policy).tell(
        o.issued("A1", at="09:00", service="s"),
        o.started("A1", at="09:01", employee="x"),
        o.added("A1", at="09:02", service="x"),
        o.completed("A1", at="09:03", employee="x"),
    )
    assert told.person("x").some("served", "service_ms") == (1, 2 * MINUTE)
    assert told.row(OTHER)["services"] == 1
    assert OTHER not in told.state.people


def test_labels_a_ticket_stays_under_other_as_long_as_it_lasts() -> None:
    told = Told(unit_policy({"s": 300}, budget=Budget(services=1)))
    told.tell(o.issued("A1", at="09:00", service="new"))
    told.state.policy = unit_policy({"s": 300, "new": 300}, budget=Budget(services=5))
    told.tell(o.called("A1", at="09:01"), o.issued("A2", at="09:00", service="new"))
    assert told.row(OTHER).some("tickets_issued", "waits_answered/none") == (1, 1)
    assert told.row("new")["tickets_issued"] == 1


def test_rule_26_where_the_target_is_shorter_than_the_short_threshold_who_left_between_left_after_it() -> None:
    told = Told(unit_policy({"s": 5}, short_seconds=10)).tell(
        o.issued("A1", at="09:00"), o.abandoned("A1", at="09:00:07")
    )
    assert told.row().some("waits_left/no", "waits_left/short") == (1, 0)


def test_rule_26_a_no_show_called_after_the_target_is_taken_out_of_the_breached_too() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:06"),
        o.no_show("A1", at="09:07"),
        o.issued("A2", at="09:00"),
        o.called("A2", at="09:01"),
    )
    report = told.report()
    assert report.levels is not msgspec.UNSET
    assert report.levels_without_no_shows is not msgspec.UNSET
    assert (report.levels.live, report.levels_without_no_shows.live) == (0.5, 1.0)
    assert (report.levels.answered, report.levels_without_no_shows.answered) == (0.5, 1.0)
