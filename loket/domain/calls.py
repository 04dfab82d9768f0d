"""The numbers that were called last, as a screen in the hall shows them. Of people's tickets: never in metrics.

Found in the tickets of the day when somebody asks, so that order, repeats, corrections, voids and restarts leave no
trace. When a closed ticket was called is remembered until an event changes the ticket; nothing of it is written.
"""

from __future__ import annotations

from heapq import nlargest
from typing import Final

from msgspec import Struct

from loket.domain.corrections import corrected, is_corrected
from loket.domain.days import bucket_of, service_days
from loket.domain.durations import MINUTE
from loket.domain.sealed import sealed_pages, tickets_in
from loket.domain.state import PageKey, TicketKey, UnitState
from loket.domain.steps import EMPTY_SERVICE, NEVER_BUCKET, Kind, Step, Ticket

__all__ = ["AHEAD_MS", "AT_ONCE", "Call", "LastCalls"]

AHEAD_MS: Final = 5 * MINUTE
"""A call further ahead of `now` is one of a clock that is wrong, and would stand at the top until its time has come."""

AT_ONCE: Final = 200
"""Closed tickets that one look unpacks: some milliseconds."""

_NEVER_CALLED: Final = -1


class Call(Struct, frozen=True):
    """A number (the ticket's subject), when (ms) and to which counter it was called last, and its service's label."""

    number: str
    at: int
    counter: str | None
    service: str


class LastCalls:
    """The last calls of one unit, and when each closed ticket of its day was called, so that it is unpacked once."""

    def __init__(self) -> None:
        self._known: dict[TicketKey, tuple[bytes, int]] = {}
        self._pages: dict[PageKey, tuple[bytes, list[tuple[int, TicketKey]]]] = {}

    def look(self, state: UnitState, now: int, most: int) -> list[Call] | None:
        """The numbers called last on the service day of `now` (ms), the newest first, each once.

        A start without a call is one. None: more than AT_ONCE tickets were to be unpacked; the next look goes on.
        """
        days = service_days(state.policy)
        today = days.day(now)
        bucket = bucket_of(state.policy, today)
        begin, end = days.start(today), now + AHEAD_MS
        if len(self._known) > 2 * len(state.tickets) + AT_ONCE:
            self._known.clear()  # of days that are closed
        if len(self._pages) > 2 * len(state.sealed) + AT_ONCE:
            self._pages.clear()
        known, pages = self._known, self._pages
        left = AT_ONCE
        called: list[tuple[int, TicketKey]] = []
        for page, sealed in sealed_pages(state, bucket):
            told = pages.get(page)
            if told is None or told[0] is not sealed.packed:
                if left <= 0:
                    return None
                tickets = tickets_in(state, page)
                left -= len(tickets)
                told = pages[page] = (
                    sealed.packed,
                    [(_called_at(state, one, today), (one.day, one.subject)) for one in tickets],
                )
            called += [(at, key) for at, key in told[1] if begin <= at <= end]
        for key, kept in state.tickets.items():
            if key[0] != bucket:
                continue
            if isinstance(kept, bytes):
                found = known.get(key)
                if found is None or found[0] is not kept:
                    if left <= 0:
                        return None
                    left -= 1
                    found = known[key] = (kept, _called_at(state, state.ticket(key), today))
                at = found[1]
            else:
                at = _called_at(state, kept, today)
            if begin <= at <= end:
                called.append((at, key))
        return [_call(state, key, today) for _, key in nlargest(most, called)]


def _called_at(state: UnitState, ticket: Ticket | None, today: int) -> int:
    call = None if ticket is None else _last_call(state, ticket, today)[0]
    return _NEVER_CALLED if call is None else call.at


def _call(state: UnitState, key: TicketKey, today: int) -> Call:
    ticket = state.seen(key) or Ticket(key[1], key[0])
    call, service = _last_call(state, ticket, today)
    at, counter = (_NEVER_CALLED, None) if call is None else (call.at, call.counter)
    return Call(key[1], at, counter, state.service_label(service, ticket))


def _last_call(state: UnitState, ticket: Ticket, today: int) -> tuple[Step | None, str]:
    """The step that called a ticket last, if any, and the service that was issued before it."""
    steps = ticket.steps  # in the order of time
    if is_corrected(steps):
        steps, _ = corrected(steps, ticket.day, service_days(state.policy), never=ticket.day == NEVER_BUCKET)
    service, of_call, of_start = EMPTY_SERVICE, EMPTY_SERVICE, EMPTY_SERVICE
    call: Step | None = None
    start: Step | None = None
    for step in steps:
        kind = step.kind
        if kind == Kind.ISSUED:
            service = step.service or EMPTY_SERVICE
        elif kind == Kind.CALLED or kind == Kind.RECALLED:
            call, of_call = step, service
        elif kind == Kind.STARTED:
            start, of_start = step, service
        elif kind == Kind.VOIDED and step.number == today:
            return None, EMPTY_SERVICE
    return (start, of_start) if call is None else (call, of_call)
