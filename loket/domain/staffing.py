"""Employees' time on one service day: staffed, serving, and the call gap (rules 32 to 34).

    sessions (union over counters, less pauses) ──────────────▶ staffed
      ∩ own way and service, running ones included ───────────▶ serving
      − own calls, services, holds and wrap-up = free
          ∩ somebody waits for a service that the session names ▶ call gap

A pure function of the day's intervals of the unit: the state and the record call the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from msgspec import Struct

from loket.domain.intervals import Interval, difference, intersection, length, union
from loket.domain.leg import Leg, Work


class SessionKind(IntEnum):
    """What happens to a session, in the order in which it counts at one instant: what ends before what begins."""

    ENDED = 0
    PAUSED = 1
    STARTED = 2
    RESUMED = 3


class SessionStep(Struct, frozen=True, array_like=True):
    """One thing that happened to the session of an employee at a counter. `services` None: any service."""

    at: int
    kind: int
    hash: int
    content: int
    counter: str
    employee: str
    services: tuple[str, ...] | None = None

    def order(self) -> tuple[int, int, int]:
        return (self.at, self.kind, self.hash)


class Waiting(Struct, frozen=True, array_like=True):
    """Somebody waits for a service. `end` None: still."""

    service: str
    begin: int
    end: int | None


class Staff(Struct, array_like=True):
    """What one day brought one employee: ms, and the number of call gaps that ended in his own call or start."""

    staffed_ms: int = 0
    serving_ms: int = 0
    call_gap_ms: int = 0
    call_gaps: int = 0
    in_session: int = 0
    """Counters at which a session is open, and not paused, at the end of the evaluated time."""


class _Session(Struct):
    begin: int
    end: int
    services: tuple[str, ...] | None


class _Open(Struct):
    services: tuple[str, ...] | None
    since: int | None = None


def waits_of(leg: Leg, ends_at: int | None) -> list[Waiting]:
    """When the person of a leg waited; `ends_at` is the instant at which time alone ends an open leg."""
    if leg.issued_at is None:
        return []
    found = []
    for stretch in leg.stretches:
        over = stretch.called_at if stretch.called_at is not None else stretch.ended_at
        found.append(Waiting(leg.service, stretch.wait_from, ends_at if over is None else over))
    return found


def work_of(leg: Leg) -> list[Work]:
    """What employees did for the person of a leg."""
    return [piece for stretch in leg.stretches for piece in stretch.work]


def staff_of_day(
    steps: Iterable[SessionStep],
    work: Iterable[Work],
    waiting: Iterable[Waiting],
    until: int,
    wrap_up_ms: int,
) -> dict[str, Staff]:
    """What a day brought each employee who had a session, up to `until` (ms): now, or the end of the day if earlier."""
    own: dict[str, list[Work]] = {}
    for piece in work:
        own.setdefault(piece.employee, []).append(piece)
    by_employee: dict[str, list[SessionStep]] = {}
    for step in sorted(steps, key=SessionStep.order):
        by_employee.setdefault(step.employee, []).append(step)
    queues = _queues(waiting, until)
    return {
        employee: _staff(mine, own.get(employee, []), queues, until, wrap_up_ms)
        for employee, mine in by_employee.items()
    }


def _queues(waiting: Iterable[Waiting], until: int) -> dict[str, list[Interval]]:
    """When somebody waits, for each service."""
    by_service: dict[str, list[Interval]] = {}
    for wait in waiting:
        end = until if wait.end is None else min(wait.end, until)
        by_service.setdefault(wait.service, []).append((wait.begin, end))
    return {service: union(intervals) for service, intervals in by_service.items()}


def _staff(
    steps: list[SessionStep], work: list[Work], queues: Mapping[str, list[Interval]], until: int, wrap_up_ms: int
) -> Staff:
    staff = Staff()
    sessions = _sessions(steps, work, until, staff)
    staffed = union((session.begin, session.end) for session in sessions)
    staff.staffed_ms = length(staffed)

    def spans(stages: tuple[str, ...], after_ms: int = 0) -> list[Interval]:
        return [
            (piece.begin, until if piece.end is None else min(piece.end + after_ms, until))
            for piece in work
            if piece.stage in stages
        ]

    staff.serving_ms = length(intersection(staffed, union(spans(("way", "service")))))
    busy = union(spans(("call", "way", "hold")) + spans(("service",), wrap_up_ms))
    wanted = union(
        common
        for session in sessions
        for common in intersection([(session.begin, session.end)], _wanted(session, queues))
    )
    begins = {piece.begin for piece in work if piece.stage != "hold"}
    for free in difference(staffed, busy):
        counted = length(intersection([free], wanted))
        staff.call_gap_ms += counted
        staff.call_gaps += counted > 0 and free[1] in begins
    return staff


def _wanted(session: _Session, queues: Mapping[str, list[Interval]]) -> list[Interval]:
    """When somebody waits whom this session may serve."""
    names = queues.keys() if session.services is None else session.services
    return union(interval for name in names for interval in queues.get(name, ()))


def _sessions(steps: list[SessionStep], work: list[Work], until: int, staff: Staff) -> list[_Session]:
    """The stretches of one employee's staffed time; a pause and an end count from the end of the running service."""
    found: list[_Session] = []
    open_at: dict[str, _Open] = {}

    def finished(at: int) -> int:
        for piece in work:
            if piece.stage == "service" and piece.begin < at and (piece.end is None or piece.end > at):
                at = until if piece.end is None else piece.end
        return min(at, until)

    for step in steps:
        if step.at >= until:
            break
        session = open_at.get(step.counter)
        if step.kind == SessionKind.STARTED:
            if session is None:
                open_at[step.counter] = _Open(step.services, step.at)
        elif session is None:
            continue
        elif step.kind == SessionKind.RESUMED:
            if session.since is None:
                session.since = step.at
        else:
            if session.since is not None:
                found.append(_Session(session.since, finished(step.at), session.services))
                session.since = None
            if step.kind == SessionKind.ENDED:
                del open_at[step.counter]
    for session in open_at.values():
        if session.since is not None:
            staff.in_session += 1
            found.append(_Session(session.since, until, session.services))
    return found
