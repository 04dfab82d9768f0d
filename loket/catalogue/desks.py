"""Metrics of a unit's counters and sessions: which desks are staffed, and whether their devices are there.

A unit that never sent an event of a counter or session has none of these series.
"""

from __future__ import annotations

from typing import Final

from loket.catalogue.metric import MILLISECONDS, Kind, Metric

__all__ = [
    "COUNTERS_OPEN",
    "COUNTER_LAST_EVENT",
    "COUNTER_OPEN",
    "COUNTER_OUTBOX_OLDEST",
    "COUNTER_OUTBOX_PENDING",
    "DESK_METRICS",
    "SESSIONS_ACTIVE",
]

_COUNTER: Final = ("unit", "counter")

COUNTERS_OPEN: Final = Metric(
    "loket_counters_open",
    Kind.GAUGE,
    "Counters that were opened on this service day and not closed since.",
    ("unit",),
)
SESSIONS_ACTIVE: Final = Metric(
    "loket_sessions_active", Kind.GAUGE, "Counters at which somebody is in session, and not paused.", ("unit",)
)
COUNTER_OPEN: Final = Metric(
    "loket_counter_open",
    Kind.GAUGE,
    "Whether the counter is open; no series before it was ever opened or closed.",
    _COUNTER,
)
COUNTER_LAST_EVENT: Final = Metric(
    "loket_counter_last_event_timestamp_seconds",
    Kind.GAUGE,
    "When the broker received the last event that named the counter.",
    _COUNTER,
    parts=MILLISECONDS,
)
COUNTER_OUTBOX_PENDING: Final = Metric(
    "loket_counter_outbox_pending",
    Kind.GAUGE,
    "Events that waited in the counter's outbox at its last heartbeat that told of it.",
    _COUNTER,
)
COUNTER_OUTBOX_OLDEST: Final = Metric(
    "loket_counter_outbox_oldest_timestamp_seconds",
    Kind.GAUGE,
    "The time of the oldest event in the counter's outbox, as of its last heartbeat; no series while none waits.",
    _COUNTER,
    parts=MILLISECONDS,
)

DESK_METRICS: Final = (
    COUNTERS_OPEN,
    SESSIONS_ACTIVE,
    COUNTER_OPEN,
    COUNTER_LAST_EVENT,
    COUNTER_OUTBOX_PENDING,
    COUNTER_OUTBOX_OLDEST,
)
"""All of them, in the order of the page."""
