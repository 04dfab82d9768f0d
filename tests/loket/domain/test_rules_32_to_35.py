"""Rules 32 to 35: employees' time. Worked out by hand from the rules; `e` sits at counter 1 unless told otherwise."""

import msgspec
import pytest

from loket.domain.counters import is_open
from loket.domain.events import Event
from loket.domain.policy import DAY, HOUR, MINUTE, SECOND, Budget
from loket.domain.sessions import MAX_SESSION_STEPS, active_sessions, evaluate_staff
from loket.domain.silence import forget_silent
from loket.domain.staffing import Staff
from loket.domain.unit import Applied
from loket.testing.builders import At, Office, again, unit_policy
from support.telling import PROMISE, Told, tell

o = Office()
NEVER = unit_policy({"s": 300}, day_starts="never")
WRAPS_UP = unit_policy({"s": 300}, wrap_up_seconds=120)


def visit(
    subject: str, came: At, called: At, started: At, ended: At, *, employee: str = "e", service: str = "s"
) -> list[Event]:
    """Somebody who waits, is called and served by one employee."""
    return [
        o.issued(subject, at=came, service=service),
        o.called(subject, at=called, employee=employee),
        o.started(subject, at=started, employee=employee),
        o.completed(subject, at=ended, employee=employee),
    ]


def minutes(staff: Staff) -> tuple[float, float, float, int]:
    """Staffed, serving and call gap in minutes, and the number of call gaps."""
    return staff.staffed_ms / MINUTE, staff.serving_ms / MINUTE, staff.call_gap_ms / MINUTE, staff.call_gaps


# Rule 32: the call gap


def test_rule_32_free_while_somebody_waits_until_his_own_next_call() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        *visit("A1", "09:00", "09:03", "09:04", "09:10"),
        *visit("A2", "09:05", "09:12", "09:13", "09:20"),
    )
    # 09:00-09:03 and 09:10-09:12 count; way and service are 09:03-09:10 and 09:12-09:20.
    assert minutes(told.staff("e")) == (20, 15, 5, 2)


def test_rule_32_while_nobody_waits_nothing_counts_and_makes_no_gap() -> None:
    told = tell(
        o.session_started("e", at="08:00"),
        *visit("A1", "09:00", "09:00", "09:01", "09:10"),
        *visit("A2", "09:30", "09:31", "09:32", "09:40"),
    )
    # 08:00-09:00: nobody is there. 09:10-09:30 neither; 09:30-09:31 somebody waits.
    assert minutes(told.staff("e")) == (100, 10 + 9, 1, 1)


def test_rule_32_one_gap_runs_over_several_people_who_wait_and_leave() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:01"),
        o.abandoned("A1", at="09:03"),
        *visit("A2", "09:10", "09:14", "09:14", "09:20"),
    )
    assert minutes(told.staff("e")) == (20, 6, 2 + 4, 1)


def test_rule_32_whom_a_colleague_calls_makes_no_gap_of_his() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.session_started("f", at="09:00", counter="2"),
        *visit("A1", "09:00", "09:05", "09:06", "09:20", employee="f"),
    )
    assert minutes(told.staff("f")) == (20, 15, 5, 1)
    # He could have called A1 for as long as it waited: the seconds count, but no call of his ended them.
    assert minutes(told.staff("e")) == (20, 0, 5, 0)


def test_rule_32_a_gap_that_ends_in_a_pause_or_the_sessions_end_counts_in_seconds_only() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.session_paused("e", at="09:04"),
        o.session_resumed("e", at="09:10"),
        o.session_ended("e", at="09:13"),
        o.abandoned("A1", at="09:30"),
    )
    assert minutes(told.staff("e")) == (7, 0, 7, 0)


def test_rule_32_a_call_at_the_instant_of_the_sessions_end_ends_no_gap() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.session_ended("e", at="09:05"),
        *visit("A1", "09:00", "09:05", "09:05", "09:10"),
    )
    assert minutes(told.staff("e")) == (5, 0, 5, 0)


def test_rule_32_a_gap_that_still_runs_counts_in_seconds_only() -> None:
    told = tell(o.session_started("e", at="09:00"), o.issued("A1", at="09:01"))
    assert minutes(told.staff("e", now="09:05")) == (5, 0, 4, 0)
    assert minutes(told.staff("e", now="09:06")) == (6, 0, 5, 0)


