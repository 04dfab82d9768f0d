"""One transaction of the record: a batch of records, what they change, and the position after them.

```
guard      positions: next = expected → next = new, or somebody newer owns the partition and nothing is stored
look up    units, ids, tickets and closings that the batch touches, each by one statement
fold       UnitRecord, in the order of the log
write      archive, dead letters, tickets with their legs, units: each by one statement
```

The guard comes first: it holds the row's lock, so that two sinks that both believe that a partition is theirs store one
after the other, and the second finds that it is too late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, and_, literal, or_, select, update

from loket.domain.events import event_type
from loket.domain.policy import Policy
from loket.domain.unit import Applied, is_processed
from loket.wire import cloudevents
from loket.wire.fields import Fault
from loket.wire.record import CONTENT_TYPE
from loket.wire.rejection import Reason
from loket_consumers import bulk
from loket_consumers.columns import signed
from loket_consumers.reading import Read, storable
from loket_consumers.rows import iso_day
from loket_consumers.schema import archive, dead_letters, positions
from loket_consumers.unit_record import Arrival, Taken
from loket_consumers.workspace import Workspace

__all__ = ["AHEAD", "FOREIGN", "REJECTED", "RESULTS", "PartitionLost", "Stored", "store"]

AHEAD: Final = "ahead"
FOREIGN: Final = "foreign"
REJECTED: Final = "rejected"
RESULTS: Final = (*(str(applied) for applied in Applied), FOREIGN, REJECTED, AHEAD)
"""What becomes of a record."""

_HEADERS: Final = msgspec.msgpack.Encoder()
_USUAL: Final = ("content-type", CONTENT_TYPE)
_USUAL_PACKED: Final = _HEADERS.encode([_USUAL])


class PartitionLost(Exception):
    """Somebody else has stored records of these partitions: nothing of the batch was stored."""

    def __init__(self, partitions: Sequence[int]) -> None:
        super().__init__(f"partitions {list(partitions)} have another owner")
        self.partitions = list(partitions)


class Stored(Struct):
    """What a batch came to: records by result, dead letters by reason."""

    results: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def store(
    connection: Connection,
    topic: str,
    batch: Mapping[int, Sequence[Read]],
    expected: Mapping[int, int],
    policy: Policy,
    after: Mapping[int, int] | None = None,
) -> Stored:
    """Store a batch in the connection's transaction; the caller commits.

    The records of each partition are all from its `expected` offset to its position `after`, which is that after its
    last record where it is not given. Raises PartitionLost where somebody else has moved the position meanwhile.
    """
    if after is None:
        after = {partition: reads[-1].record.offset + 1 for partition, reads in batch.items() if reads}
    _guard(connection, topic, after, expected)
    reads = [read for partition in batch.values() for read in partition]
    work = Workspace(connection, policy)
    arrivals = [_arrival(read, work) for read in reads]
    work.load([arrival for arrival in arrivals if arrival is not None])
    taken = [_take(read, arrival, work) for read, arrival in zip(reads, arrivals, strict=True)]
    work.save()
    stored = Stored()
    letters: list[bulk.Row] = []
    for read, found in zip(reads, taken, strict=True):
        stored.results[found.verdict.result] += 1
        letter = _dead_letter(read, found)
        if letter is not None:
            letters.append(letter)
            stored.reasons[str(letter[5])] += 1
    rows = [_archived(*each) for each in zip(reads, arrivals, taken, strict=True)]
    known = _is_archived(connection, topic, expected, after)
    bulk.insert(connection, archive, rows, skip_known=known)
    bulk.insert(connection, dead_letters, letters, skip_known=known)
    return stored


def _guard(connection: Connection, topic: str, after: Mapping[int, int], expected: Mapping[int, int]) -> None:
    lost = []
    for partition in sorted(after):
        moved = connection.execute(
            update(positions)
            .where(
                positions.c.topic == topic,
                positions.c.partition == partition,
                positions.c.next == expected[partition],
            )
            .values(next=after[partition])
        )
        if moved.rowcount != 1:
            lost.append(partition)
    if lost:
        raise PartitionLost(lost)


def _is_archived(connection: Connection, topic: str, expected: Mapping[int, int], after: Mapping[int, int]) -> bool:
    """Whether the archive has a record of the batch: only where somebody has put a position back. Then rows that are
    known are skipped, which takes PostgreSQL twice the time."""
    c = archive.c
    batch = [
        and_(c.partition == partition, c.record_offset >= expected[partition], c.record_offset < end)
        for partition, end in after.items()
    ]
    return connection.execute(select(literal(1)).where(c.topic == topic, or_(*batch)).limit(1)).first() is not None


def _arrival(read: Read, work: Workspace) -> Arrival | None:
    """The event of a record as its unit takes it; None where it is no event or ahead of now."""
    if read.event is None or read.received is None:
        return None
    return Arrival(read.event, read.received, work.day(read.event), read.id_hash, read.content)


def _take(read: Read, arrival: Arrival | None, work: Workspace) -> Taken:
    if arrival is None:
        result = REJECTED if read.rejected is not None else FOREIGN if read.foreign is not None else AHEAD
        return Taken.of(result)
    unit = work.units[arrival.event.data.unit]
    unit.note(arrival.received)
    if not is_processed(arrival.event):
        return Taken.of(Applied.NOT_YET)
    return unit.take(arrival)


def _archived(read: Read, arrival: Arrival | None, taken: Taken) -> bulk.Row:
    record, event = read.record, read.event
    said = event or read.foreign or read.rejected
    if event is not None:
        kind: str | None = event_type(event)
    else:
        kind = storable(read.foreign.type) if read.foreign is not None else None
    return (
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        taken.verdict.result,
        taken.verdict.recorded,
        0 if taken.known is None else 2 if taken.known.live else 1,
        None if event is None else event.data.unit,
        kind,
        storable(getattr(said, "source", None)),
        storable(getattr(said, "id", None)),
        None if event is None else event.subject,
        None if event is None else int(event.time),
        None if event is None or event.sent is None else int(event.sent),
        None if event is None else event.imported,
        None if arrival is None else iso_day(arrival.day),
        None if event is None else signed(read.id_hash),
        None if event is None else signed(read.content),
        record.key,
        record.value,
        _headers(read),
    )


def _dead_letter(read: Read, taken: Taken) -> bulk.Row | None:
    rejected = read.rejected
    record, event = read.record, read.event
    if rejected is None and event is not None and taken.verdict.recorded == Applied.CONFLICTING_REPEAT:
        fault = Fault(Reason.CONFLICTING_REPEAT)
        rejected = cloudevents.refusal(record, fault, source=event.source, id=event.id)
    if rejected is None:
        return None
    return (
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        event.data.unit if event is not None else _unit_of(record.key),
        str(rejected.reason),
        storable(rejected.field),
        storable(str(rejected)),
        storable(rejected.source),
        storable(rejected.id),
        record.key,
        record.value,
        _headers(read),
        None,
    )


def _unit_of(key: bytes | None) -> str | None:
    """The unit that a record's key names, if it can be one."""
    if key is None or len(key) > 128:
        return None
    try:
        name = key.decode("ascii")
    except UnicodeDecodeError:
        return None
    return name if name.isprintable() and " " not in name and name else None


def _headers(read: Read) -> bytes | None:
    headers = read.record.headers
    if not headers:
        return None
    if len(headers) == 1 and headers[0] == _USUAL:
        return _USUAL_PACKED
    return _HEADERS.encode([(name, value) for name, value in headers])
