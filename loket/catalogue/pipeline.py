"""Metrics of the stream itself: what became of events, clocks of devices, progress of the worker.

Those of partitions and units come from whoever has them now; the counters of the process begin at zero with it.
"""

from __future__ import annotations

from typing import Final

from loket.catalogue.metric import MILLISECONDS, Kind, Metric
from loket.domain.unit import Applied
from loket.wire.rejection import Reason

__all__ = [
    "APPLIED_OFFSET",
    "BROKER_ANSWERED",
    "BUDGET_ALLOWED",
    "BUDGET_KINDS",
    "BUDGET_USED",
    "BUILD_INFO",
    "CHECKPOINTS",
    "CHECKPOINT_BYTES",
    "CHECKPOINT_RECORDS",
    "CHECKPOINT_SECONDS",
    "CLOCK_ERROR",
    "DELAY",
    "DURABLE_OFFSET",
    "EVALUATED_AT",
    "EVENTS",
    "FOREIGN_WRITES",
    "LAG",
    "LAST_CHECKPOINT",
    "LAST_EVENT",
    "PARTITION_READY",
    "PIPELINE_METRICS",
    "REBALANCES",
    "REJECTIONS",
    "SECONDS_BEHIND",
    "STATE_TAKEN_AT",
    "TARGETS_VALID",
]

EVENTS: Final = Metric(
    "loket_events_total",
    Kind.COUNTER,
    "Records read by this process, by what became of them; ahead: of the present of a replay.",
    ("result",),
    values=(*Applied, "rejected", "foreign", "ahead"),
)
REJECTIONS: Final = Metric(
    "loket_rejections_total",
    Kind.COUNTER,
    "Records refused by this process, by reason; unit other: the record's key names no unit that is known.",
    ("unit", "reason"),
    values=tuple(Reason),
)
CLOCK_ERROR: Final = Metric(
    "loket_source_clock_error_seconds",
    Kind.GAUGE,
    "How far a source's clock is behind the broker's, the smallest of ten minutes; below 0: it is ahead.",
    ("unit", "source"),
    parts=MILLISECONDS,
)
DELAY: Final = Metric(
    "loket_source_delay_seconds",
    Kind.GAUGE,
    "The longest time of ten minutes between an event and its sending, by the source's own clock.",
    ("unit", "source"),
    parts=MILLISECONDS,
)
LAST_EVENT: Final = Metric(
    "loket_last_event_timestamp_seconds",
    Kind.GAUGE,
    "When the last event of the unit was received; no series before the first.",
    ("unit",),
    parts=MILLISECONDS,
)
SECONDS_BEHIND: Final = Metric(
    "loket_unit_behind_seconds",
    Kind.GAUGE,
    "How long ago the broker received what was last applied of the unit's partition; 0 where nothing is left to apply.",
    ("unit",),
)

BUDGET_KINDS: Final = ("services", "employees", "counters", "sources")
"""What brings label values of its own, for each unit; of the worker as a whole there is `units`."""

BUDGET_USED: Final = Metric(
    "loket_label_budget_used",
    Kind.GAUGE,
    "Label values in use for each unit, kind units: units that targets.yaml does not name; more than allowed: the rest "
    "is tallied as other.",
    ("unit", "kind"),
    values=(*BUDGET_KINDS, "units"),
)
BUDGET_ALLOWED: Final = Metric(
    "loket_label_budget_allowed",
    Kind.GAUGE,
    "Label values allowed by kind.",
    ("unit", "kind"),
    values=(*BUDGET_KINDS, "units"),
)

EVALUATED_AT: Final = Metric(
    "loket_evaluated_at_timestamp_seconds",
    Kind.GAUGE,
    "The instant at which the figures of the partition's units are evaluated.",
    ("partition",),
    parts=MILLISECONDS,
)
APPLIED_OFFSET: Final = Metric(
    "loket_partition_applied_offset",
    Kind.GAUGE,
    "The next offset to apply: all events below are in the figures.",
    ("partition",),
)
DURABLE_OFFSET: Final = Metric(
    "loket_partition_durable_offset",
    Kind.GAUGE,
    "All events below this offset are in the state that Kafka has.",
    ("partition",),
)
LAG: Final = Metric(
    "loket_partition_lag_records", Kind.GAUGE, "Records of the partition that are not applied yet.", ("partition",)
)
PARTITION_READY: Final = Metric(
    "loket_partition_ready",
    Kind.GAUGE,
    "Whether the partition is read to the end found when it was assigned, so that its units are shown.",
    ("partition",),
)
STATE_TAKEN_AT: Final = Metric(
    "loket_partition_state_timestamp_seconds",
    Kind.GAUGE,
    "When the state that Kafka has was taken: its age is time() less this. No series before the first checkpoint.",
    ("partition",),
    parts=MILLISECONDS,
)

CHECKPOINTS: Final = Metric(
    "loket_checkpoints_total",
    Kind.COUNTER,
    "Checkpoints of this process, by whether Kafka took them.",
    ("result",),
    values=("written", "failed"),
)
CHECKPOINT_RECORDS: Final = Metric(
    "loket_checkpoint_records_total", Kind.COUNTER, "Records that checkpoints wrote to the changelog."
)
CHECKPOINT_BYTES: Final = Metric(
    "loket_checkpoint_bytes_total", Kind.COUNTER, "Bytes that checkpoints wrote to the changelog."
)
CHECKPOINT_SECONDS: Final = Metric(
    "loket_last_checkpoint_duration_seconds", Kind.GAUGE, "How long the last checkpoint took that succeeded."
)
LAST_CHECKPOINT: Final = Metric(
    "loket_last_checkpoint_timestamp_seconds",
    Kind.GAUGE,
    "When the last checkpoint began that succeeded; no series before the first.",
    parts=MILLISECONDS,
)
FOREIGN_WRITES: Final = Metric(
    "loket_foreign_writes_total",
    Kind.COUNTER,
    "Times that another worker was found to have written to the changelog of a partition of ours.",
)
REBALANCES: Final = Metric("loket_rebalances_total", Kind.COUNTER, "Assignments of partitions, the first included.")
BROKER_ANSWERED: Final = Metric(
    "loket_broker_answered_timestamp_seconds",
    Kind.GAUGE,
    "When the broker last answered a fetch of this process; no series before the first answer.",
    parts=MILLISECONDS,
)
TARGETS_VALID: Final = Metric(
    "loket_targets_valid", Kind.GAUGE, "Whether targets.yaml as it is now is in force (1), or the last good one (0)."
)
BUILD_INFO: Final = Metric(
    "loket_build_info", Kind.GAUGE, "The version that runs; always 1.", ("component", "version", "python")
)

PIPELINE_METRICS: Final = (
    EVENTS,
    REJECTIONS,
    CLOCK_ERROR,
    DELAY,
    LAST_EVENT,
    SECONDS_BEHIND,
    BUDGET_USED,
    BUDGET_ALLOWED,
    EVALUATED_AT,
    APPLIED_OFFSET,
    DURABLE_OFFSET,
    LAG,
    PARTITION_READY,
    STATE_TAKEN_AT,
    CHECKPOINTS,
    CHECKPOINT_RECORDS,
    CHECKPOINT_BYTES,
    CHECKPOINT_SECONDS,
    LAST_CHECKPOINT,
    FOREIGN_WRITES,
    REBALANCES,
    BROKER_ANSWERED,
    TARGETS_VALID,
    BUILD_INFO,
)
"""All of them, in the order of the page."""
