"""The series of units and employees: which exist, and their lines on a page.

A line is head + labels of the row + tail + amount. Heads and tails are put together once a page, as a page of a city
has 100,000 lines. All series of a service exist at 0 from the start, or the first breach would be invisible to
`increase`; what needs a target exists where there is one (rule 22).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from loket.catalogue import (
    EMPLOYEE_CORRECTIONS,
    EMPLOYEE_COUNTS,
    EMPLOYEE_DAY,
    EMPLOYEE_DURATIONS,
    EMPLOYEE_PREFIX,
    EMPLOYEE_TIME,
    Metric,
    units,
)
from loket.domain.figures import DayFigures, Present
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.tally import BUCKETS_MS, DAY_PEOPLE, Counts, Histogram
from loket.exposition import Page, bound, labels, number
from loket_streams.rows import Person, Row

__all__ = ["Durations", "EmployeeSeries", "Line", "ServiceSeries", "line_of", "write_lines"]

_NO_HISTOGRAMS: Final = {kind: Histogram([0] * (len(bounds) + 1)) for kind, bounds in BUCKETS_MS.items()}

_Figures = TypeVar("_Figures")


@dataclass(frozen=True, slots=True)
class Line:
    """One series of each row: the figure that it shows, and its text before and after the row's labels."""

    figure: str
    head: str
    tail: str
    parts: int
    append: Callable[[str], object]
    always: bool
    """Whether it exists before the figure does."""


def line_of(
    page: Page, metric: Metric, figure: str, more: str, *, parts: int | None = None, always: bool = True
) -> Line:
    """The line of a metric for a figure, with these labels more than the row's."""
    tail = f",{more}}} " if more else "} "
    return Line(
        figure, f"{metric.name}{{", tail, metric.parts if parts is None else parts, page.lines(metric).append, always
    )


def write_lines(lines: Iterable[Line], row: str, amounts: Mapping[str, int]) -> None:
    """Write lines of a row with these labels and amounts by figure."""
    for line in lines:
        amount = amounts.get(line.figure)
        if amount is None:
            if not line.always:
                continue
            amount = 0
        line.append(f"{line.head}{row}{line.tail}{number(amount, line.parts)}\n")


class _Plan:
    """The lines of the rows of one kind: with targets or without, with an issue or without one."""

    def __init__(self, page: Page, *, judges: bool, in_force: bool, without_issue: bool) -> None:
        def exists(metric: Metric, value: str | None) -> bool:
            return metric.exists(value, judges=judges, in_force=in_force) and (
                metric.without_issue or not without_issue
            )

        def of(metrics: Iterable[Metric]) -> list[Line]:
            return [
                line_of(
                    page,
                    metric,
                    figure,
                    "" if value is None else labels(**{metric.labels[-1]: value}),
                    parts=metric.parts,
                    always=exists(metric, value),
                )
                for metric in metrics
                for figure, value in metric.figures()
            ]

        self.counts = of(units.EVENTS_BROUGHT)
        self.day = of(metric for metric in units.DAY if metric.values or metric.figure not in _OF_TIME)
        self.day_of_time = [
            line
            for line in of(metric for metric in units.DAY if not metric.values and metric.figure in _OF_TIME)
            if line.always
        ]
        self.cumulative = [line for line in of(units.CUMULATIVE) if line.always]
        self.present = (
            []
            if without_issue
            else [line for line in of((units.TICKETS_WAITING, units.TICKETS_EARLY, units.OVER_TARGET)) if line.always]
        )
        self.corrections = [
            line_of(page, units.CORRECTIONS, figure, more, parts=parts, always=always)
            for metric in units.EVENTS_BROUGHT
            for figure, more, parts, always in _corrections(metric, exists)
        ]
        self.durations = [Durations(page, metric, always=exists(metric, None)) for metric in units.DURATIONS]

    def write(self, row: Row, text: str) -> None:
        """Write the lines of a row with these labels."""
        counts, present = row.tally.counts, row.present
        write_lines(self.counts, text, counts.total)
        write_lines(self.corrections, text, counts.corrected)
        for durations in self.durations:
            durations.write(text, row.tally.histograms)
        write_lines(self.cumulative, text, _of_time(present))
        write_lines(self.day, text, row.day.counts)
        write_lines(self.day_of_time, text, _of_time(row.day))
        write_lines(
            self.present,
            text,
            {"waiting": present.waiting, "early": present.early, "over_target": present.over_target},
        )


_OF_TIME: Final = frozenset({"judged", "breached", "expired", "unserved"})


def _of_time(figures: Present | DayFigures) -> Mapping[str, int]:
    return {
        "judged": figures.judged,
        "breached": figures.breached,
        "expired": figures.expired,
        "unserved": figures.unserved,
    }


def _corrections(metric: Metric, exists: Callable[[Metric, str | None], bool]) -> Iterable[tuple[str, str, int, bool]]:
    for name, _, parts in metric.corrections():
        for figure, value in metric.figures():
            more = {"figure": name} if value is None else {"figure": name, metric.labels[-1]: value}
            yield figure, labels(**more), parts, exists(metric, value)


