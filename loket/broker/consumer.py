"""Reads one topic as a member of a group, with the offsets kept by the caller."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition

from loket.broker.connection import client_options, kafka_errors, wait_for_port
from loket.broker.header_names import read_any_header_name
from loket.settings import Connection
from loket.wire.record import Record

__all__ = ["EventConsumer", "KafkaEventConsumer", "PartitionsHandler"]

PATIENCE_MS: Final = 5_000
"""How long a commit or a farewell waits for Kafka, and at most until the next try to reach a broker that is away."""

PartitionsHandler = Callable[[Sequence[int]], None]
"""Told of partitions that come or go, which may be none.

It runs on the client's own thread: `seek`, `pause` and `resume` of those partitions are fine there, anything that asks
Kafka is not, and over a second of it stops the heartbeats. What it raises is raised by the running `poll`, at its end.
"""


class EventConsumer(Protocol):
    """A consumer of one topic, whose partitions are plain numbers. One thread uses it.

    Not promised: that records of several partitions come in any order among them, that a partition stays, or that an
    offset that was committed is the one to go on from; the caller's own store decides and `seek` tells.
    """

    def subscribe(self, assigned: PartitionsHandler, revoked: PartitionsHandler) -> None:
        """Join the group; partitions come and go while polling."""
        ...

    def poll(self, timeout_ms: int, max_records: int) -> Mapping[int, Sequence[Record]]:
        """Return records by partition, in offset order, or none after `timeout_ms`. It has to be called often."""
        ...

    def assignment(self) -> frozenset[int]: ...

    def seek(self, partition: int, offset: int) -> None:
        """Read from this offset next."""
        ...

    def position(self, partition: int) -> int | None:
        """Where an assigned partition is read on, without asking; None where that is not known.

        It is past the records that were returned and past offsets that hold none for us: markers of transactions, and
        what was aborted. Where retention removed what was to be read it goes to the first record without a word.
        """
        ...

    def pause(self, partitions: Collection[int]) -> None:
        """Return no records of these partitions until they are resumed, and keep them."""
        ...

    def resume(self, partitions: Collection[int]) -> None: ...

    def commit(self, offsets: Mapping[int, int]) -> None:
        """Tell Kafka the next offset of each partition, for those who watch the lag. Gives up after some seconds."""
        ...

    def end_offsets(self, partitions: Collection[int], timeout_ms: int | None = None) -> Mapping[int, int]:
        """The offset after the last record of each partition, asked of Kafka now. Raises BrokerError, after
        `timeout_ms` where nobody answers.

        Tansu (the embedded broker) answers with the *first* offset of the last batch, plus one: what is read to the end
        is read to `highwater` too, which it tells right.
        """
        ...

    def beginning_offsets(self, partitions: Collection[int]) -> Mapping[int, int]:
        """The offset of the first record that each partition still has."""
        ...

    def highwater(self, partition: int) -> int | None:
        """The end of a partition as the last fetch saw it, without asking; None before the first."""
        ...

    def close(self) -> None: ...


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python is untyped
    """Calls the handlers, and keeps what they raise: kafka-python would make an error of Kafka of it."""

    def __init__(self, assigned: PartitionsHandler, revoked: PartitionsHandler) -> None:
        self._assigned = assigned
        self._revoked = revoked
        self.raised: Exception | None = None

    def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        self._call(self._assigned, assigned)

    def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        self._call(self._revoked, revoked)

    def _call(self, handler: PartitionsHandler, partitions: Collection[Any]) -> None:
        try:
            handler(sorted(partition.partition for partition in partitions))
        except Exception as error:  # noqa: BLE001 (whatever it is, poll raises it)
            self.raised = self.raised or error


class KafkaEventConsumer:
    """The EventConsumer of kafka-python. It commits nothing by itself and creates no topics.

    Where the caller seeks to nothing it begins at the committed offset or else at the earliest. Raises BrokerAway when
    made; once connected it goes on trying while Kafka is away, and polls return nothing, or raise BrokerAway: then
    whatever they had fetched is lost to the caller, who seeks to where it wants to go on.
    """

    def __init__(
        self,
        connection: Connection,
        topic: str,
        group_id: str,
        *,
        session_timeout_ms: int = 45_000,
        max_poll_interval_ms: int = 300_000,
    ) -> None:
        self._connection = connection
        self.topic = topic
        self._listener: _Listener | None = None
        wait_for_port(connection)
        read_any_header_name()
        with kafka_errors(connection, "connecting a consumer"):
            self._consumer: Any = KafkaConsumer(
                **client_options(connection),
                group_id=group_id,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",  # as the worker reads: what was aborted was never sent
                allow_auto_create_topics=False,
                session_timeout_ms=session_timeout_ms,
                heartbeat_interval_ms=min(3_000, session_timeout_ms // 3),
                max_poll_interval_ms=max_poll_interval_ms,
                reconnect_backoff_max_ms=PATIENCE_MS,
            )

    def subscribe(self, assigned: PartitionsHandler, revoked: PartitionsHandler) -> None:
        self._listener = _Listener(assigned, revoked)
        self._consumer.subscribe([self.topic], listener=self._listener)

    def poll(self, timeout_ms: int, max_records: int) -> Mapping[int, Sequence[Record]]:
        with kafka_errors(self._connection, "reading events"):
            found = self._consumer.poll(timeout_ms=timeout_ms, max_records=max_records)
        if self._listener is not None and self._listener.raised is not None:
            raise self._listener.raised
        return {partition.partition: records for partition, records in found.items()}

    def assignment(self) -> frozenset[int]:
        return frozenset(partition.partition for partition in self._consumer.assignment() or ())

    def seek(self, partition: int, offset: int) -> None:
        self._consumer.seek(TopicPartition(self.topic, partition), offset)

    def position(self, partition: int) -> int | None:
        # Its own `position` asks Kafka.
        state = self._consumer._subscription.assignment.get(TopicPartition(self.topic, partition))  # noqa: SLF001
        return None if state is None or state.position is None else int(state.position.offset)

    def pause(self, partitions: Collection[int]) -> None:
        self._consumer.pause(*self._named(partitions))

    def resume(self, partitions: Collection[int]) -> None:
        self._consumer.resume(*self._named(partitions))

    def commit(self, offsets: Mapping[int, int]) -> None:
        named = {
            TopicPartition(self.topic, partition): OffsetAndMetadata(offset, "", -1)
            for partition, offset in offsets.items()
        }
        with kafka_errors(self._connection, "committing offsets"):
            self._consumer.commit(named, timeout_ms=PATIENCE_MS)  # without one it tries for ever

    def end_offsets(self, partitions: Collection[int], timeout_ms: int | None = None) -> Mapping[int, int]:
        with kafka_errors(self._connection, "asking for end offsets"):
            found = self._consumer.end_offsets(self._named(partitions), timeout_ms=timeout_ms)
        return {partition.partition: offset for partition, offset in found.items()}

    def beginning_offsets(self, partitions: Collection[int]) -> Mapping[int, int]:
        with kafka_errors(self._connection, "asking for the first offsets"):
            found = self._consumer.beginning_offsets(self._named(partitions))
        return {partition.partition: offset for partition, offset in found.items()}

    def highwater(self, partition: int) -> int | None:
        end: int | None = self._consumer.highwater(TopicPartition(self.topic, partition))
        return end

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=PATIENCE_MS)

    def _named(self, partitions: Collection[int]) -> list[Any]:
        return [TopicPartition(self.topic, partition) for partition in partitions]