def test_rule_32_a_gap_that_a_call_ends_this_very_moment_is_one() -> None:
    told = tell(
        o.session_started("e", at="09:00"), o.issued("A1", at="09:00"), o.called("A1", at="09:02", employee="e")
    )
    assert minutes(told.staff("e", now="09:02")) == (2, 0, 2, 1)


def test_rule_32_a_start_without_a_call_ends_a_gap_too() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:02", employee="e"),
        o.completed("A1", at="09:05", employee="e"),
    )
    assert minutes(told.staff("e")) == (5, 3, 2, 1)


def test_rule_32_who_has_called_somebody_is_not_free_until_the_no_show() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.issued("A2", at="09:00"),
        o.called("A1", at="09:01", employee="e"),
        o.no_show("A1", at="09:04", employee="e"),
        o.called("A2", at="09:06", employee="e"),
    )
    # Free 09:00-09:01 and 09:04-09:06 while A2 waits. A call in vain is no way.
    assert minutes(told.staff("e", now="09:06")) == (6, 0, 3, 2)


def test_rule_32_whom_another_serves_he_has_called_until_the_start() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.issued("A2", at="09:00"),
        o.called("A1", at="09:00", employee="e"),
        o.started("A1", at="09:03", employee="f"),
        o.completed("A1", at="09:09", employee="f"),
    )
    assert minutes(told.staff("e")) == (9, 0, 6, 0)


def test_rule_32_who_holds_somebody_is_not_free() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.issued("A2", at="09:00"),
        o.started("A1", at="09:00", employee="e"),
        o.held("A1", at="09:02", employee="e"),
        o.resumed("A1", at="09:06", employee="e"),
        o.completed("A1", at="09:10", employee="e"),
    )
    assert minutes(told.staff("e")) == (10, 6, 0, 0)
    held = tell(o.session_started("e", at="09:00"), o.issued("A1", at="09:00"), o.issued("A2", at="09:00"))
    held.tell(o.started("A1", at="09:00", employee="e"), o.held("A1", at="09:02", employee="e"))
    assert minutes(held.staff("e", now="09:30")) == (30, 2, 0, 0)


def test_rule_32_wrap_up_after_a_service_is_not_free() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        *visit("A1", "09:00", "09:00", "09:00", "09:05"),
        *visit("A2", "09:00", "09:06", "09:07", "09:10"),
        *visit("A3", "09:00", "09:15", "09:15", "09:16"),
        policy=WRAPS_UP,
    )
    # Two minutes after each service: A2 is called within them, A3 three minutes after them. Wrap-up is not serving.
    assert minutes(told.staff("e")) == (16, 5 + 4 + 1, 3, 1)


def test_rule_32_there_is_no_wrap_up_after_a_call_in_vain() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.issued("A2", at="09:00"),
        o.called("A1", at="09:00", employee="e"),
        o.no_show("A1", at="09:01"),
        policy=WRAPS_UP,
    )
    assert minutes(told.staff("e", now="09:04")) == (4, 0, 3, 0)


def test_rule_32_only_who_waits_for_a_service_of_his_session_counts() -> None:
    told = tell(
        o.session_started("e", at="09:00", services=("s",)),
        o.session_started("f", at="09:00", counter="2"),
        o.issued("A1", at="09:00", service="t"),
        o.issued("A2", at="09:04", service="s"),
    )
    assert told.staff("e", now="09:10").call_gap_ms == 6 * MINUTE
    assert told.staff("f", now="09:10").call_gap_ms == 10 * MINUTE


def test_rule_32_a_session_that_names_an_empty_list_names_none() -> None:
    told = tell(o.session_started("e", at="09:00", services=()), o.issued("A1", at="09:00", service="t"))
    assert told.staff("e", now="09:10").call_gap_ms == 10 * MINUTE


