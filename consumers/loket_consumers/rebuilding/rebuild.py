"""One rebuild from its lock to its commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Protocol

from msgspec import Struct
from sqlalchemy import Connection, Engine, func, select

from loket.domain.policy import Policy
from loket.wire.cloudevents import Decoder
from loket_consumers.engines import reading, shown, writing
from loket_consumers.reading import Time
from loket_consumers.rebuilding.builder import Builder, offsets_of, partitions_of, streams
from loket_consumers.rebuilding.content import TABLES, Compared, compare, digest_of
from loket_consumers.rebuilding.errors import KafkaLacks, NothingToRebuild
from loket_consumers.rebuilding.lock import only_one
from loket_consumers.rebuilding.scratch import scratch
from loket_consumers.rebuilding.swapping import hold_still, swap
from loket_consumers.schema import archive, positions

__all__ = ["Extent", "Meaning", "Outcome", "Source", "Steps", "rebuild"]


class Steps(Protocol):
    """Hears how far a rebuild is."""

    def step(self, description: str, total: int | None = None) -> None: ...

    def at(self, reached: int) -> None: ...


class Extent(Struct, frozen=True):
    """What the record has of a partition: the first archived offset, if any, and everything before `next`."""

    first: int | None
    next: int


class Source(Protocol):
    """Whence the records of one topic come, where not from the archive."""

    topic: str
    partitions: int

    def feed(self, stored: Mapping[int, Extent], builder: Builder, steps: Steps) -> None:
        """Give the builder the records of each partition up to where the record is (`stored`), or to its end."""
        ...


class Meaning(Struct, frozen=True):
    """How records are read: as the sink reads them."""

    decoder: Callable[[int], Decoder]
    time: Time
    policy: Policy


class Outcome(Struct, frozen=True):
    """What a rebuild found. `digest`: of the new record, equal whoever rebuilds it, on whichever database."""

    records: int
    tables: list[Compared]
    digest: str
    swapped: bool

    @property
    def same(self) -> bool:
        return all(table.same for table in self.tables)


def rebuild(
    engine: Engine, meaning: Meaning, steps: Steps, *, source: Source | None = None, check: bool = False
) -> Outcome:
    """Make the record anew, from its archive or another source, and put it in the place of the old one.

    With `check` nothing is changed. Sinks may run; they wait while the new rows are written. Raises RebuildRuns,
    NothingToRebuild, KafkaLacks, DatabaseAway, DatabaseRefuses; the record then is as it was.
    """
    topic = "" if source is None else source.topic
    with only_one(engine), scratch(engine) as made:
        with reading(engine) as connection:
            partitions = partitions_of(connection)
            total = _archived(connection)
            stored = _stored(connection, topic)
        if source is not None:
            partitions[topic] = source.partitions
        builder = Builder(made, meaning.decoder, meaning.time, meaning.policy, partitions, steps.at)
        steps.step("reading the archive", total)
        builder.take_archived(lambda: reading(engine), but=topic)
        if source is not None:
            source.feed(stored, builder, steps)
        with reading(engine) as seen:  # one instant, up to which both are compared
            steps.step("reading what came meanwhile")
            builder.take_archived(lambda: nullcontext(seen))
            if not builder.records:
                raise NothingToRebuild(shown(engine), "the archive" if source is None else f"the topic {topic}")
            with reading(made) as new:
                if source is not None:
                    _check_complete(seen, new)
                steps.step("comparing", len(TABLES))
                tables, digest = compare(seen, new, steps.at, raw=source is not None)
        if not check:
            compared = builder.records
            with writing(engine) as connection:
                hold_still(connection)
                builder.take_archived(lambda: nullcontext(connection))
                steps.step("writing", len(TABLES))
                with reading(made) as new:
                    swap(connection, new, steps.at, raw=source is not None)
            if builder.records > compared:
                with reading(made) as new:
                    digest = digest_of(new)
    return Outcome(builder.records, tables, digest, not check)


def _archived(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(archive)).scalar_one())


def _stored(connection: Connection, topic: str) -> dict[int, Extent]:
    c = archive.c
    query = select(c.partition, func.min(c.record_offset)).where(c.topic == topic).group_by(c.partition)
    first = {partition: offset for partition, offset in connection.execute(query)}  # noqa: C416 (rows are no pairs)
    query = select(positions.c.partition, positions.c.next).where(positions.c.topic == topic)
    return {partition: Extent(first.get(partition), after) for partition, after in connection.execute(query)}


def _check_complete(connection: Connection, new: Connection) -> None:
    """Raises KafkaLacks where the archive has a record that the new one has not."""
    for stream in streams(connection):
        found = offsets_of(new, stream)
        has = next(found, None)
        for offset in offsets_of(connection, stream):
            while has is not None and has < offset:
                has = next(found, None)
            if has != offset:
                raise KafkaLacks(*stream, offset)
