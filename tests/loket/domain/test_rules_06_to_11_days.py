"""Rules 6 to 11: service days, what time alone ends, late events and bounds, targets of a day. Worked out by hand."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from loket.domain.events import Event
from loket.domain.figures import evaluate
from loket.domain.policy import DAY, MAX_OPEN_TICKETS, MAX_STEPS, ServiceDays, ServicePolicy, Target, UnitPolicy
from loket.domain.unit import NEVER_BUCKET, Applied, apply
from loket.testing.builders import Office, unit_policy
from support.telling import PROMISE, Told, tell

o = Office()
SECOND, MINUTE = 1_000, 60_000
NEVER = unit_policy({"s": 300, "t": 600}, day_starts="never")


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


def ordinal(year: int, month: int, day: int) -> int:
    return datetime(year, month, day, tzinfo=UTC).toordinal()


def test_rule_06_the_service_day_starts_at_three_in_the_units_zone() -> None:
    days = ServiceDays("Asia/Jakarta", 3 * 3_600_000)
    # 03:00 in Jakarta is 20:00 UTC of the day before.
    assert days.start(ordinal(2026, 1, 15)) == utc(2026, 1, 14, 20)
    assert days.day(utc(2026, 1, 14, 20)) == ordinal(2026, 1, 15)
    assert days.day(utc(2026, 1, 14, 20) - 1) == ordinal(2026, 1, 14)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (
            "Europe/Amsterdam",
            (2026, 3, 28),
            23,
        ),  # clocks go on at 02:00 on the 29th, within the service day of the 28th
        ("Europe/Amsterdam", (2026, 3, 29), 24),
        ("Europe/Amsterdam", (2026, 10, 24), 25),  # clocks go back at 03:00 on the 25th
        ("Europe/Amsterdam", (2026, 10, 25), 24),
        ("Asia/Jakarta", (2026, 3, 28), 24),
    ],
)
def test_rule_06_a_service_day_is_as_long_as_its_zone_makes_it(
    zone: str, day: tuple[int, int, int], hours: int
) -> None:
    days = ServiceDays(zone, 3 * 3_600_000)
    start, end = days.start(ordinal(*day)), days.end(ordinal(*day))
    assert end - start == hours * 3_600_000
    for instant in (start, (start + end) // 2, end - 1):
        assert days.day(instant) == ordinal(*day)
    assert days.day(end) == ordinal(*day) + 1


def test_rule_06_days_of_a_zone_without_gaps_over_years() -> None:
    days = ServiceDays("America/Sao_Paulo", 0)  # where clocks went on at midnight, up to 2019
    first = ordinal(2017, 1, 1)
    for day in range(first, first + 1_200):
        assert days.end(day) == days.start(day + 1)
        assert 22 * 3_600_000 < days.end(day) - days.start(day) < 26 * 3_600_000
        assert days.day(days.start(day)) == day
        assert days.day(days.end(day) - 1) == day


def test_rule_06_at_the_end_of_the_day_open_tickets_expire_breached_if_the_target_had_passed() -> None:
    told = tell(
        o.issued("A1", at="09:00"),  # target long passed
        o.issued("A2", at="+1 02:57"),  # the day ends before its target passes
        o.issued("A3", at="09:00"),
        o.called("A3", at="09:01"),
        o.issued("A4", at="09:00"),
        o.started("A4", at="09:01"),
    )
    before = told.row("s", now="+1 02:59:59.999")
    assert before.some("waiting", "expired", "judged", "breached") == (2, 0, 3, 1)
    after = told.row("s", now="+1 03:00")
    assert after.some("waiting", "over_target", "expired", "judged", "breached") == (0, 0, 4, 3, 1)
    assert "oldest_wait_start" not in after
    # Neither leavers nor a service that nobody completed.
    assert after.some("waits_left/no", "waits_left/yes", "patience_seconds_count", "service_seconds_count") == (0,) * 4
    assert told.report("s", now="+1 03:00").closed.expired == 4


def test_rule_06_a_wait_that_passes_its_target_exactly_at_the_end_of_the_day_is_not_judged() -> None:
    told = tell(o.issued("A1", at="+1 02:55"))
    assert told.row("s", now="+1 03:00").some("judged", "expired") == (0, 1)
    assert told.row("s", now="+1 04:00").some("judged", "expired") == (0, 1)


def test_rule_06_midnight_ends_nothing() -> None:
    told = tell(o.issued("A1", at="23:58"))
    assert told.row("s", now="+1 00:01").some("waiting", "expired") == (1, 0)
    assert told.tell(o.called("A1", at="+1 00:02")).row().some("wait_seconds_ms", "tickets_issued") == (4 * MINUTE, 1)


def test_rule_06_queue_closed_expires_who_still_waits_uncalled() -> None:
    told = tell(
        o.issued("waits", at="11:58"),
        o.issued("at-once", at="12:00"),
        o.issued("after", at="12:00:00.001"),
        o.issued("called", at="11:00"),
        o.called("called", at="11:59"),
        o.issued("served", at="11:00"),
        o.started("served", at="11:50"),
        o.issued("requeued", at="11:00"),
        o.called("requeued", at="11:01"),
        o.requeued("requeued", at="11:30"),
        o.queue_closed(at="12:00"),
    )
    assert told.row("s", now="11:59").some("waiting", "expired") == (4, 0)
    row = told.row("s", now="12:00:00.001")
    assert row.some("waiting", "expired") == (1, 3)
    # Called and served go on.
    told.tell(o.no_show("called", at="12:01"), o.completed("served", at="12:30"))
    assert told.row("s", now="12:31").some("tickets_closed/no_show", "served", "expired") == (1, 1, 3)


def test_rule_06_queue_closed_at_its_time_breached_if_the_target_had_passed_by_then() -> None:
    told = tell(o.issued("A1", at="11:54"), o.issued("A2", at="11:56"), o.queue_closed(at="12:00"))
    assert told.row("s", now="18:00").some("judged", "breached", "expired") == (1, 1, 2)


def test_rule_06_queue_closed_of_one_service() -> None:
    told = tell(
        o.issued("A1", at="11:00", service="s"),
        o.issued("A2", at="11:00", service="t"),
        o.queue_closed(at="12:00", service="t"),
    )
    assert told.row("s", now="12:01").some("waiting", "expired") == (1, 0)
    assert told.row("t", now="12:01").some("waiting", "expired") == (0, 1)


def test_rule_06_queue_closed_in_any_order_and_the_first_that_applies_counts() -> None:
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        events: list[Event] = [o.queue_closed(at="10:00"), o.queue_closed(at="12:00"), o.issued("A1", at="11:57")]
        told = tell(*(events[index] for index in order))
        assert told.row("s", now="12:00").some("waiting", "expired", "judged") == (0, 1, 0)
        assert told.row("s", now="11:58").some("waiting", "expired") == (1, 0)


def test_rule_06_who_was_called_at_the_closing_and_requeued_after_it_waits_on() -> None:
    told = tell(
        o.issued("A1", at="11:00"), o.called("A1", at="11:59"), o.queue_closed(at="12:00"), o.requeued("A1", at="12:01")
    )
    assert told.row("s", now="12:02").some("waiting", "expired") == (1, 0)


def test_rule_06_queue_closed_expires_those_before_their_appointment_too() -> None:
    told = tell(o.issued("A1", at="11:00", appointment="14:00"), o.queue_closed(at="12:00"))
    assert told.row("s", now="12:01").some("early", "waiting", "expired", "judged") == (0, 0, 1, 0)


def test_rule_06_never_a_ticket_expires_24_hours_after_its_last_step() -> None:
    told = Told(NEVER).tell(o.issued("A1", at="20:00"), o.called("A1", at="23:00"), o.requeued("A1", at="+1 01:00"))
    assert told.row("s", now="+2 00:59:59.999").some("waiting", "expired") == (1, 0)
    assert told.row("s", now="+2 01:00").some("waiting", "expired") == (0, 1)


def test_rule_06_never_day_figures_start_at_three() -> None:
    told = Told(NEVER).tell(o.issued("A1", at="+1 02:59"), o.issued("A2", at="+1 03:00"))
    assert told.day("s", now="+1 02:59")["tickets_issued"] == 1
    assert told.day("s", now="+1 12:00")["tickets_issued"] == 1
    assert told.row("s", now="+1 12:00")["tickets_issued"] == 2


def test_rule_06_never_queue_closed_is_of_its_day_which_starts_at_three() -> None:
    told = Told(NEVER).tell(o.issued("A1", at="23:00"), o.queue_closed(at="+1 02:59"))
    assert told.row("s", now="+1 02:59").some("waiting", "expired") == (0, 1)
    told = Told(NEVER).tell(o.issued("A1", at="23:00"), o.queue_closed(at="+1 03:00"))
    assert told.row("s", now="+1 04:00").some("waiting", "expired") == (1, 0)


def test_rule_07_for_figures_the_day_is_over_at_once() -> None:
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:01"), o.completed("A1", at="09:05"))
    assert told.day("s", now="+1 02:59").some("tickets_issued", "served") == (1, 1)
    assert told.day("s", now="+1 03:00").some("tickets_issued", "served") == (0, 0)


def test_rule_07_the_state_closes_a_day_when_received_is_over_late_hours_past_its_end() -> None:
    told = Told().tell(o.issued("A1", at="09:00"))
    told.tell(o.issued("B1", at="+1 08:59"), received="+1 09:00")  # six hours past 03:00 and not over
    assert told.outcomes() == [None, None]
    told.tell(o.completed("A1", at="09:05"), received="+1 09:00")
    assert told.applied[-1] == Applied.APPLIED
    told.tell(o.issued("B2", at="+1 09:00"), received="+1 09:00:00.001")
    assert len(told.state.tickets) == 2
    assert told.tell(o.recalled("A1", at="09:06"), received="+1 09:00").applied[-1] == Applied.LATE


def test_rule_07_the_day_closes_before_the_record_that_closes_it_is_applied() -> None:
    told = Told().tell(o.issued("A1", at="09:00"))
    told.tell(o.called("A1", at="09:01"), received="+1 09:00:00.001")
    assert told.applied == [Applied.APPLIED, Applied.LATE]
    assert told.row("s", now="+1 10:00").some("expired", "waits_answered/yes") == (1, 0)


def test_rule_07_an_outage_at_night_that_ends_in_time_changes_nothing() -> None:
    events: list[Event] = [o.issued("A1", at="09:00"), o.called("A1", at="09:01"), o.completed("A1", at="09:05")]
    live = tell(*events)
    late = Told().tell(*events, received="+1 08:00")
    assert live.unit_row(now="+1 12:00") == late.unit_row(now="+1 12:00")


def test_rule_07_late_hours_are_the_units_own() -> None:
    told = Told(unit_policy({"s": 300}, late_hours=2)).tell(o.issued("A1", at="09:00"))
    told.tell(o.called("A1", at="09:01"), received="+1 05:00:00.001")
    assert told.applied[-1] == Applied.LATE


def test_rule_07_the_largest_received_counts_and_not_the_last() -> None:
    told = Told().tell(o.issued("A1", at="09:00"))
    told.tell(o.issued("B1", at="+1 10:00"), received="+1 10:00").tell(o.called("A1", at="09:01"), received="09:01")
    assert told.applied[-1] == Applied.LATE
    assert told.state.received == o.at("+1 10:00")


def test_rule_07_a_closed_day_keeps_its_tallies_and_changes_no_cumulative_figure() -> None:
    told = Told().tell(
        o.issued("A1", at="09:00"),
        o.issued("A2", at="09:00"),
        o.called("A2", at="09:01"),
        o.issued("A3", at="+1 02:58"),
        o.started("A4", at="09:00"),
    )
    before = told.unit_row(now="+1 12:00")
    told.tell(o.queue_closed(at="+1 11:00"), received="+1 12:00")
    assert told.state.tickets == {}
    assert told.unit_row(now="+1 12:00") == before


def test_rule_07_never_a_day_closes_24_hours_later() -> None:
    told = Told(NEVER).tell(o.issued("A1", at="09:00"), o.called("A1", at="09:01"), o.no_show("A1", at="09:02"))
    told.tell(o.recalled("A1", at="09:01:30"), received="+2 09:00")
    told.tell(o.started("A1", at="09:01:40"), received="+2 09:00:00.001")
    assert told.applied[-2:] == [Applied.APPLIED, Applied.LATE]


def test_rule_07_never_a_ticket_is_forgotten_with_the_day_on_which_nothing_can_belong_to_it_any_more() -> None:
    told = Told(NEVER).tell(o.issued("A1", at="09:00"), o.called("A1", at="09:01"), o.no_show("A1", at="09:02"))
    told.tell(o.issued("B1", at="+3 08:00"), received="+3 09:00")
    assert len(told.state.tickets) == 2
    before = told.unit_row(now="+3 09:30")
    told.tell(o.queue_closed(at="+3 08:30"), received="+3 09:00:00.001")
    assert len(told.state.tickets) == 1
    assert told.unit_row(now="+3 08:29") | {"now": 0} == before | {"now": 0}


def test_rule_08_never_what_comes_in_time_for_a_ticket_of_a_closed_day_finds_it() -> None:
    told = Told(NEVER).tell(o.issued("A1", at="19:00"), o.abandoned("A1", at="19:05"), o.issued("V1", at="19:00"))
    told.tell(o.voided("V1", at="19:05"))
    told.tell(o.abandoned("V1", at="+1 03:01"), o.started("A1", at="+1 03:01"), received="+2 09:01")
    assert told.state.admission.is_closed(ordinal(2026, 1, 15))
    assert told.applied[-2:] == [Applied.APPLIED] * 2
    row = told.row()
    assert row.some("tickets_issued", "waits_answered/no", "waits_left/yes", "tickets_closed/abandoned") == (1, 1, 0, 0)
    assert "" not in told.state.tallies or not told.row("")["tickets_closed/abandoned"]


@pytest.mark.parametrize("ends", [True, False], ids=["ended", "left open"])
def test_rule_08_never_a_number_that_is_given_out_each_day_does_not_keep_the_days_before(ends: bool) -> None:
    told = Told(NEVER)
    held = []
    for day in range(30):
        told.tell(o.issued("A1", at=f"+{day} 09:00"), o.called("A1", at=f"+{day} 09:10"))
        if ends:
            told.tell(o.started("A1", at=f"+{day} 09:11"), o.completed("A1", at=f"+{day} 09:20"))
        ticket = told.state.ticket((NEVER_BUCKET, "A1"))
        held.append(0 if ticket is None else len(ticket.steps))
    assert set(told.applied) == {Applied.APPLIED}
    assert max(held) == max(held[:5])


def test_rule_08_what_comes_for_a_closed_day_changes_no_live_figure_and_is_counted() -> None:
    told = Told().tell(o.issued("A1", at="09:00"), o.issued("B1", at="+1 10:00"))
    before = told.unit_row(now="+1 11:00")
    told.tell(
        o.called("A1", at="09:01"),
        o.issued("A9", at="10:00"),
        o.queue_closed(at="12:00"),
        o.voided("A1", at="+1 10:30", day="2026-01-15"),
        received="+1 11:00",
    )
    assert told.applied[-4:] == [Applied.LATE] * 4
    assert told.state.late == 4
    assert told.unit_row(now="+1 11:00") == before


def test_rule_08_a_void_of_an_open_day_with_a_time_of_a_closed_one_is_not_late() -> None:
    told = Told().tell(o.issued("A1", at="09:00"), o.issued("A1", at="+1 10:00"))
    told.tell(o.voided("A1", at="12:00", day="2026-01-16"), received="+1 11:00")
    assert told.applied[-1] == Applied.APPLIED
    assert told.row("s", now="+1 11:00").some("tickets_issued", "waiting") == (1, 0)


def test_rule_08_a_unit_holds_20000_tickets_of_open_days() -> None:
    told = Told()
    for number in range(MAX_OPEN_TICKETS):
        told.tell(o.abandoned(f"T{number}", at="09:00"))
    assert set(told.applied) == {Applied.APPLIED}
    assert told.tell(o.issued("one-more", at="09:00")).applied[-1] == Applied.LATE
    assert told.tell(o.issued("T7", at="08:00")).applied[-1] == Applied.APPLIED
    # A closed day makes room.
    assert told.tell(o.issued("tomorrow", at="+1 10:00")).applied[-1] == Applied.APPLIED
    assert MAX_OPEN_TICKETS == 20_000


def test_rule_08_a_ticket_has_500_steps() -> None:
    told = Told().tell(o.issued("A1", at="09:00"))
    for second in range(499):
        told.tell(o.recalled("A1", at=int(o.at("09:01")) + second * SECOND))
    assert set(told.applied) == {Applied.APPLIED}
    assert told.tell(o.called("A1", at="09:00:30")).applied[-1] == Applied.LATE
    assert told.state.late == 1
    assert told.row()["wait_seconds_ms"] == 60 * SECOND
    assert MAX_STEPS == 500
    assert told.tell(o.issued("A2", at="09:00")).applied[-1] == Applied.APPLIED


def test_rule_08_ids_are_remembered_until_their_day_closes() -> None:
    event = o.issued("A1", at="09:00", id="once")
    told = Told().tell(event, event, o.issued("B1", at="+1 09:00"))
    assert told.applied == [Applied.APPLIED, Applied.DUPLICATE, Applied.APPLIED]
    other = msgspec.structs.replace(o.issued("C1", at="+1 09:30"), id="once")
    assert told.tell(other).applied[-1] == Applied.APPLIED
    assert sum(len(ids) for ids in told.state.ids.values()) == 2


def test_rule_09_a_wait_is_wall_time_over_closing_too() -> None:
    told = tell(o.issued("A1", at="09:00"), o.queue_closed(at="08:00"), o.called("A1", at="15:00"))
    assert told.row()["wait_seconds_ms"] == 360 * MINUTE


def test_rule_09_breach_over_target_and_oldest_wait_run_from_the_appointment() -> None:
    told = tell(o.issued("A1", at="09:00", appointment="09:30"), o.called("A1", at="09:35"))
    assert told.row().some("waits_answered/yes", "breached", "wait_seconds_ms") == (1, 0, 5 * MINUTE)
    told = tell(o.issued("A1", at="09:00", appointment="09:30"), o.called("A1", at="09:35:00.001"))
    assert told.row().some("waits_answered/no", "breached") == (1, 1)


def dated(*targets: Target) -> UnitPolicy:
    return msgspec.structs.replace(PROMISE, services={"s": ServicePolicy(targets=targets)})


def test_rule_10_valid_from_means_from_the_start_of_that_service_day() -> None:
    policy = dated(Target(ordinal(2026, 1, 15), 300_000, 0.8), Target(ordinal(2026, 1, 16), 60_000, 0.8))
    told = Told(policy).tell(
        o.issued("A0", at="02:59"),  # of the 14th: no target yet
        o.issued("A1", at="+1 02:58"),
        o.called("A1", at="+1 02:59:30"),  # 90 s of 300
        o.issued("A2", at="+1 03:00"),
        o.called("A2", at="+1 03:01:30"),  # 90 s of 60
    )
    assert told.row().some("judged", "breached", "waits_answered/yes", "waits_answered/no") == (2, 1, 1, 1)


def test_rule_10_the_target_is_stored_with_the_leg_and_a_reload_judges_nobody_again() -> None:
    told = tell(o.issued("A1", at="09:00"), o.issued("A2", at="09:00"))
    told.state.policy = dated(Target(1, 3_600_000, 0.8))
    told.tell(o.called("A1", at="09:06"), o.issued("A3", at="09:00"), o.called("A3", at="09:06"))
    # A1 was issued under five minutes, A3 applied under sixty.
    assert told.row("s", now="09:07").some("waits_answered/no", "waits_answered/yes") == (1, 1)
    assert told.row("s", now="09:07").some("judged", "breached", "over_target") == (3, 2, 1)


def test_rule_10_an_issue_keeps_its_target_when_a_repeat_comes_under_another_file() -> None:
    issue = o.issued("A1", at="09:00")
    told = tell(issue)
    told.state.policy = dated()
    told.tell(issue)
    assert told.row("s", now="09:06").some("judged", "breached") == (1, 1)


def test_rule_11_a_wait_counts_in_the_day_of_its_leg() -> None:
    told = tell(o.issued("A1", at="+1 02:50"), o.called("A1", at="+1 02:59"))
    assert told.day("s", now="+1 02:59").some("judged", "breached", "waits_answered/no") == (1, 1, 1)
    assert told.day("s", now="+1 03:00").some("judged", "breached", "waits_answered/no") == (0, 0, 0)


def test_a_figure_is_a_function_of_state_and_now_and_changes_nothing() -> None:
    told = tell(o.issued("A1", at="09:00"), o.queue_closed(at="12:00"))
    first = evaluate(told.state, int(o.at("09:03")))
    evaluate(told.state, int(o.at("09:03")) + 10 * DAY)
    assert evaluate(told.state, int(o.at("09:03"))) == first


def test_a_year_in_which_a_zone_has_no_such_day_closes_like_any_other() -> None:
    """Samoa left out 2011-12-30 altogether: its day is one of no length, and nothing comes to a stop."""
    days = ServiceDays("Pacific/Apia", 3 * 3_600_000)
    friday = ordinal(2011, 12, 30)
    assert days.end(friday - 1) <= days.start(friday + 1)
    instant = days.start(friday - 1)
    while instant < days.start(friday + 2):
        assert days.start(days.day(instant)) <= instant < days.end(days.day(instant))
        instant += int(timedelta(hours=1).total_seconds()) * 1000


def test_rule_05_the_fold_does_not_care_how_old_an_event_is() -> None:
    told = Told().tell(Office(day="1970-01-02").issued("A1", at="09:00"))
    assert told.applied == [Applied.APPLIED]
    other = Office(day="1970-01-02", source="another").issued("A2", at="09:00")
    assert apply(told.state, other, 0) == Applied.APPLIED


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
@pytest.mark.parametrize("day_starts", ["00:00", "03:00", "23:59", "never"])
def test_every_instant_of_the_contract_has_a_service_day(zone: str, day_starts: str) -> None:
    """The wire takes the years 1900 to 2200."""
    told = Told(unit_policy({"s": 300}, zone=zone, day_starts=day_starts))
    for instant in (utc(1900, 1, 1), utc(1969, 12, 31, 23, 59), utc(2026, 3, 29, 1), utc(2200, 12, 31, 23, 59)):
        told.tell(o.issued(f"A{instant}", at=instant))
        assert told.row("s", now=instant)["waiting"] >= 1
    assert Applied.LATE not in told.applied
    assert told.row()["tickets_issued"] == 4