def test_rule_32_of_sessions_at_two_counters_each_has_its_services() -> None:
    told = tell(
        o.session_started("e", at="09:00", services=("s",)),
        o.session_started("e", at="09:10", counter="2", services=("t",)),
        o.session_ended("e", at="09:20"),
        o.issued("A1", at="09:05", service="s"),
        o.issued("A2", at="09:05", service="t"),
        o.abandoned("A1", at="09:15"),
    )
    # s from 09:05 to 09:15 by the first, t from 09:10 by the second.
    assert told.staff("e", now="09:30").call_gap_ms == 25 * MINUTE


def test_rule_32_before_the_appointment_nobody_waits() -> None:
    told = tell(o.session_started("e", at="09:00"), o.issued("A1", at="09:00", appointment="09:20"))
    assert told.staff("e", now="09:20").call_gap_ms == 0
    assert told.staff("e", now="09:25").call_gap_ms == 5 * MINUTE


def test_rule_32_whom_the_end_of_the_queue_ends_waits_no_more() -> None:
    told = tell(o.session_started("e", at="09:00"), o.issued("A1", at="09:00"), o.queue_closed(at="09:10"))
    assert told.staff("e", now="09:30").call_gap_ms == 10 * MINUTE


def test_rule_32_the_requeued_wait_again() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:00", employee="e"),
        o.requeued("A1", at="09:05", employee="e"),
    )
    assert minutes(told.staff("e", now="09:07")) == (7, 0, 2, 0)


def test_rule_32_who_waits_without_an_issue_is_not_known_to_wait() -> None:
    told = tell(o.session_started("e", at="09:00"), o.completed("A9", at="09:05"))
    assert told.staff("e", now="09:10").call_gap_ms == 0


def test_rule_32_without_a_session_there_is_no_gap_and_nothing_outside_one() -> None:
    log = visit("A1", "09:00", "09:05", "09:06", "09:20")
    assert evaluate_staff(tell(*log).state, int(o.at("10:00"))) == {}
    told = tell(*log, o.session_started("e", at="09:10"))
    assert minutes(told.staff("e", now="09:30")) == (20, 10, 0, 0)


# Rule 33: staffed and serving time


def test_rule_33_sessions_at_two_counters_are_their_union() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.session_started("e", at="09:10", counter="2"),
        o.session_ended("e", at="09:20"),
        o.session_ended("e", at="09:30", counter="2"),
    )
    assert minutes(told.staff("e", now="10:00")) == (30, 0, 0, 0)
    assert told.staff("e", now="09:15").active == 2
    assert told.staff("e", now="09:25").active == 1


def test_rule_33_pauses_are_not_staffed() -> None:
    told = tell(
        o.session_started("e", at="08:00"),
        o.session_paused("e", at="10:00"),
        o.session_resumed("e", at="10:15"),
        o.session_ended("e", at="12:00"),
    )
    assert told.staff("e", now="10:10").staffed_ms == 2 * HOUR
    assert told.staff("e", now="13:00").staffed_ms == 3 * HOUR + 45 * MINUTE


@pytest.mark.parametrize("how", ["session_paused", "session_ended"])
def test_rule_33_a_pause_and_an_end_count_from_the_end_of_the_running_service(how: str) -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        *visit("A1", "09:00", "09:00", "09:01", "09:20"),
        getattr(o, how)("e", at="09:10"),
    )
    assert minutes(told.staff("e", now="10:00")) == (20, 20, 0, 0)


def test_rule_33_a_pause_at_the_instant_of_a_start_comes_before_it() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        *visit("A1", "09:00", "09:05", "09:10", "09:20"),
        o.session_paused("e", at="09:10"),
    )
    assert told.staff("e", now="10:00").staffed_ms == 10 * MINUTE


def test_rule_33_the_running_service_ends_with_its_completion_and_not_with_a_hold() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:00", employee="e"),
        o.session_paused("e", at="09:05"),
        o.held("A1", at="09:10", employee="e"),
        o.resumed("A1", at="09:15", employee="e"),
        o.completed("A1", at="09:20", employee="e"),
    )
    assert minutes(told.staff("e", now="10:00")) == (20, 15, 0, 0)


def test_rule_33_after_a_hold_from_which_a_colleague_went_on_the_service_was_over_for_him() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:00", employee="e"),
        o.session_paused("e", at="09:05"),
        o.held("A1", at="09:10", employee="e"),
        o.resumed("A1", at="09:15", employee="f"),
        o.completed("A1", at="09:20", employee="f"),
    )
    assert told.staff("e", now="10:00").staffed_ms == 10 * MINUTE


