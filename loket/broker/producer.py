"""Sends events to Kafka and lets no failed delivery pass in silence."""

from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Literal

from kafka import KafkaProducer, errors

from loket.broker.connection import BrokerAway, BrokerError, client_options, kafka_errors
from loket.broker.topics import partition_count
from loket.settings import Connection

__all__ = ["Codec", "DeliveryFailed", "EventProducer"]

Codec = Literal["gzip", "snappy", "lz4", "zstd"]

_BATCH_BYTES: Final = 128 * 1024
_LINGER_MS: Final = 20
_CLOSE_S: Final = 5.0


class DeliveryFailed(BrokerError):
    """An event did not reach Kafka. `undelivered` counts those whose delivery failed so far."""

    def __init__(self, bootstrap: str, topic: str, undelivered: int, cause: BaseException) -> None:
        self.topic = topic
        self.undelivered = undelivered
        super().__init__(
            bootstrap,
            f"{undelivered} event(s) were not delivered to {topic} at {bootstrap}: {cause}. "
            "What was sent before is there; send the rest again, as repeats are ignored",
        )


class EventProducer:
    """An idempotent producer of one topic: every event once and in order, acknowledged by all replicas in sync.

    It partitions by the key as the contract says (murmur2, kafka-python's default). `send` does not wait for the
    delivery: it raises DeliveryFailed for an earlier event, and `flush` for any. Use it as a context manager: leaving
    it without an error flushes. Raises BrokerAway and TopicMissing at once.
    """

    def __init__(
        self,
        connection: Connection,
        topic: str,
        *,
        codec: Codec | None = "lz4",
        delivery_timeout_ms: int = 120_000,
    ) -> None:
        self._connection = connection
        self.topic = topic
        self.partitions = partition_count(connection, topic)
        self._delivery_timeout_s = delivery_timeout_ms / 1_000
        self._sent = 0
        self._acknowledged = 0
        self._undelivered = 0
        self._failure: BaseException | None = None
        self._ends: dict[int, int] = {}
        with kafka_errors(connection, "connecting a producer"):
            self._producer: Any = KafkaProducer(
                **client_options(connection),
                acks="all",
                enable_idempotence=True,
                allow_auto_create_topics=False,
                compression_type=codec,
                batch_size=_BATCH_BYTES,
                linger_ms=_LINGER_MS,
                delivery_timeout_ms=delivery_timeout_ms,
                request_timeout_ms=min(30_000, delivery_timeout_ms // 2),
                max_block_ms=delivery_timeout_ms,
            )

    def send(
        self,
        key: bytes,
        value: bytes,
        headers: Sequence[tuple[str, bytes]] = (),
        timestamp_ms: int | None = None,
    ) -> None:
        """Hand one event over; wait only while the buffer is full. The broker's time replaces `timestamp_ms`."""
        self._raise_failure()
        with kafka_errors(self._connection, "sending an event"):
            delivery = self._producer.send(
                self.topic, key=key, value=value, headers=list(headers), timestamp_ms=timestamp_ms
            )
        self._sent += 1
        delivery.add_callback(self._delivered)
        delivery.add_errback(self._failed)

    @property
    def ends(self) -> dict[int, int]:
        """For each partition the offset after the last event that is acknowledged so far: who reads to it has them all.

        The embedded broker's own answer is too low where it stored several events in one batch.
        """
        return dict(self._ends)

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until every event sent so far is acknowledged. Raises DeliveryFailed if one was not.

        Without a timeout it waits while any is acknowledged within the delivery timeout: kafka-python 3.0.12 itself
        never gives up what is on its way to a broker that went away.
        """
        while True:
            acknowledged = self._acknowledged
            try:
                with kafka_errors(self._connection, "flushing events"):
                    self._producer.flush(timeout=self._delivery_timeout_s if timeout_s is None else timeout_s)
            except BrokerAway as away:
                if timeout_s is not None:
                    raise
                if self._acknowledged == acknowledged:
                    missing = self._sent - self._acknowledged
                    raise DeliveryFailed(self._connection.bootstrap, self.topic, missing, away) from away
            else:
                break
        self._raise_failure()

    def close(self) -> None:
        """Flush and disconnect. Raises DeliveryFailed if an event was not delivered."""
        try:
            self.flush()
        finally:
            self._disconnect()

    def __enter__(self) -> "EventProducer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:  # the first error is the one to be seen
            self._disconnect()

    def _disconnect(self) -> None:
        # While an answer is out, kafka-python's close() raises before it closes anything: over the error (or Ctrl-C)
        # that ended the sending, and its thread and connections would stay.
        self._producer._sender.force_close()  # noqa: SLF001 (kafka-python 3.0.12 has no other way)
        with suppress(errors.KafkaError):
            self._producer.close(timeout=_CLOSE_S)

    def _delivered(self, metadata: Any) -> None:
        self._acknowledged += 1
        if metadata.offset >= self._ends.get(metadata.partition, 0):
            self._ends[metadata.partition] = metadata.offset + 1

    def _failed(self, cause: BaseException) -> None:
        self._undelivered += 1
        self._failure = self._failure or cause

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise DeliveryFailed(self._connection.bootstrap, self.topic, self._undelivered, self._failure)
