"""The records of a topic from its beginning, one partition after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from loket.broker import EventConsumer
from loket.wire.record import Record
from loket_consumers.rebuilding.builder import RECORDS, Builder, Stream
from loket_consumers.rebuilding.errors import KafkaLacks, KafkaSilent
from loket_consumers.rebuilding.rebuild import Extent, Steps

__all__ = ["Topic"]

POLL_MS: Final = 500
PATIENCE_S: Final = 120.0


class Topic:
    """A topic read through a consumer in a group of its own; `monotonic` in seconds."""

    def __init__(self, consumer: EventConsumer, topic: str, partitions: int, monotonic: Callable[[], float]) -> None:
        self.topic = topic
        self.partitions = partitions
        self._consumer = consumer
        self._monotonic = monotonic
        self._heard_at = monotonic()

    def feed(self, stored: Mapping[int, Extent], builder: Builder, steps: Steps) -> None:
        """Read each partition to where the record is, or, where it has no position, to its end.

        Raises KafkaLacks, KafkaSilent, BrokerError.
        """
        every = range(self.partitions)
        self._consumer.subscribe(self._consumer.pause, lambda _: None)
        self._heard_at = self._monotonic()
        while self._consumer.assignment() != frozenset(every):
            self._poll()
        begins = self._consumer.beginning_offsets(every)
        ends = {**self._consumer.end_offsets(every)} | {partition: stored[partition].next for partition in stored}
        for partition, extent in stored.items():
            if extent.first is not None and begins[partition] > extent.first:
                raise KafkaLacks(self.topic, partition, extent.first)
        steps.step(f"reading {self.topic}", sum(ends[partition] - begins[partition] for partition in every))
        for partition in every:
            self._feed(partition, begins[partition], ends[partition], partition in stored, builder)

    def _feed(self, partition: int, begin: int, end: int, is_stored: bool, builder: Builder) -> None:
        stream = Stream(self.topic, partition)
        self._consumer.seek(partition, begin)
        self._consumer.resume([partition])
        pending: list[Record] = []
        while begin < end:
            position = self._consumer.position(partition)
            if position is not None and position >= end:
                break
            found = self._poll().get(partition, ())
            if not is_stored:  # Tansu tells the end too low before anything was read
                end = max(end, self._consumer.highwater(partition) or 0)
            pending += [record for record in found if record.offset < end]
            while len(pending) >= RECORDS:
                builder.take(stream, pending[:RECORDS])
                del pending[:RECORDS]
        if pending:
            builder.take(stream, pending)
        self._consumer.pause([partition])

    def _poll(self) -> Mapping[int, list[Record]]:
        before = {partition: self._consumer.position(partition) for partition in range(self.partitions)}
        found = {partition: list(records) for partition, records in self._consumer.poll(POLL_MS, RECORDS).items()}
        now = self._monotonic()
        after = {partition: self._consumer.position(partition) for partition in range(self.partitions)}
        if found or after != before:
            self._heard_at = now
        elif now - self._heard_at > PATIENCE_S:
            raise KafkaSilent(self.topic, PATIENCE_S)
        return found
