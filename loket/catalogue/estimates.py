"""Metrics that estimate: how long people of today wait until called, and how long who comes now will wait."""

from __future__ import annotations

from typing import Final

from loket.catalogue.metric import MILLISECONDS, Kind, Metric

__all__ = [
    "BOUNDS",
    "DAY_PATIENCE",
    "DAY_WAIT_KM",
    "ESTIMATED_WAIT",
    "ESTIMATED_WAIT_ERROR",
    "ESTIMATE_METRICS",
    "PERCENTILES",
]

PERCENTILES: Final = ("50", "90")
BOUNDS: Final = ("value", "low", "high")

_SERVICE: Final = ("unit", "service")

DAY_WAIT_KM: Final = Metric(
    "loket_day_wait_km_seconds",
    Kind.GAUGE,
    "The Kaplan-Meier estimate of today's first waits, by percentile, with its bounds of 95 %: who still waits or left "
    "is censored, not forgotten. It takes leavers to have been like those who stayed; no series beyond what was seen.",
    (*_SERVICE, "percentile", "bound"),
    parts=MILLISECONDS,
)
DAY_PATIENCE: Final = Metric(
    "loket_day_patience_median_seconds",
    Kind.GAUGE,
    "The median wait of today's people who left before any call.",
    _SERVICE,
    parts=MILLISECONDS,
)
ESTIMATED_WAIT: Final = Metric(
    "loket_estimated_wait_seconds",
    Kind.GAUGE,
    "How long who comes now will wait: as long as the last who entered service today. No series where that was off by "
    "more than half for the last 50 people, or where fewer than 5 tell.",
    _SERVICE,
    parts=MILLISECONDS,
)
ESTIMATED_WAIT_ERROR: Final = Metric(
    "loket_estimated_wait_error_ratio",
    Kind.GAUGE,
    "How far off the estimate at their arrival was for the last 50 who entered service today: the median error over "
    "their median wait.",
    _SERVICE,
)

ESTIMATE_METRICS: Final = (DAY_WAIT_KM, DAY_PATIENCE, ESTIMATED_WAIT, ESTIMATED_WAIT_ERROR)
