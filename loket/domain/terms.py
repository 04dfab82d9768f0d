"""What a unit's people were counted and judged by: kept with its state, so that a restart changes no past (rule 10).

A running process refuses a file that says something else of days that have begun. This tells the same of a file that
was changed while no process ran.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec
from msgspec import Struct

from loket.domain.calendar import Calendar
from loket.domain.days import service_days
from loket.domain.policy import Clock, ServicePolicy, Since, Target, Turnaround, UnitPolicy

__all__ = ["DAYS_OF_HOURS", "Terms", "differences", "listed", "terms_of"]

DAYS_OF_HOURS = 100
"""Service days up to the last event whose opening hours are held against the file: more than windows, the budget's
month and requests that have ended reach back."""

SHOWN = 10
"""Units of which an error says what differs."""

_PACK = msgspec.msgpack.Encoder()


class Terms(Struct, frozen=True, array_like=True):
    """Of a unit of the targets: its days, its thresholds (ms), and each service's targets as (from, ms, share).

    `turnarounds` are (from, ms, share, clock, since) by service, and `hours` a hash of the opening hours of
    DAYS_OF_HOURS days with the last of these days. Both are None where an earlier version wrote them not.
    """

    zone: str
    day_starts_ms: int | None
    short_ms: int
    wrap_up_ms: int
    targets: dict[str, list[tuple[int, int, float]]]
    waits_from_opening: bool = False
    close_after_ms: int | None = None
    turnarounds: dict[str, list[tuple[int, int, float, Clock, Since]]] | None = None
    hours: tuple[int, bytes] | None = None


def terms_of(policy: UnitPolicy, received: int) -> Terms | None:
    """The terms of a policy for a unit whose last event was `received` (ms); None for a unit that no target names, as a
    later file may name it."""
    if not policy.known:
        return None
    day = service_days(policy).day(received)
    return Terms(
        policy.zone,
        policy.day_starts_ms,
        policy.short_ms,
        policy.wrap_up_ms,
        {
            name: [(target.valid_from, target.within_ms, target.objective) for target in service.targets]
            for name, service in policy.services.items()
            if service.targets
        },
        policy.waits_from_opening,
        policy.close_after_ms,
        {
            name: [
                (promise.valid_from, promise.within_ms, promise.objective, promise.clock, promise.since)
                for promise in service.turnarounds
            ]
            for name, service in policy.services.items()
            if service.turnarounds
        },
        (day, _hours_up_to(policy.calendar, day)),
    )


def differences(before: Terms, policy: UnitPolicy, day: int) -> Iterator[str]:
    """What a policy says otherwise than the terms up to a service day, by the names of `targets.yaml`."""
    for name, old, new in (
        ("zone", before.zone, policy.zone),
        ("day_starts", before.day_starts_ms, policy.day_starts_ms),
        ("short_seconds", before.short_ms, policy.short_ms),
        ("wrap_up_seconds", before.wrap_up_ms, policy.wrap_up_ms),
        ("wait_starts", before.waits_from_opening, policy.waits_from_opening),
        ("close_after", before.close_after_ms, policy.close_after_ms),
    ):
        if old != new:
            yield name
    if before.hours is not None:
        last, hours = before.hours
        if hours != _hours_up_to(policy.calendar, last):
            yield "hours"
    turnarounds = before.turnarounds
    for service in sorted(before.targets.keys() | (turnarounds or {}).keys() | policy.services.keys()):
        young = policy.services.get(service, ServicePolicy())
        known = ServicePolicy(
            targets=tuple(Target(*told) for told in before.targets.get(service, ())),
            turnarounds=(
                young.turnarounds
                if turnarounds is None
                else tuple(Turnaround(*told) for told in turnarounds.get(service, ()))
            ),
        )
        if any(_promised(known, begin) != _promised(young, begin) for begin in _begins(known, young, day)):
            yield f"services.{service}"


def listed(changed: Mapping[str, list[str]]) -> str:
    """What differs, by unit, as a line of an error says it: of the first SHOWN, and how many more there are."""
    told = [f"units.{unit}: {', '.join(names)}" for unit, names in sorted(changed.items())]
    return "; ".join(told[:SHOWN]) + (f", and {len(told) - SHOWN} units more" if len(told) > SHOWN else "")


def _begins(old: ServicePolicy, new: ServicePolicy, day: int) -> set[int]:
    """The days up to `day` from which something is promised."""
    targets = {target.valid_from for target in (*old.targets, *new.targets)}
    turnarounds = {promise.valid_from for promise in (*old.turnarounds, *new.turnarounds)}
    return {begin for begin in targets | turnarounds if begin <= day}


def _promised(service: ServicePolicy, day: int) -> tuple[Target | None, Turnaround | None]:
    return service.target(day), service.turnaround(day)


@lru_cache(maxsize=16_384)  # one of each unit and day: heads are written every few seconds
def _hours_up_to(calendar: Calendar, last: int) -> bytes:
    """A hash of the opening hours of the DAYS_OF_HOURS days up to `last`."""
    own = dict(calendar.exceptions)
    found = [own[day] if day in own else calendar.usual(day) for day in range(last - DAYS_OF_HOURS + 1, last + 1)]
    return hashlib.blake2b(_PACK.encode(found), digest_size=8).digest()
