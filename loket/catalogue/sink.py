"""Metrics of the history sink: whether the record keeps up, and what it refused."""

from __future__ import annotations

from typing import Final

from loket.catalogue.metric import MILLISECONDS, Kind, Metric
from loket.domain.unit import Applied
from loket.wire.rejection import Reason

__all__ = [
    "SINK_DATABASE_UP",
    "SINK_DEAD_LETTERS",
    "SINK_LAG",
    "SINK_LAST_COMMIT",
    "SINK_METRICS",
    "SINK_NEXT_OFFSET",
    "SINK_RECORDS",
]

SINK_DATABASE_UP: Final = Metric(
    "loket_sink_database_up", Kind.GAUGE, "Whether the last transaction reached the database (1) or not (0)."
)
SINK_LAG: Final = Metric(
    "loket_sink_lag_records", Kind.GAUGE, "Records of the partition that are not in the database yet.", ("partition",)
)
SINK_NEXT_OFFSET: Final = Metric(
    "loket_sink_next_offset",
    Kind.GAUGE,
    "The next offset to write: all records below are in the database.",
    ("partition",),
)
SINK_LAST_COMMIT: Final = Metric(
    "loket_sink_last_commit_timestamp_seconds",
    Kind.GAUGE,
    "When the last transaction was committed; no series before the first.",
    parts=MILLISECONDS,
)
SINK_RECORDS: Final = Metric(
    "loket_sink_records_total",
    Kind.COUNTER,
    "Records that this process wrote to the archive, by what became of them.",
    ("result",),
    values=(*Applied, "rejected", "foreign", "ahead"),
)
SINK_DEAD_LETTERS: Final = Metric(
    "loket_sink_dead_letters_total",
    Kind.COUNTER,
    "Records that this process wrote to the dead letters, by reason.",
    ("reason",),
    values=tuple(Reason),
)

SINK_METRICS: Final = (
    SINK_DATABASE_UP,
    SINK_LAG,
    SINK_NEXT_OFFSET,
    SINK_LAST_COMMIT,
    SINK_RECORDS,
    SINK_DEAD_LETTERS,
)
"""All of them, in the order of the page."""
