"""The sink's loop: polls Kafka, stores each batch in one transaction, and loses nothing while the database is away.

```
assigned ─▶ paused ─▶ position read from the database, seek ─▶ read ─▶ stored ─▶ …       partition
                ▲                                                │
                └──────── somebody else stored it meanwhile ◀────┘

database away: everything paused, polling goes on (so that the group keeps us), the batch is tried again, resumed
```

What is committed to Kafka is for those who watch the lag; where to read from is the database's to say.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from threading import Event
from typing import Final

from msgspec import Struct
from sqlalchemy import Engine

from loket.broker import BrokerError, EventConsumer
from loket.clock import Clock
from loket.targets import TargetsFile
from loket.wire.cloudevents import Decoder
from loket.wire.record import Record
from loket_consumers.engines import writing
from loket_consumers.errors import DatabaseAway, GapError, LogReplacedError, PartitionsChangedError
from loket_consumers.places import Places
from loket_consumers.reading import Read, Time, read
from loket_consumers.status import Status
from loket_consumers.storing import PartitionLost, store

__all__ = ["Options", "Sink"]

logger = logging.getLogger("loket.sink")

POLL_MS: Final = 500
COMMIT_EVERY_S: Final = 1.0
RELOAD_EVERY_S: Final = 5.0
FIRST_RETRY_S: Final = 0.2
LAST_RETRY_S: Final = 30.0
ODD_FETCHES: Final = 3
"""How often a partition may answer with other offsets than were asked for before that is taken for its state."""


class Options(Struct, frozen=True):
    """How a sink runs. `records`: at most so many in one transaction."""

    topic: str
    partitions: int
    until_end: bool = False
    accept_lost_events: bool = False
    records: int = 5_000


class Sink:
    """One member of the group, on one thread."""

    def __init__(
        self,
        consumer: EventConsumer,
        engine: Engine,
        decoder: Decoder,
        time: Time,
        targets: TargetsFile,
        clock: Clock,
        status: Status,
        options: Options,
    ) -> None:
        self._consumer = consumer
        self._engine = engine
        self._decoder = decoder
        self._time = time
        self._targets = targets
        self._clock = clock
        self._status = status
        self._options = options
        self._places = Places(engine, options.topic)
        self._changes: deque[tuple[bool, tuple[int, ...]]] = deque()
        self._arrived: set[int] = set()
        self._next: dict[int, int] = {}
        self._pending: dict[int, list[Read]] = {}
        self._odd: dict[int, int] = {}
        self._ends: dict[int, int] | None = None
        self._retry_s = FIRST_RETRY_S
        self._retry_at = 0.0
        self._committed_at = 0.0
        self._committed: dict[int, int] = {}
        self._reloaded_at = clock.monotonic()

    def run(self, stop: Event) -> None:
        """Store what comes until told to stop, or, with `until_end`, until all that was there at the start is stored.

        Raises GapError, LogReplacedError, DatabaseRefuses and BrokerError: going on would lose or invent something.
        """
        self._consumer.subscribe(self._assigned, self._revoked)
        try:
            while not stop.is_set():
                self._status.beat()
                self._reload()
                self._work()
                if self._options.until_end and self._is_at_end():
                    logger.info("everything that was there at the start is stored")
                    break
                self._poll()
            if not self._status.away:
                self._work()
        finally:
            self._commit(at_once=True)
            self._consumer.close()

    def _assigned(self, partitions: Sequence[int]) -> None:
        """On the client's thread: nothing of them is returned before their place is known."""
        self._consumer.pause(partitions)
        self._changes.append((True, tuple(partitions)))

    def _revoked(self, partitions: Sequence[int]) -> None:
        self._changes.append((False, tuple(partitions)))

    def _take_changes(self) -> None:
        while self._changes:
            came, partitions = self._changes.popleft()
            if came:
                self._status.joined = True
                self._arrived.update(partitions)
            else:
                self._arrived.difference_update(partitions)
            for partition in partitions:
                self._leave(partition)

    def _leave(self, partition: int) -> None:
        """Forget where a partition was and what of it is not stored."""
        for kept in (self._next, self._pending, self._odd, self._status.next):
            kept.pop(partition, None)

    def _work(self) -> None:
        """Place what has come, and store what was read; while the database is away, now and then."""
        if self._clock.monotonic() < self._retry_at:
            return
        self._take_changes()
        try:
            self._place()
            self._store()
        except DatabaseAway as away:
            self._went_away(away)
        else:
            self._came_back()

    def _went_away(self, away: DatabaseAway) -> None:
        if not self._status.away:
            logger.error("%s. Nothing is lost: reading goes on when it is back", away)
            self._consumer.pause(self._consumer.assignment())
        else:
            logger.warning("the database is still away (%s); tried again in %.1f s", away.reason, self._retry_s)
        self._status.away = str(away)
        self._retry_at = self._clock.monotonic() + self._retry_s
        self._retry_s = min(LAST_RETRY_S, self._retry_s * 2)

    def _came_back(self) -> None:
        if self._status.away:
            logger.info("the database is back")
            self._status.away = ""
            self._retry_s = FIRST_RETRY_S
            self._consumer.resume(set(self._next) & self._consumer.assignment())

    def _place(self) -> None:
        """Seek each partition that came to where the record has got to."""
        if not self._arrived:
            return
        arrived = sorted(self._arrived & self._consumer.assignment())
        if arrived and arrived[-1] >= self._options.partitions:
            raise PartitionsChangedError(self._options.topic, self._options.partitions, arrived[-1])
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
            self._next[partition] = self._status.next[partition] = following
        self._arrived.clear()
        if not self._status.away:
            self._consumer.resume(arrived)
        logger.info("reading %s", ", ".join(f"{partition} from {self._next[partition]}" for partition in arrived))

    def _check_log(self, partition: int, following: int, begin: int, end: int) -> int:
        """Where to read on: `following`, unless events before `begin` are lost and that was accepted."""
        if following > 0 and end == 0:
            raise LogReplacedError(self._options.topic, partition, following, end)
        if begin <= following:
            return following
        if not self._options.accept_lost_events:
            raise GapError(self._options.topic, partition, following, begin)
        logger.warning("%d: the record lacks the events from %d to %d", partition, following, begin - 1)
        self._places.skip(partition, following, begin)
        return begin

    def _poll(self) -> None:
        timeout_ms = POLL_MS
        if self._status.away:
            timeout_ms = max(10, min(POLL_MS, int(1_000 * (self._retry_at - self._clock.monotonic()))))
        found = self._consumer.poll(timeout_ms, self._options.records)
        self._take_changes()
        for partition, records in found.items():
            if partition in self._next and records:
                self._take(partition, records)

    def _take(self, partition: int, records: Sequence[Record]) -> None:
        """Decode the records of a partition, if they are those that come next."""
        pending = self._pending.get(partition)
        expected = pending[-1].record.offset + 1 if pending else self._next[partition]
        for record in records:
            if record.offset != expected:
                self._wonder(partition, expected, record.offset)
                return
            expected += 1
        self._odd.pop(partition, None)
        self._pending.setdefault(partition, []).extend(read(records, self._decoder, self._time))

    def _wonder(self, partition: int, expected: int, found: int) -> None:
        """Other offsets came than were asked for: ask again, and stop where that does not change."""
        odd = self._odd.get(partition, 0) + 1
        if odd >= ODD_FETCHES:
            if found < expected:
                end = self._consumer.highwater(partition)
                raise LogReplacedError(self._options.topic, partition, expected, found if end is None else end)
            raise GapError(self._options.topic, partition, expected, found)
        self._again([partition])
        self._odd[partition] = odd

    def _again(self, partitions: Iterable[int]) -> None:
        """Find out anew where partitions are."""
        partitions = list(partitions)
        for partition in partitions:
            self._leave(partition)
        self._consumer.pause(set(partitions) & self._consumer.assignment())
        self._arrived.update(partitions)

    def _store(self) -> None:
        """Store what was read, in one transaction."""
        batch = {partition: reads for partition, reads in self._pending.items() if reads}
        if not batch:
            return
        try:
            with writing(self._engine) as connection:
                stored = store(connection, self._options.topic, batch, self._next, self._targets.policy)
        except PartitionLost as lost:
            logger.warning("partitions %s were stored by somebody else meanwhile: placed anew", lost.partitions)
            self._again(lost.partitions)
            return
        for partition, reads in batch.items():
            self._next[partition] = self._status.next[partition] = reads[-1].record.offset + 1
        self._pending.clear()
        self._status.stored(stored)
        self._commit()

    def _commit(self, *, at_once: bool = False) -> None:
        """Tell Kafka how far we are, now and then; whether it listens changes nothing."""
        now = self._clock.monotonic()
        mine = self._consumer.assignment()
        told = {partition: following for partition, following in self._next.items() if partition in mine}
        if told and told != self._committed and (at_once or now - self._committed_at >= COMMIT_EVERY_S):
            self._committed_at = now
            try:
                self._consumer.commit(told)
                self._committed = told
            except BrokerError as error:
                logger.debug("the lag that Kafka shows is old: %s", error)

    def _reload(self) -> None:
        now = self._clock.monotonic()
        if now - self._reloaded_at < RELOAD_EVERY_S:
            return
        self._reloaded_at = now
        found = self._targets.reload(self._clock.now_ms())
        if found.changed:
            logger.info("the targets have changed and are in force")
        error = "" if found.error is None else str(found.error)
        if error and error != self._status.targets_error:
            logger.error("the targets that were read before stay in force: %s", error)
        self._status.targets_error = error

    def _is_at_end(self) -> bool:
        """Whether all that every partition held at the start is stored."""
        partitions = range(self._options.partitions)
        if self._status.away or self._pending or set(partitions) - self._next.keys():
            return False
        if self._ends is None:
            self._ends = dict(self._consumer.end_offsets(partitions))
        return all(self._reached(partition, self._ends[partition]) for partition in partitions)

    def _reached(self, partition: int, end: int) -> bool:
        """Whether a partition is stored up to an end; the embedded broker tells an end that is too small, and a
        highwater that is right."""
        following = self._next[partition]
        highwater = self._consumer.highwater(partition)
        if highwater is None:
            return end == 0
        return following >= end and following == highwater  # beyond it only where the topic was made anew
