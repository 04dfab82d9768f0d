"""The state of one unit, and the one function that changes it: `apply(state, event, received)`.

A change takes a ticket's old figures from the tallies and adds the new ones; both are derived from its steps. What time
alone changes is not here: `loket.domain.figures.evaluate(state, now)` computes it.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

from loket.domain import events
from loket.domain.closing import close_days
from loket.domain.contribution import Contribution, Fact, changes, listed
from loket.domain.corrections import counts_at
from loket.domain.counters import Counter, note_counter
from loket.domain.days import QueueClosing, bucket_of, service_days
from loket.domain.judged import note
from loket.domain.labels import give_labels
from loket.domain.legs import Folded
from loket.domain.policy import UnitPolicy
from loket.domain.request_steps import REQUEST_KIND
from loket.domain.requesting import apply_feedback, apply_request
from loket.domain.said import corrects
from loket.domain.session_steps import Added, add_step
from loket.domain.sessions import MAX_SESSION_STEPS, SESSION_KIND, session_step
from loket.domain.state import (
    OTHER,
    PAGE_TICKETS,
    Live,
    PageKey,
    SessionDay,
    TicketKey,
    UnitState,
    derive,
    derive_on,
    open_legs,
    put_back,
)
from loket.domain.steps import EMPTY_SERVICE, KIND_OF, NEVER_BUCKET, Kind, Step, Ticket, step_of
from loket.domain.straight import go_straight
from loket.domain.tally import DAY_PEOPLE, is_of_the_day, rise

__all__ = [
    "NEVER_BUCKET",
    "OTHER",
    "PAGE_TICKETS",
    "PROCESSED",
    "Applied",
    "Live",
    "PageKey",
    "TicketKey",
    "UnitState",
    "apply",
    "is_processed",
    "open_legs",
    "ticket_day",
    "together",
]

MAX_CLOSINGS = 500
"""`queue.closed` events of one day that are kept."""

PROCESSED: frozenset[type[events.Envelope]] = frozenset(
    {
        *KIND_OF,
        *SESSION_KIND,
        *REQUEST_KIND,
        events.FeedbackGiven,
        events.QueueClosed,
        events.EventCorrected,
        events.CounterOpened,
        events.CounterClosed,
        events.CounterHeartbeat,
    }
)
"""The types of which this version makes figures."""

_NOTHING = Contribution()


class Applied(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    CONTRADICTION = "contradiction"
    LATE = "late"
    NOT_YET = "not_yet"
    CONFLICTING_REPEAT = "conflicting_repeat"


_APPLIED: Final = Applied.APPLIED  # Python 3.11 takes a quarter of a microsecond to get a member of an enumeration


def apply(state: UnitState, event: events.Event, received: int) -> Applied:
    """Apply one event that the broker received at `received` (ms) to the state of its unit.

    Applying the same event again, or events in another order, gives the same figures. Never raises for a valid event.
    """
    if received > state.admission.received and state.admission.receive(received, state.policy):
        close_days(state)
    kind = type(event)
    is_step = kind in KIND_OF  # nearly all are
    if not is_step and not is_processed(event):
        return Applied.NOT_YET
    if not is_step and isinstance(event.data, events.CounterData):
        note_counter(_counter(state, event.data.counter), event, received)
        if type(event) not in SESSION_KIND:
            return Applied.APPLIED
    elif state.counters:
        _see_counter(state, event, received)
    if is_step and kind is not events.TicketVoided:
        day = service_days(state.policy).day(event.time)
    else:
        day = ticket_day(event, state.policy)
    is_of_request = not is_step and isinstance(event, events.RequestEvent)
    if is_of_request:
        is_late = state.requests.is_forgotten(event.subject or "")
    else:
        is_late = day <= state.admission.closed_day if is_step else _is_forgotten(state, event, day)
    if is_late:
        state.late += 1
        return Applied.LATE
    id_hash = events.identity_hash(event.source, event.id)
    content = events.content_hash(event)
    for ids in state.ids.values():
        known = ids.get(id_hash)
        if known is not None:
            return Applied.DUPLICATE if known == content else Applied.CONFLICTING_REPEAT
    known = state.requests.ids.get(id_hash)
    if known is not None:
        return Applied.DUPLICATE if known == content else Applied.CONFLICTING_REPEAT
    if is_step:
        return _apply_step(state, event, day, id_hash, content, received)
    if isinstance(event, events.EventCorrected):
        return _apply_correction(state, event, day, id_hash, content, received)
    if is_of_request:
        added, contradicts = apply_request(state, event, id_hash, content)
        return _applied(state, added, contradicts=contradicts)
    if isinstance(event, events.FeedbackGiven):
        return _applied(state, apply_feedback(state, event, day, id_hash, content))
    if isinstance(event, events.QueueClosed):
        return _close_queue(state, event, day, id_hash, content)
    return _apply_session(state, event, day, id_hash, content)


def _is_forgotten(state: UnitState, event: events.Event, day: int) -> bool:
    """Whether an event comes when its day is closed, or a correction when its request is forgotten."""
    requests, subject = state.requests, event.subject or ""
    if isinstance(event, events.EventCorrected):
        is_known = subject in requests.held
        return requests.is_forgotten(subject) or (day <= state.admission.closed_day and not is_known)
    return day <= state.admission.closed_day


def _applied(state: UnitState, added: bool | None, *, contradicts: bool = False) -> Applied:
    if added is None:
        state.late += 1
        return Applied.LATE
    if not added:
        return Applied.DUPLICATE
    return Applied.CONTRADICTION if contradicts else Applied.APPLIED


def is_processed(event: events.Event) -> bool:
    """Whether this version makes figures of an event; what it does not is archived as `not_yet`."""
    if isinstance(event, events.EventCorrected) and event.subject is None:
        return False  # of a session, or a queue's closing
    return type(event) in PROCESSED


def ticket_day(event: events.Event, policy: UnitPolicy) -> int:
    """The service day (ordinal) that an event speaks of: its own time's, or that which a void or correction names.

    None names a day that is to come: tickets of such a day would be held until it is over, or for ever.
    """
    mine = service_days(policy).day(int(event.time))
    if isinstance(event, (events.TicketVoided, events.EventCorrected)) and event.data.day is not None:
        named = date.fromisoformat(event.data.day).toordinal()
        return named if named <= mine + 1 else mine
    return mine


def _apply_step(state: UnitState, event: events.Event, day: int, id_hash: int, content: int, received: int) -> Applied:
    bucket = NEVER_BUCKET if state.policy.day_starts_ms is None else day
    key = (bucket, event.subject or "")
    if go_straight(state, key, event, id_hash, content, received):
        return _APPLIED
    ticket = state.ticket(key)
    step = step_of(event, id_hash, day, state.policy)
    if step is None or not state.admission.admits(None if ticket is None else len(ticket.steps)):
        state.late += 1
        return Applied.LATE
    if ticket is None:
        ticket = Ticket(key[1], bucket)
        state.admission.opened(bucket)
    before = state.derived(key, ticket)
    give_labels(state, ticket, step.service, step.employee)
    added = ticket.add(step)
    if ticket.remember(id_hash, content):
        state.ids_of(bucket).add(id_hash, content)
    after = derive_on(ticket, step, before, state.policy) if added else derive(ticket, state.policy)
    changed = _exchange(state, ticket, before, after)
    put_back(state, key, ticket, after)
    if added and step.kind == Kind.CALLED:
        _date_last_call(state, ticket, after.folded, step, received)
    if not added:
        return Applied.DUPLICATE
    contradicts = after.folded.contradictions > before.folded.contradictions
    return Applied.CONTRADICTION if contradicts and not changed else Applied.APPLIED


def _apply_correction(
    state: UnitState, event: events.EventCorrected, day: int, id_hash: int, content: int, received: int
) -> Applied:
    """Apply a correction to the request or the ticket that has its event, or to both, where it waits for that."""
    late, is_open, found = state.late, day > state.admission.closed_day, []
    bucket = bucket_of(state.policy, day)
    ticket = state.seen((bucket, event.subject or "")) if is_open else None
    request = state.requests.get(event.subject or "")
    of_ticket, of_request = corrects(
        event, () if ticket is None else ticket.steps, () if request is None else request.steps
    )
    if of_request:
        added, contradicts = apply_request(state, event, id_hash, content, is_open=is_open)
        found.append(_applied(state, added, contradicts=contradicts))
    if is_open and of_ticket:
        found.append(_apply_step(state, event, day, id_hash, content, received))
    result = together(found)
    state.late = late + (result is Applied.LATE)
    return result


def together(found: list[Applied]) -> Applied:
    """What became of a correction, by what its request and its ticket say."""
    order = (Applied.CONTRADICTION, Applied.APPLIED, Applied.DUPLICATE)
    return next((result for result in order if result in found), Applied.LATE)


def _exchange(state: UnitState, ticket: Ticket, before: Live, after: Live) -> bool:
    """Take a ticket's old figures from the tallies and add its new ones; whether any of them changed."""
    old, new = before.folded, after.folded
    unit_counts = state.tally(EMPTY_SERVICE).counts
    if old.contradictions != new.contradictions or old.skewed != new.skewed:
        unit_counts.change("contradictions", new.contradictions - old.contradictions)
        unit_counts.change("skewed_durations", new.skewed - old.skewed)
    changed = False
    for day, brought in before.by_day.items():
        changed |= _exchange_day(state, ticket, day, brought, after.by_day.get(day, _NOTHING))
    for day, brings in after.by_day.items():
        if day not in before.by_day:
            changed |= _exchange_day(state, ticket, day, _NOTHING, brings)
    return changed


