"""Recording rules: a few figures of each unit, so that a year of a city costs a long-term store five series a unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from loket_dashboards import figures
from loket_dashboards.promql import by, shown

__all__ = ["RECORDED"]

RECORDED: Final[Mapping[str, str]] = {
    "unit:loket_tickets_waiting:sum": by("unit", "loket_tickets_waiting"),
    "unit:loket_tickets_over_target:sum": by("unit", "loket_tickets_over_target"),
    "unit:loket_oldest_wait_target:ratio": figures.oldest_share("unit", ""),
    "unit:loket_day_level:ratio": figures.level("unit", ""),
    "unit:loket_day_served:1h": shown("unit", "loket_day_served", "1h"),
}
"""By level, metric and operation, as Prometheus' own convention has it."""