def test_rule_33_of_two_services_only_what_runs_at_the_pause_delays_it() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        *visit("A1", "09:00", "09:00", "09:00", "09:10"),
        *visit("A2", "09:00", "09:08", "09:08", "09:30"),
        o.session_paused("e", at="09:05"),
    )
    assert told.staff("e", now="10:00").staffed_ms == 10 * MINUTE


def test_rule_33_resumed_before_the_service_is_over_there_was_no_pause() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        *visit("A1", "09:00", "09:00", "09:00", "09:20"),
        o.session_paused("e", at="09:05"),
        o.session_resumed("e", at="09:15"),
        o.session_ended("e", at="09:30"),
    )
    assert told.staff("e", now="10:00").staffed_ms == 30 * MINUTE


def test_rule_33_serving_is_way_and_service_running_ones_included() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:02", employee="e"),
    )
    assert told.staff("e", now="09:05").serving_ms == 3 * MINUTE
    told.tell(o.started("A1", at="09:06", employee="e"))
    assert told.staff("e", now="09:30").serving_ms == 28 * MINUTE
    # Elsewhere stages that still run are not in the sums.
    assert told.person("e").some("way_ms", "service_ms") == (4 * MINUTE, 0)


def test_rule_33_two_services_at_once_are_served_once() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        *visit("A1", "09:00", "09:00", "09:00", "09:10"),
        *visit("A2", "09:00", "09:05", "09:05", "09:15"),
    )
    assert minutes(told.staff("e")) == (15, 15, 0, 0)


def test_rule_33_serving_counts_within_sessions_only() -> None:
    told = tell(
        o.session_started("e", at="09:05"),
        o.session_paused("e", at="09:06"),
        o.session_resumed("e", at="09:12"),
        *visit("A1", "09:00", "09:00", "09:00", "09:05"),
        *visit("A2", "09:00", "09:08", "09:08", "09:20"),
    )
    # Between 09:05 and 09:06 he was free while A2 waited.
    assert minutes(told.staff("e")) == (9, 8, 1, 0)


def test_rule_33_a_start_of_a_session_that_is_open_or_paused_is_staffed_time_that_begins() -> None:
    told = tell(
        o.session_started("e", at="09:00", services=("t",)),
        o.session_paused("e", at="09:10"),
        o.session_started("e", at="09:30", services=("s",)),
        o.issued("A1", at="09:00"),
    )
    assert minutes(told.staff("e", now="09:40")) == (20, 0, 10, 0)


def test_rule_33_steps_of_a_session_that_nobody_started_say_nothing() -> None:
    told = tell(
        o.session_resumed("e", at="09:00"),
        o.session_paused("e", at="09:10"),
        o.session_started("e", at="09:20"),
        o.session_ended("e", at="09:30"),
        o.session_ended("e", at="09:40"),
        o.session_resumed("e", at="09:50"),
    )
    assert told.staff("e", now="10:00") == Staff(staffed_ms=10 * MINUTE)


def test_rule_33_at_one_instant_what_ends_comes_before_what_begins() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.session_started("e", at="09:10"),
        o.session_ended("e", at="09:10"),
        o.session_paused("e", at="09:20"),
        o.session_resumed("e", at="09:20"),
    )
    assert told.staff("e", now="09:30") == Staff(staffed_ms=30 * MINUTE, active=1)


def test_rule_06_sessions_end_with_the_service_day_flagged() -> None:
    told = tell(
        o.session_started("e", at="20:00"),
        o.session_started("f", at="20:00", counter="2"),
        o.session_ended("f", at="21:00", counter="2"),
        o.session_started("g", at="20:00", counter="3"),
        o.session_paused("g", at="22:00", counter="3"),
    )
    assert told.staff("e", now="+1 02:59") == Staff(staffed_ms=7 * HOUR - MINUTE, active=1)
    assert told.staff("e", now="+1 03:00") == Staff(staffed_ms=7 * HOUR, flagged=1)
    assert told.staff("e", now="+1 12:00") == Staff(staffed_ms=7 * HOUR, flagged=1)
    assert told.staff("f", now="+1 12:00") == Staff(staffed_ms=HOUR)
    assert told.staff("g", now="+1 12:00") == Staff(staffed_ms=2 * HOUR, flagged=1)
    assert told.staff_today("e", now="+1 02:59").staffed_ms == 7 * HOUR - MINUTE
    assert told.staff_today("e", now="+1 03:00") == Staff()


