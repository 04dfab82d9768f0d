"""Records as a fetch gives them, and a changelog in memory that several writers may write to."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from aiokafka.structs import ConsumerRecord

from loket.domain.events import Event
from loket.wire.cloudevents import encode
from loket_streams.changelog import Reading
from loket_streams.fetching import RecordBatch

__all__ = ["FakeChangelog", "batch", "record"]


def record(
    what: Event | bytes | None,
    offset: int,
    *,
    timestamp: int = 0,
    key: bytes | None = None,
    headers: Sequence[tuple[str, bytes]] = (),
    topic: str = "loket.events",
    timestamp_type: int = 1,
) -> ConsumerRecord:
    """A record of partition 0: an event, or any bytes."""
    if isinstance(what, bytes) or what is None:
        value = what
    else:
        encoded = encode(what)
        key, value, headers = encoded.key, encoded.value, list(encoded.headers)
    return ConsumerRecord(topic, 0, offset, timestamp, timestamp_type, key, value, None, 0, 0, tuple(headers))


def batch(records: Sequence[ConsumerRecord], *, begin: int | None = None, end: int | None = None) -> RecordBatch:
    """One fetch of partition 0, from the first of its records to the last where nothing else is said."""
    begin = records[0].offset if begin is None else begin
    return RecordBatch(0, tuple(records), begin, records[-1].offset + 1 if end is None else end)


class FakeBatch:
    def __init__(self, room: int) -> None:
        self.records: list[tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]] = []
        self._room = room
        self._size = 0

    def append(
        self, *, timestamp: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> object | None:
        size = len(key or b"") + len(value or b"") + 50
        if self._size + size > self._room:
            return None
        self._size += size
        self.records.append((key, value, list(headers)))
        return object()

    def record_count(self) -> int:
        return len(self.records)

    def size(self) -> int:
        return self._size


class FakeChangelog:
    """One partition, 0; it appends whole batches, acknowledges them unless told not to, and can be read as Kafka is."""

    def __init__(self, room: int = 8 * 1024 * 1024) -> None:
        self.log: list[ConsumerRecord] = []
        self.end = 0
        self.batches: list[int] = []
        self.silent = False
        self.away = False
        self.is_member = True
        """Whether the group knows who writes."""

        self.takes: int | None = None
        """How many batches it still takes before nobody is there; None: any number."""

        self._room = room

    def create_batch(self) -> FakeBatch:
        return FakeBatch(self._room)

    async def send_batch(self, batch: Any, partition: int) -> Awaitable[Any]:
        assert partition == 0
        if self.away or self.takes == 0:
            raise ConnectionError("nobody there")
        if self.takes is not None:
            self.takes -= 1
        base = self.end
        self.batches.append(batch.record_count())
        for key, value, headers in batch.records:
            self.write(key, value, headers)
        sent: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if not self.silent:
            sent.set_result(SimpleNamespace(offset=base))
        return sent

    async def ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        return dict.fromkeys(partitions, self.end)

    async def knows(self, member: tuple[str, int] | None) -> bool:
        return self.is_member

    def write(self, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> None:
        """Append one record, as any writer may."""
        self.log.append(record(value, self.end, key=key, headers=headers, topic="changelog"))
        self.end += 1

    def compact(self) -> None:
        """Keep the last record of each key, where it is."""
        last = {record.key: record for record in self.log}
        self.log = [record for record in self.log if last[record.key] is record]

    def read(self) -> Reading:
        """Read it from its beginning."""
        reading = Reading()
        if self.end:
            reading.add(self.log, 0, self.end)
        return reading
