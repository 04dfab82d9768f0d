"""The rows of a ticket's legs: what the fold found, in the columns that people ask for.

Each function gives tuples in the order of its table's columns.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

from msgspec import Struct, field

from loket.domain.contribution import left_within, near_target, within
from loket.domain.leg import COMPLETED, TRANSFERRED, Leg, Stretch
from loket.domain.periods import local_hour
from loket_consumers.bulk import Row

__all__ = ["LegRows", "Owner", "add_leg", "iso_day"]


@lru_cache(maxsize=4096)
def iso_day(day: int) -> str:
    """A service day (proleptic ordinal) as ISO text."""
    return date.fromordinal(day).isoformat()


class Owner(Struct, frozen=True):
    """Whose leg it is: the ticket's row, unit and subject, of which fold (`basis`), and the unit's zone."""

    ticket: int
    unit: str
    subject: str
    basis: str
    zone: str


class LegRows(Struct):
    """Rows of `legs`, `stretches` and `employee_stretches`."""

    legs: list[Row] = field(default_factory=list)
    stretches: list[Row] = field(default_factory=list)
    employees: list[Row] = field(default_factory=list)


def add_leg(rows: LegRows, owner: Owner, number: int, leg: Leg, closes_at: int | None) -> None:
    """Add the rows of one leg, the `number`th of its ticket; `closes_at` is when time alone ends an open one."""
    day = iso_day(leg.day)
    first, last = leg.stretches[0], leg.stretches[-1]
    issued = leg.issued_at is not None
    answered = within(leg, first.called_at) if issued and first.called_at is not None else None
    rows.legs.append(
        (
            owner.ticket,
            owner.basis,
            number,
            owner.unit,
            owner.subject,
            day,
            leg.service,
            leg.from_unit,
            leg.issued_at,
            leg.appointment_at,
            leg.wait_from,
            leg.target_ms,
            leg.short_ms,
            leg.breach_at,
            leg.first_called_at,
            leg.outcome,
            leg.ended_at,
            closes_at,
            leg.last_at,
            leg.visit,
            leg.incomplete,
            leg.completer,
            leg.quantity,
            leg.early_ms,
            answered,
            left_within(leg) if first.called_at is None else None,
            near_target(leg) if issued else None,
            first.wait_ms,
            first.ended_at if first.called_at is None else None,
            leg.waits,
            last.began_at,
            last.wait_from,
            leg.earlier_wait_ms,
            leg.observed_wait_ms,
            leg.total_ms,
            local_hour(leg.issued_at if leg.issued_at is not None else first.began_at, owner.zone),
            leg.opens_at,
        )
    )
    for index, stretch in enumerate(leg.stretches, start=1):
        rows.stretches.append(
            (
                owner.ticket,
                owner.basis,
                number,
                index,
                owner.unit,
                day,
                leg.service,
                stretch.service,
                issued,
                stretch.began_at,
                stretch.wait_from,
                stretch.called_at,
                stretch.called,
                stretch.caller,
                stretch.started_at,
                stretch.server,
                stretch.ended_at,
                stretch.ended_by,
                stretch.ender,
                stretch.held,
                stretch.wait_ms,
                stretch.way_ms,
                stretch.service_ms,
                sum(stretch.hold_ms),
                len(stretch.hold_ms),
                stretch.lost_ms,
            )
        )
        ending = leg if index == len(leg.stretches) and leg.outcome == COMPLETED else None
        _add_employees(rows, owner, (number, index), day, stretch, ending)


_WAY: Final = 0
_SERVICE: Final = 2
_HOLD: Final = 4
_SERVED_WAIT: Final = 6
_SERVED: Final = 8
_SERVICES: Final = 9
_HANDED_ON: Final = 10
_STAGES: Final = {"way": _WAY, "service": _SERVICE, "hold": _HOLD, "served_wait": _SERVED_WAIT}
"""Where among a row's amounts a stage has its milliseconds, with how often beside it; in the order of the columns."""


def _add_employees(
    rows: LegRows, owner: Owner, place: tuple[int, int], day: str, stretch: Stretch, completed: Leg | None
) -> None:
    """Add what each employee did in a stretch; `completed` is the leg, if it was completed in this stretch."""
    works: dict[tuple[str | None, str], list[int]] = {}

    def work(employee: str | None, service: str) -> list[int]:
        amounts = works.get((employee, service))
        if amounts is None:
            amounts = works[(employee, service)] = [0] * 11
        return amounts

    for credit in stretch.credits:
        amounts = work(credit.employee, stretch.service)
        stage = _STAGES[credit.stage]
        amounts[stage] += credit.ms
        amounts[stage + 1] += 1
    if stretch.ender is not None and stretch.ended_by in ("requeued", TRANSFERRED):
        work(stretch.ender, stretch.service)[_HANDED_ON] += 1
    for service, employee in stretch.added:
        work(employee, service)[_SERVICES] += 1
    if completed is not None:
        mine = work(completed.completer, stretch.service)
        mine[_SERVED] += 1
        mine[_SERVICES] += completed.quantity
        if completed.issued_at is not None and completed.first_called_at is not None:
            mine[_SERVED_WAIT] += completed.observed_wait_ms
            mine[_SERVED_WAIT + 1] += 1
    for part, ((employee, service), amounts) in enumerate(works.items(), start=1):
        rows.employees.append((owner.ticket, owner.basis, *place, part, owner.unit, day, employee, service, *amounts))