def test_rule_06_a_service_that_nobody_completed_has_no_duration() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.issued("A2", at="09:00"),
        o.called("A1", at="09:00", employee="e"),
        o.started("A1", at="09:05", employee="e"),
        o.session_ended("e", at="16:00"),
    )
    # While it runs it is served, and the session's end waits for it; when the day is over it has no duration.
    assert minutes(told.staff("e", now="20:00")) == (11 * 60, 11 * 60, 0, 0)
    # It was no free time either.
    assert minutes(told.staff("e", now="+1 03:00")) == (7 * 60, 5, 0, 0)


# Rule 34: functions of the day's intervals of the unit


def test_rule_34_a_late_call_elsewhere_changes_them() -> None:
    told = tell(o.session_started("e", at="09:00"), o.issued("A1", at="09:00"))
    assert told.staff("e", now="09:30").call_gap_ms == 30 * MINUTE
    told.tell(o.called("A1", at="09:10", employee="f"), received="09:30")
    assert told.staff("e", now="09:30").call_gap_ms == 10 * MINUTE


def test_rule_34_a_void_takes_its_times_and_leaves_sessions() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        *visit("A1", "09:00", "09:02", "09:03", "09:10"),
        o.voided("A1", at="09:20"),
    )
    assert minutes(told.staff("e")) == (20, 0, 0, 0)


def test_rule_34_closing_the_day_changes_nothing() -> None:
    log = [
        o.session_started("e", at="09:00"),
        *visit("A1", "09:00", "09:02", "09:03", "09:10"),
        o.issued("A2", at="09:05"),
        o.session_ended("e", at="12:00"),
    ]
    told = tell(*log)
    before = told.staff("e", now="+1 09:01")
    assert minutes(before) == (180, 8, 2 + 170, 1)
    told.tell(o.issued("B1", at="+1 09:01"))
    assert told.state.sessions == {}
    assert told.staff("e", now="+1 09:01") == before
    assert told.staff_today("e", now="+1 09:01") == Staff()


def test_rule_34_days_add_up() -> None:
    told = tell(
        o.session_started("e", at="09:00"),
        o.session_ended("e", at="10:00"),
        o.session_started("e", at="+1 09:00"),
        o.session_ended("e", at="+1 09:30"),
    )
    assert told.staff("e").staffed_ms == 90 * MINUTE
    assert told.staff_today("e").staffed_ms == 30 * MINUTE


def test_rule_34_where_the_day_never_starts_sessions_and_tickets_go_on_over_03_00() -> None:
    told = tell(
        o.session_started("e", at="22:00"),
        *visit("A1", "+1 02:00", "+1 02:30", "+1 02:50", "+1 03:20"),
        *visit("A2", "+1 02:00", "+1 03:30", "+1 03:30", "+1 03:40"),
        o.session_ended("e", at="+1 06:00"),
        policy=NEVER,
    )
    whole = told.staff("e", now="+1 08:00")
    assert minutes(whole) == (8 * 60, 50 + 10, 30 + 10, 2)
    today = told.staff_today("e", now="+1 08:00")
    assert minutes(today) == (3 * 60, 20 + 10, 10, 1)
    # A day closes 30 hours after its end, and the night with the second day, when no step can reach its tickets.
    for now in ("+2 10:00", "+3 10:00", "+4 10:00", "+5 10:00"):
        told.tell(o.issued(f"B{now}", at=now))
        assert minutes(told.staff("e", now=now)) == minutes(whole)
    assert told.state.sessions == {}
    assert told.state.carried == {}


