"""Checkpoints: the records of units that changed are written together, and only then may offsets be committed.

```
lock ─▶ somebody else wrote? ─▶ for each partition: upto = next ─▶ dirty units, 50 at a time ─▶ batches ─▶ every
        we are a member? mark all its units                                                           acknowledgement
                                                                     failure: marks come back  ◀── no ─┤
                                                                                      durable = upto ◀─ yes
```

A unit's head and pages go in one batch, which Kafka appends whole. A unit that is encoded later than `upto` contains
more, and its own offset says so; what is read again after a crash is skipped. The changelog's ends are compared at each
checkpoint, also where nothing is to be written: the records of a writer that was away lie on top of ours until we write
again, and compaction would take ours away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from loket.clock import Clock
from loket.domain.records import mark_all, take_records
from loket.domain.state import UnitState
from loket_streams.changelog import MAX_RECORD_BYTES, OFFSET_HEADER, Packer, unpack
from loket_streams.errors import CheckpointError
from loket_streams.partitions import Partition, Partitions

__all__ = ["Changelog", "Checkpointer", "Figures"]

Records = list[tuple[bytes, bytes | None, list[tuple[str, bytes]]]]
"""Of one unit: key, value and headers of each."""

UNITS_AT_A_TIME: Final = 50
BYTES_PER_S: Final = 5_000_000
"""What checkpoints write at most, over time: their interval is stretched for it."""

LONGEST_INTERVAL_S: Final = 30.0

RECORD_OVERHEAD: Final = 100
"""Bytes that a record may take beside its key and value."""


class Batch(Protocol):
    """A record batch being filled, as aiokafka's `create_batch` makes it."""

    def append(
        self, *, timestamp: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> object | None:
        """Return something, or None where the batch is full."""
        ...

    def record_count(self) -> int: ...
    def size(self) -> int: ...


class Changelog(Protocol):
    """Where records of units are written."""

    def create_batch(self) -> Batch: ...

    async def send_batch(self, batch: Any, partition: int) -> Awaitable[Any]:
        """Hand a batch over; the result, once Kafka has it, says the `offset` of its first record."""
        ...

    async def ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Return the end offset of each partition."""
        ...

    async def knows(self, member: tuple[str, int] | None) -> bool:
        """Whether the group has this member (its name and generation) still: asked now, of Kafka."""
        ...


@dataclass(slots=True)
class Figures:
    """What there is to tell of the checkpoints of this process."""

    written: int = 0
    failed: int = 0
    bytes: int = 0
    records: int = 0
    foreign_writes: int = 0
    last_ms: int | None = None
    """Wall time at which the last one that succeeded began."""

    last_s: float = 0.0
    """How long it took."""


class Checkpointer:
    """Writes the units that changed, one checkpoint at a time."""

    def __init__(self, partitions: Partitions, changelog: Changelog, clock: Clock, *, interval_s: float) -> None:
        self._partitions = partitions
        self._changelog = changelog
        self._clock = clock
        self._packer = Packer()
        self._lock = asyncio.Lock()
        self._interval_s = interval_s
        self.interval_s = interval_s
        """Until the next one, stretched while much is written."""

        self.figures = Figures()

    async def checkpoint(self, deadline_s: float) -> None:
        """Make what is applied now durable. Raises CheckpointError if it is not within the deadline.

        After an error, or when cancelled, what was not written is still marked.
        """
        try:
            async with asyncio.timeout(deadline_s), self._lock:
                await self._checkpoint()
        except TimeoutError as error:
            self.figures.failed += 1
            raise CheckpointError(f"Kafka did not take the checkpoint within {deadline_s:g} s") from error
        except CheckpointError:
            self.figures.failed += 1
            raise

    async def _checkpoint(self) -> None:
        started, began_ms = self._clock.monotonic(), self._clock.now_ms()
        bytes_before = self.figures.bytes
        due = [partition for partition in self._partitions if partition.loaded and partition.next is not None]
        try:
            ends = await self._changelog.ends([partition.number for partition in due])
            await self._verify(
                partition for partition in due if self._is_foreign(partition, ends.get(partition.number))
            )
            for partition in due:
                self._expect(partition, ends.get(partition.number))
            for partition in due:
                await self._write(partition)
        except CheckpointError:
            raise
        except Exception as error:
            raise CheckpointError(f"Kafka did not take the checkpoint: {error!r}") from error
        self.figures.written += 1
        self.figures.last_ms = began_ms
        self.figures.last_s = self._clock.monotonic() - started
        written = self.figures.bytes - bytes_before
        self.interval_s = min(max(self._interval_s, written / BYTES_PER_S), max(self._interval_s, LONGEST_INTERVAL_S))

    async def _verify(self, foreign: Iterable[Partition]) -> None:
        """Raise CheckpointError if somebody else wrote and we are the one who was away: theirs is the newer.

        What we wrote over it would be undone by its owner within seconds. But where all are killed before that and
        nobody comes for longer than compaction waits, compaction takes the newer records away, and events are lost.
        """
        numbers = [partition.number for partition in foreign]
        if numbers and not await self._changelog.knows(self._partitions.member):
            raise CheckpointError(
                f"another worker writes the changelog of partitions {numbers}, and this one is no member of the group "
                f"any more: nothing is written over what is newer"
            )

    def _is_foreign(self, partition: Partition, offset: int | None) -> bool:
        """Compare where the changelog goes on with what we know of it; anything else was written by somebody else."""
        return offset is not None and offset != partition.changelog_next

    def _expect(self, partition: Partition, offset: int | None) -> None:
        """Where somebody else wrote, have all units written again, on top."""
        if offset is None or not self._is_foreign(partition, offset):
            return
        self.figures.foreign_writes += 1
        partition.changelog_next = offset
        with self._partitions.lock:
            for state in partition.units.values():
                mark_all(state)
            partition.mark(partition.units)

    async def _write(self, partition: Partition) -> None:
        upto = partition.next
        began_ms = self._clock.now_ms()
        names, partition.dirty = partition.dirty, set()
        states = [partition.units[name] for name in names if name in partition.units]
        sent: list[tuple[Awaitable[Any], int]] = []
        try:
            batch = self._changelog.create_batch()
            for at in range(0, len(states), UNITS_AT_A_TIME):
                for state in states[at : at + UNITS_AT_A_TIME]:
                    records = self._records(state)
                    if batch.record_count() and batch.size() + _size(records) > MAX_RECORD_BYTES:
                        sent.append((await self._send(batch, partition), batch.record_count()))
                        batch = self._changelog.create_batch()
                    self._append(batch, state, records)
                await asyncio.sleep(0)
                if self._partitions.get(partition.number) is not partition:
                    return  # it went to another worker while we wrote
            if batch.record_count():
                sent.append((await self._send(batch, partition), batch.record_count()))
            for acknowledgement, count in sent:
                base = (await acknowledgement).offset
                self._expect(partition, base)
                partition.changelog_next = base + count
        except BaseException:
            with self._partitions.lock:
                for state in states:
                    mark_all(state)
                partition.mark(names)
            raise
        partition.durable = upto
        partition.checkpoint_ms = began_ms

    def _records(self, state: UnitState) -> Records:
        with self._partitions.lock:
            records = take_records(state, self._packer.pack, unpack)
            headers = [(OFFSET_HEADER, str(state.offset).encode())]
        return [(key, value, headers) for key, value in records]

    def _append(self, batch: Batch, state: UnitState, records: Records) -> None:
        """Put all records of a unit into a batch."""
        now_ms = self._clock.now_ms()
        for key, value, headers in records:
            if batch.append(timestamp=now_ms, key=key, value=value, headers=headers) is None:
                raise CheckpointError(
                    f"the state of unit {state.unit} is larger than {MAX_RECORD_BYTES // 1024**2} MiB and cannot be "
                    f"written: too much is open in it at once; no offset of its partition is committed until it shrinks"
                )

    async def _send(self, batch: Batch, partition: Partition) -> Awaitable[Any]:
        self.figures.bytes += batch.size()
        self.figures.records += batch.record_count()
        return await self._changelog.send_batch(batch, partition.number)


def _size(records: Records) -> int:
    """At most so many bytes in a batch."""
    return sum(len(key) + len(value or b"") + RECORD_OVERHEAD for key, value, _ in records)
