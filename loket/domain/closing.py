"""The end of a service day in a unit's state: its tickets are forgotten, what they brought stays (rules 6 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from loket.domain.contribution import Contribution, settle
from loket.domain.days import is_never
from loket.domain.leg import Leg
from loket.domain.state import TicketKey, UnitState, derive, open_legs, put_back
from loket.domain.steps import Step, Ticket


def close_days(state: UnitState) -> None:
    """Forget the tickets of the days up to the admission's `closed_day`; open ones expire (rules 6 and 7)."""
    closed_day = state.admission.closed_day
    if is_never(state.policy):
        _forget_legs(state, closed_day)
    known = state.days.keys() | state.ids.keys() | state.admission.tickets.keys()
    for day in sorted(day for day in known if 0 < day <= closed_day):
        _close_day(state, day)


def _close_day(state: UnitState, day: int) -> None:
    if not is_never(state.policy):
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
        derived = state.live.get(key) or derive(ticket, state.policy)
        over, kept = part(derived.folded.legs, lambda leg: ends[id(leg)][1], closed_day=closed_day, received=received)
        if not over:
            continue
        _expire(state, [(ends[id(leg)][0], leg, ends[id(leg)][1]) for leg in over if leg.outcome is None])
        _drop(state, key, ticket, over, kept)


def part(
    legs: Iterable[Leg], ends_at: Callable[[Leg], int], *, closed_day: int, received: int
) -> tuple[list[Leg], list[Leg]]:
    """The legs that are forgotten where the day never starts, as their day is closed and they are over; and the rest.

    `ends_at` tells when time alone ends an open leg.
    """
    over: list[Leg] = []
    kept: list[Leg] = []
    for leg in legs:
        is_over = leg.day <= closed_day and (leg.outcome is not None or ends_at(leg) < received)
        (over if is_over else kept).append(leg)
    return over, kept


def steps_kept(steps: Iterable[Step], over: Iterable[Leg], kept: Iterable[Leg]) -> list[Step]:
    """The steps that stay when the legs that are over are forgotten and others are kept."""
    last = max(leg.last_at for leg in over)
    first = min(leg.issued_at or leg.stretches[0].began_at for leg in kept)
    return [step for step in steps if step.at >= min(first, last + 1)]


def _drop(state: UnitState, key: TicketKey, ticket: Ticket, over: list[Leg], kept: list[Leg]) -> None:
    """Take the steps of legs that are over out of a ticket, or the ticket out of the state if none is left."""
    if ticket.page >= 0:
        state.dirty_pages.add((ticket.day, ticket.page))
    ids = state.ids.get(ticket.day, {})
    if not kept:
        for id_hash in ticket.ids[::2]:
            ids.pop(id_hash, None)
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
    ticket.steps = steps_kept(ticket.steps, over, kept)
    remaining = {step.hash for step in ticket.steps}
    pairs = list(zip(ticket.ids[::2], ticket.ids[1::2], strict=True))
    for id_hash, _ in pairs:
        if id_hash not in remaining:
            ids.pop(id_hash, None)
    ticket.ids = [number for pair in pairs if pair[0] in remaining for number in pair]
    put_back(state, key, ticket, derive(ticket, state.policy))
