"""What is kept of one unit: tallies, the tickets of open days, and what is derived of those with an open leg."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct, field

from loket.domain.contribution import Contribution, contributions
from loket.domain.counters import Counter
from loket.domain.days import Admission, QueueClosing, closes_at, service_days
from loket.domain.ids import Ids
from loket.domain.judged import Counted, Minutes
from loket.domain.lane import Lane
from loket.domain.leg import Leg, Work
from loket.domain.legs import Folded, fold, go_on
from loket.domain.opening import OpeningHours
from loket.domain.policy import UnitPolicy
from loket.domain.requests import Requests
from loket.domain.sealed import Sealed, sealed_of, tickets_in, unseal
from loket.domain.session_steps import SessionStep
from loket.domain.staffing import Staff, Waiting
from loket.domain.steps import NEVER_BUCKET, Step, Ticket
from loket.domain.straight_leg import open_leg
from loket.domain.tally import Counts, DayTally, ServiceTally
from loket.domain.terms import Terms

OTHER = "other"
"""The label of all names beyond a unit's budget."""

PAGE_TICKETS = 50
"""Closed tickets in a page (design decision 1): the last page of a day is written again with every checkpoint, and only
full ones are sealed."""

TicketKey = tuple[int, str]
"""Service day (or NEVER_BUCKET) and subject."""

PageKey = tuple[int, int]
"""Service day (or NEVER_BUCKET) and number of the page."""

_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(Ticket)


class Live(Struct):
    """The derived figures of a ticket that is in memory unpacked."""

    folded: Folded
    by_day: dict[int, Contribution]


_NO_STEPS = Folded()
_FOLDED = Live(_NO_STEPS, {})


class SessionDay(Struct, array_like=True):
    """The session events of one day, and their ids: the hash of an id and of what its event said, alternating."""

    steps: list[SessionStep] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)


class Spans(Struct, array_like=True):
    """When people worked on tickets, and when somebody waited."""

    work: list[Work] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)


class First(Struct, frozen=True, gc=False, array_like=True):
    """The wait of a leg before its first call (ms): from `arrived_at`, ended by a call, by leaving, or by neither.

    `entered_at` is when a service began after that call.
    """

    label: str
    day: int
    arrived_at: int
    wait_ms: int
    called: bool = False
    left: bool = False
    entered_at: int | None = None


class UnitState:
    """Everything that the live indicators of one unit need, and `offset`: the last record that it contains.

    `tickets` holds the tickets of open days, packed once all their legs are closed, but those of full pages, which are
    in `sealed` (`loket.domain.sealed`). `live` holds the derived figures of those with an open leg, None where they are
    derived when somebody asks (`loket.domain.straight`); such a ticket is packed too, between a checkpoint and its next
    event. `employees` has,
    of each that has a name in figures, the broker's time of the last event. `spans` keeps, of days with sessions, the
    work and waits of closed tickets; `carried`, where the day never starts, those of forgotten tickets. Days up to
    `settled_day` are in `staff`, and can change no more. `judged` has when people were judged, of the tickets in the
    state; `judged_past` of those forgotten (`counted_past` is it unpacked), and `judged_days` their sums. `feedback`
    has, of open days, the ids of answers: hash and content, alternating. `lanes` holds nothing of its own.
    """

    def __init__(self, unit: str, policy: UnitPolicy) -> None:
        self.unit = unit
        self.policy = policy
        self.offset = -1
        self.terms: Terms | None = None
        self.admission = Admission()
        self.services: dict[str, None] = {}
        self.employees: dict[str, int] = {}
        self.tallies: dict[str, ServiceTally] = {}
        self.people: dict[str, Counts] = {}
        self.days: dict[int, DayTally] = {}
        self.lanes: dict[tuple[int, str], Lane] = {}
        self.tickets: dict[TicketKey, Ticket | bytes] = {}
        self.live: dict[TicketKey, Live | None] = {}
        self.ids: dict[int, Ids] = {}
        self.pages: dict[PageKey, list[TicketKey]] = {}
        self.sealed: dict[PageKey, Sealed] = {}
        self.subjects: dict[int, Ids] = {}
        self.unpack: Callable[[bytes], bytes] = bytes
        self.closings: dict[int, list[QueueClosing]] = {}
        self.last_call: dict[str, int] = {}
        self.sessions: dict[int, SessionDay] = {}
        self.staff: dict[str, Staff] = {}
        self.settled_day = 0
        self.carried: dict[int, Spans] = {}
        self.spans: dict[int, dict[TicketKey, Spans]] = {}
        self.firsts: dict[TicketKey, list[First]] = {}
        self.counters: dict[str, Counter] = {}
        self.judged: dict[int, dict[str, Minutes]] = {}
        self.judged_past: dict[int, bytes] = {}
        self.counted_past: dict[int, tuple[bytes, OpeningHours, dict[str, Counted]]] = {}
        self.judged_days: dict[int, dict[str, tuple[int, int]]] = {}
        self.requests = Requests()
        self.feedback: dict[int, list[int]] = {}
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
        if found is None and self.sealed and self.open_page(key):
            found = self.tickets.get(key)
        return _UNPACK.decode(found) if isinstance(found, bytes) else found

    def open_page(self, key: TicketKey) -> bool:
        """Unseal the page that may hold a ticket; whether there is one."""
        page = sealed_of(self, key)
        if page is not None:
            unseal(self, page)
        return page is not None

    def seen(self, key: TicketKey) -> Ticket | None:
        """As `ticket`, for who only looks: a sealed page stays sealed."""
        page = None if key in self.tickets else sealed_of(self, key)
        if page is None:
            return self.ticket(key)
        return next((ticket for ticket in tickets_in(self, page) if ticket.subject == key[1]), None)

    def all_tickets(self) -> Iterator[tuple[TicketKey, Ticket]]:
        """Every ticket of open days; sealed pages stay sealed."""
        for key, found in self.tickets.items():
            yield key, _UNPACK.decode(found) if isinstance(found, bytes) else found
        for page in self.sealed:
            for ticket in tickets_in(self, page):
                yield (page[0], ticket.subject), ticket

    def wake(self, key: TicketKey) -> Ticket:
        """A straight ticket, unpacked to be changed."""
        found = self.tickets[key]
        if isinstance(found, bytes):
            found = self.tickets[key] = _UNPACK.decode(found)
        return found

    def is_straight(self, key: TicketKey) -> bool:
        """Whether a ticket is open and has gone the straight way so far (`loket.domain.straight`)."""
        return self.live.get(key, _FOLDED) is None

    def derived(self, key: TicketKey, ticket: Ticket) -> Live:
        """The derived figures of a ticket, derived now where they are not kept."""
        return self.live.get(key) or derive(ticket, self.policy)

    def service_label(self, service: str, ticket: Ticket) -> str:
        """The label under which a service is tallied."""
        return OTHER if service in ticket.other_services else service

    def tally(self, label: str) -> ServiceTally:
        """The tally of a service label, made on first use."""
        found = self.tallies.get(label)
        if found is None:
            found = self.tallies[label] = ServiceTally()
        return found

    def day(self, day: int) -> DayTally:
        """The tally of a service day, made on first use."""
        found = self.days.get(day)
        if found is None:
            found = self.days[day] = DayTally()
        return found

    def ids_of(self, day: int) -> Ids:
        """The ids remembered of a day, or of NEVER_BUCKET, made on first use."""
        found = self.ids.get(day)
        if found is None:
            found = self.ids[day] = Ids()
        return found

    def person(self, label: str) -> Counts:
        """The counts of an employee's label, made on first use."""
        found = self.people.get(label)
        if found is None:
            found = self.people[label] = Counts()
        return found


