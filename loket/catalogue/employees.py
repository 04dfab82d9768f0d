"""Metrics of employees, on a path of their own: a pseudonym in an office of four is a name (design decision 12)."""

from __future__ import annotations

from typing import Final

from loket.catalogue.metric import MILLISECONDS, PREFIX, Kind, Metric

__all__ = [
    "EMPLOYEE_CORRECTIONS",
    "EMPLOYEE_COUNTS",
    "EMPLOYEE_DURATIONS",
    "EMPLOYEE_METRICS",
    "EMPLOYEE_PREFIX",
]

EMPLOYEE_PREFIX: Final = f"{PREFIX}employee_"

_EMPLOYEE: Final = ("unit", "employee")


def _count(figure: str, help: str) -> Metric:
    return Metric(f"{EMPLOYEE_PREFIX}{figure}_total", Kind.COUNTER, help, _EMPLOYEE, figure)


def _durations(figure: str, help: str) -> Metric:
    return Metric(f"{EMPLOYEE_PREFIX}{figure}_seconds", Kind.SUMMARY, help, _EMPLOYEE, figure, parts=MILLISECONDS)


EMPLOYEE_COUNTS: Final = (
    _count("served", "People whose service the employee completed."),
    _count("services", "Services that the employee gave: quantities completed and services added."),
    _count("handed_on", "Stretches that the employee ended by a transfer or requeue."),
)

EMPLOYEE_DURATIONS: Final = (
    _durations("service", "Service by the employee, without holds."),
    _durations("way", "From the employee's own call to the employee's own start."),
    _durations("hold", "Holds by the employee."),
    _durations("served_wait", "The waits of the people served, which are the unit's and shown as such."),
)
"""Sums and counts; no buckets, as a person's distribution is a profile."""

EMPLOYEE_CORRECTIONS: Final = Metric(
    f"{EMPLOYEE_PREFIX}corrections_total",
    Kind.COUNTER,
    "What later events took back: exact = total - corrections. The figure is the metric's name without loket_employee_ "
    "and _total.",
    (*_EMPLOYEE, "figure"),
)

EMPLOYEE_METRICS: Final = (*EMPLOYEE_COUNTS, *EMPLOYEE_DURATIONS, EMPLOYEE_CORRECTIONS)
"""All of them, in the order of the page."""
