"""An EventConsumer over records in memory, and a script of what happens to it while it is polled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from loket.broker import BrokerAway
from loket.broker.consumer import PartitionsHandler
from loket.testing.clock import FrozenClock
from loket.wire.record import Record, WireRecord

__all__ = ["FakeConsumer", "FakeLog"]


class FakeLog:
    """A topic: the records of each partition, the first of which may be gone already.

    Offsets that hold nothing for a reader (markers of transactions) are left out of `records`; `ends` has to be told
    where the last ones do.
    """

    def __init__(self, partitions: int) -> None:
        self.records: dict[int, list[WireRecord]] = {partition: [] for partition in range(partitions)}
        self.begins: dict[int, int] = dict.fromkeys(range(partitions), 0)
        self.ends: dict[int, int] = {}

    def end(self, partition: int) -> int:
        records = self.records[partition]
        after = records[-1].offset + 1 if records else self.begins[partition]
        return max(after, self.ends.get(partition, 0))

    def append(self, records: Sequence[WireRecord]) -> None:
        for record in records:
            self.records[record.partition].append(record)

    def forget_before(self, partition: int, offset: int) -> None:
        """What retention does."""
        self.records[partition] = [record for record in self.records[partition] if record.offset >= offset]
        self.begins[partition] = offset


class FakeConsumer:
    """Keeps to the protocol's promises, and breaks where `then` tells it to.

    Each poll first runs the next step of `then`, if there is one; a poll that brings nothing advances the clock.
    """

    def __init__(self, log: FakeLog, clock: FrozenClock, then: Sequence[Callable[[], None]] = ()) -> None:
        self.log = log
        self.clock = clock
        self.then = list(then)
        self.committed: dict[int, int] = {}
        self.positions: dict[int, int] = {}
        self.paused: set[int] = set()
        self.polls = 0
        self.closed = False
        self.away = False
        """While it is, polls bring nothing and every question fails."""
        self.seeks: list[tuple[int, int]] = []
        self._assigned: PartitionsHandler = lambda partitions: None
        self._revoked: PartitionsHandler = lambda partitions: None
        self._highwaters: dict[int, int] = {}

    def subscribe(self, assigned: PartitionsHandler, revoked: PartitionsHandler) -> None:
        self._assigned, self._revoked = assigned, revoked
        self.assign(sorted(self.log.records))

    def assign(self, partitions: Sequence[int]) -> None:
        """What a rebalance does."""
        self.positions |= dict.fromkeys(partitions, 0)
        self._assigned(partitions)

    def revoke(self, partitions: Sequence[int]) -> None:
        """What a rebalance does."""
        for partition in partitions:
            self.positions.pop(partition)
            self.paused.discard(partition)
            self._highwaters.pop(partition, None)
        self._revoked(partitions)

    def poll(self, timeout_ms: int, max_records: int) -> Mapping[int, Sequence[Record]]:
        self.polls += 1
        if self.polls > 10_000:
            raise AssertionError("the loop does not end")
        if self.then:
            self.then.pop(0)()
        found: dict[int, list[Record]] = {}
        for partition in () if self.away else sorted(set(self.positions) - self.paused):
            self._highwaters[partition] = self.log.end(partition)
            begin, end = self.log.begins[partition], self.log.end(partition)
            if not begin <= self.positions[partition] <= end:  # out of range: earliest, as the policy says
                self.positions[partition] = begin
            records = [record for record in self.log.records[partition] if record.offset >= self.positions[partition]]
            if taken := records[:max_records]:
                found[partition] = list(taken)
                self.positions[partition] = taken[-1].offset + 1
            if len(taken) == len(records):
                self.positions[partition] = end  # past what holds no record for a reader
        if not found:
            self.clock.advance(ms=timeout_ms)
        return found

    def assignment(self) -> frozenset[int]:
        return frozenset(self.positions)

    def seek(self, partition: int, offset: int) -> None:
        self.seeks.append((partition, offset))
        self.positions[partition] = offset

    def position(self, partition: int) -> int | None:
        return self.positions.get(partition)

    def pause(self, partitions: Collection[int]) -> None:
        self.paused.update(partitions)

    def resume(self, partitions: Collection[int]) -> None:
        self.paused.difference_update(partitions)

    def _answer(self) -> None:
        if self.away:
            raise BrokerAway("fake:9092", TimeoutError("nobody answers"))

    def commit(self, offsets: Mapping[int, int]) -> None:
        self._answer()
        self.committed |= offsets

    def end_offsets(self, partitions: Collection[int], timeout_ms: int | None = None) -> Mapping[int, int]:
        self._answer()
        return {partition: self.log.end(partition) for partition in partitions}

    def beginning_offsets(self, partitions: Collection[int]) -> Mapping[int, int]:
        self._answer()
        return {partition: self.log.begins[partition] for partition in partitions}

    def highwater(self, partition: int) -> int | None:
        return self._highwaters.get(partition)

    def close(self) -> None:
        self.closed = True
