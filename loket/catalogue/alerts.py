"""Metrics of the receiver of alerts: whether what Alertmanager tells is kept."""

from __future__ import annotations

from typing import Final

from loket.catalogue.metric import MILLISECONDS, Kind, Metric

__all__ = [
    "ACKNOWLEDGEMENTS",
    "ALERTS_DATABASE_UP",
    "ALERTS_LAST_DELIVERY",
    "ALERTS_METRICS",
    "ALERT_DELIVERIES",
]

ALERTS_DATABASE_UP: Final = Metric(
    "loket_alerts_database_up", Kind.GAUGE, "Whether the last transaction reached the database (1) or not (0)."
)
ALERTS_LAST_DELIVERY: Final = Metric(
    "loket_alerts_last_delivery_timestamp_seconds",
    Kind.GAUGE,
    "When alerts of Alertmanager were last kept; no series before the first.",
    parts=MILLISECONDS,
)
ALERT_DELIVERIES: Final = Metric(
    "loket_alerts_deliveries_total",
    Kind.COUNTER,
    "Deliveries of Alertmanager: kept, refused as malformed, or to be told again as the database was away.",
    ("result",),
    values=("kept", "refused", "away"),
)
ACKNOWLEDGEMENTS: Final = Metric(
    "loket_alerts_acknowledgements_total",
    Kind.COUNTER,
    "Acknowledgements that were asked for: taken, already taken, or refused (token, body, no such alert, database).",
    ("result",),
    values=("taken", "already", "refused"),
)

ALERTS_METRICS: Final = (ALERTS_DATABASE_UP, ALERTS_LAST_DELIVERY, ALERT_DELIVERIES, ACKNOWLEDGEMENTS)
"""All of them, in the order of the page."""