def _exchange_day(state: UnitState, ticket: Ticket, day: int, old: Contribution, new: Contribution) -> bool:
    tally = state.day(day)
    changed = False
    for service, figure, change in changes(old.counted, new.counted):
        if change:
            changed = True
            label = state.service_label(service, ticket)
            state.tally(label).counts.change(figure, change)
            if is_of_the_day(figure):
                rise(tally.counts, label, figure, change)
    for service, histogram, removed, added in _observations(old.measured, new.measured):
        if removed != added:
            changed = True
            state.tally(state.service_label(service, ticket)).observe(histogram, removed, added)
    for service, figure, change in changes(old.decided, new.decided):
        if change:
            changed = True
            label = state.service_label(service, ticket)
            settled = state.tally(label).settled
            settled[figure] = settled.get(figure, 0) + change
            rise(tally.settled, label, figure, change)
    for service, key, change in changes(old.dated, new.dated):
        if change:
            note(state.judged, day, state.service_label(service, ticket), key, change)
    for name, figure, change in changes(old.credited, new.credited):
        if change:
            changed = True
            employee = OTHER if name in ticket.other_employees else name
            state.person(employee).change(figure, change)
            if figure in DAY_PEOPLE:
                rise(tally.people, employee, figure, change)
    return changed


def _observations(old: list[Fact], new: list[Fact]) -> list[tuple[str, str, list[int], list[int]]]:
    """Service, histogram, and which durations are to be taken back and added."""
    if new[: len(old)] == old:
        return [(service, histogram, [], [ms]) for service, histogram, ms in new[len(old) :]]
    before, after = listed(old), listed(new)
    # No set: records are a function of the log, their order too.
    return [(*pair, before.get(pair, []), after.get(pair, [])) for pair in {**before, **after}]


