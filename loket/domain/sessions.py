"""Sessions in a unit's state (rules 32 to 35): kept as they were told, evaluated when somebody asks.

    day closes ──▶ no ticket reaches into it any more ──▶ settled: what it brought goes to `staff`

Where days start a day is settled when it closes. Where the day never starts, tickets and sessions go on over 03:00.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from loket.domain import events
from loket.domain.days import bucket_of, closes_at, is_never, service_days
from loket.domain.leg import Leg, Work
from loket.domain.policy import DAY, UnitPolicy
from loket.domain.sealed import sealed_pages, tickets_in
from loket.domain.session_steps import SessionKind, SessionStep, Window
from loket.domain.staffing import Staff, Waiting, active_of, add_staff, staff_of_day, waits_of, work_of
from loket.domain.state import OTHER, Spans, UnitState, derive
from loket.domain.steps import NEVER_BUCKET

__all__ = [
    "MAX_SESSION_STEPS",
    "SESSION_KIND",
    "StaffFigures",
    "active_sessions",
    "carry",
    "evaluate_staff",
    "session_step",
    "settle_staff",
    "spans_of",
    "staffed_days",
    "window_of",
]

MAX_SESSION_STEPS = 5_000
"""Session events of one day and unit that are kept (rule 8)."""

SESSION_LASTS_MS = DAY
"""Where the day never starts, a session that nobody ends is over so long after its start."""

MAX_UNSETTLED_DAYS = 30
"""Where the day never starts, a day is settled so long after it closed, whatever tickets still reach into it."""

SESSION_KIND: dict[type[events.Envelope], SessionKind] = {
    events.SessionStarted: SessionKind.STARTED,
    events.SessionPaused: SessionKind.PAUSED,
    events.SessionResumed: SessionKind.RESUMED,
    events.SessionEnded: SessionKind.ENDED,
}


_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(Spans)


class StaffFigures(Struct):
    """An employee's time at an instant: since the state began, and on the service day of now."""

    total: Staff
    day: Staff


def session_step(event: events.Event, id_hash: int) -> SessionStep | None:
    """The step of a session that an event tells, or None if it tells none. An empty list of services names none."""
    kind = SESSION_KIND.get(type(event))
    if kind is None or not isinstance(event.data, events.SessionData):
        return None
    named = event.data.services if isinstance(event.data, events.SessionStartedData) else None
    services = tuple(sorted(set(named))) if named else None
    return SessionStep(int(event.time), kind, id_hash, event.data.counter, event.data.employee, services)


def window_of(policy: UnitPolicy, day: int, now: int) -> Window:
    """A service day up to now."""
    days = service_days(policy)
    return Window(days.start(day), days.end(day), now, SESSION_LASTS_MS if is_never(policy) else None)


def staffed_days(told: Iterable[int], policy: UnitPolicy, now: int) -> list[int]:
    """The days, begun by now, on which somebody may be in session, from the days of which session events tell."""
    days = set(told)
    if is_never(policy):
        days |= {day + 1 for day in days}
    start = service_days(policy).start
    return sorted(day for day in days if start(day) <= now)


def spans_of(legs: Iterable[tuple[Leg, int | None]]) -> Spans:
    """The work and the waits of legs, each with the instant at which time alone ends it."""
    found = Spans()
    for leg, ends_at in legs:
        found.work.extend(work_of(leg, ends_at))
        found.waiting.extend(waits_of(leg, ends_at))
    return found


def evaluate_staff(state: UnitState, now: int) -> dict[str, StaffFigures]:
    """The time of all employees who ever had a session: what settled days left, and the other days up to `now`."""
    today = service_days(state.policy).day(now)
    figures = {label: StaffFigures(staff, Staff()) for label, staff in state.staff.items()}
    for day in staffed_days(state.sessions, state.policy, now):
        if day <= state.settled_day:
            continue
        for label, staff in _staff_on(state, day, now).items():
            known = figures.get(label) or StaffFigures(Staff(), Staff())
            figures[label] = StaffFigures(add_staff(known.total, staff), staff if day == today else known.day)
    return figures


def active_sessions(state: UnitState, now: int) -> int | None:
    """Counters at which somebody is in session, and not paused, at `now`; None where no session ever was."""
    if not state.sessions and not state.staff:
        return None
    today = service_days(state.policy).day(now)
    if today <= state.settled_day:
        return 0  # a moment of long ago
    return active_of(_steps(state, today), window_of(state.policy, today, now))


def settle_staff(state: UnitState) -> None:
    """Keep what closed days brought, and forget their sessions, once no ticket can change it any more.

    To be called when days have closed, before their tickets are forgotten, but after `carry`.
    """
    if not state.sessions and not state.carried:
        state.settled_day = state.admission.closed_day
        return
    before, state_now = state.settled_day, state.admission.received
    last = _last_settled(state)
    for day in staffed_days(state.sessions, state.policy, state_now):
        if before < day <= last:
            for label, staff in _staff_on(state, day, state_now).items():
                state.staff[label] = add_staff(state.staff.get(label, Staff()), staff)
    state.settled_day = last
    kept_from = last if is_never(state.policy) else last + 1
    closed = state.admission.closed_day
    state.sessions = {day: told for day, told in state.sessions.items() if day >= kept_from}
    needed = set(staffed_days(state.sessions, state.policy, state_now))
    carried = {day: spans for day, spans in state.carried.items() if day > closed or (day > last and day in needed)}
    state.carried = {day: _in_order(carried[day]) for day in sorted(carried)}
    for day in [day for day in state.spans if NEVER_BUCKET < day <= last]:
        del state.spans[day]


