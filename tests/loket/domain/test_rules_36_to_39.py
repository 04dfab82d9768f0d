"""Requests by hand from the rules: what becomes of them, the three clocks, targets, and when they are right first."""

from __future__ import annotations

import pytest

from loket.domain.calendar import Calendar, DayHours, Schedule
from loket.domain.events import Event
from loket.domain.figures import Figures, evaluate
from loket.domain.policy import DAY, HOUR, MINUTE, Clock, Produces, ServicePolicy, Since, Turnaround, UnitPolicy
from loket.domain.requests import RequestPresent
from loket.domain.state import UnitState
from loket.domain.unit import Applied, apply
from loket.testing.builders import Office

SHIFT = DayHours(((8 * HOUR, 17 * HOUR),))
CLOSED = DayHours()
WEEKDAYS = Calendar((Schedule(1, (SHIFT, SHIFT, SHIFT, SHIFT, SHIFT, CLOSED, CLOSED)),))
"""8 to 17, Monday to Friday; the builders' day is a Thursday."""


def promise(
    within_ms: int | None = None,
    *,
    clock: Clock = Clock.WALL,
    since: Since = Since.SUBMISSION,
    calendar: Calendar | None = None,
    day_starts_ms: int | None = 3 * HOUR,
) -> UnitPolicy:
    """A unit that gives identity cards, with a turnaround target or without."""
    targets = () if within_ms is None else (Turnaround(1, within_ms, 0.9, clock, since),)
    cards = ServicePolicy(produces=Produces.REQUEST, turnarounds=targets)
    return UnitPolicy(services={"ktp": cards}, known=True, calendar=calendar or Calendar(), day_starts_ms=day_starts_ms)


def told(*log: Event, policy: UnitPolicy | None = None) -> UnitState:
    """A state that has been told these events, in their order."""
    state = UnitState("u", policy or promise())
    for event in log:
        apply(state, event, int(event.time))
    return state


def counts(state: UnitState) -> dict[str, int]:
    """The exact counts of the service, and what stands in the unit's own row, without zeros."""
    found: dict[str, int] = {}
    for label in ("ktp", ""):
        tally = state.tallies.get(label)
        if tally is not None:
            found |= {name: tally.counts.exact(name) for name in tally.counts.total}
    return {name: count for name, count in found.items() if count}


def clocks(state: UnitState) -> dict[str, int]:
    """The sums of the clocks of completed requests, in ms."""
    histograms = state.tally("ktp").histograms
    return {
        name.removeprefix("request_").removesuffix("_seconds"): found.sum_ms - found.corrected_ms
        for name, found in histograms.items()
        if found.count > found.corrected_count
    }


def present(state: UnitState, now: int) -> RequestPresent:
    figures: Figures = evaluate(state, now)
    return figures.requests["ktp"]


def test_rule_36_no_day_ends_a_request() -> None:
    office = Office()
    state = told(office.request_submitted("R1", at="09:00"), office.issued("A1", at="+9 09:00"))
    now = int(office.at("+9 09:00"))
    assert present(state, now) == RequestPresent(open=1, oldest_start=int(office.at("09:00")))
    assert apply(state, office.request_completed("R1", at="+9 10:00"), now) is Applied.APPLIED
    assert clocks(state)["citizen"] == 9 * DAY + HOUR


def test_rule_36_a_subject_is_one_request_for_ever_whatever_the_day() -> None:
    office = Office()
    state = told(office.request_submitted("R1", at="09:00"), office.request_submitted("R1", at="+3 09:00"))
    assert counts(state) == {"requests_submitted": 1, "contradictions": 1}
    assert present(state, int(office.at("+3 10:00"))).oldest_start == int(office.at("09:00"))


def test_rule_36_what_ends_before_it_starts_took_no_time_and_is_flagged() -> None:
    office = Office()
    state = told(office.request_completed("R1", at="08:00"), office.request_submitted("R1", at="09:00"))
    assert counts(state) == {
        "requests_submitted": 1,
        "requests_completed/none": 1,
        "requests_ever_completed": 1,
        "skewed_durations": 1,
    }
    assert clocks(state) == {"citizen": 0, "citizen_service": 0}


def test_a_request_whose_submission_has_not_come_is_in_no_figure() -> None:
    office = Office()
    state = told(office.request_accepted("R1", at="09:00"), office.request_completed("R1", at="10:00"))
    assert counts(state) == {}
    assert present(state, int(office.at("11:00"))) == RequestPresent()
    apply(state, office.request_submitted("R1", at="08:00"), int(office.at("11:00")))
    assert clocks(state) == {"citizen": 2 * HOUR, "citizen_service": 2 * HOUR, "legal": HOUR}


