"""The end of a service day in a unit's state: its tickets are forgotten, what they brought stays (rules 6 and 7)."""

from __future__ import annotations

from loket.domain.contribution import Contribution, settle
from loket.domain.days import is_never
from loket.domain.leg import Leg
from loket.domain.state import TicketKey, UnitState, derive, open_legs, put_back
from loket.domain.steps import Ticket


def close_day(state: UnitState, day: int) -> None:
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
        derived = state.live.get(key) or derive(ticket, state.policy)
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
    ticket.steps = [step for step in ticket.steps if step.at >= min(first_kept, last + 1)]
    remaining = {step.hash for step in ticket.steps}
    pairs = list(zip(ticket.ids[::2], ticket.ids[1::2], strict=True))
    for id_hash, _ in pairs:
        if id_hash not in remaining:
            ids.pop(id_hash, None)
    ticket.ids = [number for pair in pairs if pair[0] in remaining for number in pair]
    put_back(state, key, ticket, derive(ticket, state.policy))