def _date_last_call(state: UnitState, ticket: Ticket, folded: Folded, call: Step, received: int) -> None:
    """Date the last call, by the broker's time (rule 3), for the service whose wait it ended, if it ended one."""
    at = counts_at(ticket.steps, call, ticket.day, service_days(state.policy))
    for leg in folded.legs:
        for stretch in leg.stretches:
            if stretch.called_at == at:
                label = state.service_label(leg.service, ticket)
                state.last_call[label] = max(received, state.last_call.get(label, received))
                return


def _apply_session(state: UnitState, event: events.Event, day: int, id_hash: int, content: int) -> Applied:
    told = state.sessions.get(day)
    step = session_step(event, id_hash)
    if step is None or (told is not None and len(told.steps) >= MAX_SESSION_STEPS):
        state.late += 1
        return Applied.LATE
    if told is None:
        told = state.sessions[day] = SessionDay()
    if step.employee in state.employees or len(state.employees) < state.policy.budget.employees:
        state.employees[step.employee] = state.admission.received
    added = add_step(told.steps, step)
    if added is Added.REPEAT:
        return Applied.DUPLICATE
    told.ids += (id_hash, content)
    state.ids_of(day).add(id_hash, content)
    if added is Added.NEW:
        return Applied.APPLIED
    state.tally(EMPTY_SERVICE).counts.change("contradictions", 1)
    return Applied.APPLIED if added is Added.STANDS else Applied.CONTRADICTION


def _counter(state: UnitState, name: str) -> Counter:
    """The counter of a name, or the one for all names over the unit's budget."""
    found = state.counters.get(name)
    if found is None:
        label = name if len(state.counters) < state.policy.budget.counters else OTHER
        found = state.counters.setdefault(label, Counter())
    return found


def _see_counter(state: UnitState, event: events.Event, received: int) -> None:
    """An event of a ticket shows that its counter's device is there, if the counter is known."""
    counter = state.counters.get(getattr(event.data, "counter", None) or "")
    if counter is not None and received > counter.received:
        counter.received = received


def _close_queue(state: UnitState, event: events.QueueClosed, day: int, id_hash: int, content: int) -> Applied:
    closings = state.closings.setdefault(day, [])
    state.ids_of(day)
    closing = QueueClosing(int(event.time), event.data.service, id_hash, content)
    if any(other.at == closing.at and other.service == closing.service for other in closings):
        return Applied.DUPLICATE
    if len(closings) >= MAX_CLOSINGS:
        state.late += 1
        return Applied.LATE
    closings.append(closing)
    closings.sort(key=lambda other: (other.at, other.hash))
    state.ids_of(day).add(id_hash, content)
    return Applied.APPLIED