def test_rule_37_the_legal_clock_runs_from_the_acceptance() -> None:
    office = Office()
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_accepted("R1", at="11:00", employee="sari"),
        office.request_completed("R1", at="+1 11:00"),
    )
    assert clocks(state)["legal"] == DAY
    assert clocks(state)["citizen"] == DAY + 3 * HOUR


def test_rule_37_the_task_clock_runs_from_the_first_to_the_last_work_less_suspensions() -> None:
    office = Office()
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_worked("R1", at="09:00", employee="sari"),
        office.request_suspended("R1", at="10:00"),
        office.request_resumed("R1", at="12:30"),
        office.request_worked("R1", at="14:00", employee="budi"),
        office.request_completed("R1", at="16:00"),
    )
    assert clocks(state)["task"] == 5 * HOUR - 2 * HOUR - 30 * MINUTE


def test_rule_37_work_after_the_completion_is_in_the_task_clock() -> None:
    office = Office()
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_worked("R1", at="09:00"),
        office.request_completed("R1", at="10:00"),
        office.request_worked("R1", at="11:00"),
    )
    assert clocks(state) == {"citizen": 2 * HOUR, "citizen_service": 2 * HOUR, "task": 2 * HOUR}


def test_rule_37_one_piece_of_work_is_no_time_and_an_open_request_has_no_task_clock() -> None:
    office = Office()
    state = told(office.request_submitted("R1", at="08:00"), office.request_worked("R1", at="09:00"))
    assert clocks(state) == {}
    apply(state, office.request_completed("R1", at="10:00"), int(office.at("10:00")))
    assert clocks(state)["task"] == 0


def test_rule_37_without_work_it_begins_with_the_first_event_that_names_an_employee() -> None:
    office = Office()
    by_sari = told(
        office.request_submitted("R1", at="08:00"),
        office.request_accepted("R1", at="09:00", employee="sari"),
        office.request_completed("R1", at="12:00"),
    )
    assert clocks(by_sari)["task"] == 3 * HOUR
    by_nobody = told(
        office.request_submitted("R1", at="08:00"),
        office.request_accepted("R1", at="09:00"),
        office.request_completed("R1", at="12:00"),
    )
    assert "task" not in clocks(by_nobody)


def test_rule_37_the_task_clock_runs_in_service_hours() -> None:
    office = Office()
    state = told(
        office.request_submitted("R1", at="06:00"),
        office.request_worked("R1", at="07:00"),  # Thursday before the opening
        office.request_worked("R1", at="+4 09:30"),  # Monday
        office.request_completed("R1", at="+4 18:00"),
        policy=promise(calendar=WEEKDAYS),
    )
    assert clocks(state) == {
        "citizen": 4 * DAY + 12 * HOUR,
        "citizen_service": 27 * HOUR,
        "task": 9 * HOUR + 9 * HOUR + HOUR + 30 * MINUTE,
    }


def test_rule_37_the_legal_and_the_citizens_clock_are_by_the_wall() -> None:
    office = Office()
    state = told(
        office.request_submitted("R1", at="16:00"),
        office.request_accepted("R1", at="16:30"),
        office.request_completed("R1", at="+1 08:30"),
        policy=promise(calendar=WEEKDAYS),
    )
    assert clocks(state) == {
        "citizen": 16 * HOUR + 30 * MINUTE,
        "citizen_service": HOUR + 30 * MINUTE,
        "legal": 16 * HOUR,
    }


def test_rule_38_a_reopened_request_runs_from_its_submission_to_its_last_completion() -> None:
    office = Office()
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_completed("R1", at="10:00", outcome="handed_over"),
        office.request_reopened("R1", at="+1 08:00"),
    )
    assert counts(state) == {
        "requests_submitted": 1,
        "requests_reopened": 1,
        "requests_ever_completed": 1,
        "requests_reopened_early": 1,
    }
    assert present(state, int(office.at("+1 09:00"))).oldest_start == int(office.at("08:00"))
    apply(state, office.request_completed("R1", at="+2 08:00", outcome="refused"), int(office.at("+2 08:00")))
    assert clocks(state)["citizen"] == 2 * DAY
    assert counts(state)["requests_completed/refused"] == 1
    assert "requests_completed/handed_over" not in counts(state)
    assert state.tally("ktp").counts.total["requests_completed/handed_over"] == 1  # a counter never falls (rule 23)


def test_rule_38_the_judgement_of_what_was_in_time_is_withdrawn_by_a_reopening() -> None:
    office = Office()
    policy = promise(DAY)
    state = told(office.request_submitted("R1", at="08:00"), office.request_completed("R1", at="10:00"), policy=policy)
    in_time = present(state, int(office.at("11:00")))
    assert (in_time.judged, in_time.breached) == (1, 0)
    apply(state, office.request_reopened("R1", at="12:00"), int(office.at("12:00")))
    open_again = present(state, int(office.at("+1 08:00")))
    assert (open_again.open, open_again.judged, open_again.breached) == (1, 0, 0)
    passed = present(state, int(office.at("+1 08:00")) + 1)
    assert (passed.judged, passed.breached, passed.over_target) == (1, 1, 1)


