"""Rules 17 to 21: repeats, contradictions, which end stands, incomplete tickets, voids, changed services."""

from itertools import permutations

import pytest

from loket.domain.events import Event, identity_hash
from loket.domain.unit import Applied
from loket.testing.builders import Office, again, unit_policy
from support.telling import Told, tell

o = Office()
SECOND, MINUTE = 1_000, 60_000


def test_rule_17_the_same_step_at_another_counter_is_a_contradiction_and_the_smaller_hash_stands() -> None:
    issue, done = o.issued("A1", at="09:00"), o.completed("A1", at="09:09")
    starts = [o.started("A1", at="09:01", employee=name, counter=name) for name in ("a", "b", "c")]
    standing = min(starts, key=lambda event: identity_hash(event.source, event.id)).data.employee
    for order in permutations(starts):
        told = tell(issue, *order, done)
        assert told.unit_row()["contradictions"] == 2
        for name in ("a", "b", "c"):
            assert told.person(name)["service_ms"] == (8 * MINUTE if name == standing else 0)


def test_rule_17_another_service_at_the_same_instant_is_a_contradiction() -> None:
    issues = [o.issued("A1", at="09:00", service="s"), o.issued("A1", at="09:00", service="t")]
    standing = min(issues, key=lambda event: identity_hash(event.source, event.id)).data.service
    for order in permutations(issues):
        told = tell(*order)
        assert told.row(standing)["tickets_issued"] == 1
        assert told.unit_row().some("tickets_issued", "contradictions") == (1, 1)


def test_rule_17_the_same_step_time_and_people_is_a_repeat() -> None:
    call = o.called("A1", at="09:02", employee="e", counter="1")
    told = tell(o.issued("A1", at="09:00"), call, again(call, id="another"))
    assert told.applied[-1] == Applied.DUPLICATE
    assert told.row()["wait_seconds_count"] == 1
    assert told.unit_row()["contradictions"] == 0


def test_rule_17_a_repeat_of_what_another_overruled_is_no_second_contradiction() -> None:
    starts = [o.started("A1", at="09:01", employee=name) for name in ("a", "b")]
    told = tell(o.issued("A1", at="09:00"), *starts, *(again(start, id=f"x{start.id}") for start in starts))
    assert told.unit_row()["contradictions"] == 1


def test_rule_17_of_added_services_only_the_id_decides() -> None:
    first = o.added("A1", at="09:03", service="x", employee="e")
    told = tell(o.issued("A1", at="09:00"), o.started("A1", at="09:01"), first, again(first, id="another"), first)
    assert told.row("x")["services"] == 2
    assert told.person("e")["services"] == 2
    assert told.applied[-2:] == [Applied.APPLIED, Applied.DUPLICATE]


def test_rule_17_closing_the_queue_twice_at_one_instant_is_a_repeat_but_not_of_another_service() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="s"),
        o.issued("A2", at="09:00", service="t"),
        o.queue_closed(at="12:00", service="s"),
        o.queue_closed(at="12:00", service="s"),
        o.queue_closed(at="12:00", service="t"),
    )
    assert told.applied[-3:] == [Applied.APPLIED, Applied.DUPLICATE, Applied.APPLIED]
    assert told.unit_row(now="12:00")["expired"] == 2


@pytest.mark.parametrize(
    "other",
    [
        o.called("A1", at="09:02:00.001", employee="e", id="same"),
        o.called("A1", at="09:02", employee="f", id="same"),
        o.called("A1", at="09:02", employee="e", counter="1", id="same"),
        o.called("A2", at="09:02", employee="e", id="same"),
        o.recalled("A1", at="09:02", employee="e", id="same"),
    ],
    ids=["time", "employee", "counter", "subject", "type"],
)
def test_rule_17_one_id_with_other_content_is_a_conflicting_repeat_and_the_first_received_stands(other: Event) -> None:
    first = o.called("A1", at="09:02", employee="e", id="same")
    told = tell(o.issued("A1", at="09:00"), first)
    before = told.unit_row(now="09:10")
    assert told.tell(other).applied[-1] == Applied.CONFLICTING_REPEAT
    assert told.tell(first).applied[-1] == Applied.DUPLICATE
    assert told.unit_row(now="09:10") == before


