"""Employees' time on one service day: staffed, serving, and the call gap (rules 32 to 34).

    sessions (union over counters, less pauses) ──────────────▶ staffed
      ∩ own way and service, running ones included ───────────▶ serving
      − own calls, services, holds and wrap-up = free
          ∩ somebody waits for a service that the session names ▶ call gap

A pure function of the day's intervals of the unit: the state and the record call the same one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from loket.domain.intervals import Interval, difference, intersection, length, union
from loket.domain.leg import Leg, Work
from loket.domain.session_steps import Session, SessionStep, Window, sessions_of
from loket.domain.tally import Amount

__all__ = ["Staff", "Waiting", "active_of", "add_staff", "staff_of_day", "waits_of", "work_of"]


class Waiting(Struct, frozen=True, array_like=True):
    """Somebody waits for a service. `end` None: still."""

    service: str
    begin: int
    end: int | None


class Staff(Struct, array_like=True):
    """What some days brought one employee: ms, and the number of call gaps that ended in his own call or start.

    `flagged` counts sessions that time alone ended; `active` the counters at which one is open, and not paused, now.
    """

    staffed_ms: Amount = 0
    serving_ms: Amount = 0
    call_gap_ms: Amount = 0
    call_gaps: Amount = 0
    flagged: Amount = 0
    active: Amount = 0


def add_staff(left: Staff, right: Staff) -> Staff:
    """The sum of two."""
    return Staff(
        left.staffed_ms + right.staffed_ms,
        left.serving_ms + right.serving_ms,
        left.call_gap_ms + right.call_gap_ms,
        left.call_gaps + right.call_gaps,
        left.flagged + right.flagged,
        left.active + right.active,
    )


def waits_of(leg: Leg, ends_at: int | None) -> Iterator[Waiting]:
    """When the person of a leg waited; `ends_at` is the instant at which time alone ends an open leg."""
    if leg.issued_at is None:
        return
    for stretch in leg.stretches:
        over = stretch.called_at if stretch.called_at is not None else stretch.ended_at
        yield Waiting(leg.service, stretch.wait_from, ends_at if over is None else over)


def work_of(leg: Leg, ends_at: int | None) -> Iterator[Work]:
    """What employees did for the person of a leg; `ends_at` is the instant at which time alone ends an open leg."""
    for stretch in leg.stretches:
        for piece in stretch.work:
            if leg.outcome is None and stretch is leg.stretches[-1] and (piece.stage == "service" or piece.end is None):
                yield replace(piece, expires=ends_at)
            else:
                yield piece


def staff_of_day(
    steps: Iterable[SessionStep], work: Iterable[Work], waiting: Iterable[Waiting], window: Window, wrap_up_ms: int
) -> dict[str, Staff]:
    """What a day brought each employee who had a session, up to the window's now."""
    own: dict[str, list[Work]] = {}
    for piece in work:
        own.setdefault(piece.employee, []).append(piece)
    queues = _Queues(waiting, window.until)
    return {
        employee: _staff(employee_steps, own.get(employee, []), queues, window, wrap_up_ms)
        for employee, employee_steps in _by_employee(steps).items()
    }


def active_of(steps: Iterable[SessionStep], window: Window) -> int:
    """At how many counters somebody is in session, and not paused, at the window's now."""
    return sum(sessions_of(mine, (), window).active for mine in _by_employee(steps).values())


def _by_employee(steps: Iterable[SessionStep]) -> dict[str, list[SessionStep]]:
    found: dict[str, list[SessionStep]] = {}
    for step in steps:
        found.setdefault(step.employee, []).append(step)
    return found


class _Queues:
    """When somebody waits, by the services that a session names: put together once for all that name the same."""

    def __init__(self, waiting: Iterable[Waiting], until: int) -> None:
        by_service: dict[str, list[Interval]] = {}
        for wait in waiting:
            end = until if wait.end is None else min(wait.end, until)
            by_service.setdefault(wait.service, []).append((wait.begin, end))
        self._by_service = by_service
        self._known: dict[tuple[str, ...] | None, list[Interval]] = {}

    def of(self, services: tuple[str, ...] | None) -> list[Interval]:
        """When somebody waits for one of these services; None: for any."""
        found = self._known.get(services)
        if found is None:
            names = self._by_service.keys() if services is None else services
            found = union(interval for name in names for interval in self._by_service.get(name, ()))
            self._known[services] = found
        return found


def _staff(steps: list[SessionStep], work: list[Work], queues: _Queues, window: Window, wrap_up_ms: int) -> Staff:
    told = sessions_of(steps, work, window)
    staffed = union((session.begin, session.end) for session in told.sessions)
    serving = intersection(staffed, _serving(work, window))
    free = difference(staffed, _busy(work, window, wrap_up_ms))
    gaps = intersection(free, _wanted(told.sessions, queues))
    return Staff(
        staffed_ms=length(staffed),
        serving_ms=length(serving),
        call_gap_ms=length(gaps),
        call_gaps=_ended_gaps(free, gaps, staffed, work, window.until),
        flagged=told.flagged,
        active=told.active,
    )


def _serving(work: Iterable[Work], window: Window) -> list[Interval]:
    """Own way and service, running ones included. A service that nobody completed has no duration (rule 6)."""
    return union(
        (piece.begin, window.until if piece.end is None else min(piece.end, window.until))
        for piece in work
        if piece.stage in ("way", "service") and not window.expired(piece.expires)
    )


def _busy(work: Iterable[Work], window: Window, wrap_up_ms: int) -> list[Interval]:
    """When he serves, holds or has called somebody, or wraps up: until the day is over, where nobody tells an end."""

    def span(piece: Work) -> Interval:
        end = piece.end if piece.end is not None else piece.expires
        if end is None:
            return (piece.begin, window.until)
        return (piece.begin, min(end + (wrap_up_ms if piece.stage == "service" else 0), window.until))

    return union(map(span, work))


def _wanted(sessions: Iterable[Session], queues: _Queues) -> list[Interval]:
    """When somebody waits whom a session of that moment may serve."""
    return union(
        common
        for session in sessions
        for common in intersection([(session.begin, session.end)], queues.of(session.services))
    )


def _ended_gaps(
    free: Iterable[Interval], gaps: list[Interval], staffed: Iterable[Interval], work: Iterable[Work], until: int
) -> int:
    """How many of the free times in which something counts ended in his own call or start.

    Not those that end with the session: at one instant what ends comes first (rule 2).
    """
    begins = {piece.begin for piece in work if piece.stage != "hold"}
    left = {end for _, end in staffed if end < until}
    number = 0
    for begin, end in free:
        if end in begins and end not in left:
            first = bisect_left(gaps, (begin, begin))
            number += first < len(gaps) and gaps[first][0] < end
    return number
