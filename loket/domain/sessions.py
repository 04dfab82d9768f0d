"""Sessions and counters in a unit's state (rules 32 to 35): kept as they were told, evaluated when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from loket.domain import events
from loket.domain.days import closes_at, service_days
from loket.domain.leg import Leg, Work
from loket.domain.staffing import SessionKind, SessionStep, Staff, Waiting, staff_of_day, waits_of, work_of
from loket.domain.state import OTHER, Counter, TicketKey, UnitState, derive

MAX_SESSION_STEPS = 5_000
"""Session events of one day and unit that are kept (rule 8)."""

SESSION_KIND: dict[type[events.Envelope], SessionKind] = {
    events.SessionStarted: SessionKind.STARTED,
    events.SessionPaused: SessionKind.PAUSED,
    events.SessionResumed: SessionKind.RESUMED,
    events.SessionEnded: SessionKind.ENDED,
}


class StaffFigures(Struct):
    """An employee's time at an instant: since the state began, and on the service day of now."""

    total: Staff
    day: Staff


def session_step(event: events.Event, id_hash: int, content: int) -> SessionStep | None:
    """The step of a session that an event tells, or None if it tells none."""
    kind = SESSION_KIND.get(type(event))
    if kind is None or not isinstance(event.data, events.SessionData):
        return None
    services = event.data.services if isinstance(event.data, events.SessionStartedData) else None
    return SessionStep(int(event.time), int(kind), id_hash, content, event.data.counter, event.data.employee, services)


def add_step(steps: list[SessionStep], step: SessionStep) -> bool:
    """Put a step in its place; False if it repeats one that is there: same kind, time, counter and employee (rule 17).

    Of two that differ in their services alone the smaller hash stands.
    """
    for index, other in enumerate(steps):
        if (other.at, other.kind, other.counter, other.employee) == (step.at, step.kind, step.counter, step.employee):
            if step.hash < other.hash:
                steps[index] = step
            return False
    steps.append(step)
    steps.sort(key=SessionStep.order)
    return True


def note_counter(state: UnitState, event: events.Event, received: int) -> None:
    """Take note of a desk that was opened, closed or is alive; an older event than the last known changes nothing."""
    data = event.data
    if not isinstance(data, events.CounterData):
        return
    counter = _counter(state, data.counter)
    at = int(event.time)
    counter.received = max(counter.received, received)
    if isinstance(event, events.CounterOpened):
        counter.opened_at = max(counter.opened_at, at)
    elif isinstance(event, events.CounterClosed):
        counter.closed_at = max(counter.closed_at, at)
    elif isinstance(data, events.HeartbeatData) and at >= counter.heartbeat_at:
        counter.heartbeat_at = at
        counter.pending = data.pending
        counter.oldest_pending_at = None if data.oldest_pending_at is None else int(data.oldest_pending_at)


def _counter(state: UnitState, name: str) -> Counter:
    """The counter of a name, or the one for all names over the unit's budget."""
    found = state.counters.get(name)
    if found is None:
        label = name if len(state.counters) < state.policy.budget.counters else OTHER
        found = state.counters.setdefault(label, Counter())
    return found


def is_open(counter: Counter, state: UnitState, now: int) -> bool:
    """Whether a desk is open at `now`: opened on this service day, and not closed since."""
    if counter.opened_at == 0 or counter.opened_at > now or counter.closed_at >= counter.opened_at:
        return False
    days = service_days(state.policy)
    return days.day(counter.opened_at) == days.day(now)


def staff_on(state: UnitState, day: int, now: int) -> dict[str, Staff]:
    """What an open day has brought each employee label by `now`; sessions end with the day."""
    steps = state.sessions.get(day)
    if not steps:
        return {}
    until = min(now, service_days(state.policy).end(day))
    work: list[Work] = []
    waiting: list[Waiting] = []
    for pieces, waits in _spans(state, day):
        work.extend(pieces)
        waiting.extend(waits)
    found: dict[str, Staff] = {}
    for employee, staff in staff_of_day(steps, work, waiting, until, state.policy.wrap_up_ms).items():
        label = employee if employee in state.employees else OTHER
        found[label] = add_staff(found.get(label, Staff()), staff)
    return found


def add_staff(left: Staff, right: Staff) -> Staff:
    """The sum of two."""
    return Staff(
        left.staffed_ms + right.staffed_ms,
        left.serving_ms + right.serving_ms,
        left.call_gap_ms + right.call_gap_ms,
        left.call_gaps + right.call_gaps,
        left.in_session + right.in_session,
    )


def evaluate_staff(state: UnitState, now: int) -> dict[str, StaffFigures]:
    """The time of all employees who ever had a session: what closed days left, and the open days up to `now`."""
    today = service_days(state.policy).day(now)
    figures = {label: StaffFigures(staff, Staff()) for label, staff in state.staff.items()}
    for day in state.sessions:
        for label, staff in staff_on(state, day, now).items():
            known = figures.get(label) or StaffFigures(Staff(), Staff())
            figures[label] = StaffFigures(add_staff(known.total, staff), staff if day == today else known.day)
    return figures


def close_staff(state: UnitState, day: int) -> None:
    """Keep what a day that closes brought, and forget its sessions."""
    end = service_days(state.policy).end(day)
    for label, staff in staff_on(state, day, end).items():
        staff.in_session = 0
        state.staff[label] = add_staff(state.staff.get(label, Staff()), staff)
    state.sessions.pop(day, None)
    state.spans.pop(day, None)


def _spans(state: UnitState, day: int) -> Iterator[tuple[list[Work], list[Waiting]]]:
    """Work and waits of a day's tickets. Those of tickets that time cannot change are kept until an event does."""
    kept = state.spans.setdefault(day, {})
    for key in state.tickets:
        if key[0] not in (0, day):
            continue
        found = kept.get(key)
        if found is None:
            found = _spans_of(state, key, day)
            if key not in state.live:
                kept[key] = found
        yield found


def _spans_of(state: UnitState, key: TicketKey, day: int) -> tuple[list[Work], list[Waiting]]:
    ticket = state.ticket(key)
    if ticket is None:
        return [], []
    derived = state.live.get(key) or derive(ticket, state.policy)
    legs = [leg for leg in derived.folded.legs if leg.day == day]
    return [piece for leg in legs for piece in work_of(leg)], list(_waits(state, legs))


def _waits(state: UnitState, legs: Iterable[Leg]) -> Iterator[Waiting]:
    for leg in legs:
        ends_at = None
        if leg.outcome is None:
            ends_at = closes_at(leg, state.policy, state.closings.get(leg.day, ()))
        yield from waits_of(leg, ends_at)