def test_rule_17_one_id_of_two_sources_is_two_events() -> None:
    one, two = Office(source="kiosk-1"), Office(source="kiosk-2")
    told = tell(one.issued("A1", at="09:00", id="7"), two.issued("A2", at="09:00", id="7"))
    assert told.row()["tickets_issued"] == 2


def test_rule_17_a_second_step_of_one_type_in_a_stretch_changed_nothing() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.called("A1", at="09:02"),
        o.started("A1", at="09:03"),
        o.started("A1", at="09:04"),
        o.completed("A1", at="09:05"),
        o.completed("A1", at="09:06"),
    )
    assert told.unit_row()["contradictions"] == 3
    assert told.row().some("wait_seconds_ms", "service_seconds_ms", "served") == (1 * MINUTE, 2 * MINUTE, 1)


def test_rule_17_a_recall_is_no_contradiction_and_the_first_call_stays() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.recalled("A1", at="09:02"),
        o.recalled("A1", at="09:03"),
    )
    assert told.row()["wait_seconds_ms"] == 1 * MINUTE
    assert told.unit_row()["contradictions"] == 0


def ended(*events: Event) -> list[tuple[tuple[str | None, ...], int, int]]:
    """Outcomes, contradictions and sum of the stages of a ticket issued at 09:00, for each order of arrival."""
    found = []
    for order in permutations([o.issued("A1", at="09:00", id="issue"), *events]):
        told = tell(*order)
        found.append((tuple(told.outcomes()), told.unit_row()["contradictions"], sum(told.totals_ms())))
    return found


def test_rule_18_the_first_end_of_a_leg_stands() -> None:
    for outcomes, contradictions, total in ended(
        o.started("A1", at="09:01"), o.completed("A1", at="09:10"), o.transferred("A1", at="09:12")
    ):
        assert (outcomes, contradictions, total) == (("completed",), 1, 10 * MINUTE)
    for outcomes, contradictions, total in ended(
        o.started("A1", at="09:01"), o.transferred("A1", at="09:10"), o.completed("A1", at="09:12")
    ):
        assert (outcomes, contradictions, total) == (("transferred",), 1, 10 * MINUTE)


def test_rule_18_a_completion_beats_a_no_show() -> None:
    for outcomes, contradictions, _ in ended(
        o.called("A1", at="09:01"), o.no_show("A1", at="09:03"), o.completed("A1", at="09:10")
    ):
        assert (outcomes, contradictions) == (("completed",), 1)


def test_rule_18_a_start_beats_a_no_show_whatever_the_times() -> None:
    for no_show_at in ("09:03", "09:30"):
        for outcomes, contradictions, _ in ended(
            o.called("A1", at="09:01"), o.no_show("A1", at=no_show_at), o.started("A1", at="09:05")
        ):
            assert (outcomes, contradictions) == ((None,), 1)


def test_rule_18_a_start_beats_an_abandonment() -> None:
    for outcomes, contradictions, _ in ended(
        o.abandoned("A1", at="09:03"), o.started("A1", at="09:05"), o.completed("A1", at="09:10")
    ):
        assert (outcomes, contradictions) == (("completed",), 1)


def test_rule_18_a_no_show_beats_an_abandonment_whatever_the_times() -> None:
    for abandoned_at in ("09:02", "09:30"):
        for outcomes, contradictions, total in ended(
            o.called("A1", at="09:01"), o.abandoned("A1", at=abandoned_at), o.no_show("A1", at="09:06")
        ):
            assert (outcomes, contradictions, total) == (("no_show",), 1, 6 * MINUTE)


def test_rule_18_no_show_abandonment_and_call_beat_expired() -> None:
    for event in (o.abandoned("A1", at="13:00"), o.called("A1", at="13:00")):
        told = tell(o.issued("A1", at="09:00"), o.queue_closed(at="12:00"))
        assert told.row("s", now="13:30")["expired"] == 1
        told.tell(event)
        assert told.row("s", now="13:30")["expired"] == 0


def test_rule_18_a_requeue_after_a_no_show_withdraws_it_and_the_new_stretch_starts_at_the_requeue() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:02"),
        o.no_show("A1", at="09:04"),
        o.requeued("A1", at="09:07"),
    )
    row = told.row("s", now="09:08")
    assert row.some("waiting", "tickets_closed/no_show", "calls_nobody_came/yes", "calls_again") == (1, 0, 0, 1)
    # In vain from the call to the requeue; two minutes waited before.
    assert row.some("lost_seconds_ms", "oldest_wait_start") == (5 * MINUTE, o.at("09:05"))
    assert told.unit_row()["contradictions"] == 0


