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

from loket.domain import events
from loket.domain.contribution import side_of_target
from loket.domain.halls import opens_after
from loket.domain.judged import key_of, note
from loket.domain.labels import give_labels
from loket.domain.leg import COMPLETED
from loket.domain.sealed import sealed_of
from loket.domain.state import NEVER_BUCKET, OTHER, TicketKey, UnitState, forget_spans, pack
from loket.domain.steps import EMPTY_SERVICE, Kind, Step, Ticket

__all__ = ["WAY", "go_straight", "steps_straight"]

WAY = (Kind.ISSUED, Kind.CALLED, Kind.STARTED, Kind.COMPLETED)
"""The kinds of the steps, in their order."""

_CLOSED = f"tickets_closed/{COMPLETED}"


def go_straight(
    state: UnitState, key: TicketKey, event: events.Event, id_hash: int, content: int, received: int
) -> bool:
    """Apply an event that is the next of a straight ticket; of any other event return False, with nothing changed.

    The event's id is not known to the state, and the day of `key` is open.
    """
    ticket = state.tickets.get(key)
    at = int(event.time)
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
        if passed == 1 and type(event) is events.TicketCalled and event.data.from_unit is None:
            _call(state, ticket, event.data, at, id_hash, received)
        elif passed == 2 and type(event) is events.ServiceStarted and event.data.from_unit is None:
            _start(state, ticket, event.data, at, id_hash)
        elif passed == 3 and type(event) is events.ServiceCompleted and event.data.from_unit is None:
            _complete(state, ticket, event.data, at, id_hash)
        else:
            return False
    ticket.ids.append(id_hash)
    ticket.ids.append(content)
    ids = state.ids.get(key[0])
    if ids is None:
        ids = state.ids_of(key[0])
    ids.add(id_hash, content)
    if state.spans or state.firsts:
        forget_spans(state, key)
    if len(ticket.steps) == len(WAY):
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
    target = state.policy.target(data.service, ticket.day)
    if target is None:
        step = Step(Kind.ISSUED, at, id_hash, service=data.service)
    else:
        step = Step(
            Kind.ISSUED,
            at,
            id_hash,
            service=data.service,
            target_ms=target.within_ms,
            short_ms=state.policy.short_ms,
        )
    ticket.steps.append(step)
    give_labels(state, ticket, data.service, None)
    state.tally(EMPTY_SERVICE)
    label = state.service_label(data.service, ticket)
    total = state.tally(label).counts.total
    _more(total, "tickets_issued")
    _more(total, "visits")
    _more(_of_day(state.day(ticket.day).counts, label), "tickets_issued")


def _call(state: UnitState, ticket: Ticket, data: events.AtCounterData, at: int, id_hash: int, received: int) -> None:
    issue = ticket.steps[0]
    ticket.steps.append(Step(Kind.CALLED, at, id_hash, data.counter, data.employee))
    give_labels(state, ticket, None, data.employee)
    label = state.service_label(issue.service or EMPTY_SERVICE, ticket)
    tally, day = state.tally(label), state.day(ticket.day)
    total = tally.counts.total
    wait_ms, target_ms = at - issue.at, issue.target_ms
    within = "none" if target_ms is None else "yes" if wait_ms <= target_ms else "no"
    answered = f"waits_answered/{within}"
    _more(total, answered)
    _more(_of_day(day.counts, label), answered)
    side = side_of_target(wait_ms, target_ms)
    if side is not None:
        _more(total, f"waits_near_target/{side}")
    tally.see("wait_seconds", wait_ms)
    if target_ms is not None:
        of_day = _of_day(day.settled, label)
        _more(tally.settled, "judged")
        _more(of_day, "judged")
        breached = wait_ms > target_ms
        if breached:
            _more(tally.settled, "breached")
            _more(of_day, "breached")
        note(state.judged, ticket.day, label, key_of(issue.at + target_ms if breached else at, breached=breached), 1)
    state.last_call[label] = max(received, state.last_call.get(label, received))


def _start(state: UnitState, ticket: Ticket, data: events.StartedData, at: int, id_hash: int) -> None:
    issue, call = ticket.steps
    ticket.steps.append(Step(Kind.STARTED, at, id_hash, data.counter, data.employee, data.service))
    give_labels(state, ticket, data.service, data.employee)
    label = state.service_label(data.service or issue.service or EMPTY_SERVICE, ticket)
    way_ms = at - call.at
    state.tally(label).see("way_seconds", way_ms)
    if data.employee is not None and data.employee == call.employee:
        mine = _of_employee(state, ticket, data.employee)
        _more(mine, "way_ms", way_ms)
        _more(mine, "way_count")


def _complete(state: UnitState, ticket: Ticket, data: events.CompletedData, at: int, id_hash: int) -> None:
    issue, call, start = ticket.steps
    quantity = data.quantity or 1
    ticket.steps.append(Step(Kind.COMPLETED, at, id_hash, data.counter, data.employee, number=data.quantity))
    give_labels(state, ticket, None, data.employee)
    day = state.day(ticket.day)
    label = state.service_label(issue.service or EMPTY_SERVICE, ticket)
    _more(state.tally(label).counts.total, _CLOSED)
    _more(_of_day(day.counts, label), _CLOSED)
    if start.service is not None:
        label = state.service_label(start.service, ticket)
    tally = state.tally(label)
    _more(tally.counts.total, "served")
    _more(_of_day(day.counts, label), "served")
    _more(tally.counts.total, "services", quantity)
    service_ms = at - start.at
    tally.see("service_seconds", service_ms)
    if start.employee is not None:
        mine = _of_employee(state, ticket, start.employee)
        _more(mine, "service_ms", service_ms)
        _more(mine, "service_count")
    if data.employee is not None:
        mine = _of_employee(state, ticket, data.employee)
        of_day = _of_day(day.people, OTHER if data.employee in ticket.other_employees else data.employee)
        _more(mine, "served")
        _more(of_day, "served")
        _more(mine, "services", quantity)
        _more(of_day, "services", quantity)
        _more(mine, "served_wait_ms", call.at - issue.at)
        _more(mine, "served_wait_count")


def _more(figures: dict[str, int], figure: str, amount: int = 1) -> None:
    figures[figure] = figures.get(figure, 0) + amount


def _of_day(figures: dict[str, dict[str, int]], label: str) -> dict[str, int]:
    found = figures.get(label)
    if found is None:
        found = figures[label] = {}
    return found


def _of_employee(state: UnitState, ticket: Ticket, employee: str) -> dict[str, int]:
    return state.person(OTHER if employee in ticket.other_employees else employee).total
