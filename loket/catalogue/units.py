"""Metrics of units and their services: what `/metrics` says of the queues.

Counters and histograms hold what events brought and never fall; gauges hold what time alone brings, or the present
(rules 23 and 24). Bounds of histograms are the domain's.
"""

from __future__ import annotations

from typing import Final

from loket.catalogue.desks import DESK_METRICS
from loket.catalogue.estimates import ESTIMATE_METRICS
from loket.catalogue.hours import BURN_METRICS, HOURS_METRICS
from loket.catalogue.metric import MILLISECONDS, Kind, Metric
from loket.catalogue.promises import SERVICE_INFO, TARGET_RATIO, TARGET_SECONDS, UNIT_INFO, UNIT_KNOWN
from loket.catalogue.requests import REQUEST_METRICS
from loket.domain.leg import OUTCOMES
from loket.domain.tally import BUCKETS_MS

__all__ = [
    "CONTRADICTIONS",
    "CORRECTIONS",
    "CUMULATIVE",
    "DAY",
    "DURATIONS",
    "EVENTS_BROUGHT",
    "LAST_CALL",
    "LATE_EVENTS",
    "OLDEST_WAIT_START",
    "OVER_TARGET",
    "SERVICE_INFO",
    "SKEWED",
    "TARGET_RATIO",
    "TARGET_SECONDS",
    "TICKETS_EARLY",
    "TICKETS_WAITING",
    "UNIT_INFO",
    "UNIT_KNOWN",
    "UNIT_METRICS",
]

_SERVICE: Final = ("unit", "service")
_WITHIN: Final = ("yes", "no", "none")
_JUDGED: Final = ("yes", "no")


def _counter(
    name: str,
    help: str,
    *,
    figure: str = "",
    by: str = "",
    values: tuple[str, ...] = (),
    parts: int = 1,
    needs_target: tuple[str, ...] | bool = False,
    without_issue: bool = False,
) -> Metric:
    return Metric(
        f"loket_{name}_total",
        Kind.COUNTER,
        help,
        (*_SERVICE, by) if by else _SERVICE,
        figure or name,
        values,
        parts,
        needs_target=needs_target,
        without_issue=without_issue,
    )


EVENTS_BROUGHT: Final = (
    _counter("tickets_issued", "Legs that began: issues of a ticket, transfers from elsewhere included."),
    _counter("visits", "Visits of people, counted at the service of their first leg."),
    _counter(
        "waits_answered",
        "First calls, by whether they came within the target that the ticket was issued under; none: no target.",
        by="within",
        values=_WITHIN,
        needs_target=_JUDGED,
    ),
    _counter(
        "waits_left",
        "People who left before any call: after less than the short threshold, within the target, after it; "
        "none: no target.",
        by="within",
        values=("short", *_WITHIN),
        needs_target=("short", *_JUDGED),
    ),
    _counter(
        "waits_near_target",
        "First calls just below (over 0.9 of the target, up to it) and just above (up to 1.1 of it) the target.",
        by="side",
        values=("below", "above"),
        needs_target=True,
    ),
    _counter("calls_again", "Calls that a requeue followed."),
    _counter(
        "calls_nobody_came",
        "No-shows of those called in their first stretch of waiting, by whether that call came within the target.",
        by="within",
        values=_WITHIN,
        needs_target=_JUDGED,
    ),
    _counter(
        "tickets_closed",
        "Legs that events ended, by outcome; those that time alone ended are loket_tickets_expired.",
        by="outcome",
        values=OUTCOMES,
        without_issue=True,
    ),
    _counter("tickets_incomplete", "Legs closed with a step missing: no issue, or no start.", without_issue=True),
    _counter("served", "Completions, at the service that was given: people.", without_issue=True),
    _counter("services", "Services given: quantities completed and services added.", without_issue=True),
    _counter(
        "early_seconds",
        "Time of closed legs before their appointment, which is not waiting.",
        figure="early_ms",
        parts=MILLISECONDS,
    ),
)
"""Counters of a unit and service."""

CONTRADICTIONS: Final = Metric(
    "loket_contradictions_total",
    Kind.COUNTER,
    "Events that changed nothing because another stood, and ends of legs that were overruled.",
    ("unit",),
    "contradictions",
)
SKEWED: Final = Metric(
    "loket_skewed_durations_total",
    Kind.COUNTER,
    "Durations below zero, which count as 0: clocks of devices disagree.",
    ("unit",),
    "skewed_durations",
)
LATE_EVENTS: Final = Metric(
    "loket_late_events_total",
    Kind.COUNTER,
    "Events that came after their day was closed, or beyond what a unit keeps: they change the record only.",
    ("unit",),
)


