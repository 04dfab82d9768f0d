"""The state of one unit, and the one function that changes it: `apply(state, event, received)`.

A change takes a ticket's old figures from the tallies and adds the new ones; both are derived from its steps. What time
alone changes is not here: `loket.domain.figures.evaluate(state, now)` computes it.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec
from msgspec import Struct

from loket.domain import events
from loket.domain.contribution import Contribution, contributions, settle
from loket.domain.days import Admission, QueueClosing, closes_at, is_never, service_days
from loket.domain.legs import Folded, fold
from loket.domain.policy import UnitPolicy
from loket.domain.steps import EMPTY_SERVICE, KIND_OF, Kind, Step, Ticket, step_of
from loket.domain.stretches import Leg
from loket.domain.tally import DAY_FIGURES, Counts, DayTally, ServiceTally, rise

OTHER = "other"
"""The label of all names beyond a unit's budget."""

PAGE_TICKETS = 200
"""Closed tickets in a page (design decision 1)."""

NEVER_BUCKET = 0
"""Where the day never starts, tickets are kept under this day; each of their legs knows its own."""

MAX_CLOSINGS = 500
"""`queue.closed` events of one day that are kept."""

TicketKey = tuple[int, str]
PageKey = tuple[int, int]

_NO_STEPS = Folded()
_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(Ticket)