def test_rule_38_at_the_reopening_if_the_target_has_passed() -> None:
    office = Office()
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_completed("R1", at="10:00"),
        office.request_reopened("R1", at="+5 08:00"),
        policy=promise(DAY),
    )
    found = present(state, int(office.at("+5 08:00")))
    assert (found.open, found.judged, found.breached) == (1, 1, 1)


def test_rule_39_a_target_from_the_acceptance_judges_what_was_accepted() -> None:
    office = Office()
    policy = promise(DAY, since=Since.ACCEPTANCE)
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_submitted("R2", at="08:00"),
        office.request_completed("R2", at="+9 08:00"),
        policy=policy,
    )
    assert present(state, int(office.at("+9 08:00"))).judged == 0
    apply(state, office.request_accepted("R1", at="+9 09:00"), int(office.at("+9 09:00")))
    assert present(state, int(office.at("+10 09:00"))).breached == 0
    assert present(state, int(office.at("+10 09:00")) + 1).breached == 1


def test_rule_39_a_target_by_the_wall_does_not_leave_suspensions_out() -> None:
    office = Office()
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_suspended("R1", at="09:00"),
        policy=promise(DAY, calendar=WEEKDAYS),
    )
    found = present(state, int(office.at("+1 08:00")) + 1)
    assert (found.suspended, found.over_target, found.breached) == (1, 1, 1)


def test_rule_39_a_target_in_service_hours_leaves_suspensions_out() -> None:
    office = Office()
    policy = promise(9 * HOUR, clock=Clock.SERVICE, calendar=WEEKDAYS)
    log: list[Event] = [
        office.request_submitted("R1", at="14:00"),  # Thursday: 3 h until 17:00
        office.request_suspended("R1", at="+1 09:00"),  # Friday: 1 h, 4 of 9 are gone
        office.request_resumed("R1", at="+4 10:00"),  # Monday: 5 h are left, until 15:00
    ]
    state = told(*log[:2], policy=policy)
    assert present(state, int(office.at("+30 09:00"))) == RequestPresent(
        open=1, suspended=1, oldest_start=int(office.at("14:00"))
    )
    apply(state, log[2], int(log[2].time))
    assert present(state, int(office.at("+4 15:00"))).breached == 0
    assert present(state, int(office.at("+4 15:00")) + 1).breached == 1


def test_rule_39_a_target_in_service_hours_that_ends_with_the_day_is_kept_until_the_next_opening() -> None:
    office = Office()
    policy = promise(3 * HOUR, clock=Clock.SERVICE, calendar=WEEKDAYS)
    state = told(office.request_submitted("R1", at="14:00"), policy=policy)
    assert present(state, int(office.at("+1 08:00"))).breached == 0
    apply(state, office.request_completed("R1", at="+1 08:00"), int(office.at("+1 08:00")))
    found = present(state, int(office.at("+1 09:00")))
    assert (found.judged, found.breached) == (1, 0)


def test_rule_39_the_end_of_a_request_ends_its_suspension_and_a_second_one_is_ignored() -> None:
    office = Office()
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_worked("R1", at="08:30"),
        office.request_suspended("R1", at="09:00"),
        office.request_suspended("R1", at="10:00"),
        office.request_completed("R1", at="12:00"),
        office.request_worked("R1", at="13:00"),
    )
    assert clocks(state)["task"] == HOUR + 30 * MINUTE
    assert counts(state)["contradictions"] == 1
    assert present(state, int(office.at("14:00"))).suspended == 0


def test_rule_39_cancelled_before_the_target_is_not_judged_and_after_it_is_breached() -> None:
    office = Office()
    policy = promise(HOUR)
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_submitted("R2", at="08:00"),
        office.request_cancelled("R1", at="09:00"),
        office.request_cancelled("R2", at="09:00:00.001"),
        policy=policy,
    )
    assert counts(state) == {"requests_submitted": 2, "requests_cancelled": 2}
    assert present(state, int(office.at("12:00"))) == RequestPresent(judged=1, breached=1)
    assert clocks(state) == {}


def test_rule_39_refused_is_completed_with_its_outcome_as_a_label() -> None:
    office = Office()
    log: list[Event] = []
    for subject, outcome in (("R1", "refused"), ("R2", "handed_over"), ("R3", "half of it"), ("R4", None)):
        log += [office.request_submitted(subject, at="08:00")]
        log += [office.request_completed(subject, at="09:00", outcome=outcome)]
    found = counts(told(*log))
    assert {name: count for name, count in found.items() if "/" in name} == {
        "requests_completed/refused": 1,
        "requests_completed/handed_over": 1,
        "requests_completed/other": 1,
        "requests_completed/none": 1,
    }