def _last_settled(state: UnitState) -> int:
    """The last day that nothing can change any more, of those that are closed."""
    closed = state.admission.closed_day
    if not is_never(state.policy):
        return closed
    first_at = None
    for key, ticket in state.all_tickets():
        for leg in state.derived(key, ticket).folded.legs:
            first_at = leg.first_at if first_at is None else min(first_at, leg.first_at)
    last = closed if first_at is None else min(closed, service_days(state.policy).day(first_at) - 1)
    return max(last, closed - MAX_UNSETTLED_DAYS, state.settled_day)


def _in_order(spans: Spans) -> Spans:
    """The same, whatever the order of the tickets that they are of: records are a function of the log alone."""
    spans.work.sort(key=lambda piece: (piece.begin, piece.employee, piece.stage, piece.end or 0, piece.finish or 0))
    spans.waiting.sort(key=lambda wait: (wait.begin, wait.service, wait.end or 0))
    return spans


def carry(state: UnitState, legs: Iterable[tuple[Leg, int | None]]) -> None:
    """Keep what legs that are forgotten did on days that are not settled, where the day never starts."""
    days = service_days(state.policy)
    last = state.admission.closed_day + 3  # a ticket that is over reaches a day and a night beyond what is closed
    needed = set(staffed_days(state.sessions, state.policy, state.admission.received))
    found = spans_of(legs)

    def reached(begin: int, end: int | None) -> Iterator[Spans]:
        if end is None or end <= begin:
            return
        for day in range(max(days.day(begin), state.settled_day + 1), min(last, days.day(end - 1)) + 1):
            if day > state.admission.closed_day or day in needed:
                yield state.carried.setdefault(day, Spans())

    for piece in found.work:
        end = piece.expires if piece.end is None else piece.end
        # What took no time is work too: wrap-up follows it, and a call gap ends with it.
        over = None if end is None else max(piece.begin, end) + state.policy.wrap_up_ms + 1
        for spans in reached(piece.begin, over):
            spans.work.append(piece)
    for wait in found.waiting:
        for spans in reached(wait.begin, wait.end):
            spans.waiting.append(wait)


def _staff_on(state: UnitState, day: int, now: int) -> dict[str, Staff]:
    """What a day that is not settled has brought each employee label by `now`."""
    steps = _steps(state, day)
    if not steps:
        return {}
    work: list[Work] = []
    waiting: list[Waiting] = []
    for spans in _spans(state, day):
        work.extend(spans.work)
        waiting.extend(spans.waiting)
    found: dict[str, Staff] = {}
    window = window_of(state.policy, day, now)
    for employee, staff in staff_of_day(steps, work, waiting, window, state.policy.wrap_up_ms).items():
        label = employee if employee in state.employees else OTHER
        found[label] = add_staff(found.get(label, Staff()), staff)
    return found


def _steps(state: UnitState, day: int) -> list[SessionStep]:
    """The steps that matter on a day: where the day never starts, those of the day before too."""
    told = [state.sessions.get(day)]
    if is_never(state.policy):
        told.insert(0, state.sessions.get(day - 1))
    return [step for sessions in told if sessions is not None for step in sessions.steps]


def _spans(state: UnitState, day: int) -> Iterator[Spans]:
    """Work and waits of a day's tickets. Those of tickets that time cannot change are kept until an event does."""
    bucket = bucket_of(state.policy, day)
    kept = state.spans.setdefault(bucket, {})
    for page, sealed in sealed_pages(state, bucket):
        if sealed.spans is None:
            legs = (leg for ticket in tickets_in(state, page) for leg in derive(ticket, state.policy).folded.legs)
            sealed.spans = _PACK.encode(spans_of((leg, None) for leg in legs))
        yield _UNPACK.decode(sealed.spans)
    for key in state.tickets:
        if key[0] != bucket:
            continue
        spans = kept.get(key)
        if spans is None:
            ticket = state.ticket(key)
            if ticket is None:
                continue
            spans = spans_of(
                (
                    leg,
                    None if leg.outcome is not None else closes_at(leg, state.policy, state.closings.get(leg.day, ())),
                )
                for leg in state.derived(key, ticket).folded.legs
            )
            if key not in state.live:
                kept[key] = spans
        yield spans
    if day in state.carried:
        yield state.carried[day]


def _ends_at(state: UnitState, leg: Leg) -> int | None:
    return None if leg.outcome is not None else closes_at(leg, state.policy, state.closings.get(leg.day, ()))
