"""The sink's loop: polls Kafka, stores each batch in one transaction, and loses nothing while the database is away.

```
place what came ─▶ store what is pending ─▶ poll ─▶ …
      └──────┬────────────┘
       database away: everything paused, polling goes on (so that the group keeps us), tried again, resumed
```

What is committed to Kafka is for those who watch the lag; where to read from is the database's to say.
"""

from __future__ import annotations

import logging
from threading import Event
from typing import Final

from msgspec import Struct
from sqlalchemy import Engine

from loket.broker import BrokerAway, BrokerError, EventConsumer
from loket.clock import Clock
from loket.supervision import Supervision
from loket.targets import TargetsFile
from loket.wire.cloudevents import Decoder
from loket_consumers.engines import writing
from loket_consumers.errors import DatabaseAway
from loket_consumers.holding import Holding
from loket_consumers.places import Places
from loket_consumers.reading import Time, read
from loket_consumers.status import Status
from loket_consumers.storing import PartitionLost, store

__all__ = ["Options", "Sink"]

logger = logging.getLogger("loket.sink")

POLL_MS: Final = 500
COMMIT_EVERY_S: Final = 1.0
RELOAD_EVERY_S: Final = 5.0
FIRST_RETRY_S: Final = 0.2
LAST_RETRY_S: Final = 30.0
ASK_EVERY_S: Final = 10.0
ASK_MS: Final = 3_000
BATCH_BYTES: Final = 16 << 20
"""Values of about so many bytes are a transaction too."""

GATHER_S: Final = 0.5
"""Events that come while a batch is gathered do not hold it up for longer."""