def derive(ticket: Ticket, policy: UnitPolicy) -> Live:
    """The legs of a ticket, and what they bring to the figures."""
    if not ticket.steps:
        return Live(_NO_STEPS, {})
    folded = fold(ticket.steps, ticket.day, service_days(policy), never=ticket.day == NEVER_BUCKET)
    return Live(folded, contributions(folded.legs))


def derive_on(ticket: Ticket, step: Step, before: Live, policy: UnitPolicy) -> Live:
    """`derive` of a ticket that has a step more than when `before` was derived."""
    steps = ticket.steps
    if steps[-1] is step and len(steps) > 1 and steps[-2].at < step.at:
        folded = go_on(before.folded, step)
        if folded is not None:
            return Live(folded, contributions(folded.legs))
    return derive(ticket, policy)


def put_back(state: UnitState, key: TicketKey, ticket: Ticket, derived: Live) -> None:
    """Keep a ticket: unpacked while a leg is open, else packed in the page that the log gave it."""
    if state.spans or state.firsts:
        forget_spans(state, key)
    if derived.folded.is_open:
        state.live[key] = derived
        state.tickets[key] = ticket
        if ticket.page >= 0:
            _mark_page(state, ticket)
    else:
        pack(state, key, ticket)


def pack(state: UnitState, key: TicketKey, ticket: Ticket) -> None:
    """Keep a ticket whose legs are all closed: packed, in the page that the log gave it."""
    state.live.pop(key, None)
    if ticket.page < 0:
        _give_page(state, key, ticket)
    state.tickets[key] = _PACK.encode(ticket)
    _mark_page(state, ticket)


def rest(state: UnitState) -> None:
    """Pack the straight tickets that nothing has happened to since this was called last."""
    tickets = state.tickets
    for key, live in state.live.items():
        if live is None and not isinstance(ticket := tickets[key], bytes) and ticket.page < 0:
            tickets[key] = _PACK.encode(ticket)


def _mark_page(state: UnitState, ticket: Ticket) -> None:
    page = (ticket.day, ticket.page)
    state.dirty_pages.add(page)
    state.gone_pages.discard(page)


def forget_spans(state: UnitState, key: TicketKey) -> None:
    """Forget what was found of a ticket's work and waits and kept, as it changes or goes."""
    for spans in state.spans.values():
        spans.pop(key, None)
    state.firsts.pop(key, None)


def _give_page(state: UnitState, key: TicketKey, ticket: Ticket) -> None:
    """Put a ticket that closes for the first time into its day's last page: a function of the log alone."""
    # The pages of a day are in the order of their numbers, so the newest is the last of its day.
    last = next((page for day, page in reversed(state.pages) if day == ticket.day), 0)
    if (ticket.day, last) in state.sealed or len(state.pages.get((ticket.day, last), ())) >= PAGE_TICKETS:
        last += 1
    ticket.page = last
    state.pages.setdefault((ticket.day, last), []).append(key)


def open_legs(state: UnitState) -> list[tuple[str, Leg, int]]:
    """The legs that no event has ended: service label, leg, and the instant at which time alone ends it."""
    found = []
    for key, live in state.live.items():
        ticket = state.tickets[key]
        if isinstance(ticket, bytes):
            ticket = _UNPACK.decode(ticket)
        for leg in (open_leg(ticket),) if live is None else live.folded.legs:
            if leg.outcome is None:
                label = state.service_label(leg.service, ticket)
                found.append((label, leg, closes_at(leg, state.policy, state.closings.get(leg.day, ()))))
    return found
