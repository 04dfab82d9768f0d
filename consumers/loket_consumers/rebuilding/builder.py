"""Fills a scratch record with what the archive holds, by the sink's own transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, func, insert, select, update

from loket.domain.policy import Policy
from loket.wire.cloudevents import Decoder
from loket.wire.record import Record, WireRecord
from loket_consumers.engines import writing
from loket_consumers.reading import Time, read
from loket_consumers.rebuilding.content import streamed
from loket_consumers.schema import archive, positions
from loket_consumers.storing import store

__all__ = ["RECORDS", "Builder", "Stream", "offsets_of", "partitions_of", "streams"]

RECORDS: Final = 5_000
"""Records of one transaction."""

_HEADERS: Final = msgspec.msgpack.Decoder(tuple[tuple[str, bytes], ...])


Asked = Callable[[], AbstractContextManager[Connection]]
"""Makes a transaction to ask the archive in."""


class Stream(NamedTuple):
    """A partition of a topic. All events of a unit are in one, so that streams may be read one after the other."""

    topic: str
    partition: int


def streams(connection: Connection) -> list[Stream]:
    """The streams of the archive: topics in the order in which they began, as a later one follows an earlier one."""
    c = archive.c
    began: dict[str, int] = {}
    found = []
    query = select(c.topic, c.partition, func.min(c.broker_time)).group_by(c.topic, c.partition)
    for topic, partition, first in connection.execute(query):
        found.append(Stream(topic, partition))
        began[topic] = min(first, began.get(topic, first))
    return sorted(found, key=lambda stream: (began[stream.topic], stream))


def partitions_of(connection: Connection) -> dict[str, int]:
    """How many partitions each topic has, as the sinks that held them noted."""
    c = positions.c
    query = select(c.topic, func.max(c.partition)).group_by(c.topic)
    return {topic: last + 1 for topic, last in connection.execute(query)}


class Builder:
    """The new record while it is made. `told` hears how many records are in it."""

    def __init__(
        self,
        engine: Engine,
        decoder: Callable[[int], Decoder],
        time: Time,
        policy: Policy,
        partitions: Mapping[str, int],
        told: Callable[[int], None],
    ) -> None:
        self._engine = engine
        self._time = time
        self._policy = policy
        self._told = told
        self._decoders = {topic: decoder(count) for topic, count in partitions.items()}
        self._next: dict[Stream, int] = {}
        self.records = 0

    def take(self, stream: Stream, records: Sequence[Record]) -> None:
        """Take the next records of a stream."""
        first = records[0].offset
        reads = read(records, self._decoders[stream.topic], self._time)
        with writing(self._engine) as connection:
            _place(connection, stream, first)
            store(connection, stream.topic, {stream.partition: reads}, {stream.partition: first}, self._policy)
        self._next[stream] = records[-1].offset + 1
        self.records += len(records)
        self._told(self.records)

    def take_archived(self, asked: Asked, *, but: str = "") -> None:
        """Take what the archive holds and was not taken yet; `but` names a topic that comes from elsewhere.

        Each page is a transaction of its own where `asked` makes one: a long one would hold up the database.
        """
        with asked() as connection:
            found = streams(connection)
        for stream in found:
            while stream.topic != but:
                with asked() as connection:
                    records = _archived(connection, stream, self._next.get(stream, -1))
                if not records:
                    break
                self.take(stream, records)


def offsets_of(connection: Connection, stream: Stream) -> Iterator[int]:
    """The offsets of the records that the archive has of a stream, in their order."""
    c = archive.c
    query = select(c.record_offset).where(c.topic == stream.topic, c.partition == stream.partition)
    for (offset,) in streamed(connection, query.order_by(c.record_offset)):
        yield offset


def _archived(connection: Connection, stream: Stream, begin: int) -> list[WireRecord]:
    c = archive.c
    query = (
        select(c.record_offset, c.broker_time, c.key, c.value, c.headers)
        .where(c.topic == stream.topic, c.partition == stream.partition, c.record_offset >= begin)
        .order_by(c.record_offset)
        .limit(RECORDS)
    )
    return [
        WireRecord(*stream, offset, at, key, value, () if headers is None else _HEADERS.decode(headers))
        for offset, at, key, value, headers in connection.execute(query)
    ]


def _place(connection: Connection, stream: Stream, offset: int) -> None:
    """Let the stream go on at an offset: there may be holes before it, as in the archive."""
    key: Any = (positions.c.topic == stream.topic, positions.c.partition == stream.partition)
    if not connection.execute(update(positions).where(*key).values(next=offset)).rowcount:
        connection.execute(insert(positions).values(topic=stream.topic, partition=stream.partition, next=offset))
