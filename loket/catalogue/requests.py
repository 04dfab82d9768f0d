"""Metrics of requests, the documents that people ask for, and of citizens' answers.

A service has them if `targets.yaml` says that it gives documents, or as soon as somebody has asked for one; answers
once the first has come.
"""

from __future__ import annotations

from typing import Final

from loket.catalogue.metric import MILLISECONDS, Kind, Metric
from loket.domain.request_course import OUTCOMES
from loket.domain.tally import BUCKETS_MS

__all__ = [
    "FEEDBACK",
    "OLDEST_REQUEST_START",
    "REQUEST_CUMULATIVE",
    "REQUEST_DURATIONS",
    "REQUEST_EVENTS",
    "REQUEST_METRICS",
    "REQUEST_PRESENT",
    "REQUEST_TARGET_RATIO",
    "REQUEST_TARGET_SECONDS",
]

_SERVICE: Final = ("unit", "service")


def _counter(name: str, help: str, *, by: str = "", values: tuple[str, ...] = ()) -> Metric:
    labels = (*_SERVICE, by) if by else _SERVICE
    return Metric(f"loket_{name}_total", Kind.COUNTER, help, labels, name, values)


def _gauge(name: str, help: str, *, needs_target: bool = False) -> Metric:
    return Metric(f"loket_{name}", Kind.GAUGE, help, _SERVICE, name, needs_target=needs_target)


def _clock(name: str, help: str) -> Metric:
    return Metric(f"loket_{name}", Kind.HISTOGRAM, help, _SERVICE, name, bounds_ms=BUCKETS_MS[name])


REQUEST_EVENTS: Final = (
    _counter("requests_submitted", "Requests that were submitted."),
    _counter(
        "requests_completed",
        "Requests that were completed, by outcome; a reopening takes it back. other: another text; none: no text.",
        by="outcome",
        values=OUTCOMES,
    ),
    _counter("requests_cancelled", "Requests that were cancelled."),
    _counter("requests_reopened", "Reopenings of requests that had ended."),
    _counter("requests_ever_completed", "Requests that were completed at least once."),
    _counter(
        "requests_reopened_early",
        "Requests that were reopened within 30 days of their first completion: not right the first time.",
    ),
)
"""Counters of a unit and service."""

REQUEST_DURATIONS: Final = (
    _clock("request_citizen_seconds", "The citizen's clock: from the submission to the last completion, by the wall."),
    _clock("request_citizen_service_seconds", "The citizen's clock in service hours."),
    _clock("request_legal_seconds", "The legal clock: from the acceptance to the last completion, by the wall."),
    _clock(
        "request_task_seconds",
        "The task clock: from the first to the last work, less suspensions, in service hours.",
    ),
)
"""The clocks of completed requests side by side."""

REQUEST_CUMULATIVE: Final = (
    _gauge("requests_judged", "Requests judged, at the end or when the target passed.", needs_target=True),
    _gauge("requests_breached", "Requests judged by the target passing.", needs_target=True),
)
"""Cumulative gauges evaluated at the scrape: use delta, never rate (rule 24)."""

REQUEST_PRESENT: Final = (
    _gauge("requests_open", "Requests that are submitted and have not ended, suspended ones among them."),
    _gauge("requests_suspended", "Open requests that wait for the citizen."),
    _gauge("requests_over_target", "Open requests whose target has passed.", needs_target=True),
)

OLDEST_REQUEST_START: Final = Metric(
    "loket_oldest_request_start_timestamp_seconds",
    Kind.GAUGE,
    "When the oldest open request was submitted; no series while none is open.",
    _SERVICE,
    "oldest_request_start",
    parts=MILLISECONDS,
)

REQUEST_TARGET_SECONDS: Final = Metric(
    "loket_request_target_seconds",
    Kind.GAUGE,
    "The turnaround target in force: completed within so long, by the wall or in service hours, since the submission "
    "or the acceptance.",
    _SERVICE,
    parts=MILLISECONDS,
)
REQUEST_TARGET_RATIO: Final = Metric(
    "loket_request_target_ratio",
    Kind.GAUGE,
    "The turnaround target in force: the share of requests that should be.",
    _SERVICE,
)

FEEDBACK: Final = Metric(
    "loket_feedback_total",
    Kind.COUNTER,
    "Answers of citizens, by score on the scale of the SKM: 1 to 4. The index is 25 times their mean.",
    (*_SERVICE, "score"),
    "feedback",
    ("1", "2", "3", "4"),
)

REQUEST_METRICS: Final = (
    *REQUEST_PRESENT,
    OLDEST_REQUEST_START,
    *REQUEST_EVENTS,
    *REQUEST_CUMULATIVE,
    *REQUEST_DURATIONS,
    REQUEST_TARGET_SECONDS,
    REQUEST_TARGET_RATIO,
    FEEDBACK,
)
"""All of them, in the order of the page."""