def test_rule_18_a_requeue_after_any_other_end_changes_nothing() -> None:
    for end in (o.completed("A1", at="09:04"), o.transferred("A1", at="09:04")):
        told = tell(o.issued("A1", at="09:00"), o.started("A1", at="09:02"), end, o.requeued("A1", at="09:07"))
        assert None not in told.outcomes()
        assert told.unit_row()["contradictions"] == 1
        assert told.applied[-1] == Applied.CONTRADICTION
    told = tell(o.issued("A1", at="09:00"), o.abandoned("A1", at="09:04"), o.requeued("A1", at="09:07"))
    assert told.outcomes() == ["abandoned"]
    assert told.unit_row()["contradictions"] == 1


def test_rule_18_a_requeue_after_a_no_show_and_a_later_transfer_withdraws_the_no_show_that_stood() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:02"),
        o.no_show("A1", at="09:04"),
        o.transferred("A1", at="09:05"),
        o.requeued("A1", at="09:07"),
    )
    assert told.outcomes() == [None]
    assert told.row("s", now="09:08")["waiting"] == 1


def test_rule_18_a_transfer_is_the_first_end_once_a_start_has_beaten_the_no_show() -> None:
    events: list[Event] = [
        o.called("A1", at="09:02"),
        o.no_show("A1", at="09:04"),
        o.transferred("A1", at="09:05", to_service="t"),
        o.started("A1", at="09:06"),
        o.issued("A1", at="09:20", service="t"),
        o.called("A1", at="09:24"),
    ]
    told = tell(o.issued("A1", at="09:00"), *events)
    # The person was there, and was handed on: the issue of 09:20 opens a leg.
    assert told.outcomes() == ["transferred", None]
    assert told.row("t").some("tickets_issued", "waits_answered/yes", "visits") == (1, 1, 0)


def test_rule_18_a_call_and_an_abandonment_in_one_stretch_are_a_no_show_in_either_order() -> None:
    for call_at, lost in (("09:02", 3 * MINUTE), ("09:06", 0)):
        told = tell(o.issued("A1", at="09:00"), o.called("A1", at=call_at), o.abandoned("A1", at="09:05"))
        assert told.outcomes() == ["no_show"]
        row = told.row()
        assert row.some("tickets_closed/no_show", "tickets_closed/abandoned", "patience_seconds_count") == (1, 0, 0)
        assert row["lost_seconds_ms"] == lost


def test_rule_18_a_no_show_without_a_call_is_abandoned() -> None:
    told = tell(o.issued("A1", at="09:00"), o.no_show("A1", at="09:04"))
    assert told.outcomes() == ["abandoned"]
    assert told.row().some("waits_left/yes", "patience_seconds_ms") == (1, 4 * MINUTE)
    assert told.unit_row()["contradictions"] == 0


def test_rule_18_abandoned_uncalled_in_a_later_stretch_is_abandoned() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.requeued("A1", at="09:02"),
        o.abandoned("A1", at="09:08"),
    )
    row = told.row()
    assert row.some("tickets_closed/abandoned", "tickets_closed/no_show") == (1, 0)
    assert row.some("waits_left/yes", "waits_left/no", "patience_seconds_count", "calls_nobody_came/yes") == (
        0,
        0,
        0,
        0,
    )


def test_rule_19_completed_without_a_start_is_incomplete_and_keeps_the_wait_that_a_call_ended() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:06", employee="e"),
        o.completed("A1", at="09:20", employee="e"),
    )
    row = told.row()
    assert row.some("tickets_closed/completed", "tickets_incomplete", "served", "services") == (1, 1, 1, 1)
    assert row.some("wait_seconds_ms", "waits_answered/no", "judged", "breached") == (6 * MINUTE, 1, 1, 1)
    assert row.some("way_seconds_count", "service_seconds_count", "lost_seconds_count") == (0, 0, 0)
    assert told.person("e").some("served", "service_count", "way_count") == (1, 0, 0)
    assert told.report().incomplete == 1


