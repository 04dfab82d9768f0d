"""What the worker knows about itself: the present of each partition, lag, ages, and whether it makes progress.

The exporter and the health pages read it from the server's thread. Nothing here waits for Kafka or the event loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from loket.clock import Clock
from loket.domain.policy import Policy
from loket_streams import checkpoints
from loket_streams.partitions import Partition, Partitions
from loket_streams.tallies import Tallies

__all__ = ["ANSWER_S", "LOOP_S", "NO_SOURCE", "Source", "Worker"]

LOOP_S: Final = 10.0
"""The event loop has to come round in this time."""

PROGRESS_S: Final = 60.0
"""Where there is something to apply, something has to be applied in this time."""

RECOVERY_S: Final = 600.0
"""An assigned partition has to be recovered in this time."""

CHECKPOINTS: Final = 5
"""Intervals without a checkpoint that succeeds."""

ANSWER_S: Final = 30.0
"""The broker has to answer a fetch in this time for the worker to be ready."""

DEFAULT_UNIT_BUDGET: Final = 10_000
"""Units that no target names and that have metrics of their own."""


class Source(Protocol):
    """What the consumer knows without asking the broker."""

    def end_offset(self, partition: int) -> int | None:
        """Return the end offset of a partition that its last fetch named, or None before the first."""
        ...

    def answered_ms(self) -> int | None:
        """Return when (wall time) the broker last answered a fetch, or None before the first answer."""
        ...


class _NoSource:
    def end_offset(self, partition: int) -> int | None:  # noqa: ARG002 (of the Protocol)
        return None

    def answered_ms(self) -> int | None:
        return None


NO_SOURCE: Final[Source] = _NoSource()
"""Before there is a consumer."""


@dataclass(slots=True)
class _Progress:
    """What was last seen of a partition, and when (monotonic)."""

    partition: Partition
    next: int | None
    at: float


class Worker:
    """The whole of one worker process, for those who look at it."""

    def __init__(
        self,
        partitions: Partitions,
        tallies: Tallies,
        source: Source,
        clock: Clock,
        *,
        event_clock: bool,
        fixed_now_ms: int | None,
        checkpoint_interval_s: float,
    ) -> None:
        self.partitions = partitions
        self.tallies = tallies
        self.clock = clock
        self.source = source
        """Replaced by the consumer when there is one."""

        self.event_clock = event_clock
        self.checkpoints = checkpoints.Figures()
        """Replaced by the checkpointer's own when there is one."""

        self.checkpoint_interval_s = checkpoint_interval_s
        self.partition_count: int | None = None
        """How many partitions the events have, once that is known."""

        self.unit_budget = DEFAULT_UNIT_BUDGET
        """How many units that the targets do not name have metrics of their own; the rest is summed."""

        self.targets_valid = True
        """Whether the targets file as it is now is in force."""

        self.until_end = False
        """Whether the worker was asked to run to the end offsets found at its start and then only to serve."""

        self.at_end = False
        """Whether those are applied and durable."""

        self.stopping = False
        self._fixed_now_ms = fixed_now_ms
        self._beat: float | None = None
        self._written = (0, clock.monotonic())
        self._seen: dict[int, _Progress] = {}

    @property
    def policy(self) -> Policy:
        """The targets in force."""
        return self.partitions.policy

    @property
    def rebalances(self) -> int:
        """Assignments so far, the first included."""
        return self.partitions.generations

    def exported(self) -> Iterator[Partition]:
        """The partitions whose units may be exported: those read up to the end found when they were assigned."""
        return (partition for partition in self.partitions if partition.ready)

    def now_ms(self, partition: Partition) -> int | None:
        """The instant at which the figures of a partition are evaluated (rule 4); None where there is none yet.

        In service the wall clock where the last fetch left nothing to apply, else when the last applied record was
        received. With the events' clock the newest accepted event of the process, or `--now`.
        """
        if self.event_clock:
            return self.tallies.newest_event_ms if self._fixed_now_ms is None else self._fixed_now_ms
        return self.clock.now_ms() if self.lag(partition) == 0 else partition.received

    def lag(self, partition: Partition) -> int | None:
        """How many offsets of a partition are not applied, as the last fetch saw it; None before the first."""
        end = self.source.end_offset(partition.number)
        if end is None or partition.next is None:
            return None
        return max(0, end - partition.next)

    def seconds_behind(self, partition: Partition) -> float | None:
        """How long ago the last applied record was received by the broker, 0 where nothing is left; None if unknown."""
        if self.lag(partition) == 0:
            return 0.0
        return None if partition.record_ms is None else max(0, self.clock.now_ms() - partition.record_ms) / 1000

    def beat(self) -> None:
        """Note that the event loop came round, and what has moved since."""
        now = self._beat = self.clock.monotonic()
        seen: dict[int, _Progress] = {}
        for partition in self.partitions:
            known = self._seen.get(partition.number)
            stands = known is not None and known.partition is partition and known.next == partition.next
            if known is not None and stands and (not partition.loaded or self.lag(partition)):
                seen[partition.number] = known
            else:
                seen[partition.number] = _Progress(partition, partition.next, now)
        self._seen = seen
        if self._written[0] != self.checkpoints.written or not any(partition.loaded for partition in self.partitions):
            self._written = (self.checkpoints.written, now)

    def problems(self) -> list[str]:
        """What keeps the worker from making progress, in words; nothing while all is well. A restart may mend these."""
        now = self.clock.monotonic()
        found = []
        if self._beat is not None and now - self._beat > LOOP_S:
            found.append(f"the event loop has stood still for {now - self._beat:.0f} s")
        for seen in list(self._seen.values()):
            partition, still = seen.partition, now - seen.at
            if not partition.loaded and still > RECOVERY_S:
                found.append(f"partition {partition.number} has been in recovery for {still:.0f} s")
            elif partition.loaded and still > PROGRESS_S and self.lag(partition) and self._is_answered():
                found.append(
                    f"partition {partition.number} has stood at offset {partition.next} for {still:.0f} s "
                    f"with {self.lag(partition)} events to apply"
                )
        age = now - self._written[1]
        if age > max(PROGRESS_S, CHECKPOINTS * self.checkpoint_interval_s) and self._is_answered():
            found.append(f"no checkpoint has succeeded for {age:.0f} s")
        return found

    def waits_for(self) -> list[str]:
        """Why the worker is not ready, in words: what it has to do first, or waits for from outside."""
        if self.stopping:
            return ["the worker is stopping"]
        found = self.problems()
        if not self._is_answered():
            found.append("the broker has not answered a fetch lately")
        if self.partitions.generations == 0:
            found.append("no partitions have been assigned yet")
        for partition in self.partitions:
            if not partition.loaded:
                found.append(f"partition {partition.number} is being recovered")
            elif not partition.ready:
                found.append(f"partition {partition.number} is at offset {partition.next} of {partition.end}")
        if self.until_end and not self.at_end:
            found.append("the end of the topic is not applied and durable yet")
        return found

    def silence_s(self) -> float | None:
        """For how long (seconds) the broker has not answered a fetch; None before the first answer."""
        answered = self.source.answered_ms()
        return None if answered is None else max(0, self.clock.now_ms() - answered) / 1000

    def still_s(self) -> float | None:
        """How long ago (seconds) the event loop last came round; None before it ever did."""
        return None if self._beat is None else self.clock.monotonic() - self._beat

    def _is_answered(self) -> bool:
        if self.partitions.generations and not self.partitions.assigned:
            return True  # a worker more than there are partitions fetches nothing
        silence = self.silence_s()
        return silence is not None and silence <= ANSWER_S
