"""The end of a service day in a unit's state: its tickets are forgotten, what they brought stays (rules 6 and 7)."""

from __future__ import annotations

from loket.domain.contribution import Contribution, changes, settle
from loket.domain.corrections import is_corrected
from loket.domain.days import Admission, closes_at, is_never, service_days
from loket.domain.drafts import FAR_MS
from loket.domain.judged import judged_at, keep_past, key_of, note, prune
from loket.domain.leg import Leg
from loket.domain.legs import NEVER_EXPIRES_MS, Folded
from loket.domain.policy import UnitPolicy
from loket.domain.requesting import forget_requests
from loket.domain.sealed import drop_sealed, unseal
from loket.domain.sessions import carry, settle_staff
from loket.domain.state import TicketKey, UnitState, derive, forget_spans, open_legs, put_back
from loket.domain.steps import Kind, Step, Ticket


def close_days(state: UnitState) -> None:
    """Forget the tickets of the days up to the admission's `closed_day`; open ones expire (rules 6 and 7)."""
    closed_day = state.admission.closed_day
    forget_requests(state)
    if is_never(state.policy):
        for page in list(state.sealed):  # from before a reload made the unit one of these
            unseal(state, page)
        _forget_legs(state)
    settle_staff(state)
    known = state.days.keys() | state.ids.keys() | state.admission.tickets.keys()
    for day in sorted(day for day in known if 0 < day <= closed_day):
        _close_day(state, day)
    still = {leg.day for _, leg, _ in open_legs(state)}
    prune(state, closed_day)
    state.closings = {day: made for day, made in state.closings.items() if day > closed_day or day in still}


def _close_day(state: UnitState, day: int) -> None:
    if not is_never(state.policy):
        _expire(state, [entry for entry in open_legs(state) if entry[1].day == day])
        for key in [key for key in state.tickets if key[0] == day]:
            del state.tickets[key]
            state.live.pop(key, None)
            state.firsts.pop(key, None)
        drop_sealed(state, day)
        brought = state.judged.pop(day, {})
        if brought:
            keep_past(state, day, brought)
        for page in [page for page in state.pages if page[0] == day]:
            del state.pages[page]
            state.dirty_pages.discard(page)
            state.gone_pages.add(page)
    state.ids.pop(day, None)
    state.feedback.pop(day, None)
    state.admission.forget(day)
    state.days.pop(day, None)
    state.lanes.clear()


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
        for _, key, change in changes(already.dated, gone.dated):
            note(state.judged, leg.day, label, key, change)


def _forget_legs(state: UnitState) -> None:
    """Where the day never starts: forget the legs of closed days that are over, keep those that go on."""
    for key in [key for key in state.live if state.is_straight(key)]:  # from before a reload made the unit one of these
        ticket = state.ticket(key)
        state.live[key] = None if ticket is None else derive(ticket, state.policy)
    ends = {id(leg): (label, ends_at) for label, leg, ends_at in open_legs(state)}
    for key in list(state.tickets):
        ticket = state.ticket(key)
        if ticket is None:
            continue
        derived = state.derived(key, ticket)
        over, left = forget(ticket.steps, derived.folded, state.admission, state.policy)
        if len(left) == len(ticket.steps):
            continue
        _expire(state, [(ends[id(leg)][0], leg, ends[id(leg)][1]) for leg in over if leg.outcome is None])
        carry(state, [(leg, None if leg.outcome is not None else ends[id(leg)][1]) for leg in over])
        for leg in over:
            _keep_judged(state, ticket, leg)
        _drop(state, key, ticket, left)


def _keep_judged(state: UnitState, ticket: Ticket, leg: Leg) -> None:
    """A leg is forgotten, but not when it was judged; by now the tallies hold of it what they ever will."""
    label = state.service_label(leg.service, ticket)
    ended = closes_at(leg, state.policy, state.closings.get(leg.day, ())) if leg.outcome is None else leg.ended_at
    found = judged_at(leg, ended)
    if found is not None:
        key = key_of(found[0], breached=found[1])
        note(state.judged, leg.day, label, key, -1)
        keep_past(state, leg.day, {label: {key: 1}})


def forget(steps: list[Step], folded: Folded, admission: Admission, policy: UnitPolicy) -> tuple[list[Leg], list[Step]]:
    """The legs of a ticket that the state forgets where the day never starts, and the steps that it keeps.

    Forgotten is what no event can reach any more that is not late: an event belongs to a leg until 24 h after its last
    step, to one that has ended too (rule 12), so all of that time is in closed days. A leg that went on beside one that
    is kept, or is of its day, is kept with it: without it the other would fold into something else. So is the void of a
    day that is open.
    """
    days = service_days(policy)

    def over(leg: Leg) -> bool:
        return admission.is_closed(leg.day) and admission.is_closed(days.day(leg.last_at + NEVER_EXPIRES_MS))

    legs = [*folded.legs, *folded.voided]
    gone = [leg for leg in legs if over(leg)]
    kept = [leg for leg in legs if leg not in gone]
    if kept and is_corrected(steps):
        return [], steps  # whose steps they are is not told by times that were corrected
    touched = True
    while touched:
        begins_at = min((leg.first_at for leg in kept), default=FAR_MS)
        days_kept = {leg.day for leg in kept}
        touching = [leg for leg in gone if leg.last_at >= begins_at or leg.day in days_kept]
        touched = bool(touching)
        kept += touching
        gone = [leg for leg in gone if leg not in touching]
    begins_at = min((leg.first_at for leg in kept), default=FAR_MS)
    days_kept = {leg.day for leg in kept}

    def stays(step: Step) -> bool:
        if step.kind == Kind.VOIDED and step.number is not None:
            return step.number in days_kept or not admission.is_closed(step.number)
        return step.at >= begins_at

    left = [step for step in steps if stays(step)]
    if not all(
        admission.is_closed(days.day(step.at)) for step in steps if step.kind != Kind.VOIDED and not stays(step)
    ):
        return [], steps
    return [leg for leg in folded.legs if leg in gone], left


def _drop(state: UnitState, key: TicketKey, ticket: Ticket, left: list[Step]) -> None:
    """Leave a ticket the steps that are left, or take it out of the state if none is."""
    if ticket.page >= 0:
        state.dirty_pages.add((ticket.day, ticket.page))
    ids = state.ids_of(ticket.day)
    if not left:
        for id_hash in ticket.ids[::2]:
            ids.discard(id_hash)
        del state.tickets[key]
        state.live.pop(key, None)
        forget_spans(state, key)
        state.admission.closed_ticket(ticket.day)
        if ticket.page >= 0:
            page = state.pages[(ticket.day, ticket.page)]
            page.remove(key)
            if not page:
                del state.pages[(ticket.day, ticket.page)]
                state.dirty_pages.discard((ticket.day, ticket.page))
                state.gone_pages.add((ticket.day, ticket.page))
        return
    ticket.steps = left
    remaining = {step.hash for step in ticket.steps}
    pairs = list(zip(ticket.ids[::2], ticket.ids[1::2], strict=True))
    for id_hash, _ in pairs:
        if id_hash not in remaining:
            ids.discard(id_hash)
    ticket.ids = [number for pair in pairs if pair[0] in remaining for number in pair]
    put_back(state, key, ticket, derive(ticket, state.policy))