def test_rule_19_completed_without_start_and_call_is_not_answered_and_judged_only_after_the_target() -> None:
    soon = tell(o.issued("A1", at="09:00"), o.completed("A1", at="09:05"))
    assert soon.row("s", now="12:00").nonzero() == {
        "tickets_issued": 1,
        "visits": 1,
        "tickets_closed/completed": 1,
        "tickets_incomplete": 1,
        "served": 1,
        "services": 1,
    }
    late = tell(o.issued("A1", at="09:00"), o.completed("A1", at="09:05:00.001"))
    assert late.row().some("judged", "breached", "waits_answered/no", "wait_seconds_count") == (1, 1, 0, 0)


def test_rule_19_without_any_issue_it_counts_in_the_units_row_only() -> None:
    told = tell(
        o.called("A1", at="09:00", employee="e"),
        o.started("A1", at="09:01", employee="e"),
        o.completed("A1", at="09:09", employee="e", quantity=2),
    )
    assert told.unit_row().nonzero() == {
        "tickets_closed/completed": 1,
        "tickets_incomplete": 1,
        "served": 1,
        "services": 2,
        "way_seconds_ms": 1 * MINUTE,
        "way_seconds_count": 1,
        "service_seconds_ms": 8 * MINUTE,
        "service_seconds_count": 1,
    }
    report = told.report(None)
    assert (report.closed.completed, report.incomplete, report.issued, report.visits, report.answered) == (
        1,
        1,
        0,
        0,
        0,
    )
    assert (report.judged, report.wait_stretches, report.way_s_sum, report.service_s_sum) == (0, 0, 60, 480)
    assert told.row("s").nonzero() == {}
    assert told.person("e").some("served", "services", "way_ms", "service_ms", "served_wait_count") == (
        1,
        2,
        1 * MINUTE,
        8 * MINUTE,
        0,
    )


def test_rule_19_without_any_issue_a_call_is_neither_a_wait_nor_judged() -> None:
    told = tell(o.called("A1", at="09:00"))
    assert told.unit_row(now="23:00").nonzero() == {}


def test_rule_19_an_issue_that_comes_at_last_takes_the_ticket_out_of_the_units_own_row() -> None:
    told = tell(o.started("A1", at="09:01"), o.completed("A1", at="09:09"), o.issued("A1", at="09:00"))
    assert told.row("").nonzero() == {}
    assert told.row("s").some("served", "tickets_incomplete", "waits_answered/yes") == (1, 0, 1)


def test_rule_20_a_void_removes_all_legs_of_that_subject_and_day_with_their_times_in_any_order() -> None:
    events: list[Event] = [
        o.issued("A1", at="09:00", service="s"),
        o.started("A1", at="09:04", employee="e"),
        o.transferred("A1", at="09:06", to_service="t"),
        o.issued("A1", at="09:20", service="t", from_unit="b"),
        o.voided("A1", at="10:00"),
    ]
    for order in permutations(events):
        told = tell(*order, o.issued("A2", at="09:00"))
        assert told.unit_row().nonzero() == {
            "tickets_issued": 1,
            "visits": 1,
            "waiting": 1,
            "oldest_wait_start": o.at("09:00"),
            # A2 waits, its target has passed
            "over_target": 1,
            "judged": 1,
            "breached": 1,
        }
        assert told.person("e").nonzero() == {}


def test_rule_20_what_comes_after_the_void_is_void_too() -> None:
    told = tell(o.voided("A1", at="09:00"), o.issued("A1", at="10:00"), o.called("A1", at="10:01"))
    assert told.unit_row().nonzero() == {}


def test_rule_20_a_void_may_name_another_day_than_its_own_times() -> None:
    told = tell(
        o.issued("A1", at="20:00"), o.issued("A1", at="+1 08:00"), o.voided("A1", at="+1 08:30", day="2026-01-15")
    )
    assert told.row("s", now="+1 08:31").some("tickets_issued", "expired", "waiting") == (1, 0, 1)


def test_rule_20_the_day_of_a_void_is_a_service_day() -> None:
    told = tell(o.issued("A1", at="+1 02:00"), o.voided("A1", at="+1 02:30"))
    assert told.unit_row().nonzero() == {}
    told = tell(o.issued("A1", at="+1 02:00"), o.voided("A1", at="+1 03:30"))
    assert told.row()["tickets_issued"] == 1


