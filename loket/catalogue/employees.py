"""Metrics of employees, on a path of their own: a pseudonym in an office of four is a name (design decision 12)."""

from __future__ import annotations

from typing import Final

from loket.catalogue.metric import MILLISECONDS, PREFIX, Kind, Metric

__all__ = [
    "EMPLOYEES_EVALUATED_AT",
    "EMPLOYEE_CORRECTIONS",
    "EMPLOYEE_COUNTS",
    "EMPLOYEE_DAY",
    "EMPLOYEE_DURATIONS",
    "EMPLOYEE_METRICS",
    "EMPLOYEE_PREFIX",
    "EMPLOYEE_TIME",
]

EMPLOYEE_PREFIX: Final = f"{PREFIX}employee_"
DAY_PREFIX: Final = f"{PREFIX}day_employee_"

_EMPLOYEE: Final = ("unit", "employee")


def _count(figure: str, help: str) -> Metric:
    return Metric(f"{EMPLOYEE_PREFIX}{figure}_total", Kind.COUNTER, help, _EMPLOYEE, figure)


def _durations(figure: str, help: str) -> Metric:
    return Metric(f"{EMPLOYEE_PREFIX}{figure}_seconds", Kind.SUMMARY, help, _EMPLOYEE, figure, parts=MILLISECONDS)


def _time(prefix: str, figure: str, help: str) -> Metric:
    return Metric(f"{prefix}{figure}_seconds", Kind.GAUGE, help, _EMPLOYEE, f"{figure}_ms", parts=MILLISECONDS)


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

EMPLOYEE_TIME: Final = (
    _time(EMPLOYEE_PREFIX, "staffed", "Time in session, less pauses; at several counters at once it counts once."),
    _time(EMPLOYEE_PREFIX, "serving", "Way and service within sessions, running ones included."),
    _time(
        EMPLOYEE_PREFIX,
        "call_gap",
        "Time in session, free, while somebody waited whom the session may serve.",
    ),
    Metric(
        f"{EMPLOYEE_PREFIX}call_gaps",
        Kind.GAUGE,
        "Call gaps that ended in the employee's own next call or start.",
        _EMPLOYEE,
        "call_gaps",
    ),
)
"""Cumulative gauges evaluated at the scrape, of who ever had a session: use delta, never rate (rule 24)."""

EMPLOYEE_DAY: Final = (
    Metric(f"{DAY_PREFIX}served", Kind.GAUGE, "Completions of today's legs by the employee.", _EMPLOYEE, "served"),
    Metric(f"{DAY_PREFIX}services", Kind.GAUGE, "Services given today by the employee.", _EMPLOYEE, "services"),
    _time(DAY_PREFIX, "staffed", "Today's time in session, less pauses."),
    _time(DAY_PREFIX, "serving", "Today's way and service within sessions, running ones included."),
    _time(DAY_PREFIX, "call_gap", "Today's time in session, free, while somebody waited whom the session may serve."),
    Metric(
        f"{DAY_PREFIX}call_gaps",
        Kind.GAUGE,
        "Today's call gaps that ended in the employee's own next call or start.",
        _EMPLOYEE,
        "call_gaps",
    ),
)
"""Of the service day of `now`. The first two exist for every employee, the others for who ever had a session."""

EMPLOYEES_EVALUATED_AT: Final = Metric(
    "loket_employees_evaluated_at_timestamp_seconds",
    Kind.GAUGE,
    "The instant at which the figures of the employees of the partition's units are evaluated, on this page.",
    ("partition",),
    parts=MILLISECONDS,
)

EMPLOYEE_METRICS: Final = (
    EMPLOYEES_EVALUATED_AT,
    *EMPLOYEE_COUNTS,
    *EMPLOYEE_DURATIONS,
    EMPLOYEE_CORRECTIONS,
    *EMPLOYEE_TIME,
    *EMPLOYEE_DAY,
)
"""All of them, in the order of the page."""