class Applied(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    CONTRADICTION = "contradiction"
    LATE = "late"
    NOT_YET = "not_yet"
    CONFLICTING_REPEAT = "conflicting_repeat"


class Live(Struct):
    """The derived figures of a ticket that is in memory unpacked."""

    folded: Folded
    by_day: dict[int, Contribution]


class UnitState:
    """Everything that the live indicators of one unit need, and `offset`: the last record that it contains.

    `tickets` holds the tickets of open days, packed once all their legs are closed. `live` holds the derived figures of
    those with an open leg.
    """

    def __init__(self, unit: str, policy: UnitPolicy) -> None:
        self.unit = unit
        self.policy = policy
        self.offset = -1
        self.admission = Admission()
        self.services: dict[str, None] = {}
        self.employees: dict[str, None] = {}
        self.tallies: dict[str, ServiceTally] = {}
        self.people: dict[str, Counts] = {}
        self.days: dict[int, DayTally] = {}
        self.tickets: dict[TicketKey, Ticket | bytes] = {}
        self.live: dict[TicketKey, Live] = {}
        self.ids: dict[int, dict[int, int]] = {}
        self.pages: dict[PageKey, list[TicketKey]] = {}
        self.closings: dict[int, list[QueueClosing]] = {}
        self.last_call: dict[str, int] = {}
        self.late = 0
        self.dirty_pages: set[PageKey] = set()
        self.gone_pages: set[PageKey] = set()

    @property
    def received(self) -> int:
        """The largest broker's time (ms) of any record that the state has seen."""
        return self.admission.received

    def ticket(self, key: TicketKey) -> Ticket | None:
        """The ticket under a key, unpacked."""
        found = self.tickets.get(key)
        return _UNPACK.decode(found) if isinstance(found, bytes) else found

    def service_label(self, service: str, ticket: Ticket) -> str:
        """The label under which a service is tallied."""
        return OTHER if service in ticket.others else service

    def tally(self, label: str) -> ServiceTally:
        """The tally of a service label, made on first use."""
        found = self.tallies.get(label)
        if found is None:
            found = self.tallies[label] = ServiceTally()
        return found


def apply(state: UnitState, event: events.Event, received: int) -> Applied:
    """Apply one event that the broker received at `received` (ms) to the state of its unit.

    Applying the same event again, or events in another order, gives the same figures. Never raises for a valid event.
    """
    for day in state.admission.receive(received, state.policy, state.days.keys() | state.ids.keys()):
        _close_day(state, day)
    kind = KIND_OF.get(type(event))
    if kind is None and not isinstance(event, events.QueueClosed):
        return Applied.NOT_YET
    day = ticket_day(event, state.policy)
    if state.admission.is_closed(day):
        state.late += 1
        return Applied.LATE
    hash = events.identity_hash(event.source, event.id)
    content = events.content_hash(event)
    for ids in state.ids.values():
        known = ids.get(hash)
        if known is not None:
            return Applied.DUPLICATE if known == content else Applied.CONFLICTING_REPEAT
    if isinstance(event, events.QueueClosed):
        return _close_queue(state, event, day, hash, content)
    return _apply_step(state, event, day, hash, content, received)


def ticket_day(event: events.Event, policy: UnitPolicy) -> int:
    """The service day (ordinal) that an event speaks of: its own time's, or the day that a void names."""
    if isinstance(event, events.TicketVoided) and event.data.day is not None:
        return date.fromisoformat(event.data.day).toordinal()
    return service_days(policy).day(int(event.time))


def _apply_step(state: UnitState, event: events.Event, day: int, hash: int, content: int, received: int) -> Applied:
    bucket = NEVER_BUCKET if is_never(state.policy) else day
    key = (bucket, event.subject or "")
    ticket = state.ticket(key)
    step = step_of(event, hash, day, state.policy)
    if step is None or not state.admission.admits(None if ticket is None else len(ticket.steps), bucket):
        state.late += 1
        return Applied.LATE
    if ticket is None:
        ticket = Ticket(key[1], bucket)
        state.admission.opened(bucket)
    before = state.live.get(key)
    if before is None:
        before = _derive(state, ticket)
    _label(state, ticket, step)
    added = ticket.add(step)
    ticket.remember(hash, content)
    state.ids.setdefault(bucket, {})[hash] = content
    after = _derive(state, ticket)
    _exchange(state, ticket, before, after)
    _put_back(state, key, ticket, after)
    if step.kind == Kind.CALLED:
        _date_last_call(state, ticket, after.folded, received)
    if not added:
        return Applied.DUPLICATE
    contradicts = after.folded.contradictions > before.folded.contradictions
    return Applied.CONTRADICTION if contradicts and after.by_day == before.by_day else Applied.APPLIED


def _derive(state: UnitState, ticket: Ticket) -> Live:
    if not ticket.steps:
        return Live(_NO_STEPS, {})
    folded = fold(ticket.steps, ticket.day, service_days(state.policy), never=ticket.day == NEVER_BUCKET)
    return Live(folded, contributions(folded.legs))


def _label(state: UnitState, ticket: Ticket, step: Step) -> None:
    """Give new names a label while the budget lasts: names of `targets.yaml` first, then first come (events.md)."""
    policy = state.policy
    if step.service is not None and step.service not in state.services:
        unplanned = sum(name not in policy.services for name in state.services)
        if step.service in policy.services or unplanned + len(policy.services) < policy.budget.services:
            state.services[step.service] = None
        elif step.service not in ticket.others:
            ticket.others.append(step.service)
    if step.employee is not None and step.employee not in state.employees:
        if len(state.employees) < policy.budget.employees:
            state.employees[step.employee] = None
        elif step.employee not in ticket.others:
            ticket.others.append(step.employee)


def _exchange(state: UnitState, ticket: Ticket, before: Live, after: Live) -> None:
    """Take a ticket's old figures from the tallies and add its new ones."""
    unit_counts = state.tally(EMPTY_SERVICE).counts
    unit_counts.change("contradictions", after.folded.contradictions - before.folded.contradictions)
    unit_counts.change("skewed_durations", after.folded.skewed - before.folded.skewed)
    for day in before.by_day.keys() | after.by_day.keys():
        _exchange_day(state, ticket, day, before.by_day.get(day, _NOTHING), after.by_day.get(day, _NOTHING))


_NOTHING = Contribution()


def _exchange_day(state: UnitState, ticket: Ticket, day: int, old: Contribution, new: Contribution) -> None:
    tally = state.days.get(day)
    if tally is None:
        tally = state.days[day] = DayTally()
    for pair in old.counts.keys() | new.counts.keys():
        change = new.counts.get(pair, 0) - old.counts.get(pair, 0)
        if change:
            service = state.service_label(pair[0], ticket)
            state.tally(service).counts.change(pair[1], change)
            if pair[1].partition("/")[0] in DAY_FIGURES:
                rise(tally.counts, service, pair[1], change)
    for pair in old.observed.keys() | new.observed.keys():
        state.tally(state.service_label(pair[0], ticket)).observe(
            pair[1], old.observed.get(pair, []), new.observed.get(pair, [])
        )
    for pair in old.settled.keys() | new.settled.keys():
        change = new.settled.get(pair, 0) - old.settled.get(pair, 0)
        if change:
            service = state.service_label(pair[0], ticket)
            settled = state.tally(service).settled
            settled[pair[1]] = settled.get(pair[1], 0) + change
            rise(tally.settled, service, pair[1], change)
    for pair in old.people.keys() | new.people.keys():
        employee = OTHER if pair[0] in ticket.others else pair[0]
        counts = state.people.get(employee)
        if counts is None:
            counts = state.people[employee] = Counts()
        counts.change(pair[1], new.people.get(pair, 0) - old.people.get(pair, 0))


def _put_back(state: UnitState, key: TicketKey, ticket: Ticket, derived: Live) -> None:
    """Keep a ticket: unpacked while a leg is open, else packed in the page that the log gave it."""
    if any(leg.outcome is None for leg in derived.folded.legs):
        state.live[key] = derived
        state.tickets[key] = ticket
    else:
        state.live.pop(key, None)
        if ticket.page < 0:
            _give_page(state, key, ticket)
        state.tickets[key] = _PACK.encode(ticket)
    if ticket.page >= 0:
        state.dirty_pages.add((ticket.day, ticket.page))


def _give_page(state: UnitState, key: TicketKey, ticket: Ticket) -> None:
    """Put a ticket that closes for the first time into its day's last page: a function of the log alone."""
    last = max((page for day, page in state.pages if day == ticket.day), default=0)
    if len(state.pages.get((ticket.day, last), ())) >= PAGE_TICKETS:
        last += 1
    ticket.page = last
    state.pages.setdefault((ticket.day, last), []).append(key)


def _date_last_call(state: UnitState, ticket: Ticket, folded: Folded, received: int) -> None:
    """Date the last call, by the broker's time (rule 3), for the service of the ticket's last leg."""
    service = folded.legs[-1].service if folded.legs else EMPTY_SERVICE
    label = state.service_label(service, ticket)
    state.last_call[label] = max(received, state.last_call.get(label, received))


def _close_queue(state: UnitState, event: events.QueueClosed, day: int, hash: int, content: int) -> Applied:
    closings = state.closings.setdefault(day, [])
    state.ids.setdefault(day, {})
    closing = QueueClosing(int(event.time), event.data.service, hash, content)
    if any(other.at == closing.at and other.service == closing.service for other in closings):
        return Applied.DUPLICATE
    if len(closings) >= MAX_CLOSINGS:
        state.late += 1
        return Applied.LATE
    closings.append(closing)
    closings.sort(key=lambda other: (other.at, other.hash))
    state.ids[day][hash] = content
    return Applied.APPLIED


def open_legs(state: UnitState) -> list[tuple[str, Leg, int]]:
    """The legs that no event has ended: service label, leg, and the instant at which time alone ends it."""
    found = []
    for key, live in state.live.items():
        ticket = state.tickets[key]
        for leg in live.folded.legs:
            if leg.outcome is None and not isinstance(ticket, bytes):
                label = state.service_label(leg.service, ticket)
                found.append((label, leg, closes_at(leg, state.policy, state.closings.get(leg.day, ()))))
    return found


def _close_day(state: UnitState, day: int) -> None:
    """Forget the tickets of a day that is over, keeping what they brought; open ones expire (rules 6 and 7)."""
    if is_never(state.policy):
        _forget_legs(state, day)
    else:
        _expire(state, [entry for entry in open_legs(state) if entry[1].day == day])
        for key in [key for key in state.tickets if key[0] == day]:
            del state.tickets[key]
            state.live.pop(key, None)
        for page in [page for page in state.pages if page[0] == day]:
            del state.pages[page]
            state.dirty_pages.discard(page)
            state.gone_pages.add(page)
    state.ids.pop(day, None)
    state.admission.forget(day)
    state.closings.pop(day, None)
    state.days.pop(day, None)


def _expire(state: UnitState, legs: list[tuple[str, Leg, int]]) -> None:
    for label, leg, ends_at in legs:
        gone = Contribution()
        settle(leg, ends_at, gone)
        already = Contribution()
        settle(leg, None, already)
        settled = state.tally(label).settled
        for (_, figure), amount in gone.settled.items():
            change = amount - already.settled.get((leg.service, figure), 0)
            settled[figure] = settled.get(figure, 0) + change


def _forget_legs(state: UnitState, closed_day: int) -> None:
    """Where the day never starts: forget the legs up to a closed day that are over, keep those that go on."""
    received = state.admission.received
    ends = {id(leg): (label, ends_at) for label, leg, ends_at in open_legs(state)}
    for key in list(state.tickets):
        ticket = state.ticket(key)
        if ticket is None:
            continue
        derived = state.live.get(key) or _derive(state, ticket)
        over = [
            leg
            for leg in derived.folded.legs
            if leg.day <= closed_day and (leg.outcome is not None or ends[id(leg)][1] < received)
        ]
        if not over:
            continue
        _expire(state, [(ends[id(leg)][0], leg, ends[id(leg)][1]) for leg in over if leg.outcome is None])
        kept = [leg for leg in derived.folded.legs if not any(leg is gone for gone in over)]
        _drop(state, key, ticket, over, kept)


def _drop(state: UnitState, key: TicketKey, ticket: Ticket, over: list[Leg], kept: list[Leg]) -> None:
    """Take the steps of legs that are over out of a ticket, or the ticket out of the state if none is left."""
    last = max(leg.last_at for leg in over)
    first_kept = min((leg.issued_at or leg.stretches[0].began_at for leg in kept), default=None)
    if ticket.page >= 0:
        state.dirty_pages.add((ticket.day, ticket.page))
    ids = state.ids.get(ticket.day, {})
    if first_kept is None:
        for hash in ticket.ids[::2]:
            ids.pop(hash, None)
        del state.tickets[key]
        state.live.pop(key, None)
        state.admission.closed_ticket(ticket.day)
        if ticket.page >= 0:
            page = state.pages[(ticket.day, ticket.page)]
            page.remove(key)
            if not page:
                del state.pages[(ticket.day, ticket.page)]
                state.dirty_pages.discard((ticket.day, ticket.page))
                state.gone_pages.add((ticket.day, ticket.page))
        return
    ticket.steps = [step for step in ticket.steps if step.at >= min(first_kept, last + 1)]
    remaining = {step.hash for step in ticket.steps}
    pairs = list(zip(ticket.ids[::2], ticket.ids[1::2], strict=True))
    for hash, _ in pairs:
        if hash not in remaining:
            ids.pop(hash, None)
    ticket.ids = [number for pair in pairs if pair[0] in remaining for number in pair]
    _put_back(state, key, ticket, _derive(state, ticket))
