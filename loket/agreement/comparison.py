"""Compares what the metrics say with what the record says, figure by figure (rule 25).

```
metrics ───────────────┐ equal?  no: a disagreement
record, late left out ─┤
                       │ else
record, whole ─────────┘ equal?  no: late events explain it, which is listed and is no disagreement
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET

from loket.agreement.names import told
from loket.domain.figures import OF_REQUESTS
from loket.domain.request_summary import OF_THE_RECORD as REQUESTS_OF_THE_RECORD
from loket.domain.request_summary import RequestFigures, request_row
from loket.domain.state import OTHER
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.summary import (
    OF_THE_RECORD,
    OLDEST,
    EmployeeFigures,
    Flat,
    UnitFigures,
    add_up,
    employee_figures,
    rows_of_unit,
    unit_figures,
)
from loket.wire.figures import Agreement, Difference, LiveFigures, RecordFigures

__all__ = ["compare"]

_NOTHING: Final = LiveFigures(services={}, judging=[], employees={}, day={})
_OF_RECORD_ONLY: Final = OF_THE_RECORD | REQUESTS_OF_THE_RECORD | {"unit", "service", "employee"}
"""Names and quantiles of rows, which are not compared."""

_OF_EMPLOYEES: Final = ("employees", "day_employees")

Place = Callable[..., Difference]
_Row = UnitFigures | EmployeeFigures | RequestFigures


def compare(metrics: Mapping[str, LiveFigures], record: RecordFigures, now: int) -> Agreement:
    """Whether metrics and record agree at `now` (ms), at which both were evaluated, and every figure that differs."""
    differences: list[Difference] = []
    recorded = _units_named_as(metrics, record.live)
    whole = {row.unit for row in record.units} if OTHER not in metrics else set()
    for unit in sorted(metrics.keys() | recorded.keys() | whole):
        measured = metrics.get(unit, _NOTHING)
        live = _named_as(measured, recorded.get(unit, _NOTHING))
        apart = [
            *_of_services(unit, measured, live),
            *_of_table("employees", unit, measured.employees, live.employees),
            *_of_table("day", unit, measured.day, live.day),
            *_of_table("day_employees", unit, measured.day_employees, live.day_employees),
            *_of_table("windows", unit, measured.windows, live.windows),
        ]
        differences += apart
        if not apart and unit != OTHER:
            differences += _explained(unit, measured, record, now)
    return Agreement(all(difference.late for difference in differences), differences)


def _units_named_as(metrics: Mapping[str, LiveFigures], live: Mapping[str, LiveFigures]) -> Mapping[str, LiveFigures]:
    """The record's units with those beyond the worker's budget as one, as the metrics tally them: all names `other`."""
    if OTHER not in metrics:
        return live
    beyond = [figures for unit, figures in live.items() if unit == OTHER or unit not in metrics]

    def all_as_other(tables: Iterable[Mapping[str, Flat]]) -> dict[str, Flat]:
        groups: dict[str, list[Flat]] = {}
        for table in tables:
            for name, flat in table.items():
                groups.setdefault(name and OTHER, []).append(flat)
        return {name: add_up(flats) for name, flats in groups.items()}

    others = LiveFigures(
        services=all_as_other(figures.services for figures in beyond),
        judging=[OTHER] if any(figures.judging for figures in beyond) else [],
        employees=all_as_other(figures.employees for figures in beyond),
        day=all_as_other(figures.day for figures in beyond),
        day_employees=all_as_other(figures.day_employees for figures in beyond),
    )
    return {unit: figures for unit, figures in live.items() if unit in metrics} | {OTHER: others}


def _named_as(measured: LiveFigures, live: LiveFigures) -> LiveFigures:
    """The record's figures with the names beyond the label budget under `other`, as the metrics tally them."""

    def merged(known: Mapping[str, Flat], figures: Mapping[str, Flat]) -> dict[str, Flat]:
        if OTHER not in known:
            return dict(figures)
        groups: dict[str, list[Flat]] = {}
        for name, flat in figures.items():
            groups.setdefault(name if name in known else OTHER, []).append(flat)
        return {name: add_up(flats) for name, flats in groups.items()}

    known = measured.services
    judging = {name if name in known or OTHER not in known else OTHER for name in live.judging}
    return LiveFigures(
        services=merged(known, live.services),
        judging=sorted(judging),
        employees=merged(measured.employees, live.employees),
        day=merged(measured.day, live.day),
        day_employees=merged(measured.day_employees, live.day_employees),
        windows=dict(live.windows),  # of services of the targets, which have their names
    )


