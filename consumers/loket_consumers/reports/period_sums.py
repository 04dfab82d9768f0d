"""The record's sums of one unit from a first to a last service day, by day of arrival or by local hour (rule 11)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from msgspec import UNSET, Struct, field
from msgspec.structs import replace
from sqlalchemy import Connection, Select, Table, and_, func, select

from loket.domain.policy import Produces, UnitPolicy
from loket.domain.staffing import Staff, add_staff
from loket.domain.summary import UnitFigures, add_up, level_counts, rows_of_unit
from loket_consumers.columns import ordinal
from loket_consumers.first_waits import Waits, first_waits
from loket_consumers.request_schema import feedback, requests
from loket_consumers.schema import BOTH, RECORD, employee_days, employee_stretches, legs
from loket_consumers.staff_days import session_days, staff_on
from loket_consumers.staff_sums import add_time
from loket_consumers.sums import OF_EMPLOYEES, UnitSums, Whose, parts

__all__ = ["Span", "Sums", "days_of", "people_of", "sums_by"]

_RECORD = Whose(live=False)


class Span(Struct, frozen=True):
    """Service days of a unit, both included, as the record tells them at `now` (ms)."""

    unit: str
    first: int
    last: int
    now: int

    def rows(self, table: Table) -> Any:
        """The rows of these days."""
        days = (date.fromordinal(self.first), date.fromordinal(self.last))
        return and_(table.c.unit == self.unit, table.c.day.between(*days))


class Sums(Struct):
    """What legs that arrived in one period came to: amounts by service, and their first waits."""

    amounts: UnitSums = field(default_factory=UnitSums)
    waits: dict[str, Waits] = field(default_factory=dict)

    def add(self, other: Sums) -> None:
        """Add another period: sums over sums (rule 27)."""
        for service, flat in other.amounts.services.items():
            self.amounts.services[service] = add_up([self.amounts.services.get(service, {}), flat])
        self.amounts.judging |= other.amounts.judging
        for service, waits in other.waits.items():
            self.waits.setdefault(service, Waits()).add(waits)

    def rows(self, span: Span, policy: UnitPolicy) -> list[UnitFigures]:
        """A row for each service, those that are promised too, and one for the unit as a whole."""
        promised = {name for name, service in policy.services.items() if service.targets}
        waited_for = [name for name, service in policy.services.items() if service.produces is Produces.TICKET]
        services = {name: self.amounts.services.get(name, {}) for name in waited_for} | self.amounts.services
        judging = self.amounts.judging | promised
        whole = Waits()
        for waits in self.waits.values():
            whole.add(waits)
        found = []
        for row in rows_of_unit(span.unit, services, judging, span.now):
            flat = add_up(services.values()) if row.service is None else services[row.service]
            waits = whole if row.service is None else self.waits.get(row.service, Waits())
            counts = UNSET if row.levels is UNSET else level_counts(flat)
            found.append(replace(waits.told_in(row), level_counts=counts))
        return found


def sums_by(connection: Connection, span: Span, *, hours: bool = False) -> dict[int, Sums]:
    """The sums of each service day of a span, or of each local hour of arrival over all of them."""
    found: dict[int, Sums] = {}
    for table, query in parts(_RECORD, span.now):
        for row in connection.execute(_chosen(query, table, span, hours=hours)).mappings():
            found.setdefault(_key(row, hours=hours), Sums()).amounts.add(row)
    for row in connection.execute(_chosen(first_waits(_RECORD, span.now), legs, span, hours=hours)).mappings():
        waits = found.setdefault(_key(row, hours=hours), Sums()).waits
        waits.setdefault(row["service"], Waits()).take(row)
    return found


def _chosen(query: Select[Any], table: Table, span: Span, *, hours: bool) -> Select[Any]:
    query = query.where(span.rows(table))
    if not hours:
        return query
    if table is not legs:
        same = and_(*(table.c[name] == legs.c[name] for name in ("ticket", "basis", "leg")))
        query = query.join(legs, same)
    return query.add_columns(legs.c.hour.label("hour")).group_by(legs.c.hour)


def _key(row: Any, *, hours: bool) -> int:
    return int(row["hour"]) if hours else ordinal(row["day"])


def people_of(connection: Connection, span: Span, policy: UnitPolicy) -> UnitSums:
    """What each employee did in a span, and their time in session."""
    found = UnitSums()
    c = employee_stretches.c
    totals = [func.sum(c[name]).label(name) for name in OF_EMPLOYEES]
    query = (
        select(c.employee, *totals)
        .where(_RECORD.rows(employee_stretches), span.rows(employee_stretches), c.employee.is_not(None))
        .group_by(c.employee)
    )
    for row in connection.execute(query).mappings():
        found.add_employee(row)
    add_time(found.employees, _time_of(connection, span, policy).items())
    return found


def _time_of(connection: Connection, span: Span, policy: UnitPolicy) -> dict[str, Staff]:
    """Stored of days that are over, computed of those that go on, by the same function of the domain."""
    c = employee_days.c
    names = ("staffed_ms", "serving_ms", "call_gap_ms", "call_gaps", "flagged")
    query = select(c.day, c.employee, *(c[name] for name in names)).where(
        span.rows(employee_days), c.basis.in_((BOTH, RECORD)), c.ends_at <= span.now
    )
    told: set[int] = set()
    time: dict[str, Staff] = {}
    for day, employee, *amounts in connection.execute(query):
        told.add(ordinal(day))
        time[employee] = add_staff(time.get(employee, Staff()), Staff(*map(int, amounts)))
    for day in _more(told, session_days(connection, span.unit, span.first - 1, span.last), span):
        for employee, staff in staff_on(connection, span.unit, policy, day, span.now).record.items():
            time[employee] = add_staff(time.get(employee, Staff()), staff)
    return time


def _more(told: set[int], with_sessions: Iterable[int], span: Span) -> list[int]:
    """Days of the span with sessions, or after such a day (a night where the day never starts), that no row tells."""
    days = set(with_sessions)
    days |= {day + 1 for day in days}
    return sorted(day for day in days if span.first <= day <= span.last and day not in told)


def days_of(connection: Connection, unit: str) -> tuple[int, int] | None:
    """The first and the last service day of which the record has something of a unit."""
    found: list[int] = []
    for day, of_unit in (
        (legs.c.day, legs.c.unit),
        (requests.c.submitted_on, requests.c.unit),
        (feedback.c.day, feedback.c.unit),
    ):
        query = select(func.min(day), func.max(day)).where(of_unit == unit)
        found += [ordinal(each) for each in connection.execute(query).one() if each is not None]
    return (min(found), max(found)) if found else None
