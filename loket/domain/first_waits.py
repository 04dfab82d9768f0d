"""How long people of today wait before their first call, and how long who comes now will wait (definitions: estimates).

Kaplan-Meier over the first stretches of today's legs: a call is the event, whatever else ended a stretch and who still
waits is censored (rule 28). For a new arrival: as long as the last who entered service waited. That is checked against
what people really waited, by the same estimate at their arrival, and withdrawn where it is off by too much.

First waits are found when they are asked for. Those of closed tickets are kept until an event changes the ticket, so
that order and restarts leave no trace; nothing of it is written.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from loket.domain.contribution import left_within
from loket.domain.days import bucket_of, closes_at, service_days
from loket.domain.estimates import Estimate, kaplan_meier, quantile
from loket.domain.leg import Leg
from loket.domain.sealed import sealed_pages, tickets_in
from loket.domain.state import OTHER, First, UnitState
from loket.domain.steps import EMPTY_SERVICE, Ticket
from loket.domain.straight import WAY, steps_straight
from loket.domain.straight_leg import open_leg

__all__ = ["DayEstimates", "evaluate_estimates", "expected_wait"]

LOOKED_BACK: Final = 50
"""As many who entered service last are asked how far off the estimate at their arrival was."""

FEWEST: Final = 5
"""Of fewer nobody knows how good the estimate is."""

MOST_OFF: Final = 0.5
"""Half of the errors over the median wait: an estimate that is further off is withdrawn."""


_PACK: Final = msgspec.msgpack.Encoder()
_UNPACK: Final = msgspec.msgpack.Decoder(list[First])


class DayEstimates(Struct):
    """Of one service on the service day of `now`, in ms; None: not known.

    `error_ratio`: the median error of the expected wait over the median wait of the same people.
    """

    median: Estimate = Estimate()
    p90: Estimate = Estimate()
    patience_ms: int | None = None
    expected_ms: int | None = None
    error_ratio: float | None = None


def evaluate_estimates(state: UnitState, now: int) -> dict[str, DayEstimates]:
    """The estimates of each service of which somebody came on the service day of `now` (ms).

    `other` has none: it is many queues, of which one estimate says nothing.
    """
    today = service_days(state.policy).day(now)
    by_label: dict[str, list[First]] = {}
    for first in _firsts(state, bucket_of(state.policy, today), now):
        if first.day == today and first.label != OTHER:
            by_label.setdefault(first.label, []).append(first)
    return {label: _estimates(firsts, now) for label, firsts in by_label.items()}


def _estimates(firsts: list[First], now: int) -> DayEstimates:
    called = [first.wait_ms for first in firsts if first.called]
    censored = [first.wait_ms for first in firsts if not first.called]
    entered = [
        (first.entered_at, first.arrived_at, first.wait_ms)
        for first in firsts
        if first.entered_at is not None and first.entered_at <= now
    ]
    expected_ms, error_ratio = expected_wait(entered)
    return DayEstimates(
        kaplan_meier(called, censored, 0.5),
        kaplan_meier(called, censored, 0.9),
        quantile([first.wait_ms for first in firsts if first.left], 0.5),
        expected_ms,
        error_ratio,
    )


def expected_wait(entered: list[tuple[int, int, int]]) -> tuple[int | None, float | None]:
    """How long who comes now will wait (ms), and how far off that is; of (entered service, arrived, waited), in ms.

    The wait is None where nobody entered service, where fewer than FEWEST tell how good it is, and where it is off by
    more than MOST_OFF.
    """
    entered = sorted(entered)
    times = [entered_at for entered_at, _, _ in entered]
    errors: list[int] = []
    waits: list[int] = []
    for _, arrived_at, wait_ms in entered[-LOOKED_BACK:]:
        last = bisect_right(times, arrived_at) - 1
        if last >= 0:
            errors.append(abs(entered[last][2] - wait_ms))
            waits.append(wait_ms)
    if len(errors) < FEWEST:
        return None, None
    error, usual = quantile(errors, 0.5) or 0, quantile(waits, 0.5) or 0
    if not usual:
        return (entered[-1][2], 0.0) if not error else (None, None)
    ratio = error / usual
    return (entered[-1][2] if ratio <= MOST_OFF else None), ratio


def _firsts(state: UnitState, bucket: int, now: int) -> Iterator[First]:
    for page, sealed in sealed_pages(state, bucket):
        if sealed.firsts is None:
            tickets = tickets_in(state, page)
            sealed.firsts = _PACK.encode([first for ticket in tickets for first in _of_ticket(state, ticket, now)])
        yield from _UNPACK.decode(sealed.firsts)
    for key in state.tickets:
        if key[0] != bucket:
            continue
        kept = state.firsts.get(key)
        if kept is None:
            ticket = state.ticket(key)
            kept = [] if ticket is None else _of_ticket(state, ticket, now)
            if key not in state.live:
                state.firsts[key] = kept
        yield from kept


def _of_ticket(state: UnitState, ticket: Ticket, now: int) -> list[First]:
    key = (ticket.day, ticket.subject)
    if steps_straight(ticket) == len(WAY):
        issue, call, start = ticket.steps[:3]
        label = state.service_label(issue.service or EMPTY_SERVICE, ticket)
        return [First(label, ticket.day, issue.at, call.at - issue.at, called=True, entered_at=start.at)]
    legs = [open_leg(ticket)] if state.is_straight(key) else state.derived(key, ticket).folded.legs
    found = (_first(leg, state.service_label(leg.service, ticket), state, now) for leg in legs)
    return [first for first in found if first is not None]


def _first(leg: Leg, label: str, state: UnitState, now: int) -> First | None:
    """The first wait of a leg; None without an issue, and of who was early, before an appointment, and never waited."""
    if leg.issued_at is None:
        return None
    first = leg.stretches[0]
    if first.called_at is not None:
        return First(label, leg.day, leg.wait_from, first.wait_ms, called=True, entered_at=first.started_at)
    until = first.ended_at
    if until is None:
        until = min(now, closes_at(leg, state.policy, state.closings.get(leg.day, ())))
    if until < leg.wait_from and leg.wait_from > leg.issued_at:
        return None
    left = left_within(leg) is not None
    return First(label, leg.day, leg.wait_from, max(0, until - leg.wait_from), left=left)
