"""Events go to Kafka and come back: every codec, keys in their partitions, nothing lost in silence."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import get_args

import pytest

from loket.broker import (
    BrokerAway,
    BrokerError,
    Codec,
    DeliveryFailed,
    EventProducer,
    KafkaEventConsumer,
    TopicMissing,
    apply_topics,
    events_topic,
)
from loket.domain.events import AtCounterData, Instant, TicketCalled
from loket.embedded import EmbeddedBroker
from loket.settings import Connection
from loket.wire.cloudevents import Decoder, encode
from loket.wire.record import Record
from support.events import NOW
from support.kafka import KafkaBroker

PARTITIONS = 5
CODECS: tuple[Codec, ...] = get_args(Codec)


def event(number: int) -> TicketCalled:
    data = AtCounterData(unit=f"unit-{number % 17}", counter="2")
    return TicketCalled(
        source="test", id=str(number), time=Instant(NOW), subject=f"A-{number}", data=data, imported=True
    )


class AnyBroker:
    """What both brokers do."""

    @pytest.fixture
    def connection(self) -> Connection:
        raise NotImplementedError

    @pytest.fixture
    def topic(self, connection: Connection) -> str:
        name = f"events-{uuid.uuid4().hex[:8]}"
        apply_topics(connection, [events_topic(name, PARTITIONS)])
        return name

    @pytest.fixture
    def consume(self, connection: Connection, topic: str) -> Iterator[Callable[[int], list[Record]]]:
        consumers: list[KafkaEventConsumer] = []

        def read(number: int) -> list[Record]:
            consumer = KafkaEventConsumer(connection, topic, f"g-{uuid.uuid4().hex[:8]}", session_timeout_ms=6_000)
            consumers.append(consumer)
            consumer.subscribe(lambda partitions: None, lambda partitions: None)
            found: list[Record] = []
            for _ in range(60):
                for records in consumer.poll(500, 10_000).values():
                    found.extend(records)
                if len(found) >= number:
                    break
            return found

        yield read
        for consumer in consumers:
            consumer.close()

    def test_every_codec_is_read_and_every_key_is_in_its_partition(
        self, connection: Connection, topic: str, consume: Callable[[int], list[Record]]
    ) -> None:
        sent = {}
        for at, codec in enumerate((*CODECS, None)):
            with EventProducer(connection, topic, codec=codec) as producer:
                for number in range(at * 100, at * 100 + 100):
                    sent[str(number)] = event(number)
                    producer.send(*encode(sent[str(number)]), timestamp_ms=NOW)
        decoder = Decoder(PARTITIONS, clock="event", now=lambda: NOW)
        records = consume(len(sent))
        found = {decoded.id: decoded for decoded in map(decoder.decode, records)}  # raises on another partition
        assert found == sent
        assert len(records) == len(sent)
        assert len({record.partition for record in records}) > 1

    def test_a_producer_knows_the_ends_that_it_reached(
        self, connection: Connection, topic: str, consume: Callable[[int], list[Record]]
    ) -> None:
        with EventProducer(connection, topic) as producer:
            assert producer.ends == {}
            for number in range(200):
                producer.send(*encode(event(number)))
            producer.flush()
            ends = producer.ends
        last: dict[int, int] = {}
        for record in consume(200):
            last[record.partition] = max(last.get(record.partition, 0), record.offset + 1)
        assert ends == last

    def test_what_ends_the_sending_is_what_is_seen(self, connection: Connection, topic: str) -> None:
        # As with Ctrl-C while thousands of events are under way: kafka-python's own close() would raise over it.
        producer = EventProducer(connection, topic)

        def send() -> None:
            with producer:
                for number in range(20_000):
                    producer.send(*encode(event(number)))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            send()
        producer._producer._sender.join(timeout=60)
        assert not producer._producer._sender.is_alive()

    def test_a_topic_that_is_missing_is_not_created(self, connection: Connection) -> None:
        for _ in range(2):
            with pytest.raises(TopicMissing):
                EventProducer(connection, f"missing-{uuid.uuid4().hex[:8]}")


class TestEmbedded(AnyBroker):
    @pytest.fixture
    def connection(self, embedded: EmbeddedBroker) -> Connection:
        return embedded.connection

    def test_its_own_end_offsets_are_too_low_for_batches(self, connection: Connection, topic: str) -> None:
        # Why a producer counts its ends. When this fails the broker has been mended, and `ends` can go.
        with EventProducer(connection, topic) as producer:
            for _ in range(100):
                producer.send(*encode(event(1)))
            producer.flush()
            ((partition, end),) = producer.ends.items()
        consumer = KafkaEventConsumer(connection, topic, "g")
        assert consumer.end_offsets([partition])[partition] < end == 100
        consumer.close()


class TestKafka(AnyBroker):
    @pytest.fixture
    def connection(self, kafka: KafkaBroker) -> Connection:
        return Connection(bootstrap=kafka.bootstrap)

    def test_the_brokers_time_replaces_the_producers(
        self, connection: Connection, topic: str, consume: Callable[[int], list[Record]]
    ) -> None:
        with EventProducer(connection, topic) as producer:
            producer.send(*encode(event(1)), timestamp_ms=1_000)
        assert consume(1)[0].timestamp > NOW - 400 * 86_400_000

    def test_the_callers_offsets_decide(self, connection: Connection, topic: str) -> None:
        with EventProducer(connection, topic) as producer:
            for _ in range(10):
                producer.send(*encode(event(1)))
            producer.flush()
            ((partition, end),) = producer.ends.items()
        assert end == 10
        consumer = KafkaEventConsumer(connection, topic, f"g-{uuid.uuid4().hex[:8]}")
        # Its defaults are others for each of these.
        told_to_client = consumer._consumer.config
        assert told_to_client["enable_auto_commit"] is False
        assert told_to_client["auto_offset_reset"] == "earliest"
        assert told_to_client["isolation_level"] == "read_committed"
        told: list[tuple[str, list[int]]] = []

        def assigned(partitions: Sequence[int]) -> None:
            told.append(("assigned", list(partitions)))
            if partition in partitions:
                consumer.seek(partition, 7)

        consumer.subscribe(assigned, lambda partitions: told.append(("revoked", list(partitions))))
        records: list[Record] = []
        for _ in range(60):
            records += consumer.poll(500, 100).get(partition, [])
            if records:
                break
        assert [record.offset for record in records] == [7, 8, 9]
        assert ("assigned", list(range(PARTITIONS))) in told
        assert consumer.assignment() == frozenset(range(PARTITIONS))
        assert consumer.end_offsets([partition]) == {partition: 10}
        assert consumer.beginning_offsets([partition]) == {partition: 0}
        assert consumer.highwater(partition) == 10
        consumer.commit({partition: 10})
        consumer.pause([partition])
        consumer.seek(partition, 0)
        assert consumer.poll(300, 100) == {}
        consumer.resume([partition])
        assert [record.offset for record in consumer.poll(5_000, 100)[partition]] == list(range(10))
        consumer.close()
        assert told[-1] == ("revoked", list(range(PARTITIONS)))

    def test_what_a_handler_raises_is_raised_by_poll(self, connection: Connection, topic: str) -> None:
        def assigned(partitions: Sequence[int]) -> None:
            if partitions:
                raise LookupError("the database is away")

        consumer = KafkaEventConsumer(connection, topic, f"g-{uuid.uuid4().hex[:8]}")
        consumer.subscribe(assigned, lambda partitions: None)

        def poll() -> None:
            for _ in range(60):
                consumer.poll(500, 100)

        with pytest.raises(LookupError, match="the database is away"):
            poll()
        consumer.close()

    def test_a_failed_delivery_is_raised_by_flush_and_by_the_next_send(
        self, kafka: KafkaBroker, connection: Connection
    ) -> None:
        topic = kafka.create_topic("", 1, max_message_bytes=500)
        producer = EventProducer(connection, topic, codec=None)
        producer.send(b"u", b"x" * 2_000)
        with pytest.raises(DeliveryFailed) as caught:
            producer.flush()
        assert (caught.value.topic, caught.value.undelivered) == (topic, 1)
        assert topic in str(caught.value)
        with pytest.raises(DeliveryFailed):
            producer.send(b"u", b"x")
        with pytest.raises(DeliveryFailed):
            producer.close()

    def test_an_event_too_large_for_the_producer_is_refused_at_once(self, connection: Connection, topic: str) -> None:
        with pytest.raises(BrokerError, match="2000"), EventProducer(connection, topic) as producer:
            producer.send(b"u", b"x" * 2_000_000)


def test_a_broker_that_dies_fails_the_delivery(own_kafka: KafkaBroker) -> None:
    connection = Connection(bootstrap=own_kafka.bootstrap)
    apply_topics(connection, [events_topic("events", 1)])
    producer = EventProducer(connection, "events", delivery_timeout_ms=10_000)
    producer.send(*encode(event(1)))
    producer.flush()
    own_kafka.kill()
    producer.send(*encode(event(2)))
    with pytest.raises((DeliveryFailed, BrokerAway)):
        producer.flush(timeout_s=90)
    with pytest.raises((DeliveryFailed, BrokerAway)):
        producer.close()


@pytest.mark.timeout(300)
def test_a_broker_that_dies_with_events_on_their_way_does_not_hold_the_flush_for_ever(own_kafka: KafkaBroker) -> None:
    topic = own_kafka.create_topic()
    producer = EventProducer(Connection(bootstrap=own_kafka.bootstrap), topic, delivery_timeout_ms=10_000)
    producer.send(b"u", b"x")
    producer.flush()
    own_kafka.pause()
    for number in range(20_000):
        producer.send(b"u", b"%d" % number)
    own_kafka.kill()
    with pytest.raises(DeliveryFailed, match="were not delivered"):
        producer.flush()
    with pytest.raises(DeliveryFailed):
        producer.close()