@pytest.mark.parametrize(("reopened_after_ms", "early"), [(30 * DAY, 1), (30 * DAY + 1, 0)])
def test_rule_39_right_the_first_time_is_what_is_not_reopened_within_thirty_days(
    reopened_after_ms: int, early: int
) -> None:
    office = Office()
    first = int(office.at("10:00"))
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_completed("R1", at=first),
        office.request_reopened("R1", at=first + reopened_after_ms),
    )
    assert counts(state).get("requests_reopened_early", 0) == early
    assert counts(state)["requests_ever_completed"] == 1


def test_rule_18_a_completion_beats_a_cancellation_and_else_the_first_end_stands() -> None:
    office = Office()
    handed_over = told(
        office.request_submitted("R1", at="08:00"),
        office.request_cancelled("R1", at="09:00"),
        office.request_completed("R1", at="10:00"),
    )
    assert clocks(handed_over)["citizen"] == 2 * HOUR
    assert counts(handed_over)["contradictions"] == 1
    state = told(office.request_submitted("R1", at="08:00"), office.request_completed("R1", at="10:00"))
    at = int(office.at("12:00"))
    assert apply(state, office.request_completed("R1", at="11:00"), at) is Applied.CONTRADICTION
    assert apply(state, office.request_cancelled("R1", at="11:30"), at) is Applied.CONTRADICTION
    assert clocks(state)["citizen"] == 2 * HOUR


def test_rule_2_at_one_instant_the_end_comes_before_the_reopening() -> None:
    office = Office()
    state = told(
        office.request_submitted("R1", at="08:00"),
        office.request_reopened("R1", at="10:00"),
        office.request_completed("R1", at="10:00"),
    )
    assert present(state, int(office.at("11:00"))).open == 1
    assert counts(state)["requests_reopened"] == 1


def test_rule_17_a_repeat_says_nothing_and_of_work_only_the_id_decides() -> None:
    office = Office()
    submitted = office.request_submitted("R1", at="08:00")
    state = told(submitted)
    at = int(office.at("12:00"))
    assert apply(state, submitted, at) is Applied.DUPLICATE
    assert apply(state, office.request_submitted("R1", at="08:00"), at) is Applied.DUPLICATE
    assert apply(state, office.request_submitted("R1", at="08:05", id=submitted.id), at) is Applied.CONFLICTING_REPEAT
    assert apply(state, office.request_submitted("R2", at="08:00", id=submitted.id), at) is Applied.CONFLICTING_REPEAT
    assert apply(state, office.issued("A1", at="08:00", id=submitted.id), at) is Applied.CONFLICTING_REPEAT
    assert apply(state, office.request_worked("R1", at="09:00"), at) is Applied.APPLIED
    assert apply(state, office.request_worked("R1", at="09:00"), at) is Applied.APPLIED
    assert counts(state) == {"requests_submitted": 1}


def test_rule_17_of_answers_only_the_id_decides() -> None:
    office = Office()
    first = office.feedback(3, at="09:00", service="ktp")
    state = told(first, office.feedback(3, at="09:00", service="ktp"), office.feedback(4, at="09:00"))
    at = int(office.at("10:00"))
    assert apply(state, first, at) is Applied.DUPLICATE
    assert apply(state, office.feedback(2, at="09:00", service="ktp", id=first.id), at) is Applied.CONFLICTING_REPEAT
    assert counts(state) == {"feedback/3": 2, "feedback/4": 1}
    assert apply(state, office.issued("A1", at="+3 09:00"), int(office.at("+3 09:00"))) is Applied.APPLIED
    assert apply(state, office.feedback(1, at="09:00"), int(office.at("+3 09:00"))) is Applied.LATE  # rule 8


def test_rule_22_without_a_target_nothing_is_judged() -> None:
    office = Office()
    state = told(office.request_submitted("R1", at="08:00"), office.request_completed("R1", at="+99 08:00"))
    assert present(state, int(office.at("+99 09:00"))) == RequestPresent()
    assert evaluate(UnitState("u", promise()), 0).requests["ktp"].oldest_start is None


def test_rule_10_the_target_is_that_of_the_day_of_the_submission() -> None:
    office = Office()
    policy = promise(HOUR)
    state = told(office.request_submitted("R1", at="08:00"), policy=policy)
    state.policy = promise(9 * DAY)
    apply(state, office.request_completed("R1", at="10:00"), int(office.at("10:00")))
    assert present(state, int(office.at("11:00"))).breached == 1
