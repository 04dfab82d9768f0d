"""`event.corrected`: the latest word about an event stands, whenever it comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from loket.domain.events import Event
from loket.domain.figures import evaluate
from loket.domain.policy import DAY, HOUR, UnitPolicy
from loket.domain.records import load, mark_all, split_key, take_records
from loket.domain.summary import EmployeeFigures, UnitFigures, rows_of_state
from loket.domain.unit import Applied, UnitState, apply
from loket.testing.builders import Office, unit_policy

o = Office("u")
BY_DAY = unit_policy({"s": 300, "t": 3_600})
NEVER = unit_policy({"s": 300, "t": 3_600}, day_starts="never")
NOON = int(o.at("12:00"))


def visit() -> list[Event]:
    """Called after four minutes, within the target of five, and served by sari."""
    return [
        o.issued("A1", at="09:00", service="s"),
        o.called("A1", at="09:04", employee="sari", counter="1"),
        o.started("A1", at="09:05", employee="sari", counter="1"),
        o.completed("A1", at="09:10", employee="sari", counter="1"),
    ]


def told(*log: Event, policy: UnitPolicy = BY_DAY, received: int = NOON) -> UnitState:
    state = UnitState("u", policy)
    for event in log:
        apply(state, event, received)
    return state


def figures(state: UnitState) -> tuple[dict[str | None, UnitFigures], dict[str, EmployeeFigures]]:
    units, people = rows_of_state(state, evaluate(state, NOON))
    return {row.service: row for row in units}, {row.employee: row for row in people}


@pytest.mark.parametrize("policy", [BY_DAY, NEVER])
def test_every_order_gives_the_same_figures(policy: UnitPolicy) -> None:
    issued, called, started, completed = visit()
    log = [
        issued,
        called,
        completed,
        started,
        o.corrected("A1", at="10:00", of=called, set={"time": "09:06"}),
        o.corrected("A1", at="10:01", of=completed, set={"employee": "budi", "quantity": 3}),
    ]
    found = {repr(figures(told(*order, policy=policy))) for order in permutations(log)}
    assert len(found) == 1
    units, people = figures(told(*log, policy=policy))
    assert (units["s"].breached, units["s"].wait_s_sum) == (1, 360)
    assert (people["budi"].served, people["budi"].services, people["sari"].served) == (1, 3, 0)


def test_what_was_taken_back_stands_beside_the_totals() -> None:
    log = visit()
    state = told(*log, o.corrected("A1", at="10:00", of=log[0], set={"service": "t"}))
    counts = {label: state.tallies[label].counts for label in ("s", "t")}
    assert (counts["s"].total["tickets_issued"], counts["s"].corrected["tickets_issued"]) == (1, 1)
    assert counts["t"].total["tickets_issued"] == 1
    units, _ = figures(state)
    assert (units["s"].issued, units["t"].issued, units["t"].answered, units["t"].breached) == (0, 1, 1, 0)


def test_of_several_the_latest_stands_and_is_said_of_what_was_told_at_first() -> None:
    log = visit()
    first = o.corrected("A1", at="10:00", of=log[3], set={"employee": "budi", "quantity": 2})
    second = o.corrected("A1", at="10:05", of=log[3], set={"quantity": 5})
    for order in ((first, second), (second, first)):
        state = told(*log)
        results = [apply(state, event, NOON) for event in order]
        _, people = figures(state)
        assert "budi" not in people or people["budi"].served == 0
        assert (people["sari"].served, people["sari"].services) == (1, 5)
        assert results[1] == (Applied.APPLIED if order[1] is second else Applied.CONTRADICTION)


def test_null_takes_a_field_away_but_no_ticket_its_service() -> None:
    log = visit()
    state = told(
        *log,
        o.corrected("A1", at="10:00", of=log[3], set={"employee": None}),
        o.corrected("A1", at="10:00", of=log[0], set={"service": None}),
    )
    units, people = figures(state)
    assert (units["s"].served, people["sari"].served) == (1, 0)


def test_an_appointment_is_corrected() -> None:
    log = visit()
    state = told(*log, o.corrected("A1", at="10:00", of=log[0], set={"appointment_at": "09:03"}))
    units, _ = figures(state)
    assert (units["s"].early_s_sum, units["s"].wait_s_sum) == (180, 60)


def test_one_of_something_that_never_came_changes_nothing_and_waits() -> None:
    log = visit()
    stray = o.corrected("A1", at="10:00", of=o.called("A9", at="09:00"), set={"time": "09:30"})
    state = told(*log, stray)
    assert figures(state) == figures(told(*log))
    alone = UnitState("u", BY_DAY)
    assert apply(alone, stray, NOON) is Applied.APPLIED
    assert apply(alone, stray, NOON) is Applied.DUPLICATE
    assert figures(alone)[0][None].issued == 0


def test_an_event_is_not_moved_to_another_day() -> None:
    log = visit()
    moved = o.corrected("A1", at="10:00", of=log[1], set={"time": "+1 09:04", "employee": "budi"})
    state = told(*log)
    assert apply(state, moved, NOON) is Applied.CONTRADICTION
    assert figures(state)[1]["sari"].served == 1


def test_rule_08_one_that_comes_when_the_day_is_closed_changes_the_record_only() -> None:
    log = visit()
    state = told(*log)
    late = o.corrected("A1", at="+3 10:00", day="2026-01-15", of=log[1], set={"time": "09:06"})
    assert apply(state, late, NOON + 3 * DAY) is Applied.LATE
    assert state.late == 1
    assert figures(state)[0]["s"].breached == 0


def test_the_day_is_its_own_times_unless_it_is_told() -> None:
    log = visit()
    next_morning = o.corrected("A1", at="+1 02:00", of=log[1], set={"time": "09:06"})
    assert figures(told(*log, next_morning))[0]["s"].breached == 1  # the service day ends at 03:00
    later = o.corrected("A1", at="+1 08:00", of=log[1], set={"time": "09:06"})
    assert figures(told(*log, later))[0]["s"].breached == 0
    named = o.corrected("A1", at="+1 08:00", day="2026-01-15", of=log[1], set={"time": "09:06"})
    assert figures(told(*log, named))[0]["s"].breached == 1


def test_one_without_a_subject_is_not_processed_yet() -> None:
    log = visit()
    assert apply(told(*log), o.corrected(None, at="10:00", of=log[1], set={"time": "09:06"}), NOON) is Applied.NOT_YET


def test_corrections_survive_the_records_of_a_state() -> None:
    log = visit()
    before = o.corrected("A1", at="10:00", of=log[1], set={"time": "09:06"})
    state = told(before, *log[:1])
    records = {split_key(key)[1]: value for key, value in take_records(state)}
    head = records.pop(None)
    assert head is not None
    again = load(head, {name: value for name, value in records.items() if name and value}, BY_DAY)
    for event in log[1:]:
        apply(again, event, NOON + HOUR)
    assert figures(again)[0]["s"].breached == 1


@pytest.mark.parametrize("policy", [BY_DAY, NEVER])
@pytest.mark.parametrize("when", ["9999-12-31T23:59:59.999Z", "2062-01-15T02:00:00Z", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("which", [0, 1, 3])
def test_what_is_told_of_a_time_when_it_cannot_have_been_changes_nothing_and_stops_nobody(
    policy: UnitPolicy, when: str, which: int
) -> None:
    log = visit()
    plain = figures(told(*log, policy=policy))
    state = told(*log, policy=policy)
    at = (datetime.fromisoformat(when) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    impossible = o.corrected("A1", at="10:00", of=log[which], set={"time": at, "employee": "budi"})
    assert apply(state, impossible, NOON) is Applied.CONTRADICTION
    assert figures(state) == plain
    assert figures(again(state)) == plain


@pytest.mark.parametrize("day", ["9999-12-31", "2026-01-17"])
def test_a_void_or_correction_is_of_no_day_to_come(day: str) -> None:
    """Tickets of such a day would be held until it is over."""
    log = visit()
    state = told(*log, o.corrected("A1", at="10:00", day=day, of=log[1], set={"time": "09:06"}))
    assert figures(state)[0]["s"].breached == 1
    assert apply(state, o.voided("A1", at="10:01", day=day), NOON) is Applied.APPLIED
    assert figures(again(state))[0]["s"].issued == 0
    apply(state, o.heartbeat(at="+2 12:00"), NOON + 2 * DAY)
    assert (state.tickets, state.admission.tickets) == ({}, {})


def again(state: UnitState) -> UnitState:
    """The state after its records were written and read."""
    mark_all(state)
    records = {split_key(key)[1]: value for key, value in take_records(state)}
    head = records.pop(None)
    assert head is not None
    return load(head, {name: value for name, value in records.items() if name and value}, state.policy)
