"""The record's sums from SQL, by unit and service and by unit and employee, at a `now` of the caller's.

Figure names are those of the domain's tallies (`loket.domain.summary.Flat`), so that the same functions make rows of
metrics and of the record. What time alone changes is computed in SQL from `breach_at`, `closes_at` and `now`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from itertools import chain
from typing import Any, Final

from msgspec import Struct, field
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, case, func, literal, or_, select

from loket.domain.leg import NO_SHOW, OUTCOMES
from loket.domain.session_steps import SessionKind
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.summary import OLDEST, WITHIN, Flat
from loket_consumers.request_schema import requests
from loket_consumers.request_sums import answer_sums, request_sums
from loket_consumers.schema import BOTH, LIVE, RECORD, employee_stretches, legs, sessions, stretches, tickets

__all__ = ["OF_EMPLOYEES", "UnitSums", "Whose", "over_at", "parts", "sums"]

_LEFT: Final = ("short", *WITHIN)
_KEYS: Final = frozenset({"unit", "service", "day", "hour"})
OF_EMPLOYEES: Final = (
    "way_ms",
    "way_count",
    "service_ms",
    "service_count",
    "hold_ms",
    "hold_count",
    "served_wait_ms",
    "served_wait_count",
    "served",
    "services",
    "handed_on",
)


class Whose(Struct, frozen=True):
    """Which fold is asked for: the record's over all events, or the live one over those that were not late."""

    live: bool

    def rows(self, table: Table) -> ColumnElement[bool]:
        """The rows of this fold."""
        return table.c.basis.in_((BOTH, LIVE if self.live else RECORD))


class UnitSums(Struct):
    """One unit: flat figures by service and by employee, and the services that have a target. Zeros are left out."""

    services: dict[str, Flat] = field(default_factory=dict)
    employees: dict[str, Flat] = field(default_factory=dict)
    judging: set[str] = field(default_factory=set)

    def service(self, name: str) -> Flat:
        return self.services.setdefault(name, {})

    def add(self, row: Mapping[Any, Any]) -> None:
        """Add a row of one of the `parts`."""
        into = self.service(row["service"])
        for name, amount in row.items():
            if name == "judges":
                if amount:
                    self.judging.add(row["service"])
            elif name not in _KEYS:
                _rise(into, name, amount)

    def add_employee(self, row: Mapping[Any, Any]) -> None:
        """Add a row with `employee` and the sums OF_EMPLOYEES."""
        into = self.employees.setdefault(row["employee"], {})
        for name in OF_EMPLOYEES:
            _rise(into, name, row[name])


Sums = dict[str, UnitSums]


def sums(connection: Connection, whose: Whose, now: int, *, days: Mapping[str, str] | None = None) -> Sums:
    """The sums of every unit at `now` (ms); with `days` (unit → ISO day) those of legs of that day of each unit."""
    found: Sums = {}
    for _, query in parts(whose, now):
        for row in connection.execute(_limited(query, days)).mappings():
            if _is_of(row, days):
                found.setdefault(row["unit"], UnitSums()).add(row)
    _add_employees(found, connection, whose, days)
    if days is None:
        for unit in found.values():
            for flat in unit.services.values():
                flat.pop("unserved", None)  # a figure of the day alone
        _add_ticket_counts(found, connection, whose)
        asked = request_sums(connection, whose.rows(requests), now)
        for name, service, flat in chain(asked, answer_sums(connection, live=whose.live)):
            into = found.setdefault(name, UnitSums()).service(service)
            for figure, amount in flat.items():
                _rise(into, figure, amount)
    return found


def parts(whose: Whose, now: int) -> list[tuple[Table, Select[Any]]]:
    """What a service's sums are made of, each by unit, service and day, and the table whose rows are summed."""
    return [
        (legs, _of_legs(whose, now)),
        (stretches, _of_waits(whose)),
        (stretches, _of_services(whose)),
        (employee_stretches, _of_served(whose)),
    ]


def over_at(now: int) -> ColumnElement[int]:
    """The instant up to which a leg is judged: its end, or when time ends it, or now."""
    return case(
        (legs.c.outcome.is_not(None), legs.c.ended_at), (legs.c.closes_at <= now, legs.c.closes_at), else_=literal(now)
    )


def _of_legs(whose: Whose, now: int) -> Select[Any]:
    c = legs.c
    issued = c.issued_at.is_not(None)
    judged = and_(c.breach_at.is_not(None), or_(c.first_called_at.is_not(None), over_at(now) > c.breach_at))
    breached = and_(c.breach_at.is_not(None), func.coalesce(c.first_called_at, over_at(now)) > c.breach_at)
    here = and_(c.outcome.is_(None), c.closes_at > now, c.waits)
    early = and_(here, c.last_wait_from > now, c.last_wait_from > c.last_began_at, c.last_began_at <= now)
    waiting = and_(here, ~and_(c.last_wait_from > now, c.last_wait_from > c.last_began_at, c.last_began_at <= now))
    judged_from = case((c.opens_at > c.last_wait_from, c.opens_at), else_=c.last_wait_from)
    start = case((judged_from < now, judged_from), else_=literal(now)) - c.earlier_wait_ms
    left = c.left_within.is_not(None)
    columns = {
        "tickets_issued": _count(issued),
        "visits": _count(c.visit),
        **{f"waits_answered/{within}": _count(c.answered == within) for within in WITHIN},
        **{f"waits_left/{within}": _count(c.left_within == within) for within in _LEFT},
        **{f"calls_nobody_came/{w}": _count(and_(c.answered == w, c.outcome == NO_SHOW)) for w in WITHIN},
        **{f"waits_near_target/{side}": _count(c.near == side) for side in ("below", "above")},
        **{f"tickets_closed/{outcome}": _count(c.outcome == outcome) for outcome in OUTCOMES},
        "tickets_incomplete": _count(c.incomplete),
        "early_ms": _sum(c.early_ms, and_(issued, c.outcome.is_not(None))),
        "patience_seconds_ms": _sum(c.first_wait_ms, left),
        "patience_seconds_count": _count(left),
        "waiting": _count(waiting),
        "early": _count(early),
        "over_target": _count(and_(waiting, c.target_ms.is_not(None), now - start > c.target_ms)),
        "judged": _count(judged),
        "breached": _count(breached),
        "expired": _count(and_(c.outcome.is_(None), c.closes_at <= now)),
        "unserved": _count(and_(c.outcome.is_(None), c.closes_at <= now, c.waits)),
        "oldest_wait_start": func.min(case((waiting, start))),
        "judges": _count(c.target_ms.is_not(None)),
    }
    return _grouped(legs, legs.c.service, columns, whose)