def test_rule_34_where_the_day_never_starts_a_session_lasts_a_day_at_most() -> None:
    told = tell(o.session_started("e", at="22:00"), policy=NEVER)
    assert told.staff("e", now="+1 21:00") == Staff(staffed_ms=23 * HOUR, active=1)
    assert told.staff("e", now="+1 22:00") == Staff(staffed_ms=24 * HOUR, flagged=1)
    assert told.staff("e", now="+5 22:00") == Staff(staffed_ms=24 * HOUR, flagged=1)
    told.tell(o.issued("B1", at="+5 22:00"))
    assert told.staff("e", now="+5 22:00") == Staff(staffed_ms=24 * HOUR, flagged=1)


# What becomes of session events: rules 8, 17, 20 and the label budget


def test_rule_17_a_repeat_of_a_session_event_is_known_by_its_id_and_by_what_it_says() -> None:
    start = o.session_started("e", at="09:00")
    told = tell(start, start, again(start, id="another"))
    assert told.applied == [Applied.APPLIED, Applied.DUPLICATE, Applied.DUPLICATE]
    other = msgspec.structs.replace(start, data=msgspec.structs.replace(start.data, employee="f"))
    told.tell(other)
    assert told.applied[-1] == Applied.CONFLICTING_REPEAT
    assert told.staff("f", now="10:00") == Staff()


def test_rule_17_of_two_starts_that_name_other_services_the_smaller_hash_stands() -> None:
    log: list[Event] = [
        o.session_started("e", at="09:00", services=("s",), id="a"),
        o.session_started("e", at="09:00", services=("t",), id="b"),
        o.issued("A1", at="09:00", service="s"),
    ]
    one, two = tell(*log), tell(*reversed(log))
    assert {one.applied[1], two.applied[2]} == {Applied.APPLIED, Applied.CONTRADICTION}
    assert one.staff("e", now="09:10") == two.staff("e", now="09:10")
    assert one.unit_row()["contradictions"] == two.unit_row()["contradictions"] == 1


def test_rule_08_session_events_of_a_closed_day_are_late() -> None:
    told = tell(o.session_started("e", at="09:00"), o.issued("B1", at="+1 09:01"))
    told.tell(o.session_ended("e", at="10:00"), received="+1 09:02")
    assert told.applied[-1] == Applied.LATE
    assert told.state.late == 1
    assert told.staff("e") == Staff(staffed_ms=18 * HOUR, flagged=1)


def test_rule_08_a_unit_keeps_5_000_session_events_of_a_day() -> None:
    told = Told()
    for number in range(MAX_SESSION_STEPS):
        told.tell(o.session_started("e", at=int(o.at("09:00")) + number * SECOND))
    told.tell(o.session_ended("e", at="12:00"))
    assert told.applied[-2:] == [Applied.APPLIED, Applied.LATE]
    told.tell(o.session_started("e", at="+1 12:00"))
    assert told.applied[-1] == Applied.APPLIED


def test_employees_beyond_the_label_budget_are_other_with_their_sums() -> None:
    told = tell(
        *(o.session_started(name, at="09:00", counter=name) for name in "abcd"),
        policy=unit_policy({"s": 300}, budget=Budget(employees=2)),
    )
    assert told.staff("a", now="10:00") == Staff(staffed_ms=HOUR, active=1)
    assert told.staff("other", now="10:00") == Staff(staffed_ms=2 * HOUR, active=2)
    assert set(told.state.employees) == {"a", "b"}


def test_rule_35_one_id_in_two_units_is_two_employees() -> None:
    other = Office("v")
    here, there = Told().tell(o.session_started("e", at="09:00")), Told(PROMISE, other)
    there.tell(other.session_started("e", at="09:30"))
    assert here.staff("e", now="10:00").staffed_ms == HOUR
    assert there.staff("e", now="10:00").staffed_ms == HOUR // 2


