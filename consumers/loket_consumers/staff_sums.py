"""Employees' time at a `now` of the caller's: what is stored of days that were over then, the others computed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from msgspec import Struct, field
from sqlalchemy import Connection, func, select

from loket.domain.days import service_days
from loket.domain.policy import DAY, Policy
from loket.domain.sessions import staffed_days
from loket.domain.staffing import Staff, add_staff
from loket.domain.summary import Flat, flat_staff
from loket_consumers.columns import ordinal
from loket_consumers.schema import BOTH, LIVE, RECORD, employee_days, units
from loket_consumers.staff_days import BothStaff, session_days, staff_on

__all__ = ["BothSums", "StaffSums", "add_time", "staff_sums"]

_UNIX_DAY: Final = date(1970, 1, 1).toordinal()
_STORED: Final = ("staffed_ms", "serving_ms", "call_gap_ms", "call_gaps", "flagged")


class StaffSums(Struct):
    """Of each unit the time of each employee who ever had a session: since ever, and on the service day of `now`."""

    total: dict[str, dict[str, Staff]] = field(default_factory=dict)
    day: dict[str, dict[str, Staff]] = field(default_factory=dict)


class BothSums(Struct):
    """By what was not late, and by all events."""

    live: StaffSums
    record: StaffSums


def staff_sums(connection: Connection, policy: Policy, now: int) -> BothSums:
    """The time of all employees at `now` (ms)."""
    found = BothSums(StaffSums(), StaffSums())
    for basis, sums in ((LIVE, found.live), (RECORD, found.record)):
        c = employee_days.c
        query = (
            select(c.unit, c.employee, *(func.sum(c[name]) for name in _STORED))
            .where(c.basis.in_((BOTH, basis)), c.ends_at <= now)
            .group_by(c.unit, c.employee)
        )
        for unit, employee, *amounts in connection.execute(query):
            sums.total.setdefault(unit, {})[employee] = Staff(*map(int, amounts))
    for unit, day in _days_to_compute(connection, policy, now):
        of_day = staff_on(connection, unit, policy.unit(unit), day, now)
        is_today = service_days(policy.unit(unit)).day(now) == day
        _add(found, unit, of_day, is_today=is_today)
    return found


def _add(found: BothSums, unit: str, of_day: BothStaff, *, is_today: bool) -> None:
    for sums, people in ((found.live, of_day.live), (found.record, of_day.record)):
        total = sums.total.setdefault(unit, {})
        for employee, staff in people.items():
            total[employee] = add_staff(total.get(employee, Staff()), staff)
        if is_today:
            sums.day[unit] = dict(people)


def _days_to_compute(connection: Connection, policy: Policy, now: int) -> list[tuple[str, int]]:
    """The days with sessions that had begun by `now` and of which no row tells at `now`."""
    recent = _UNIX_DAY + now // DAY - 3
    c = employee_days.c
    query = select(c.unit, c.day).where(c.day >= _date(recent), c.ends_at <= now)
    stored = {(unit, ordinal(day)) for unit, day in connection.execute(query.distinct())}
    found: list[tuple[str, int]] = []
    for unit, since in connection.execute(select(units.c.unit, units.c.staff_from).order_by(units.c.unit)).all():
        if since is None:
            continue
        first = min(recent, ordinal(since) - 1)
        told = session_days(connection, unit, first, _UNIX_DAY + now // DAY + 1)
        found += [
            (unit, day)
            for day in staffed_days(told, policy.unit(unit), now)
            if day >= ordinal(since) or (day >= recent and (unit, day) not in stored)
        ]
    return found


def _date(day: int) -> date:
    return date.fromordinal(max(1, day))


def add_time(employees: dict[str, Flat], people: Iterable[tuple[str, Staff]]) -> None:
    """Add employees' time to their flat figures."""
    for employee, staff in people:
        employees.setdefault(employee, {}).update(flat_staff(staff))
