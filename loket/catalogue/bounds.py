"""How many series there are at most, from the catalogue alone: labels are bounded, so this is too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from loket.catalogue import pipeline, requests, units
from loket.catalogue.desks import COUNTERS_OPEN, DESK_METRICS, SESSIONS_ACTIVE
from loket.catalogue.employees import EMPLOYEE_COUNTS, EMPLOYEE_DAY, EMPLOYEE_DURATIONS, EMPLOYEE_TIME
from loket.catalogue.estimates import BOUNDS, DAY_PATIENCE, ESTIMATED_WAIT, ESTIMATED_WAIT_ERROR, PERCENTILES
from loket.catalogue.hours import BUDGET_LEFT, BUDGET_LEFT_SECONDS, STATES, WINDOW_BREACHED, WINDOW_JUDGED
from loket.catalogue.metric import Kind, Metric
from loket.domain.burn import DEFAULT_BURN
from loket.wire.rejection import Reason

__all__ = [
    "of_answers",
    "of_burn",
    "of_counter",
    "of_desks",
    "of_employee",
    "of_estimates",
    "of_hours",
    "of_partition",
    "of_requests",
    "of_service",
    "of_source",
    "of_unit",
    "of_unit_in_all",
]

_GAUGES: Final = (*units.CUMULATIVE, *units.DAY, units.TICKETS_WAITING, units.TICKETS_EARLY, units.OVER_TARGET)
_WHERE_SOMEBODY_CAME: Final = (units.OLDEST_WAIT_START, units.LAST_CALL)
_TARGET: Final = (units.TARGET_SECONDS, units.TARGET_RATIO)


def _of(metric: Metric, values: Iterable[object]) -> int:
    """The series of one metric, for some values of its last label, with those of its corrections."""
    if metric.kind is Kind.HISTOGRAM:
        return len(metric.bounds_ms) + 1 + 2 * 2
    number = sum(1 for _ in values)
    return 2 * number if metric.kind is Kind.COUNTER else number


def of_service(*, target: bool, in_force: bool | None = None) -> int:
    """Of a configured service, with a target or without any; a target is in force unless told otherwise."""
    is_in_force = target if in_force is None else in_force
    number = sum(
        _of(
            metric,
            [value for _, value in metric.figures() if metric.exists(value, judges=target, in_force=is_in_force)],
        )
        for metric in (*units.EVENTS_BROUGHT, *units.DURATIONS, *_GAUGES)
    )
    return number + len(_WHERE_SOMEBODY_CAME) + 1 + (len(_TARGET) + of_burn(len(DEFAULT_BURN.rules)) if target else 0)


def of_burn(rules: int) -> int:
    """Of a service with a target in force, by so many burn rules: two windows each, a factor, and the budget twice."""
    return rules * (2 * len((WINDOW_JUDGED, WINDOW_BREACHED)) + 1) + len((BUDGET_LEFT, BUDGET_LEFT_SECONDS))


def of_estimates() -> int:
    """Of a service of which somebody came today, at most."""
    return len(PERCENTILES) * len(BOUNDS) + len((DAY_PATIENCE, ESTIMATED_WAIT, ESTIMATED_WAIT_ERROR))


def of_hours() -> int:
    """Of a unit with opening hours."""
    return 1 + len(STATES)


def of_requests(*, target: bool) -> int:
    """Of a service that gives documents, with a target or without, beside those of its tickets, if it has any."""
    gauges = (*requests.REQUEST_PRESENT, *requests.REQUEST_CUMULATIVE)
    number = sum(
        _of(metric, [value for _, value in metric.figures()])
        for metric in (*requests.REQUEST_EVENTS, *requests.REQUEST_DURATIONS, *gauges)
        if target or not metric.needs_target
    )
    told = len((requests.REQUEST_TARGET_SECONDS, requests.REQUEST_TARGET_RATIO)) if target else 0
    return number + told + len((requests.OLDEST_REQUEST_START,)) + len((units.SERVICE_INFO,))


def of_answers() -> int:
    """Of a service of which citizens have answered."""
    return len(requests.FEEDBACK.values)


def of_unit() -> int:
    """Of a unit beside its services: tickets without an issue, what is counted for the unit, rejections, budgets."""
    without_issue = sum(
        _of(
            metric,
            [value for _, value in metric.figures() if metric.exists(value, judges=False, in_force=False)],
        )
        for metric in (*units.EVENTS_BROUGHT, *units.DURATIONS, *_GAUGES)
        if metric.without_issue
    )
    counted = 2 * len((units.CONTRADICTIONS, units.SKEWED)) + 1
    told = len((units.UNIT_INFO, units.UNIT_KNOWN, pipeline.LAST_EVENT, pipeline.SECONDS_BEHIND))
    return without_issue + counted + told + 2 * len(pipeline.BUDGET_KINDS) + len(Reason)


def of_source() -> int:
    """Of a source of a unit."""
    return len((pipeline.CLOCK_ERROR, pipeline.DELAY))


def of_desks() -> int:
    """Of a unit that tells of its counters and sessions, beside each counter."""
    return len((COUNTERS_OPEN, SESSIONS_ACTIVE))


def of_counter() -> int:
    """Of a counter of a unit."""
    return sum("counter" in metric.labels for metric in DESK_METRICS)


def of_employee() -> int:
    """Of an employee of a unit, on the page of employees: sums and counts with their corrections, time, the day's."""
    return 2 * (len(EMPLOYEE_COUNTS) + 2 * len(EMPLOYEE_DURATIONS)) + len(EMPLOYEE_TIME) + len(EMPLOYEE_DAY)


def of_partition() -> int:
    """Of a partition."""
    return sum("partition" in metric.labels for metric in pipeline.PIPELINE_METRICS)


def of_unit_in_all(services: int, sources: int, counters: int = 0) -> int:
    """Of a unit with so many services, each with a target, sources and counters, on the page of units."""
    desks = of_desks() + counters * of_counter() if counters else 0
    return of_unit() + of_hours() + services * of_service(target=True) + sources * of_source() + desks