def test_rule_21_service_changed_at_the_start() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="s"),
        o.called("A1", at="09:06", employee="e"),
        o.started("A1", at="09:07", employee="e", service="t"),
        o.held("A1", at="09:10"),
        o.resumed("A1", at="09:12", employee="e"),
        o.completed("A1", at="09:20", employee="e", quantity=3),
    )
    assert told.row("s").nonzero() == {
        "tickets_issued": 1,
        "visits": 1,
        "waits_answered/no": 1,
        "wait_seconds_ms": 6 * MINUTE,
        "wait_seconds_count": 1,
        "judged": 1,
        "breached": 1,
        "tickets_closed/completed": 1,
        # 6 min of a target of 5 is above 1.1 T
    }
    assert told.row("t").nonzero() == {
        "way_seconds_ms": 1 * MINUTE,
        "way_seconds_count": 1,
        "service_seconds_ms": 11 * MINUTE,
        "service_seconds_count": 1,
        "hold_seconds_ms": 2 * MINUTE,
        "hold_seconds_count": 1,
        "served": 1,
        "services": 3,
    }


def test_rule_21_lost_goes_to_the_issued_service() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="s"),
        o.started("A1", at="09:01", service="t"),
        o.requeued("A1", at="09:03"),
        o.called("A1", at="09:04"),
        o.no_show("A1", at="09:06"),
    )
    assert told.row("s").some("lost_seconds_ms", "tickets_closed/no_show") == (2 * MINUTE, 1)
    assert told.row("t").some("service_seconds_ms", "lost_seconds_count", "served") == (2 * MINUTE, 0, 0)


def test_rule_21_an_added_service_counts_in_its_own_row_for_who_serves_then() -> None:
    told = Told().tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:01", employee="first"),
        o.added("A1", at="09:02", service="x"),
        o.held("A1", at="09:03", employee="first"),
        o.resumed("A1", at="09:05", employee="second"),
        o.added("A1", at="09:06", service="x"),
        o.added("A1", at="09:07", service="y", employee="third"),
        o.completed("A1", at="09:08", employee="second"),
    )
    assert told.row("x").nonzero() == {"services": 2}
    assert told.row("y").nonzero() == {"services": 1}
    assert told.row("s").some("served", "services") == (1, 1)
    assert told.person("first")["services"] == 1
    assert told.person("second").some("services", "served") == (2, 1)
    assert told.person("third").some("services", "served") == (1, 0)


def test_rule_18_a_requeue_withdraws_a_no_show_without_a_call_too() -> None:
    told = tell(o.issued("A1", at="09:00"), o.no_show("A1", at="09:04"), o.requeued("A1", at="09:05"))
    assert told.outcomes() == [None]
    assert told.row("s", now="09:06").some("waiting", "oldest_wait_start") == (1, o.at("09:00"))


def test_rule_18_an_end_that_a_start_beat_is_overruled_though_the_stretch_was_requeued() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.no_show("A1", at="09:02"),
        o.started("A1", at="09:03"),
        o.requeued("A1", at="09:06"),
    )
    assert told.unit_row()["contradictions"] == 1
    assert told.row().some("service_seconds_ms", "lost_seconds_count") == (3 * MINUTE, 0)


def test_rule_20_two_voids_of_one_instant_that_name_other_days_are_two_voids() -> None:
    told = Told(unit_policy({"s": 300}, day_starts="never")).tell(
        o.issued("A1", at="20:00"),
        o.issued("A1", at="+1 08:00"),
        o.voided("A1", at="+1 08:30", day="2026-01-15"),
        o.voided("A1", at="+1 08:30", day="2026-01-16"),
    )
    assert told.applied[-1] == Applied.APPLIED
    assert told.row()["tickets_issued"] == 0


def test_rule_17_a_repeat_that_tells_another_quantity_is_a_repeat_and_the_smaller_hash_stands() -> None:
    ends = [o.completed("A1", at="09:05", employee="e", quantity=number) for number in (2, 3, 4)]
    standing = min(ends, key=lambda event: identity_hash(event.source, event.id)).data.quantity
    for order in permutations(ends):
        told = tell(o.issued("A1", at="09:00"), o.started("A1", at="09:01", employee="e"), *order)
        assert told.row().some("served", "services") == (1, standing)
        assert told.unit_row()["contradictions"] == 0
        assert told.applied[-2:] == [Applied.DUPLICATE] * 2