class Options(Struct, frozen=True):
    """How a sink runs. `records`: about so many in one transaction, where so many wait. The more, the fewer times the
    rows of a ticket are written again."""

    topic: str
    partitions: int
    until_end: bool = False
    accept_lost_events: bool = False
    records: int = 20_000


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
        supervision: Supervision | None = None,
    ) -> None:
        self._consumer = consumer
        self._engine = engine
        self._targets = targets
        self._clock = clock
        self._status = status
        self._options = options
        self._supervision = supervision or Supervision(clock, None)
        self._holding = Holding(
            consumer,
            Places(engine, options.topic),
            lambda records: read(records, decoder, time),
            options.topic,
            options.partitions,
            accept_lost_events=options.accept_lost_events,
        )
        status.next = self._holding.next
        self._retry_s = FIRST_RETRY_S
        self._retry_at = 0.0
        self._heard_at = clock.monotonic()
        self._committed_at = 0.0
        self._committed: dict[int, int] = {}
        self._reloaded_at = clock.monotonic()

    def run(self, stop: Event) -> None:
        """Store what comes until told to stop, or, with `until_end`, until all that was there at the start is stored.

        Raises GapError, LogReplacedError, PartitionsChangedError, DatabaseRefuses and BrokerError: going on would lose
        or invent something.
        """
        self._holding.subscribe()
        try:
            while not stop.is_set():
                self._status.beat()
                self._supervision.turn(self._status.problems(), self._status.waits_for(), self._status.doing())
                self._reload()
                self._work()
                if self._options.until_end and not self._status.away and self._holding.is_at_end():
                    logger.info("everything that was there at the start is stored")
                    break
                self._commit()
                self._poll(stop)
            self._supervision.stopping()
            if not self._status.away:
                self._work()
        finally:
            self._commit(at_once=True)
            self._consumer.close()

    def _work(self) -> None:
        """Place what has come, and store what was read; while the database is away, now and then."""
        if self._clock.monotonic() < self._retry_at:
            return
        self._holding.take_changes()
        try:
            self._holding.place()
            self._store()
        except DatabaseAway as away:
            self._went_away(away)
        else:
            self._came_back()
        self._status.joined = self._holding.joined

    def _went_away(self, away: DatabaseAway) -> None:
        if not self._status.away:
            logger.error("%s. Nothing is lost: reading goes on when it is back", away)
        else:
            logger.warning("the database is still away (%s); tried again in %.1f s", away.reason, self._retry_s)
        self._consumer.pause(self._consumer.assignment())
        self._status.away = str(away)
        self._retry_at = self._clock.monotonic() + self._retry_s
        self._retry_s = min(LAST_RETRY_S, self._retry_s * 2)

    def _came_back(self) -> None:
        if self._status.away:
            logger.info("the database is back")
            self._status.away = ""
            self._retry_s = FIRST_RETRY_S
            self._consumer.resume(self._holding.mine())

    def _poll(self, stop: Event) -> None:
        try:
            self._gather()
        except BrokerAway as away:
            # While it joins a group, or asks where it has got to, kafka-python's poll raises what the broker did. What
            # such a poll had fetched is not known, and its position may be behind it: all is read again.
            self._kafka_went_away(away)
            self._holding.place_again(sorted(self._holding.mine()))
            stop.wait(POLL_MS / 1_000)

    def _gather(self) -> None:
        """Read what one transaction takes, or as much as comes in a short while."""
        timeout_ms = POLL_MS
        if self._status.away:
            timeout_ms = max(10, min(POLL_MS, int(1_000 * (self._retry_at - self._clock.monotonic()))))
        begun = self._clock.monotonic()
        if self._read(timeout_ms, self._options.records):
            self._heard_at = self._clock.monotonic()
            self._status.kafka_away = ""
        else:
            self._ask_kafka()
        while not self._status.away and self._clock.monotonic() - begun < GATHER_S:
            room = self._holding.room(self._options.records, BATCH_BYTES)
            if not room or not self._read(0, room):
                break

    def _read(self, timeout_ms: int, records: int) -> bool:
        """Take what the consumer has; whether it had anything."""
        found = self._consumer.poll(timeout_ms, records)
        self._holding.take_changes()
        for partition, some in found.items():
            self._holding.take(partition, some)
        self._holding.pass_over()
        return bool(found)

    def _ask_kafka(self) -> None:
        """Where nothing comes, find out now and then whether Kafka is there at all: polls do not tell."""
        now = self._clock.monotonic()
        if now - self._heard_at < ASK_EVERY_S:
            return
        self._heard_at = now
        try:
            self._consumer.end_offsets(self._consumer.assignment(), ASK_MS)
        except BrokerError as error:
            self._kafka_went_away(error)
        else:
            if self._status.kafka_away:
                logger.info("Kafka is back")
            self._status.kafka_away = ""

    def _kafka_went_away(self, error: BrokerError) -> None:
        if not self._status.kafka_away:
            logger.error("%s. Nothing is lost: reading goes on when it is back", error)
        self._status.kafka_away = str(error)

    def _store(self) -> None:
        """Store what was read, in one transaction."""
        holding = self._holding
        after = holding.to_store()
        if not after:
            return
        try:
            with writing(self._engine) as connection:
                stored = store(
                    connection, self._options.topic, holding.pending, holding.next, self._targets.policy, after
                )
        except PartitionLost as lost:
            logger.warning("partitions %s were stored by somebody else meanwhile: placed anew", lost.partitions)
            holding.place_again(lost.partitions)
            return
        holding.stored()
        self._status.stored(stored)

    def _commit(self, *, at_once: bool = False) -> None:
        """Tell Kafka how far we are, now and then; whether it listens changes nothing."""
        now = self._clock.monotonic()
        if self._status.kafka_away or not (at_once or now - self._committed_at >= COMMIT_EVERY_S):
            return
        mine = self._holding.mine()
        told = {partition: following for partition, following in self._holding.next.items() if partition in mine}
        if told and told != self._committed:
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
            self._supervision.reloaded()
        error = "" if found.error is None else str(found.error)
        if error and error != self._status.targets_error:
            logger.error("the targets that were read before stay in force: %s", error)
        self._status.targets_error = error
