"""Makes a report of the record, by the functions of the domain that the live figures come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from msgspec import UNSET, Struct, UnsetType
from sqlalchemy import Connection

from loket.domain.estimates import quantile
from loket.domain.events import Instant
from loket.domain.periods import PERIODS, Period
from loket.domain.policy import HOUR as MS_PER_HOUR
from loket.domain.policy import NEVER_DAY_STARTS_MS, UnitPolicy
from loket.domain.summary import EmployeeFigures, Flat, UnitFigures, employee_figures
from loket.wire.instant import format_instant
from loket_consumers.reports.documents import requests_of
from loket_consumers.reports.period_sums import Span, Sums, people_of, sums_by
from loket_consumers.reports.report import FEWEST_PEOPLE, Distribution, Employees, PeriodRows, Promise, Report
from loket_consumers.sums import UnitSums

__all__ = ["HOUR", "build"]

HOUR: Final = "hour"

_PRECISION: Final = 1_000_000
"""Quantiles are of whole numbers."""


def build(
    connection: Connection,
    span: Span,
    policy: UnitPolicy,
    *,
    by: str | None = None,
    people: str = "summary",
    service: str | None = None,
) -> Report:
    """The report of a span; `by` day, week, month or hour adds the rows of each, `people` is summary, each or none.

    With a `service` only its rows are told, and nobody's work, which is the unit's.
    """
    of_days = sums_by(connection, span)
    if by == HOUR:
        of_hours = sums_by(connection, span, hours=True)
        starts = (NEVER_DAY_STARTS_MS if policy.day_starts_ms is None else policy.day_starts_ms) // MS_PER_HOUR
        hours = sorted(of_hours, key=lambda hour: (hour - starts) % 24)  # a service day's night comes last
        periods = [(Period(span.first, span.last, f"{hour:02}"), of_hours[hour]) for hour in hours]
    else:
        periods = _periods(of_days, span, by)
    whole = Sums()
    for sums in of_days.values():
        whole.add(sums)
    told = requests_of(connection, span, policy, by=by, service=service)
    return Report(
        unit=span.unit,
        first=_iso(span.first),
        last=_iso(span.last),
        zone=policy.zone,
        now=format_instant(Instant(span.now)),
        by=by,
        targets=_promises(policy, span.last),
        units=_chosen(whole.rows(span, policy), service),
        periods=[
            PeriodRows(
                period=period.label,
                first=_iso(period.first),
                last=_iso(period.last),
                units=_chosen(sums.rows(span, policy), service),
            )
            for period, sums in periods
        ],
        employees=UNSET
        if people == "none" or service is not None
        else _employees(span.unit, people_of(connection, span, policy), people),
        requests=told.rows,
        request_periods=told.periods,
        satisfaction=told.answers,
    )


def _chosen(rows: list[UnitFigures], service: str | None) -> list[UnitFigures]:
    return rows if service is None else [row for row in rows if row.service == service]


def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


def _periods(of_days: Mapping[int, Sums], span: Span, by: str | None) -> list[tuple[Period, Sums]]:
    """The periods in which anybody came, cut to the span."""
    if by is None:
        return []
    found: dict[Period, Sums] = {}
    for day in sorted(of_days):
        period = PERIODS[by](day)
        cut = Period(max(period.first, span.first), min(period.last, span.last), period.label)
        found.setdefault(cut, Sums()).add(of_days[day])
    return list(found.items())


def _promises(policy: UnitPolicy, day: int) -> list[Promise]:
    promises = []
    for name, service in sorted(policy.services.items()):
        target = service.target(day)
        if target is not None:
            promises.append(
                Promise(
                    service=name,
                    seconds=target.within_ms / 1000,
                    objective=target.objective,
                    valid_from=_iso(target.valid_from),
                )
            )
    return promises


def _employees(unit: str, found: UnitSums, people: str) -> Employees:
    named = sorted(found.employees.items())
    each: list[EmployeeFigures] | UnsetType = UNSET
    if people == "each":
        each = [employee_figures(unit, name, flat) for name, flat in named]
    distributions = [
        told
        for figure, parts in _FIGURES.items()
        if (told := _distribution(figure, parts, [flat for _, flat in named])) is not None
    ]
    return Employees(people=len(named), distributions=distributions, each=each)


class _Parts(Struct, frozen=True):
    """A figure as part / whole · scale, and the cases on which it rests."""

    part: str
    whole: str
    cases: str
    scale: float = 1


_FIGURES: Final = {
    "served": _Parts("served", "", "served"),
    "service_mean_s": _Parts("service_ms", "service_count", "service_count", 1 / 1000),
    "services_per_staffed_hour": _Parts("services", "staffed_ms", "services", MS_PER_HOUR),
    "occupancy": _Parts("serving_ms", "staffed_ms", "services"),
    "call_gap_mean_s": _Parts("call_gap_ms", "call_gaps", "call_gaps", 1 / 1000),
}


def _distribution(figure: str, parts: _Parts, flats: Iterable[Flat]) -> Distribution | None:
    """A figure over those who have cases of it; None where they are fewer than FEWEST_PEOPLE."""
    values: list[int] = []
    cases = 0
    for flat in flats:
        whole = flat.get(parts.whole, 0) if parts.whole else 1
        if flat.get(parts.cases, 0) > 0 and whole > 0:
            cases += flat[parts.cases]
            values.append(round(flat.get(parts.part, 0) / whole * parts.scale * _PRECISION))
    if len(values) < FEWEST_PEOPLE:
        return None
    p25, median, p75 = ((quantile(values, q) or 0) / _PRECISION for q in (0.25, 0.5, 0.75))
    return Distribution(figure=figure, people=len(values), cases=cases, p25=p25, median=median, p75=p75)
