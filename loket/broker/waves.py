"""Sends events in waves, for an emitter that has to know of each event whether the broker has it.

A wave is handed to kafka-python as a whole before any of it is sent, so the events of one partition are one record
batch, which Kafka appends whole or not at all: no event can arrive while one before it in the wave fails and has to
come again. (kafka-python 3.0.12 drops a batch that failed, and sends the next one of its partition.)
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from kafka import KafkaProducer, errors
from msgspec import Struct

from loket.broker.connection import BrokerRefused, client_options, kafka_errors
from loket.broker.topics import partition_count
from loket.clock import SYSTEM_CLOCK, Clock
from loket.settings import Connection
from loket.wire.cloudevents import Encoded

__all__ = ["WAVE_BYTES", "Delivery", "WaveProducer"]

WAVE_BYTES: Final = 128 * 1024
"""The most that one wave may hold, keys and values; what the wire allows for one event fits in it."""

_BATCH_BYTES: Final = 256 * 1024
_LINGER_MS: Final = 2_000  # only a flush sends: no wave takes this long to hand over
_REQUEST_MS: Final = 8_000
_DELIVERY_MS: Final = _LINGER_MS + _REQUEST_MS
_ANSWER_S: Final = _DELIVERY_MS / 1000 + 2
_FLUSH_S: Final = 0.5
_OF_ONE_RECORD: Final = (
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.InvalidRecordError,
    errors.InvalidTimestampError,
)
_OF_THE_USER: Final = (errors.AuthorizationError, errors.SaslAuthenticationFailedError, errors.SecurityDisabledError)


class Delivery(Struct, frozen=True):
    """What became of one event of a wave.

    It was acknowledged (with the broker's time, where the topic tells it), or refused by the broker for what it is
    (`refusal`), or neither (`failure`): then it may have arrived, and has to be sent again.
    """

    refusal: str | None = None
    failure: str | None = None
    broker_ms: int | None = None

    @property
    def acknowledged(self) -> bool:
        """Whether every replica in sync has the event."""
        return self.refusal is None and self.failure is None


class WaveProducer:
    """An idempotent producer of one topic that answers for each event. One thread uses it.

    Raises BrokerAway, BrokerRefused and TopicMissing when made. After any answer but `acknowledged` it is unfit, and a
    new one has to be made: kafka-python 3.0.12 takes one record that is too large as the end of its producer, and gives
    the same answer to every event after it. Not promised: an order among partitions.
    """

    def __init__(self, connection: Connection, topic: str, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._connection = connection
        self._topic = topic
        partition_count(connection, topic)
        with kafka_errors(connection, "connecting an emitter"):
            self._producer: Any = KafkaProducer(
                **client_options(connection),
                acks="all",
                enable_idempotence=True,
                allow_auto_create_topics=False,
                compression_type="lz4",
                batch_size=_BATCH_BYTES,
                linger_ms=_LINGER_MS,
                request_timeout_ms=_REQUEST_MS,
                delivery_timeout_ms=_DELIVERY_MS,
                max_block_ms=_REQUEST_MS,
            )

    def deliver(self, wave: Sequence[Encoded], sent_ms: int) -> list[Delivery]:
        """Send at most WAVE_BYTES of events and return what became of each, within about 10 seconds.

        Raises BrokerRefused where the broker lets this user send nothing, and BrokerError for whatever leaves the
        producer unfit: then nothing is known of the wave, and a new producer has to be made.
        """
        with kafka_errors(self._connection, "sending events"):
            futures = [
                self._producer.send(
                    self._topic, key=event.key, value=event.value, headers=event.headers, timestamp_ms=sent_ms
                )
                for event in wave
            ]
            self._wait_for(futures)
        return [self._delivery(future, sent_ms) for future in futures]

    def _wait_for(self, futures: Sequence[Any]) -> None:
        # Flushed again and again: a flush fails where a batch that was too large has been split meanwhile
        # (UnknownError), and waits for each partition as long as it was told to wait for all.
        end = self._clock.monotonic() + _ANSWER_S
        while not all(future.is_done for future in futures) and self._clock.monotonic() < end:
            with suppress(errors.KafkaTimeoutError, errors.UnknownError):
                self._producer.flush(timeout=_FLUSH_S)

    def _delivery(self, future: Any, sent_ms: int) -> Delivery:
        if not future.is_done:
            return Delivery(failure="no answer in time")
        if future.succeeded():
            # A topic with the producer's times gives our own back, which says nothing.
            return Delivery(broker_ms=future.value.timestamp if future.value.timestamp != sent_ms else None)
        error = future.exception
        if isinstance(error, _OF_ONE_RECORD):
            return Delivery(refusal=f"the broker refuses it: {type(error).__name__.removesuffix('Error')}")
        if isinstance(error, _OF_THE_USER):
            bootstrap = self._connection.bootstrap
            raise BrokerRefused(
                bootstrap,
                f"Kafka at {bootstrap} does not let this user write to {self._topic} ({type(error).__name__}): "
                "grant WRITE on the topic, or correct LOKET_SASL_…",
            )
        return Delivery(failure=f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """Disconnect. What has no answer yet may still arrive."""
        # While an answer is out, close() raises before it closes anything, and thread and connections would stay.
        self._producer._sender.force_close()  # noqa: SLF001 (kafka-python 3.0.12 has no other way)
        with suppress(errors.KafkaError):
            self._producer.close(timeout=_FLUSH_S)
