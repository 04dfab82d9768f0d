"""Metrics of what targets.yaml says: targets in force, and names for people to read."""

from __future__ import annotations

from typing import Final

from loket.catalogue.metric import MILLISECONDS, Kind, Metric

__all__ = ["SERVICE_INFO", "TARGET_RATIO", "TARGET_SECONDS", "UNIT_INFO", "UNIT_KNOWN"]

TARGET_SECONDS: Final = Metric(
    "loket_target_seconds",
    Kind.GAUGE,
    "The target in force: called within so long.",
    ("unit", "service"),
    parts=MILLISECONDS,
)
TARGET_RATIO: Final = Metric(
    "loket_target_ratio", Kind.GAUGE, "The target in force: the share of people who should be.", ("unit", "service")
)
UNIT_INFO: Final = Metric(
    "loket_unit_info", Kind.GAUGE, "The unit's names in both languages; always 1.", ("unit", "name_id", "name_en")
)
UNIT_KNOWN: Final = Metric(
    "loket_unit_known",
    Kind.GAUGE,
    "Whether targets.yaml names the unit (1), or a counter was forgotten (0).",
    ("unit",),
)
SERVICE_INFO: Final = Metric(
    "loket_service_info",
    Kind.GAUGE,
    "The service's names in both languages; always 1.",
    ("unit", "service", "name_id", "name_en"),
)
