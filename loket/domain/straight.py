"""The straight way of a ticket: issued, called, started, completed, in this order, each once, each later than the last.

    issued ──▶ called ──▶ started ──▶ completed
      │          │          │            └─ brings: closed, served, service
      │          │          └─ brings: way                     any other event, at any point: the ticket is folded
      │          └─ brings: answered, wait, judgement          (`loket.domain.legs`) and goes straight no more
      └─ brings: issued, visit

Most tickets of a good day go it, and what their events bring only ever adds: it follows from the steps before, without
a fold and without comparing old figures with new ones. Until it closes such a ticket is kept as its steps alone (`live`
has None for it) and is folded when somebody asks. This is a shorter way to the same state and never another state:
tests/loket/domain/test_straight.py compares both, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from loket.domain import events
from loket.domain.contribution import side_of_target
from loket.domain.halls import opens_after
from loket.domain.judged import key_of
from loket.domain.labels import give_labels
from loket.domain.lane import lane_of
from loket.domain.leg import COMPLETED
from loket.domain.sealed import sealed_of
from loket.domain.state import OTHER, TicketKey, UnitState, forget_spans, pack
from loket.domain.steps import EMPTY_SERVICE, NEVER_BUCKET, Kind, Step, Ticket

__all__ = ["WAY", "go_straight", "steps_straight"]

WAY = (Kind.ISSUED, Kind.CALLED, Kind.STARTED, Kind.COMPLETED)
"""The kinds of the steps, in their order."""

# Python 3.11 takes a quarter of a microsecond to get a member of an enumeration.
_ISSUED, _CALLED, _STARTED, _COMPLETED = (int(kind) for kind in WAY)
_NEXT_AFTER: Final[dict[type, int]] = {events.TicketCalled: 1, events.ServiceStarted: 2, events.ServiceCompleted: 3}
"""How many steps a straight ticket has gone of which an event of a type is the next."""

_CLOSED: Final = f"tickets_closed/{COMPLETED}"


def go_straight(
    state: UnitState, key: TicketKey, event: events.Event, id_hash: int, content: int, received: int
) -> bool:
    """Apply an event that is the next of a straight ticket; of any other event return False, with nothing changed.

    The event's id is not known to the state, and the day of `key` is open.
    """
    ticket = state.tickets.get(key)
    at = int(event.time)
    passed = 0
    if type(event) is events.TicketIssued:
        data = event.data
        if (
            ticket is not None
            or data.from_unit is not None
            or data.appointment_at is not None
            or key[0] == NEVER_BUCKET
            or not state.admission.admits(None)
            or (state.sealed and sealed_of(state, key) is not None)
            or opens_after(state.policy, key[0], at) is not None
        ):
            return False
        ticket = state.tickets[key] = Ticket(key[1], key[0])
        state.live[key] = None
        state.admission.opened(key[0])
        _issue(state, ticket, data, at, id_hash)
    elif ticket is None or not state.is_straight(key):
        return False
    else:
        if isinstance(ticket, bytes):
            ticket = state.wake(key)
        if ticket.steps[-1].at >= at:
            return False
        passed = len(ticket.steps)
        told: Any = event.data
        if _NEXT_AFTER.get(type(event)) != passed or told.from_unit is not None:
            return False
        _DONE_AFTER[passed](state, ticket, told, at, id_hash, received)
    ticket.ids += (id_hash, content)
    ids = state.ids.get(key[0])
    if ids is None:
        ids = state.ids_of(key[0])
    ids.add(id_hash, content)
    if state.spans or state.firsts:
        forget_spans(state, key)
    if passed == 3:
        pack(state, key, ticket)
    return True


def steps_straight(ticket: Ticket) -> int:
    """How many steps of the straight way a ticket has gone, all of them once it is closed; 0 where it has left it."""
    steps = ticket.steps
    if ticket.day == NEVER_BUCKET or not 1 <= len(steps) <= len(WAY):
        return 0
    if steps[0].number is not None or steps[0].opens_at is not None:
        return 0
    before = None
    for step, kind in zip(steps, WAY, strict=False):
        if step.kind != kind or step.from_unit is not None or (before is not None and before >= step.at):
            return 0
        before = step.at
    return len(steps)


def _issue(state: UnitState, ticket: Ticket, data: events.IssuedData, at: int, id_hash: int) -> None:
    service = data.service
    target = state.policy.target(service, ticket.day)
    if target is None:
        step = Step(_ISSUED, at, id_hash, service=service)
    else:
        step = Step(_ISSUED, at, id_hash, service=service, target_ms=target.within_ms, short_ms=state.policy.short_ms)
    ticket.steps.append(step)
    if service not in state.services:
        give_labels(state, ticket, service, None)
    state.tally(EMPTY_SERVICE)
    lane = lane_of(state, ticket.day, state.service_label(service, ticket) if ticket.other_services else service)
    total, of_day = lane.total, lane.of_day()
    total["tickets_issued"] = total.get("tickets_issued", 0) + 1
    total["visits"] = total.get("visits", 0) + 1
    of_day["tickets_issued"] = of_day.get("tickets_issued", 0) + 1


def _call(state: UnitState, ticket: Ticket, data: events.AtCounterData, at: int, id_hash: int, received: int) -> None:
    issue = ticket.steps[0]
    ticket.steps.append(Step(_CALLED, at, id_hash, data.counter, data.employee))
    if data.employee is not None:
        _see_employee(state, ticket, data.employee)
    label = issue.service or EMPTY_SERVICE
    if ticket.other_services:
        label = state.service_label(label, ticket)
    lane = lane_of(state, ticket.day, label)
    total, of_day = lane.total, lane.of_day()
    wait_ms, target_ms = at - issue.at, issue.target_ms
    if target_ms is None:
        answered = "waits_answered/none"
    else:
        answered = "waits_answered/yes" if wait_ms <= target_ms else "waits_answered/no"
    total[answered] = total.get(answered, 0) + 1
    of_day[answered] = of_day.get(answered, 0) + 1
    side = side_of_target(wait_ms, target_ms)
    if side is not None:
        _more(total, f"waits_near_target/{side}")
    lane.see("wait_seconds", wait_ms)
    if target_ms is not None:
        settled, settled_of_day = lane.settled, lane.settled_of_day()
        settled["judged"] = settled.get("judged", 0) + 1
        settled_of_day["judged"] = settled_of_day.get("judged", 0) + 1
        breached = wait_ms > target_ms
        if breached:
            _more(settled, "breached")
            _more(settled_of_day, "breached")
        lane.judge(state, ticket.day, key_of(issue.at + target_ms if breached else at, breached=breached))
    last = state.last_call.get(label)
    if last is None or received > last:
        state.last_call[label] = received


def _start(state: UnitState, ticket: Ticket, data: events.StartedData, at: int, id_hash: int, _received: int) -> None:
    issue, call = ticket.steps
    employee = data.employee
    ticket.steps.append(Step(_STARTED, at, id_hash, data.counter, employee, data.service))
    if data.service is not None and data.service not in state.services:
        give_labels(state, ticket, data.service, None)
    if employee is not None:
        _see_employee(state, ticket, employee)
    label = data.service or issue.service or EMPTY_SERVICE
    if ticket.other_services:
        label = state.service_label(label, ticket)
    way_ms = at - call.at
    lane_of(state, ticket.day, label).see("way_seconds", way_ms)
    if employee is not None and employee == call.employee:
        mine = _of_employee(state, ticket, employee)
        mine["way_ms"] = mine.get("way_ms", 0) + way_ms
        mine["way_count"] = mine.get("way_count", 0) + 1


def _complete(
    state: UnitState, ticket: Ticket, data: events.CompletedData, at: int, id_hash: int, _received: int
) -> None:
    issue, call, start = ticket.steps
    quantity, employee = data.quantity or 1, data.employee
    ticket.steps.append(Step(_COMPLETED, at, id_hash, data.counter, employee, number=data.quantity))
    if employee is not None:
        _see_employee(state, ticket, employee)
    label = issue.service or EMPTY_SERVICE
    if ticket.other_services:
        label = state.service_label(label, ticket)
    lane = lane_of(state, ticket.day, label)
    total, of_day = lane.total, lane.of_day()
    total[_CLOSED] = total.get(_CLOSED, 0) + 1
    of_day[_CLOSED] = of_day.get(_CLOSED, 0) + 1
    if start.service is not None and start.service != issue.service:
        lane = lane_of(state, ticket.day, state.service_label(start.service, ticket))
        total, of_day = lane.total, lane.of_day()
    total["served"] = total.get("served", 0) + 1
    of_day["served"] = of_day.get("served", 0) + 1
    total["services"] = total.get("services", 0) + quantity
    service_ms = at - start.at
    lane.see("service_seconds", service_ms)
    if start.employee is not None:
        mine = _of_employee(state, ticket, start.employee)
        mine["service_ms"] = mine.get("service_ms", 0) + service_ms
        mine["service_count"] = mine.get("service_count", 0) + 1
    if employee is not None:
        mine = _of_employee(state, ticket, employee)
        people = state.day(ticket.day).people
        label = OTHER if employee in ticket.other_employees else employee
        day = people.get(label)
        if day is None:
            day = people[label] = {}
        mine["served"] = mine.get("served", 0) + 1
        day["served"] = day.get("served", 0) + 1
        mine["services"] = mine.get("services", 0) + quantity
        day["services"] = day.get("services", 0) + quantity
        mine["served_wait_ms"] = mine.get("served_wait_ms", 0) + call.at - issue.at
        mine["served_wait_count"] = mine.get("served_wait_count", 0) + 1


_DONE_AFTER: Final[dict[int, Callable[..., None]]] = {1: _call, 2: _start, 3: _complete}
"""What is done with the next event, by how many steps a ticket has gone."""


def _see_employee(state: UnitState, ticket: Ticket, employee: str) -> None:
    employees = state.employees
    if employee in employees:
        employees[employee] = state.admission.received
    else:
        give_labels(state, ticket, None, employee)


def _more(figures: dict[str, int], figure: str) -> None:
    figures[figure] = figures.get(figure, 0) + 1


def _of_employee(state: UnitState, ticket: Ticket, employee: str) -> dict[str, int]:
    found = state.people.get(employee)
    if found is None or ticket.other_employees:
        found = state.person(OTHER if employee in ticket.other_employees else employee)
    return found.total
