"""The record of a log in a database, and what it has to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine, Table, delete, insert, select

from loket.domain.events import Event
from loket.domain.policy import Policy
from loket.wire.cloudevents import Decoder
from loket.wire.figures import RecordFigures
from loket.wire.record import WireRecord
from loket_consumers.engines import reading, writing
from loket_consumers.reading import EventTime, Read, ServiceTime, read
from loket_consumers.record_figures import record_figures
from loket_consumers.schema import METADATA, archive, positions
from loket_consumers.storing import store
from support.logs import POLICY, to_records
from support.oracle import Oracle, without_zeros

__all__ = [
    "TOPIC",
    "decoded",
    "empty",
    "figures",
    "of_record",
    "places",
    "results",
    "rows_of",
    "store_all",
    "store_more",
]

TOPIC = "loket.events"


def decoded(records: Iterable[WireRecord], *, partitions: int = 1, event_clock: bool = False) -> list[Read]:
    """Records as the sink reads them, whatever their time."""
    time = EventTime(None) if event_clock else ServiceTime()
    return read(records, Decoder(partitions, clock="event", now=lambda: 1 << 60), time)


def empty(engine: Engine, partitions: int = 1) -> None:
    """Leave nothing in the tables but positions at the beginning."""
    with writing(engine) as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(delete(table))
        for partition in range(partitions):
            connection.execute(insert(positions).values(topic=TOPIC, partition=partition, next=0))


def store_all(
    engine: Engine, arrived: Sequence[tuple[Event, int]], batches: Sequence[int] = (), policy: Policy = POLICY
) -> None:
    """Store a log in batches of these sizes, and the rest."""
    reads = decoded(to_records(arrived, topic=TOPIC))
    start = 0
    for size in [*batches, len(reads)]:
        some = reads[start : start + size]
        if some:
            with writing(engine) as connection:
                store(connection, TOPIC, {0: some}, {0: some[0].record.offset}, policy)
        start += len(some)


def store_more(engine: Engine, begin: int, more: Sequence[tuple[Event, int]]) -> None:
    """Store what comes from an offset on, in one batch."""
    reads = decoded(to_records(more, topic=TOPIC, begin=begin))
    with writing(engine) as connection:
        store(connection, TOPIC, {0: reads}, {0: begin}, POLICY)


def results(engine: Engine) -> list[str]:
    """What became of each record live, in the order of the log."""
    with reading(engine) as connection:
        return list(connection.execute(select(archive.c.result).order_by(archive.c.record_offset)).scalars())


def figures(
    engine: Engine, now: int, policy: Policy = POLICY, *, live: bool = False, today: bool = False
) -> RecordFigures:
    """The record's figures."""
    with reading(engine) as connection:
        return record_figures(connection, policy, now, live=live, today=today)


def of_record(oracle: Oracle, now: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The oracle's rows, as `without_zeros` tells them."""
    units, people = oracle.rows(now)
    return without_zeros(units), without_zeros(people)


def rows_of(engine: Engine, table: Table) -> list[dict[str, Any]]:
    """All rows of a table, ordered, without the numbers that tickets happen to get."""
    skipped = {"ticket", "id"} if table.name != archive.name else set()
    with reading(engine) as connection:
        rows = [dict(row) for row in connection.execute(select(table)).mappings()]
    for row in rows:
        for name in skipped & row.keys():
            del row[name]
    return sorted(rows, key=lambda row: msgspec.json.encode(row, enc_hook=str))


def places(engine: Engine) -> list[tuple[int, int, str]]:
    """What became of each record live, by partition and offset."""
    c = archive.c
    query = select(c.partition, c.record_offset, c.result).order_by(c.partition, c.record_offset)
    with reading(engine) as connection:
        return [(int(row.partition), int(row.record_offset), str(row.result)) for row in connection.execute(query)]