def _of_services(unit: str, measured: LiveFigures, live: LiveFigures) -> Iterator[Difference]:
    yield from _of_table("units", unit, measured.services, live.services)
    for service in sorted(set(measured.judging) ^ set(live.judging)):
        judged = (measured.services.get(service, {}), live.services.get(service, {}))
        if any(any(flat.values()) for flat in judged):
            metrics, record = (
                flat.get("judged", 0) if service in side.judging else None
                for side, flat in zip((measured, live), judged, strict=True)
            )
            yield Difference(
                table="units",
                unit=unit,
                service=service or None,
                figure="judged",
                metrics=metrics,
                record=record,
                late=False,
            )


def _of_table(
    table: str, unit: str, measured: Mapping[str, Flat], recorded: Mapping[str, Flat]
) -> Iterator[Difference]:
    for name in sorted(measured.keys() | recorded.keys()):
        yield from _of_flats(_place(table, unit, name), measured.get(name, {}), recorded.get(name, {}))


def _place(table: str, unit: str, name: str) -> Place:
    def at(**rest: Any) -> Difference:
        # Legs without an issue have no row of a service: their figures stand in the unit's own.
        of_requests = table == "units" and str(rest["figure"]).startswith(OF_REQUESTS)
        label = {"employee": name} if table in _OF_EMPLOYEES else {"service": name if name != EMPTY_SERVICE else None}
        return Difference(table="requests" if of_requests else table, unit=unit, **label, **rest)

    return at


def _of_flats(at: Place, measured: Flat, recorded: Flat) -> Iterator[Difference]:
    for figure in sorted(measured.keys() | recorded.keys()):
        nothing = None if figure in OLDEST else 0
        metrics, record = measured.get(figure, nothing), recorded.get(figure, nothing)
        if metrics != record:
            name, scale = told(figure)
            yield at(
                figure=name,
                metrics=None if metrics is None else metrics / scale,
                record=None if record is None else record / scale,
                late=False,
            )


def _explained(unit: str, measured: LiveFigures, record: RecordFigures, now: int) -> Iterator[Difference]:
    """Where the record over the whole log says something else than metrics that agree with its live part.

    Late events explain that; without any the record contradicts itself, which is a disagreement.
    """
    late = record.late > 0
    rows = {row.service: row for row in rows_of_unit(unit, measured.services, measured.judging, now)}
    for whole in record.units:
        if whole.unit == unit and (whole.service in rows or OTHER not in rows):
            row = rows.get(whole.service)
            if row is None:
                row = unit_figures(unit, whole.service, {}, now, judges=whole.judged is not UNSET)
            yield from _of_rows(_place("units", unit, whole.service or EMPTY_SERVICE), row, whole, late=late)
    for asked in record.requests:
        if asked.unit == unit and (asked.service in measured.services or OTHER not in measured.services):
            flat = measured.services.get(asked.service, {})
            counted = request_row(unit, asked.service, flat, now, judges=asked.judged is not UNSET)
            yield from _of_rows(_place("requests", unit, asked.service), counted, asked, late=late)
    for person in record.employees:
        known = measured.employees
        if person.unit == unit and (person.employee in known or OTHER not in known):
            served = employee_figures(unit, person.employee, known.get(person.employee, {}))
            yield from _of_rows(_place("employees", unit, person.employee), served, person, late=late)


def _of_rows(at: Place, measured: _Row, whole: _Row, *, late: bool) -> Iterator[Difference]:
    found, expected = dict(_leaves(msgspec.to_builtins(measured))), dict(_leaves(msgspec.to_builtins(whole)))
    for figure in sorted(found.keys() | expected.keys()):
        metrics, record = found.get(figure), expected.get(figure)
        if metrics != record:
            yield at(figure=figure, metrics=metrics, record=record, late=late)


def _leaves(row: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, float | None]]:
    for name, value in row.items():
        if path or name not in _OF_RECORD_ONLY:
            if isinstance(value, dict):
                yield from _leaves(value, f"{path}{name}.")
            elif value is not UNSET and not isinstance(value, str):
                yield f"{path}{name}", value