def _of_waits(whose: Whose) -> Select[Any]:
    c = stretches.c
    answered = and_(c.issued, c.called_at.is_not(None))
    columns = {
        "wait_seconds_ms": _sum(c.wait_ms, answered),
        "wait_seconds_count": _count(answered),
        "calls_again": _count(and_(answered, c.ended_by == "requeued")),
        "lost_seconds_ms": _sum(c.lost_ms, c.lost_ms.is_not(None)),
        "lost_seconds_count": _count(c.lost_ms.is_not(None)),
    }
    return _grouped(stretches, stretches.c.service, columns, whose)


def _of_services(whose: Whose) -> Select[Any]:
    c = stretches.c
    columns = {
        "way_seconds_ms": _sum(c.way_ms, c.way_ms.is_not(None)),
        "way_seconds_count": _count(c.way_ms.is_not(None)),
        "service_seconds_ms": _sum(c.service_ms, c.service_ms.is_not(None)),
        "service_seconds_count": _count(c.service_ms.is_not(None)),
        "hold_seconds_ms": func.sum(c.hold_ms),
        "hold_seconds_count": func.sum(c.holds),
    }
    return _grouped(stretches, stretches.c.served_service, columns, whose)


def _of_served(whose: Whose) -> Select[Any]:
    c = employee_stretches.c
    columns = {"served": func.sum(c.served), "services": func.sum(c.services)}
    return _grouped(employee_stretches, c.service, columns, whose)


def _grouped(table: Table, service: ColumnElement[str], columns: Mapping[str, Any], whose: Whose) -> Select[Any]:
    named = [column.label(name) for name, column in columns.items()]
    query = select(table.c.unit.label("unit"), service.label("service"), table.c.day.label("day"), *named)
    return query.where(whose.rows(table)).group_by(table.c.unit, service, table.c.day)


def _rise(into: Flat, name: str, amount: int | None) -> None:
    if name in OLDEST:
        if amount is not None:
            into[name] = min(int(amount), into.get(name, int(amount)))
    elif amount:
        into[name] = into.get(name, 0) + int(amount)


def _add_employees(found: Sums, connection: Connection, whose: Whose, days: Mapping[str, str] | None) -> None:
    c = employee_stretches.c
    totals = [func.sum(c[name]).label(name) for name in OF_EMPLOYEES]
    query = select(c.unit, c.employee, c.day, *totals).where(whose.rows(employee_stretches), c.employee.is_not(None))
    grouped = query.group_by(c.unit, c.employee, c.day)
    for row in connection.execute(_limited(grouped, days)).mappings():
        if _is_of(row, days):
            found.setdefault(row["unit"], UnitSums()).add_employee(row)


def _add_ticket_counts(found: Sums, connection: Connection, whose: Whose) -> None:
    c = tickets.c
    contradictions = c.live_contradictions if whose.live else c.contradictions
    skewed = c.live_skewed if whose.live else c.skewed
    query = select(c.unit, func.sum(contradictions), func.sum(skewed)).group_by(c.unit)
    for unit, contradicted, clipped in connection.execute(query):
        if contradicted or clipped:
            into = found.setdefault(unit, UnitSums()).service(EMPTY_SERVICE)
            _rise(into, "contradictions", contradicted)
            _rise(into, "skewed_durations", clipped)
    for unit, contradicted in connection.execute(_of_starts(whose)):
        _rise(found.setdefault(unit, UnitSums()).service(EMPTY_SERVICE), "contradictions", contradicted)


def _of_starts(whose: Whose) -> Select[Any]:
    """Starts of sessions that name other services than one that stands at the same instant (rule 17)."""
    c = sessions.c
    place = (c.unit, c.day, c.at, c.counter, c.employee)
    starts = select(*place, func.count(c.services.distinct()).label("told")).where(c.kind == int(SessionKind.STARTED))
    if whose.live:
        starts = starts.where(c.live)
    rivals = starts.group_by(*place).having(func.count(c.services.distinct()) > 1).subquery()
    return select(rivals.c.unit, func.sum(rivals.c.told - 1)).group_by(rivals.c.unit)


def _limited(query: Select[Any], days: Mapping[str, str] | None) -> Select[Any]:
    if days is None:
        return query
    return query.where(query.selected_columns.day.in_(_dates(days.values())))


def _dates(days: Iterable[str]) -> Collection[date]:
    return sorted({date.fromisoformat(day) for day in days})


def _is_of(row: Mapping[Any, Any], days: Mapping[str, str] | None) -> bool:
    return days is None or row["day"].isoformat() == days.get(row["unit"])


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _sum(amount: ColumnElement[Any], condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, amount), else_=0))
