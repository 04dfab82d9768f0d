"""A broker in memory, and workers around it that are the real ones but for Faust and aiokafka.

```
ModelBroker  log, changelogs, committed offsets, the group's generation: what Kafka keeps
ModelWorker  Partitions, Processor, Checkpointer and UnitStore of the product, driven as Faust drives them
```

What Kafka promises is kept: a batch is appended whole, a commit of an old generation is refused, and any write of
anybody to the changelog is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Mapping, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, Final

from faust.types import TP
from yarl import URL

from loket.domain.policy import Policy
from loket.testing.clock import FrozenClock
from loket.wire.cloudevents import Decoder
from loket.wire.record import WireRecord
from loket_streams.checkpoints import Checkpointer
from loket_streams.errors import CheckpointError, GapError
from loket_streams.fetching import Found, RecordBatch
from loket_streams.partitions import Partitions
from loket_streams.processing import Processor, ServiceTime
from loket_streams.store import UnitStore
from loket_streams.tallies import Tallies
from support.changelogs import FakeBatch, FakeChangelog
from support.fake_consumer import FakeLog
from support.recorded import TOPIC
from support.streams import as_told

__all__ = ["PARTITIONS", "ModelBroker", "ModelWorker"]

PARTITIONS: Final = 2
CHANGELOG: Final = "changelog"


class ModelBroker:
    """What Kafka keeps of one installation."""

    def __init__(self) -> None:
        self.log = FakeLog(PARTITIONS)
        self.changelogs = {number: FakeChangelog() for number in range(PARTITIONS)}
        self.committed: dict[int, int] = {}
        self.generation = 0
        self.is_in_the_window = False
        """Whether whoever asks was a member when it asked, and is paused before it writes."""

    def append(self, partition: int, broker_ms: int, key: bytes | None, value: bytes, headers: Any = ()) -> None:
        """Take a record."""
        record = WireRecord(TOPIC, partition, self.log.end(partition), broker_ms, key, value, tuple(headers))
        self.log.append([record])

    def mark(self, partition: int) -> None:
        """Take the marker of a transaction: an offset without a record."""
        self.log.ends[partition] = self.log.end(partition) + 1

    def compact(self, partition: int, *, waited: bool = False) -> None:
        """Compact a changelog, but unless it `waited`, not while an old writer's record lies on a newer one.

        Kafka does not touch records younger than `min.compaction.lag.ms`, which is several intervals of checkpoints: by
        then the owner, or who comes after it, has written on top. Nobody did only if all were killed within that
        interval, after a worker was paused between the question whether it is a member and its write.
        """
        if waited or not self.changelogs[partition].read().regressed:
            self.changelogs[partition].compact()

    def fetch(self, partition: int, begin: int, most: int) -> RecordBatch | None:
        """What one fetch gives; None at the end."""
        end = self.log.end(partition)
        left = [record for record in self.log.records[partition] if record.offset >= begin]
        found = left[:most]
        if begin >= end:
            return None
        upto = end if len(found) == len(left) else found[-1].offset + 1
        return RecordBatch(partition, tuple(found), begin, upto)  # type: ignore[arg-type]  # a Record as good as aiokafka's

    # The changelog as the Checkpointer knows it

    def create_batch(self) -> FakeBatch:
        return self.changelogs[0].create_batch()

    async def send_batch(self, batch: Any, partition: int) -> Awaitable[Any]:
        return await self.changelogs[partition].send_batch(batch, 0)

    async def ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        return {number: self.changelogs[number].end for number in partitions}

    async def knows(self, member: tuple[str, int] | None) -> bool:
        return self.is_in_the_window or (member is not None and member[1] == self.generation)


class ModelWorker:
    """One worker process."""

    def __init__(self, broker: ModelBroker, name: str) -> None:
        self.broker = broker
        self.name = name
        self.generation = 0
        self.failure: Exception | None = None
        self.is_paused = False
        self.positions: dict[int, int] = {}
        self.partitions = Partitions(TOPIC, Policy())
        self.processor = Processor(self.partitions, Decoder(PARTITIONS), Tallies(), ServiceTime())
        self.checkpointer = Checkpointer(self.partitions, broker, FrozenClock(), interval_s=5)
        self._recovery = SimpleNamespace(active_highwaters={}, active_offsets={})
        self._app: Any = SimpleNamespace(
            source_topic=TOPIC,
            changelog_topic=CHANGELOG,
            partitions=self.partitions,
            consumer=SimpleNamespace(member=lambda: (self.name, self.generation)),
            consumer_generation_id=0,
            tables=SimpleNamespace(recovery=self._recovery),
            fail=self._fail,
        )
        self._store = UnitStore(URL("units://local"), self._app, SimpleNamespace(name="units"))

    def _fail(self, error: Exception) -> None:
        self.failure = error

    def assigned(self, numbers: Collection[int], *, generation: int, interrupted: bool = False) -> None:
        """A rebalance as Faust takes it: the store is told, the changelog read, positions set.

        `interrupted`: another one begins in the middle of the recovery, and what the first still reads comes late.
        """
        late: list[Any] = []
        if interrupted:
            self._begin(numbers, generation)
            late = self._changelog_events(numbers)
            self._store.apply_changelog_batch(late[: len(late) // 2])
            generation += 1
            self.broker.generation = generation
        self._begin(numbers, generation)
        self._store.apply_changelog_batch(late[len(late) // 2 :])
        self._store.apply_changelog_batch(self._changelog_events(numbers))
        asyncio.run(self._store.on_recovery_completed({TP(CHANGELOG, number) for number in numbers}, set()))
        if self.failure is not None:
            raise self.failure
        found = {n: Found(self.broker.committed.get(n), 0, self.broker.log.end(n)) for n in numbers}
        self.positions = dict(self.partitions.seek(found))

    def _begin(self, numbers: Collection[int], generation: int) -> None:
        self.generation = self._app.consumer_generation_id = generation
        assigned = {TP(topic, number) for number in numbers for topic in (TOPIC, CHANGELOG)}
        asyncio.run(self._store.on_rebalance(assigned, set(), set()))
        ends = asyncio.run(self.broker.ends(list(numbers)))
        self._recovery.active_highwaters = {TP(CHANGELOG, number): end - 1 for number, end in ends.items()}

    def _changelog_events(self, numbers: Collection[int], at_a_time: int = 3) -> list[Any]:
        events = []
        for number in numbers:
            tp = TP(CHANGELOG, number)
            kept = self._store.persisted_offset(tp)
            begin = 0 if kept is None else kept + 1
            left = [record for record in self.broker.changelogs[number].log if record.offset >= begin]
            while begin < self.broker.changelogs[number].end:
                found, left = left[:at_a_time], left[at_a_time:]
                end = left[0].offset if left else self.broker.changelogs[number].end
                message = SimpleNamespace(generation_id=self.generation, tp=tp)
                value = RecordBatch(number, tuple(found), begin, end)
                events.append(SimpleNamespace(message=message, value=value))
                begin = end
        return events

    def read(self, most: int) -> None:
        """One fetch of each partition."""
        for number, position in self.positions.items():
            batch = self.broker.fetch(number, position, most)
            if batch is not None:
                self.processor.process(batch)
                self.positions[number] = batch.end

    def misses(self) -> bool:
        """Whether what follows a hole is refused, where there is something that could be missed."""
        for number, position in self.positions.items():
            missed = self.broker.fetch(number, position, 1)
            after = None if missed is None else self.broker.fetch(number, missed.end, 5)
            if after is not None:
                before = self.told()
                with suppress(GapError):
                    self.processor.process(after)
                    return False
                return self.told() == before
        return True

    def checkpoint(self) -> bool:
        """Write what changed, and say whether Kafka has it."""
        is_silent = any(log.silent for log in self.broker.changelogs.values())
        try:
            asyncio.run(self.checkpointer.checkpoint(0.01 if is_silent else 120))
        except CheckpointError:
            return False
        return True

    def commit(self) -> None:
        """Commit what is durable. Kafka refuses it from a worker that missed a generation."""
        if self.generation == self.broker.generation:
            for number in self.positions:
                durable = self.partitions.durable(number)
                if durable is not None:
                    self.broker.committed[number] = durable

    def told(self) -> dict[str, dict[str, Any]]:
        """Its units."""
        return {unit: as_told(state) for partition in self.partitions for unit, state in partition.units.items()}