def test_rule_35_who_is_silent_for_35_days_is_forgotten_and_leaves_the_name_to_others() -> None:
    told = tell(
        *visit("A1", "09:00", "09:01", "09:02", "09:10"),
        o.session_started("e", at="09:00"),
        o.session_ended("e", at="10:00"),
        o.session_started("f", at="+10 09:00"),
        o.session_ended("f", at="+10 10:00"),
        *visit("B1", "+34 09:00", "+34 09:01", "+34 09:02", "+34 09:10", employee="g"),
        policy=unit_policy({"s": 300}, budget=Budget(employees=3)),
    )
    forget_silent(told.state)
    assert set(told.state.employees) == {"e", "f", "g"}
    told.tell(*visit("C1", "+35 10:01", "+35 10:01", "+35 10:01", "+35 10:01", employee="h"))
    assert told.person("other")["served"] == 1
    forget_silent(told.state)
    assert set(told.state.employees) == {"f", "g"}
    assert told.person("e") == {}
    assert set(evaluate_staff(told.state, told.now)) == {"f"}
    told.tell(*visit("D1", "+35 11:00", "+35 11:00", "+35 11:00", "+35 11:01", employee="h"))
    assert told.person("h")["served"] == 1


def test_sessions_that_are_active_are_counted_without_their_work() -> None:
    assert active_sessions(tell(o.issued("A1", at="09:00")).state, 0) is None
    told = tell(
        o.session_started("e", at="09:00"),
        o.session_started("f", at="09:00", counter="2"),
        o.session_paused("f", at="09:30", counter="2"),
    )
    assert [active_sessions(told.state, int(o.at(now))) for now in ("08:59", "09:00", "09:30", "+1 03:00")] == [
        0,
        2,
        1,
        0,
    ]


# Counters


def opened(told: Told, now: At, counter: str = "1") -> bool | None:
    return is_open(told.state.counters[counter], told.state.policy, int(o.at(now)))


def test_a_counter_is_open_from_its_opening_until_it_is_closed_or_the_day_ends() -> None:
    told = tell(o.counter_opened(at="08:00"), o.counter_closed(at="15:00"))
    assert [opened(told, now) for now in ("07:59", "08:00", "14:59", "15:00")] == [False, True, True, False]
    left = tell(o.counter_opened(at="08:00"))
    assert [opened(left, now) for now in ("+1 02:59", "+1 03:00")] == [True, False]
    never = tell(o.counter_opened(at="08:00"), policy=NEVER)
    assert opened(never, "+3 03:00")


def test_counters_need_no_ids_and_no_order() -> None:
    log: list[Event] = [
        o.counter_opened(at="08:00"),
        o.counter_closed(at="12:00"),
        o.counter_opened(at="13:00"),
        o.heartbeat(at="13:01", pending=7, oldest_pending_at="12:59"),
        o.heartbeat(at="13:02", pending=2),
    ]
    one = tell(*log, *log)
    two = Told().tell(*reversed(log), received="13:02")
    assert one.state.counters == two.state.counters
    assert set(one.applied) == {Applied.APPLIED}
    assert opened(one, "13:30")
    counter = one.state.counters["1"]
    assert (counter.pending, counter.oldest_pending_at) == (2, None)
    assert not any(one.state.ids.values())


def test_a_counter_that_opens_at_the_instant_at_which_it_closes_is_open() -> None:
    assert opened(tell(o.counter_opened(at="08:00"), o.counter_closed(at="08:00")), "09:00")


def test_the_last_event_of_a_counter_is_by_the_brokers_time_and_may_be_a_tickets() -> None:
    told = tell(o.called("A1", at="08:00", counter="1"), o.called("A1", at="08:00", counter="2"))
    assert told.state.counters == {}
    told.tell(o.heartbeat(at="08:30"), received="09:00").tell(o.called("A2", at="08:40", counter="1"), received="09:05")
    assert told.state.counters["1"].received == int(o.at("09:05"))
    assert opened(told, "10:00") is None


def test_a_heartbeat_of_a_closed_day_still_tells_that_the_device_is_there() -> None:
    told = tell(o.heartbeat(at="09:00"), o.issued("B1", at="+1 09:01"))
    told.tell(o.heartbeat(at="09:30", pending=3), received="+1 10:00")
    assert told.applied[-1] == Applied.APPLIED
    assert told.state.counters["1"].received == int(o.at("09:30")) + DAY + 30 * MINUTE


def test_counters_beyond_the_label_budget_are_other() -> None:
    told = tell(
        *(o.counter_opened(at="09:00", counter=name) for name in "abcd"),
        policy=unit_policy({"s": 300}, budget=Budget(counters=2)),
    )
    assert set(told.state.counters) == {"a", "b", "other"}
