"""The numbers that were called last, as a screen in the hall shows them. Of people's tickets: never in metrics.

Found in the tickets of the day when somebody asks, so that order, repeats, corrections, voids and restarts leave no
trace, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nlargest

from msgspec import Struct

from loket.domain.corrections import corrected, is_corrected
from loket.domain.days import is_never, service_days
from loket.domain.durations import MINUTE
from loket.domain.state import NEVER_BUCKET, UnitState
from loket.domain.steps import EMPTY_SERVICE, Kind, Step, Ticket

__all__ = ["AHEAD_MS", "Call", "last_calls"]

AHEAD_MS = 5 * MINUTE
"""A call further ahead of `now` is one of a clock that is wrong, and would stand at the top until its time has come."""

_CALLS = frozenset({Kind.CALLED, Kind.RECALLED})


class Call(Struct, frozen=True):
    """A number (the ticket's subject), when (ms) and to which counter it was called last, and its service's label."""

    number: str
    at: int
    counter: str | None
    service: str


def last_calls(state: UnitState, now: int, most: int) -> list[Call]:
    """The numbers called last on the service day of `now`, the newest first, each once. A start without a call is one.

    Looks at every ticket of the day: some 2 ms for 1,000 of them.
    """
    days = service_days(state.policy)
    today = days.day(now)
    bucket = NEVER_BUCKET if is_never(state.policy) else today
    begin = days.start(today)
    found = (
        call
        for key in state.tickets
        if key[0] == bucket and (ticket := state.ticket(key)) is not None
        for call in _last_call(state, ticket, today)
        if begin <= call.at <= now + AHEAD_MS
    )
    return nlargest(most, found, key=lambda call: (call.at, call.number))


def _last_call(state: UnitState, ticket: Ticket, today: int) -> Iterator[Call]:
    steps = ticket.steps
    if is_corrected(steps):
        steps, _ = corrected(steps, ticket.day, service_days(state.policy), never=ticket.day == NEVER_BUCKET)
    if any(step.kind == Kind.VOIDED and step.number == today for step in steps):
        return
    call = _newest(steps, _CALLS) or _newest(steps, frozenset({Kind.STARTED}))
    if call is None:
        return
    issue = _newest([step for step in steps if step.at <= call.at], frozenset({Kind.ISSUED}))
    service = EMPTY_SERVICE if issue is None else issue.service or EMPTY_SERVICE
    yield Call(ticket.subject, call.at, call.counter, state.service_label(service, ticket))


def _newest(steps: list[Step], kinds: frozenset[Kind]) -> Step | None:
    return max((step for step in steps if step.kind in kinds), key=lambda step: (step.at, step.hash), default=None)