def _durations(kind: str, help: str, *, without_issue: bool) -> Metric:
    return Metric(
        f"loket_{kind}",
        Kind.HISTOGRAM,
        help,
        _SERVICE,
        kind,
        bounds_ms=BUCKETS_MS[kind],
        without_issue=without_issue,
    )


DURATIONS: Final = (
    _durations("wait_seconds", "Stretches of waiting that a call ended.", without_issue=False),
    _durations("patience_seconds", "Waits of those who left before any call.", without_issue=False),
    _durations("way_seconds", "From the call to the start of the service.", without_issue=True),
    _durations("service_seconds", "Service, without holds.", without_issue=True),
    _durations("hold_seconds", "Holds.", without_issue=True),
    _durations("lost_seconds", "From a call in vain to the no-show, requeue or transfer.", without_issue=True),
)

CORRECTIONS: Final = Metric(
    "loket_corrections_total",
    Kind.COUNTER,
    "What later events took back of a counter, sum or count: exact = total - corrections. The figure is the metric's "
    "name without loket_ and _total, and its own labels stand beside it.",
    ("unit", "service", "figure", "within", "outcome", "side"),
)


def _gauge(name: str, help: str, figure: str, *, needs_target: bool = False, without_issue: bool = False) -> Metric:
    return Metric(
        f"loket_{name}",
        Kind.GAUGE,
        help,
        _SERVICE,
        figure,
        needs_target=needs_target,
        without_issue=without_issue,
    )


CUMULATIVE: Final = (
    _gauge("waits_judged", "Waits judged, at the first call or when the target passed.", "judged", needs_target=True),
    _gauge("waits_breached", "Waits judged by the target passing.", "breached", needs_target=True),
    _gauge(
        "tickets_expired",
        "Legs that the end of the day, or of the queue, ended.",
        "expired",
        without_issue=True,
    ),
)
"""Cumulative gauges evaluated at the scrape: use delta, never rate (rule 24)."""

DAY: Final = (
    Metric("loket_day_tickets_issued", Kind.GAUGE, "Legs that began today.", _SERVICE, "tickets_issued"),
    Metric(
        "loket_day_waits_answered",
        Kind.GAUGE,
        "First calls of today's legs, by whether they came within the target.",
        (*_SERVICE, "within"),
        "waits_answered",
        _WITHIN,
        needs_target=_JUDGED,
    ),
    Metric(
        "loket_day_tickets_closed",
        Kind.GAUGE,
        "Today's legs that events ended, by outcome.",
        (*_SERVICE, "outcome"),
        "tickets_closed",
        OUTCOMES,
        without_issue=True,
    ),
    Metric("loket_day_served", Kind.GAUGE, "Completions of today's legs.", _SERVICE, "served", without_issue=True),
    _gauge("day_waits_judged", "Waits of today's legs that are judged.", "judged", needs_target=True),
    _gauge("day_waits_breached", "Waits of today's legs judged by the target passing.", "breached", needs_target=True),
    _gauge("day_tickets_expired", "Today's legs that the queue's end ended.", "expired", without_issue=True),
    _gauge("day_unserved", "People of today who still waited to be called when the queue ended.", "unserved"),
)
"""Of the service day of `now`, exact: they fall when the day is over, and when an event takes something back."""

TICKETS_WAITING: Final = _gauge("tickets_waiting", "People waiting to be called.", "waiting")
TICKETS_EARLY: Final = _gauge("tickets_early", "People who are here before their appointment.", "early")
OVER_TARGET: Final = _gauge(
    "tickets_over_target", "People waiting for longer than their target.", "over_target", needs_target=True
)
OLDEST_WAIT_START: Final = Metric(
    "loket_oldest_wait_start_timestamp_seconds",
    Kind.GAUGE,
    "When the longest of the running waits began, moved back by earlier stretches; no series while nobody waits.",
    _SERVICE,
    "oldest_wait_start",
    parts=MILLISECONDS,
)
LAST_CALL: Final = Metric(
    "loket_last_call_timestamp_seconds",
    Kind.GAUGE,
    "When the broker received the last call; no series before the first.",
    _SERVICE,
    parts=MILLISECONDS,
)

UNIT_METRICS: Final = (
    TICKETS_WAITING,
    TICKETS_EARLY,
    OVER_TARGET,
    OLDEST_WAIT_START,
    LAST_CALL,
    *EVENTS_BROUGHT,
    *CUMULATIVE,
    *DURATIONS,
    CORRECTIONS,
    *DAY,
    TARGET_SECONDS,
    TARGET_RATIO,
    CONTRADICTIONS,
    SKEWED,
    LATE_EVENTS,
    *DESK_METRICS,
    *HOURS_METRICS,
    *BURN_METRICS,
    *ESTIMATE_METRICS,
    *REQUEST_METRICS,
    UNIT_INFO,
    UNIT_KNOWN,
    SERVICE_INFO,
)
"""All of them, in the order of the page."""