class Durations:
    """The lines of one histogram and of its corrections."""

    def __init__(self, page: Page, metric: Metric, *, always: bool) -> None:
        self._kind = metric.figure
        self._always = always
        self._append = page.lines(metric).append
        self._bucket = f"{metric.name}_bucket{{"
        self._bounds = [*(f',le="{bound(ms)}"}} ' for ms in metric.bounds_ms), ',le="+Inf"} ']
        self._sum = f"{metric.name}_sum{{"
        self._count = f"{metric.name}_count{{"
        self._corrections = [
            line_of(page, units.CORRECTIONS, figure, labels(figure=name), parts=parts)
            for name, figure, parts in metric.corrections()
        ]

    def write(self, row: str, histograms: Mapping[str, Histogram]) -> None:
        histogram = histograms.get(self._kind)
        if histogram is None:
            if not self._always:
                return
            histogram = _NO_HISTOGRAMS[self._kind]
        append, bucket = self._append, self._bucket
        below = 0
        for tail, amount in zip(self._bounds, histogram.buckets, strict=True):
            below += amount
            append(f"{bucket}{row}{tail}{below}\n")
        append(f"{self._sum}{row}}} {number(histogram.sum_ms, 1000)}\n")
        append(f"{self._count}{row}}} {histogram.count}\n")
        taken = {f"{self._kind}_ms": histogram.corrected_ms, f"{self._kind}_count": histogram.corrected_count}
        write_lines(self._corrections, row, taken)


class ServiceSeries:
    """Writes the rows of units to a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._plans: dict[tuple[bool, bool, bool], _Plan] = {}

    def write(self, unit: str, row: Row) -> None:
        """Write all series of one unit and service."""
        judges, in_force, without_issue = row.present.judges, row.covered, row.service == EMPTY_SERVICE
        plan = self._plans.get((judges, in_force, without_issue))
        if plan is None:
            plan = _Plan(self._page, judges=judges, in_force=in_force, without_issue=without_issue)
            self._plans[(judges, in_force, without_issue)] = plan
        text = labels(unit=unit, service=row.service)
        if row.has_tickets:
            plan.write(row, text)
        add = self._page.add
        if row.present.oldest_wait_start is not None:
            add(units.OLDEST_WAIT_START, text, row.present.oldest_wait_start)
        if row.last_call is not None:
            add(units.LAST_CALL, text, row.last_call)
        if row.target is not None:
            add(units.TARGET_SECONDS, text, row.target.within_ms)
            add(units.TARGET_RATIO, text, row.target.objective)
        if row.policy is not None:
            names = row.policy.names
            add(units.SERVICE_INFO, f"{text},{labels(name_id=names.id, name_en=names.en)}", 1)

    def write_unit(self, unit: str, counts: Counts, late: int) -> None:
        """Write what is counted for a unit as a whole."""
        text = labels(unit=unit)
        add = self._page.add
        for metric in (units.CONTRADICTIONS, units.SKEWED):
            add(metric, text, counts.total.get(metric.figure, 0))
            for name, figure, _ in metric.corrections():
                add(units.CORRECTIONS, f"{text},{labels(figure=name)}", counts.corrected.get(figure, 0))
        add(units.LATE_EVENTS, text, late)


class EmployeeSeries:
    """Writes employees to a page."""

    def __init__(self, page: Page) -> None:
        metrics = (*EMPLOYEE_COUNTS, *EMPLOYEE_DURATIONS)
        self._totals = [
            *(line_of(page, metric, metric.figure, "", parts=metric.parts) for metric in EMPLOYEE_COUNTS),
            *(line for metric in EMPLOYEE_DURATIONS for line in _sum_and_count(page, metric)),
        ]
        self._corrections = [
            line_of(page, EMPLOYEE_CORRECTIONS, figure, labels(figure=name), parts=parts)
            for metric in metrics
            for name, figure, parts in metric.corrections(EMPLOYEE_PREFIX)
        ]
        # Of who never had a session there is no time: the amounts tell which series exist.
        self._time = [
            line_of(page, metric, metric.figure, "", parts=metric.parts, always=False) for metric in EMPLOYEE_TIME
        ]
        self._day = [
            line_of(page, metric, metric.figure, "", parts=metric.parts, always=metric.figure in DAY_PEOPLE)
            for metric in EMPLOYEE_DAY
        ]

    def write(self, unit: str, person: Person) -> None:
        """Write all series of one employee of one unit."""
        text = labels(unit=unit, employee=person.employee)
        write_lines(self._totals, text, person.counts.total)
        write_lines(self._corrections, text, person.counts.corrected)
        write_lines(self._time, text, person.time)
        write_lines(self._day, text, person.day)


def _sum_and_count(page: Page, metric: Metric) -> Iterable[Line]:
    append = page.lines(metric).append
    yield Line(f"{metric.figure}_ms", f"{metric.name}_sum{{", "} ", metric.parts, append, always=True)
    yield Line(f"{metric.figure}_count", f"{metric.name}_count{{", "} ", 1, append, always=True)
