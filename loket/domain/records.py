"""The state of a unit as records: a head, and pages of closed tickets (design decision 1).

    key                      value
    unit                     the head: tallies, open days, open tickets, and the pages that it names
    unit \\0 day.page         up to 50 closed tickets of an open day

    unit \\0 r.day.page       up to 200 requests that were submitted on a day (0: their submission has not come)
    unit \\0 f.page           hashes of up to 20,000 forgotten requests

The head names its pages: a page that it does not name is dropped, or an old writer could bring a deleted one back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, cast

import msgspec
from msgspec import Meta, Raw, Struct, field

from loket.domain.counters import Counter
from loket.domain.days import Admission, QueueClosing, is_never, service_days
from loket.domain.durations import MINUTE
from loket.domain.ids import Ids
from loket.domain.judged import JUDGED_PAGE, restore
from loket.domain.judged import unpack as unpack_judged
from loket.domain.policy import UnitPolicy
from loket.domain.request_records import (
    gone_records,
    hours_mark,
    mark_requests,
    page_names,
    restore_requests,
    take_request_records,
)
from loket.domain.sealed import Glance, glances, seal, seal_again
from loket.domain.sealed import RecordError as RecordError
from loket.domain.staffing import Staff
from loket.domain.state import PAGE_TICKETS, SessionDay, Spans, derive, rest
from loket.domain.steps import NEVER_BUCKET, Ticket
from loket.domain.straight import WAY, steps_straight
from loket.domain.tally import BUCKETS_MS, Amount, Counts, DayTally, ServiceTally
from loket.domain.terms import Terms, terms_of
from loket.domain.unit import PageKey, UnitState

Codec = Callable[[bytes], bytes]
"""How values are packed where they are written, and unpacked."""

FORMAT = 1
"""The version of the records. A state of another version is rebuilt from the log, never guessed."""


_Minute = Annotated[int, Meta(ge=0, le=2**53 // MINUTE)]


class Head(Struct, omit_defaults=True):
    """All of a unit's state but its pages."""

    format: int
    unit: str
    offset: Annotated[int, Meta(ge=-1, le=2**63 - 1)]
    admission: Admission
    services: list[str] = field(default_factory=list)
    employees: list[str] = field(default_factory=list)
    tallies: dict[str, ServiceTally] = field(default_factory=dict)
    people: dict[str, Counts] = field(default_factory=dict)
    days: dict[int, DayTally] = field(default_factory=dict)
    closings: dict[int, list[QueueClosing]] = field(default_factory=dict)
    terms: Terms | None = None
    last_call: dict[str, Amount] = field(default_factory=dict)
    late: Amount = 0
    open: list[Ticket] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    sessions: dict[int, SessionDay] = field(default_factory=dict)
    staff: dict[str, Staff] = field(default_factory=dict)
    settled_day: int = 0
    carried: dict[int, Spans] = field(default_factory=dict)
    counters: dict[str, Counter] = field(default_factory=dict)
    seen: list[Amount] = field(default_factory=list)
    judged_days: dict[int, dict[str, tuple[Amount, Amount]]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    hours: bytes = b""
    feedback: dict[int, list[int]] = field(default_factory=dict)
    judged: dict[int, dict[str, dict[_Minute, Amount]]] | None = None
    """When people were judged on open days; None in records from before it was told, of which every page is opened."""

    reopened: list[str] = field(default_factory=list)
    """The pages that have an open ticket again."""


_FURTHEST_MS = 2**53
"""Of an instant from 1970."""

_LAST_RECEIVED_MS = 250_000_000_000_000
"""Of the broker's time: in the year 9892, as days of the calendar end with 9999."""

_ENCODER = msgspec.msgpack.Encoder()
_HEAD = msgspec.msgpack.Decoder(Head)
_PAGE = msgspec.msgpack.Decoder(list[Ticket])
_SENSELESS = (msgspec.MsgspecError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
"""What bytes that nobody wrote so may raise on their way into a state."""


def page_name(page: PageKey) -> str:
    """The name under which a head knows a page."""
    return f"{page[0]}.{page[1]}"


def _page_key(name: str) -> PageKey:
    day, _, number = name.partition(".")
    page = int(day), int(number)
    if page_name(page) != name:
        raise ValueError(f"{name!r} is no name of a page")
    return page


def split_key(key: bytes) -> tuple[str, str | None]:
    """The unit of a record's key, and the page's name, None for a head."""
    unit, separator, name = key.partition(b"\0")
    return unit.decode(), name.decode() if separator else None


def head_bytes(state: UnitState) -> bytes:
    """The head of a unit, packed."""
    tickets = [ticket for key in state.live if isinstance(ticket := state.tickets[key], Ticket)]
    # Those that are in no page, in the order in which they came. One that rests is straight, and was never closed.
    never_closed = [
        Raw(found) if isinstance(found, bytes) else found
        for key in state.live
        if isinstance(found := state.tickets[key], bytes) or found.page < 0
    ]
    return _ENCODER.encode(
        Head(
            FORMAT,
            state.unit,
            state.offset,
            state.admission,
            list(state.services),
            list(state.employees),
            state.tallies,
            state.people,
            state.days,
            state.closings,
            terms_of(state.policy, state.admission.received),
            state.last_call,
            state.late,
            cast("list[Ticket]", never_closed),
            [page_name(page) for page in all_pages(state)],
            state.sessions,
            state.staff,
            state.settled_day,
            state.carried,
            state.counters,
            list(state.employees.values()),
            {day: dict(sorted(sums.items())) for day, sums in sorted(state.judged_days.items())},
            *page_names(state),
            hours_mark(state.policy) if state.requests.held else b"",
            state.feedback,
            _judged(state),
            sorted({page_name((ticket.day, ticket.page)) for ticket in tickets if ticket.page >= 0}),
        )
    )


def _judged(state: UnitState) -> dict[int, dict[str, dict[int, int]]]:
    told = {}
    for day, judged in state.judged.items():
        minutes = {label: minutes for label, minutes in judged.items() if minutes}
        if minutes:
            told[day] = minutes
    return told


def all_pages(state: UnitState) -> list[PageKey]:
    """The pages of closed tickets, and those that tell when people were judged on closed days."""
    return [*state.pages, *((day, JUDGED_PAGE) for day in sorted(state.judged_past))]


def page_bytes(state: UnitState, page: PageKey) -> bytes:
    """A page of closed tickets, or of when people were judged, packed."""
    if page[1] == JUDGED_PAGE:
        return state.judged_past[page[0]]
    if page in state.sealed:
        return state.unpack(state.sealed[page].packed)
    tickets = (state.tickets[key] for key in state.pages[page])
    return _ENCODER.encode([Raw(t) if isinstance(t, bytes) else t for t in tickets])


def take_records(state: UnitState, pack: Codec = bytes, unpack: Codec = bytes) -> list[tuple[bytes, bytes | None]]:
    """The head, the pages that changed since the last take, None for pages that are gone: one write.

    The values are packed. Full pages of closed tickets stay so in the state, which uses `unpack` when it needs them.
    """
    unit = state.unit.encode()
    state.unpack = unpack
    rest(state)
    records: list[tuple[bytes, bytes | None]] = [(unit, pack(head_bytes(state)))]
    reopened = {(key[0], ticket.page) for key in state.live if isinstance(ticket := state.tickets[key], Ticket)}
    for page in state.dirty_pages:
        sealed = state.sealed.get(page)
        packed = pack(page_bytes(state, page)) if sealed is None else sealed.packed
        if sealed is None and page not in reopened and _is_full(state, page):
            seal(state, page, packed)
        records.append((unit + b"\0" + page_name(page).encode(), packed))
    records.extend((unit + b"\0" + page_name(page).encode(), None) for page in state.gone_pages)
    records.extend((key, None if value is None else pack(value)) for key, value in take_request_records(state))
    state.dirty_pages.clear()
    state.gone_pages.clear()
    return records


def _is_full(state: UnitState, page: PageKey) -> bool:
    return page[1] != JUDGED_PAGE and not is_never(state.policy) and len(state.pages[page]) >= PAGE_TICKETS


def mark_all(state: UnitState) -> None:
    """Make every page of a unit due to be written again: after a checkpoint that failed, or a foreign write."""
    state.dirty_pages.update(all_pages(state))
    mark_requests(state)


def load(head: bytes, pages: Mapping[str, bytes], policy: UnitPolicy, unpack: Codec = bytes) -> UnitState:
    """The state that records hold: the head, and pages that are packed. Pages that the head does not name are dropped,
    and their deletion is due again. Full pages of closed tickets stay packed until an event is of one of them.

    Raises RecordError where the head or a page that it names cannot be read.
    """
    try:
        read = _HEAD.decode(head)
    except _SENSELESS as error:
        raise RecordError("?", f"its head is damaged ({error})") from error
    if read.format != FORMAT:
        raise RecordError(read.unit, f"it has format {read.format}, this version reads {FORMAT}")
    try:
        return _state_of(read, pages, policy, unpack)
    except _SENSELESS as error:
        raise RecordError(read.unit, f"what it says makes no sense ({error})") from error


def _state_of(read: Head, pages: Mapping[str, bytes], policy: UnitPolicy, unpack: Codec) -> UnitState:
    state = UnitState(read.unit, policy)
    state.unpack = unpack
    state.offset = read.offset
    state.terms = read.terms
    state.admission = read.admission
    state.services = dict.fromkeys(read.services)
    state.employees = dict.fromkeys(read.employees, read.admission.received)
    if len(read.seen) == len(read.employees):
        state.employees = dict(zip(read.employees, read.seen, strict=True))
    state.tallies, state.people, state.days = read.tallies, read.people, read.days
    for tally in state.tallies.values():
        for kind, histogram in tally.histograms.items():
            if len(histogram.buckets) != len(BUCKETS_MS[kind]) + 1:
                raise RecordError(read.unit, f"its {kind} have other bounds than this version's")
    state.closings, state.last_call, state.late = read.closings, read.last_call, read.late
    state.sessions, state.staff, state.counters = read.sessions, read.staff, read.counters
    state.settled_day, state.carried = read.settled_day, read.carried
    state.judged_days = read.judged_days
    _check_times(state)
    for day, closings in state.closings.items():
        if not state.admission.is_closed(day):  # ids are forgotten with their day (rule 8), a closing may outlive it
            state.ids[day] = Ids((closing.hash, closing.content) for closing in closings)
    for day, told in state.sessions.items():
        if not state.admission.is_closed(day):
            state.ids_of(day).update(_pairs(told.ids))
    state.feedback = read.feedback
    for day, ids in read.feedback.items():
        state.ids_of(day).update(_pairs(ids))
    counted = dict.fromkeys(read.admission.tickets, 0)  # of what is there, whatever the head says
    state.admission.tickets = counted
    _remember(state, read.open)
    restores_judged = read.judged is None
    state.judged = read.judged or {}
    for ticket in read.open:
        _restore(state, ticket, None, judged=restores_judged)
    rest(state)
    known: dict[int, set[int]] = {}
    can_seal = not restores_judged and not is_never(policy)
    for name in read.pages:
        packed = pages.get(name)
        if packed is None:
            raise RecordError(read.unit, f"its page {name} is missing")
        page = _page_key(name)
        try:
            unpacked = unpack(packed)
            if page[1] == JUDGED_PAGE:
                unpack_judged(unpacked)
                state.judged_past[page[0]] = bytes(unpacked)
                continue
            is_closed = page[0] != NEVER_BUCKET and name not in read.reopened
            if (
                can_seal
                and is_closed
                and _stays_sealed(state, page, packed, unpacked, known.setdefault(page[0], set()))
            ):
                continue
            tickets = _PAGE.decode(unpacked)
        except _SENSELESS as error:
            raise RecordError(read.unit, f"its page {name} is damaged ({error})") from error
        _remember(state, tickets)
        state.pages[page] = [(ticket.day, ticket.subject) for ticket in tickets]
        for ticket in tickets:
            _restore(state, ticket, page, judged=restores_judged)
    for day, _ in state.tickets:
        counted[day] = counted.get(day, 0) + 1
    for day, subjects in known.items():
        counted[day] = counted.get(day, 0) + len(subjects)
    of_requests = {*read.requests, *(f"f.{number}" for number in read.forgotten)}
    requests = {name: unpack(packed) for name, packed in pages.items() if name in of_requests}
    restore_requests(state, read.requests, read.forgotten, read.hours, requests)
    named = {*read.pages, *of_requests}
    state.gone_pages.update(map(_page_key, gone_records(state, (name for name in pages if name not in named))))
    return state


def _check_times(state: UnitState) -> None:
    """Refuse days and times of sessions and of what was carried that nobody can have told."""
    start = service_days(state.policy).start
    for day in {*state.sessions, *state.carried, state.settled_day or 1}:
        start(day)
        start(day + 2)
    instants = [step.at for told in state.sessions.values() for step in told.steps]
    for spans in state.carried.values():
        for piece in spans.work:
            instants += (piece.begin, piece.end or 0, piece.finish or 0, piece.expires or 0)
        for wait in spans.waiting:
            instants += (wait.begin, wait.end or 0)
    for counter in state.counters.values():
        instants += (counter.opened_at, counter.closed_at, counter.received, counter.oldest_pending_at or 0)
    is_senseless = not 0 <= state.admission.received <= _LAST_RECEIVED_MS
    if is_senseless or any(abs(instant) > _FURTHEST_MS for instant in instants):
        raise RecordError(state.unit, "something is told of no time")


def _pairs(ids: list[int]) -> Iterable[tuple[int, int]]:
    return zip(ids[::2], ids[1::2], strict=True)


def _stays_sealed(state: UnitState, page: PageKey, packed: bytes, unpacked: bytes, known: set[int]) -> bool:
    """Put a full page into the state as it was written; False where each of its tickets has to be looked at."""
    found = glances(unpacked)
    if len(found) < PAGE_TICKETS:
        return False
    if any(page != (ticket.day, ticket.page) or (ticket.day, ticket.subject) in state.tickets for ticket in found):
        raise RecordError(state.unit, "a ticket is in two places, or where it does not belong")
    if not seal_again(state, page, packed, [ticket.subject for ticket in found], known):
        return False
    _remember(state, found)
    return True


def _remember(state: UnitState, tickets: Iterable[Ticket | Glance]) -> None:
    """Remember the ids of tickets."""
    by_day: dict[int, list[int]] = {}
    for ticket in tickets:
        if len(ticket.ids) & 1:
            raise ValueError("an id has no content")
        by_day.setdefault(ticket.day, []).extend(ticket.ids)
    for day, numbers in by_day.items():
        state.ids_of(day).take(numbers)


def _restore(state: UnitState, ticket: Ticket, page: PageKey | None, *, judged: bool) -> None:
    key = (ticket.day, ticket.subject)
    for step in ticket.steps:
        if not -_FURTHEST_MS <= step.at <= _FURTHEST_MS:
            raise RecordError(state.unit, "a step is at no time")
    in_place = ticket.page < 0 if page is None else (ticket.day, ticket.page) == page
    if key in state.tickets or not in_place:
        raise RecordError(state.unit, "a ticket is in two places, or where it does not belong")
    gone = steps_straight(ticket)
    derived = None if gone else derive(ticket, state.policy)
    if judged:
        restore(state, ticket, None if derived is None else derived.folded.legs)
    if gone == len(WAY) or (derived is not None and not derived.folded.is_open):
        state.tickets[key] = _ENCODER.encode(ticket)
    else:
        state.tickets[key] = ticket
        state.live[key] = derived
