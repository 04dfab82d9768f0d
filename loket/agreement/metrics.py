"""What a page of metrics says, as exact amounts: totals less corrections (rule 23), gauges as they are.

Names come from the catalogue, so a figure that the exporter shows under another name is missed here, and found missing
by the comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from loket.catalogue import (
    EMPLOYEE_CORRECTIONS,
    EMPLOYEE_COUNTS,
    EMPLOYEE_DAY,
    EMPLOYEE_DURATIONS,
    EMPLOYEE_PREFIX,
    EMPLOYEE_TIME,
    Metric,
)
from loket.catalogue.hours import WINDOW_BREACHED, WINDOW_JUDGED
from loket.catalogue.requests import (
    FEEDBACK,
    OLDEST_REQUEST_START,
    REQUEST_CUMULATIVE,
    REQUEST_DURATIONS,
    REQUEST_EVENTS,
    REQUEST_PRESENT,
)
from loket.catalogue.units import (
    CONTRADICTIONS,
    CORRECTIONS,
    CUMULATIVE,
    DAY,
    DURATIONS,
    EVENTS_BROUGHT,
    OLDEST_WAIT_START,
    OVER_TARGET,
    SKEWED,
    TICKETS_EARLY,
    TICKETS_WAITING,
)
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.summary import Flat
from loket.wire.figures import LiveFigures

__all__ = ["Sample", "figures_of"]

_JUDGED: Final = CUMULATIVE[0]
_UNIT: Final = "unit"
_SERVICE: Final = "service"
_EMPLOYEE: Final = "employee"
_FIGURE: Final = "figure"
_OF_SERVICES: Final = ("services", "day", "windows")
"""The tables by service; the others are by employee."""


class Sample(Protocol):
    """One line of a page."""

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def value(self) -> float: ...


def figures_of(samples: Iterable[Sample]) -> dict[str, LiveFigures]:
    """The figures of each unit, from the samples of `/metrics` and `/metrics/employees` together."""
    found: dict[str, LiveFigures] = {}
    for sample in samples:
        into = _PLACES.get(sample.name)
        if into is None:
            continue
        unit = sample.labels[_UNIT]
        figures = found.get(unit)
        if figures is None:
            figures = found[unit] = LiveFigures(services={}, judging=[], employees={}, day={})
        into.put(figures, sample)
    return found


class _Place:
    """Where the samples of one name go: the table, the domain's figure, parts of the metric's unit, plus or minus."""

    def __init__(self, table: str, figure: str, parts: int, label: str | None = None, *, judges: bool = False) -> None:
        self._table = table
        self._figure = figure
        self._parts = parts
        self._label = label
        self._judges = judges

    def put(self, figures: LiveFigures, sample: Sample) -> None:
        figure = self._figure if self._label is None else f"{self._figure}/{sample.labels[self._label]}"
        self._add(figures, sample, figure, round(sample.value * self._parts))
        if self._judges:
            figures.judging.append(sample.labels[_SERVICE])

    def _add(self, figures: LiveFigures, sample: Sample, figure: str, amount: int) -> None:
        table: dict[str, Flat] = getattr(figures, self._table)
        name = sample.labels.get(_SERVICE if self._table in _OF_SERVICES else _EMPLOYEE, EMPTY_SERVICE)
        flat = table.setdefault(name, {})
        flat[figure] = flat.get(figure, 0) + amount


class _Corrections(_Place):
    """Corrections are taken off the figure that they name."""

    def __init__(self, table: str, corrected: Iterable[Metric], prefix: str) -> None:
        super().__init__(table, "", 1)
        self._corrected = {
            label: (figure, parts, metric.labels[-1] if metric.values else None)
            for metric in corrected
            for label, figure, parts in metric.corrections(prefix)
        }

    def put(self, figures: LiveFigures, sample: Sample) -> None:
        figure, parts, label = self._corrected[sample.labels[_FIGURE]]
        self._add(
            figures,
            sample,
            figure if label is None else f"{figure}/{sample.labels[label]}",
            -round(sample.value * parts),
        )


def _places() -> dict[str, _Place]:
    places: dict[str, _Place] = {
        CORRECTIONS.name: _Corrections(
            "services",
            (*EVENTS_BROUGHT, *REQUEST_EVENTS, *DURATIONS, *REQUEST_DURATIONS, CONTRADICTIONS, SKEWED),
            prefix="loket_",
        ),
        EMPLOYEE_CORRECTIONS.name: _Corrections("employees", (*EMPLOYEE_COUNTS, *EMPLOYEE_DURATIONS), EMPLOYEE_PREFIX),
    }
    present = (TICKETS_WAITING, TICKETS_EARLY, OVER_TARGET, OLDEST_WAIT_START)
    requests = (*REQUEST_EVENTS, *REQUEST_PRESENT, *REQUEST_CUMULATIVE, *REQUEST_DURATIONS, OLDEST_REQUEST_START)
    for table, metrics in (
        ("services", (*requests, FEEDBACK)),
        ("services", (*EVENTS_BROUGHT, CONTRADICTIONS, SKEWED, *CUMULATIVE, *present, *DURATIONS)),
        ("day", DAY),
        ("employees", (*EMPLOYEE_COUNTS, *EMPLOYEE_DURATIONS, *EMPLOYEE_TIME)),
        ("day_employees", EMPLOYEE_DAY),
    ):
        for metric in metrics:
            if metric.is_distribution:
                places[f"{metric.name}_sum"] = _Place(table, f"{metric.figure}_ms", 1_000)
                places[f"{metric.name}_count"] = _Place(table, f"{metric.figure}_count", 1)
            else:
                label = metric.labels[-1] if metric.values else None
                places[metric.name] = _Place(table, metric.figure, metric.parts, label, judges=metric is _JUDGED)
    for metric, figure in ((WINDOW_JUDGED, "window_judged"), (WINDOW_BREACHED, "window_breached")):
        places[metric.name] = _Place("windows", figure, 1, "window")
    return places


_PLACES: Final = _places()
