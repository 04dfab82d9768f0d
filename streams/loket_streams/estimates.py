"""The series of estimates: where there is something to say."""

from __future__ import annotations

from collections.abc import Mapping

from loket.catalogue import estimates as names
from loket.domain.first_waits import DayEstimates
from loket.exposition import Page, labels

__all__ = ["write_estimates"]


def write_estimates(page: Page, unit: str, found: Mapping[str, DayEstimates]) -> None:
    """The estimates of each service that has some."""
    for service, told in found.items():
        text = labels(unit=unit, service=service)
        for percentile, estimate in zip(names.PERCENTILES, (told.median, told.p90), strict=True):
            bounds = (estimate.value, estimate.low, estimate.high)
            for bound, ms in zip(names.BOUNDS, bounds, strict=True):
                if ms is not None:
                    page.add(names.DAY_WAIT_KM, f"{text},{labels(percentile=percentile, bound=bound)}", ms)
        for metric, amount in (
            (names.DAY_PATIENCE, told.patience_ms),
            (names.ESTIMATED_WAIT, told.expected_ms),
            (names.ESTIMATED_WAIT_ERROR, told.error_ratio),
        ):
            if amount is not None:
                page.add(metric, text, amount)
