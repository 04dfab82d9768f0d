"""The partitions that a sink holds: where each is in the log, and what was read of it and is not stored yet.

```
assigned ─▶ paused, to be placed ─▶ position from the database, seek, resumed ─▶ read, pending ─▶ stored
                  ▲                                                               │
                  └── other offsets came, or somebody else stored it ◀────────────┘
```

Offsets that hold nothing for a reader (markers of transactions, what was aborted) are passed over, where the broker
still has what is before them; what retention removed unread is never passed over in silence.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from loket.broker import BrokerError, EventConsumer
from loket.wire.record import Record
from loket_consumers.errors import GapError, LogReplacedError, PartitionsChangedError
from loket_consumers.places import Places
from loket_consumers.reading import Read

__all__ = ["Holding"]

logger = logging.getLogger("loket.sink")

ODD_FETCHES: Final = 3
"""How often a partition may answer with offsets before those that were asked for until that is taken for its state."""

Decode = Callable[[Iterable[Record]], list[Read]]


class Holding:
    """What a sink holds of a topic with so many `partitions`. `next` may be looked at by other threads."""

    def __init__(
        self,
        consumer: EventConsumer,
        places: Places,
        decode: Decode,
        topic: str,
        partitions: int,
        *,
        accept_lost_events: bool = False,
    ) -> None:
        self._consumer = consumer
        self._places = places
        self._decode = decode
        self._topic = topic
        self._partitions = partitions
        self._accept_lost_events = accept_lost_events
        self._changes: deque[tuple[bool, tuple[int, ...]]] = deque()
        self._arrived: set[int] = set()
        self._odd: dict[int, int] = {}
        self._ends: dict[int, int] | None = None
        self.joined = False
        self.next: dict[int, int] = {}
        """What is stored, as the database's positions say it."""

        self.read: dict[int, int] = {}
        """What is read; `pending` is between the two."""

        self.pending: dict[int, list[Read]] = {}

    def subscribe(self) -> None:
        """Join the group."""
        self._consumer.subscribe(self._assigned, self._revoked)

    def _assigned(self, partitions: Sequence[int]) -> None:
        """On the client's thread: nothing of them is returned before their place is known."""
        self._consumer.pause(partitions)
        self._changes.append((True, tuple(partitions)))

    def _revoked(self, partitions: Sequence[int]) -> None:
        self._changes.append((False, tuple(partitions)))

    def take_changes(self) -> None:
        """Take note of partitions that came and went. What is pending of one that went goes with it."""
        while self._changes:
            came, partitions = self._changes.popleft()
            if came:
                self.joined = True
                self._arrived.update(partitions)
            else:
                self._arrived.difference_update(partitions)
            for partition in partitions:
                self._leave(partition)

    def _leave(self, partition: int) -> None:
        self.next.pop(partition, None)
        self.read.pop(partition, None)
        self.pending.pop(partition, None)
        self._odd.pop(partition, None)

    def mine(self) -> set[int]:
        """The partitions that are placed and assigned."""
        return set(self.next) & self._consumer.assignment()

    def place(self) -> None:
        """Seek each partition that came to where the record has got to, and have it read.

        Raises GapError, LogReplacedError and PartitionsChangedError, DatabaseAway and DatabaseRefuses.
        """
        if not self._arrived:
            return
        arrived = sorted(self._arrived & self._consumer.assignment())
        if arrived and arrived[-1] >= self._partitions:
            raise PartitionsChangedError(self._topic, self._partitions, arrived[-1])
        try:
            begins = self._consumer.beginning_offsets(arrived) if arrived else {}
            ends = self._consumer.end_offsets(arrived) if arrived else {}
        except BrokerError as error:
            logger.warning("partitions cannot be placed yet: %s", error)
            return
        stored = self._places.read(arrived)
        new = {partition: begins[partition] for partition in arrived if partition not in stored}
        if new:
            self._places.begin(new)
            stored |= self._places.read(list(new))
        for partition in arrived:
            following = self._check_log(partition, stored[partition], begins[partition], ends[partition])
            self._consumer.seek(partition, following)
            self.next[partition] = self.read[partition] = following
        self._arrived.clear()
        self._consumer.resume(arrived)
        logger.info("reading %s", ", ".join(f"{partition} from {self.next[partition]}" for partition in arrived))

    def _check_log(self, partition: int, following: int, begin: int, end: int) -> int:
        """Where to read on: `following`, unless events before `begin` are lost and that was accepted."""
        if following > 0 and end == 0:
            raise LogReplacedError(self._topic, partition, following, end)
        if begin <= following:
            return following
        if not self._accept_lost_events:
            raise GapError(self._topic, partition, following, begin)
        logger.warning("%d: the record lacks the events from %d to %d", partition, following, begin - 1)
        self._places.skip(partition, following, begin)
        return begin

    def take(self, partition: int, records: Sequence[Record]) -> None:
        """Decode the records of a partition, if they are those that come next. Raises LogReplacedError."""
        if partition not in self.next or not records:
            return
        expected = self.read[partition]
        hole = None
        for record in records:
            if record.offset < expected:
                self._wonder(partition, expected, record.offset)
                return
            if record.offset > expected and hole is None:
                hole = expected
            expected = record.offset + 1
        if hole is not None and not self._holds_nothing(partition, hole):
            return
        self._odd.pop(partition, None)
        self.pending.setdefault(partition, []).extend(self._decode(records))
        self.read[partition] = expected

    def pass_over(self) -> None:
        """Note where each partition is read on: offsets without a record for us are behind it too."""
        for partition in self.mine() - self._arrived:
            position, read = self._consumer.position(partition), self.read[partition]
            if position is not None and position > read and self._holds_nothing(partition, read):
                self.read[partition] = position

    def _holds_nothing(self, partition: int, offset: int) -> bool:
        """Whether the broker left offsets out from this one on because they hold no record for us.

        It may have removed records instead: then, and where it does not answer, the partition is placed anew.
        """
        try:
            if self._consumer.beginning_offsets([partition])[partition] <= offset:
                return True
        except BrokerError as error:
            logger.warning("offset %d of partition %d is looked for again: %s", offset, partition, error)
        self.place_again([partition])
        return False

    def _wonder(self, partition: int, expected: int, found: int) -> None:
        """Offsets came that are before those asked for: ask again, and stop where that does not change."""
        odd = self._odd.get(partition, 0) + 1
        if odd >= ODD_FETCHES:
            end = self._consumer.highwater(partition)
            raise LogReplacedError(self._topic, partition, expected, found if end is None else end)
        self.place_again([partition])
        self._odd[partition] = odd

    def place_again(self, partitions: Sequence[int]) -> None:
        """Have it found out anew where partitions are, and forget what is pending of them."""
        for partition in partitions:
            self._leave(partition)
        self._consumer.pause(set(partitions) & self._consumer.assignment())
        self._arrived.update(partitions)

    def room(self, records: int, size: int) -> int:
        """How many more records one transaction takes, of so many and of so many bytes, if there are more to read."""
        reads = [read for pending in self.pending.values() for read in pending]
        if sum(len(read.record.value or b"") for read in reads) >= size:
            return 0
        ends = {partition: self._consumer.highwater(partition) for partition in self.mine() - self._arrived}
        if all(end is None or end <= self.read[partition] for partition, end in ends.items()):
            return 0
        return max(0, records - len(reads))

    def to_store(self) -> dict[int, int]:
        """What each partition's position becomes once what is read of it is stored, where it changes."""
        return {partition: read for partition, read in self.read.items() if read > self.next[partition]}

    def stored(self) -> None:
        """All that was read is stored."""
        self.next.update(self.read)
        self.pending.clear()

    def is_at_end(self) -> bool:
        """Whether all that every partition of the topic held when this was first asked is stored."""
        partitions = range(self._partitions)
        if self.pending or set(partitions) - self.next.keys():
            return False
        if self._ends is None:
            self._ends = dict(self._consumer.end_offsets(partitions))
        return all(self._reached(partition, self._ends[partition]) for partition in partitions)

    def _reached(self, partition: int, end: int) -> bool:
        """Whether a partition is stored up to an end; the embedded broker tells an end that is too small, and a
        highwater that is right."""
        following = self.next[partition]
        highwater = self._consumer.highwater(partition)
        if highwater is None:
            return end == 0
        return following >= end and following == highwater  # beyond it only where the topic was made anew
