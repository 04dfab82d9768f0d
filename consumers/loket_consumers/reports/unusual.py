"""What is unusual in the record of a unit's days, for its supervisor: no accusation, and no alert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, select

from loket.domain.durations import HOUR
from loket.domain.events import Instant
from loket.domain.policy import UnitPolicy
from loket.domain.steps import Kind, Ticket
from loket.domain.unusual import Work, at_two_counters, bunching, far_too_short
from loket.wire.instant import format_instant
from loket_consumers.reports.period_sums import Span
from loket_consumers.schema import BOTH, RECORD, legs, stretches, tickets

__all__ = ["KINDS", "Finding", "UnusualReport", "find_unusual"]

NEAR_TARGET: Final = "near_target"
SHORT_SERVICES: Final = "short_services"
TWO_COUNTERS: Final = "two_counters"
KINDS: Final = (NEAR_TARGET, SHORT_SERVICES, TWO_COUNTERS)

_TICKET: Final = msgspec.msgpack.Decoder(Ticket)
_RESTS: Final = frozenset({Kind.HELD, Kind.REQUEUED, Kind.COMPLETED, Kind.TRANSFERRED, Kind.NO_SHOW, Kind.ABANDONED})
"""After them a ticket is in nobody's hands for a while, or for good."""

_TAKEN_BACK: Final = frozenset({Kind.VOIDED, Kind.CORRECTED})
"""A ticket with one of them was told wrong, and somebody has noticed."""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is unusual. `cases` of `of`, where a share of `expected` would be usual, by a `chance` of so many.

    near_target: calls just below the target of those near it; `hours` in which there were more below than above, of
    `of_hours`. short_services: of one employee, under `seconds`. two_counters: how often, for `seconds` in all.
    `employee` only where each was asked for.
    """

    kind: str
    service: str | None = None
    employee: str | None = None
    cases: int
    of: int | None = None
    expected: float | None = None
    chance: float | None = None
    hours: int | None = None
    of_hours: int | None = None
    seconds: float | None = None
    counters: list[str] = field(default_factory=list)


class UnusualReport(Struct, frozen=True, kw_only=True):
    """A unit from a first to a last service day: what was looked at, and what was found, which may be nothing."""

    unit: str
    first: str = field(name="from")
    last: str = field(name="to")
    zone: str
    now: str
    calls: int
    services: int
    works: int
    findings: list[Finding]


def find_unusual(connection: Connection, span: Span, policy: UnitPolicy, *, by_name: bool = False) -> UnusualReport:
    """Look at the calls, services and tickets of a span; employees are named only `by_name`."""
    calls = _calls(connection, span)
    services = _services(connection, span)
    work = list(_work(connection, span))

    def named(employee: str) -> str | None:
        return employee if by_name else None

    findings = []
    for service, near in sorted(calls.items()):
        if (bunched := bunching(near)) is not None:
            findings.append(
                Finding(
                    kind=NEAR_TARGET,
                    service=service,
                    cases=bunched.below,
                    of=bunched.below + bunched.above,
                    expected=bunched.expected,
                    chance=bunched.chance,
                    hours=bunched.hours_below,
                    of_hours=bunched.hours,
                )
            )
    for service, durations in sorted(services.items()):
        for employee, short in sorted(far_too_short(durations).items()):
            findings.append(
                Finding(
                    kind=SHORT_SERVICES,
                    service=service,
                    employee=named(employee),
                    cases=short.short,
                    of=short.services,
                    chance=short.chance,
                    seconds=short.limit_ms / 1000,
                )
            )
    for employee, overlaps in sorted(at_two_counters(work).items()):
        findings.append(
            Finding(
                kind=TWO_COUNTERS,
                employee=named(employee),
                cases=overlaps.times,
                seconds=overlaps.overlap_ms / 1000,
                counters=list(overlaps.counters),
            )
        )
    return UnusualReport(
        unit=span.unit,
        first=date.fromordinal(span.first).isoformat(),
        last=date.fromordinal(span.last).isoformat(),
        zone=policy.zone,
        now=format_instant(Instant(span.now)),
        calls=sum(map(len, calls.values())),
        services=sum(len(mine) for durations in services.values() for mine in durations.values()),
        works=len(work),
        findings=findings,
    )


def _calls(connection: Connection, span: Span) -> dict[str, list[tuple[int, int, int]]]:
    """By service the calls of first stretches that had a target: their hour, the judged wait, the target (rule 26)."""
    c = legs.c
    query = select(c.service, c.first_called_at, c.breach_at, c.target_ms).where(
        span.rows(legs), c.basis.in_((BOTH, RECORD)), c.answered.in_(("yes", "no")), c.first_called_at <= span.now
    )
    found: dict[str, list[tuple[int, int, int]]] = {}
    for service, called_at, breach_at, target_ms in connection.execute(query):
        found.setdefault(service, []).append((called_at // HOUR, called_at - breach_at + target_ms, target_ms))
    return found


def _services(connection: Connection, span: Span) -> dict[str, dict[str, list[int]]]:
    """The durations (ms) of services by service and employee."""
    c = stretches.c
    query = select(c.served_service, c.server, c.service_ms).where(
        span.rows(stretches), c.basis.in_((BOTH, RECORD)), c.server.is_not(None), c.service_ms.is_not(None)
    )
    found: dict[str, dict[str, list[int]]] = {}
    for service, server, ms in connection.execute(query):
        found.setdefault(service, {}).setdefault(server, []).append(ms)
    return found


def _work(connection: Connection, span: Span) -> Iterator[Work]:
    """Tickets in the hands of employees at counters."""
    mine = select(legs.c.ticket).where(span.rows(legs))
    for steps in connection.execute(select(tickets.c.steps).where(tickets.c.id.in_(mine))).scalars():
        yield from _work_on(_TICKET.decode(steps))


def _work_on(ticket: Ticket) -> Iterable[Work]:
    if any(step.kind in _TAKEN_BACK for step in ticket.steps):
        return
    open_work: dict[tuple[str, str], Work] = {}
    for step in ticket.steps:
        if step.employee is not None and step.counter is not None:
            key = step.employee, step.counter
            begin = open_work[key].begin if key in open_work else step.at
            open_work[key] = Work(step.employee, step.counter, begin, step.at)
        if step.kind in _RESTS:
            yield from open_work.values()
            open_work.clear()
    yield from open_work.values()
