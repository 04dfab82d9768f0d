"""The emitter against a real broker: gone and back, refusing, and not letting us in."""

import random
import string
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)

from loket.broker import TopicMissing
from loket.broker.waves import WaveProducer
from loket.domain.events import TicketEvent
from loket.emitter import Emitter
from loket.emitter.drafting import Drafting, with_sent
from loket.emitter.status import read_status
from loket.settings import Connection
from loket.wire.cloudevents import Decoder
from support.kafka import KafkaBroker
from support.process import wait_until

UNITS = ("bandung", "bogor", "depok")
PARTITIONS = 3
NOISE = "".join(random.Random(1).choices(string.ascii_letters, k=20_000))  # no codec makes it small


def _topic(broker: KafkaBroker, max_message_bytes: int = 1 << 20) -> str:
    return broker.create_topic(
        partitions=PARTITIONS, message_timestamp_type="LogAppendTime", max_message_bytes=max_message_bytes
    )


def _emitter(path: Path, broker: KafkaBroker, topic: str) -> Emitter:
    return Emitter(path, "dev/1", connection=Connection(bootstrap=broker.bootstrap), topic=topic)


def _read(broker: KafkaBroker, topic: str) -> Iterator[Any]:
    """All records of a topic, partition by partition."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", group_id=None)
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        left = sum(consumer.end_offsets(partitions).values())
        while left > 0:
            for records in consumer.poll(timeout_ms=500).values():
                left -= len(records)
                yield from records
    finally:
        consumer.close()


def _subjects(broker: KafkaBroker, topic: str, late_ms: int = 15_000) -> dict[str, list[str]]:
    """The subjects by unit, in the order of the log, as our own decoder reads the records.

    `sent` was at most so long before the broker's time: what the contract calls the clock error.
    """
    decoder = Decoder(PARTITIONS)
    found: dict[str, list[str]] = defaultdict(list)
    for record in _read(broker, topic):
        event = decoder.decode(record)
        assert isinstance(event, TicketEvent)
        assert event.sent is not None
        assert -1_000 < record.timestamp - event.sent < late_ms
        found[event.data.unit].append(event.subject)
    return found


def _emit(emitter: Emitter, first: int, last: int) -> None:
    emitter.emit_all(
        {"type": "loket.ticket.called", "subject": f"T-{number:04}", "data": {"unit": UNITS[number % 3]}}
        for number in range(first, last)
    )


def _expected(count: int) -> dict[str, list[str]]:
    return {unit: [f"T-{number:04}" for number in range(at, count, 3)] for at, unit in enumerate(UNITS)}


def test_a_broker_that_is_down_and_comes_back_has_every_event_once_and_in_order(
    own_kafka: KafkaBroker, tmp_path: Path
) -> None:
    topic = _topic(own_kafka)
    emitter = _emitter(tmp_path / "o.db", own_kafka, topic)
    _emit(emitter, 0, 300)
    assert emitter.wait(0, 120)

    own_kafka.kill()
    for number in range(300, 1_500, 10):
        _emit(emitter, number, number + 10)
    wait_until(lambda: read_status(tmp_path / "o.db").sending.trouble is not None, 120, "trouble in the status")
    assert emitter.close(0) == 1_200  # and the device is switched off

    own_kafka.start()
    emitter = _emitter(tmp_path / "o.db", own_kafka, topic)
    assert emitter.wait(0, 120)
    emitter.close()

    assert _subjects(own_kafka, topic) == _expected(1_500)
    sending = read_status(tmp_path / "o.db").sending
    assert sending.trouble is None
    assert sending.broker_ahead_ms is not None
    assert abs(sending.broker_ahead_ms) < 300_000


def test_a_broker_that_stops_answering_and_goes_on_has_every_event_and_first_arrivals_in_order(
    own_kafka: KafkaBroker, tmp_path: Path
) -> None:
    topic = _topic(own_kafka)
    emitter = _emitter(tmp_path / "o.db", own_kafka, topic)
    _emit(emitter, 0, 30)
    assert emitter.wait(0, 120)
    own_kafka.pause()
    _emit(emitter, 30, 600)
    wait_until(lambda: read_status(tmp_path / "o.db").sending.trouble is not None, 120, "the attempt to time out")
    own_kafka.resume()
    assert emitter.wait(0, 120)
    emitter.close()

    # What was under way when the answer stayed out may be there twice, with one id, by which readers know it; and it
    # was under way for as long as the broker stood still.
    found = _subjects(own_kafka, topic, late_ms=60_000)
    first = {unit: list(dict.fromkeys(subjects)) for unit, subjects in found.items()}
    assert first == _expected(600)


def test_an_event_that_is_too_large_for_the_topic_is_set_aside_and_the_others_go_on(
    kafka: KafkaBroker, tmp_path: Path
) -> None:
    topic = _topic(kafka, max_message_bytes=4_000)
    emitter = _emitter(tmp_path / "o.db", kafka, topic)
    _emit(emitter, 0, 30)
    emitter.emit({"type": "loket.ticket.called", "subject": "BIG", "data": {"unit": UNITS[0], "pad": NOISE}})
    _emit(emitter, 30, 60)
    assert emitter.wait(0, 120)
    emitter.close()

    assert _subjects(kafka, topic) == _expected(60)
    assert read_status(tmp_path / "o.db").set_aside == {"the broker refuses it: MessageSizeTooLarge": 1}


def test_a_topic_that_is_missing_is_named_and_not_created(kafka: KafkaBroker, tmp_path: Path) -> None:
    with pytest.raises(TopicMissing, match="loket topics apply"):
        WaveProducer(Connection(bootstrap=kafka.bootstrap), "no-such-topic")
    emitter = _emitter(tmp_path / "o.db", kafka, "no-such-topic")
    _emit(emitter, 0, 1)
    wait_until(lambda: read_status(tmp_path / "o.db").sending.trouble is not None, 120, "trouble in the status")
    assert emitter.close(0) == 1
    assert "loket topics apply" in (read_status(tmp_path / "o.db").sending.trouble or "")


def test_without_the_right_to_write_everything_waits_and_is_sent_once_it_is_granted(tmp_path: Path) -> None:
    broker = KafkaBroker(
        tmp_path,
        {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "true",
        },
    )
    broker.start()
    try:
        topic = _topic(broker)
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        pattern = ResourcePattern(ResourceType.TOPIC, topic)
        rules = [
            ACL("User:ANONYMOUS", "*", ACLOperation.WRITE, ACLPermissionType.DENY, pattern),
            ACL("User:ANONYMOUS", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, pattern),
        ]
        admin.create_acls(rules)
        emitter = _emitter(tmp_path / "o.db", broker, topic)
        _emit(emitter, 0, 60)
        wait_until(lambda: read_status(tmp_path / "o.db").sending.trouble is not None, 120, "trouble in the status")
        status = read_status(tmp_path / "o.db")
        assert "does not let this user write" in (status.sending.trouble or "")
        assert (status.pending, status.set_aside) == (60, {})

        admin.delete_acls(rules[:1])
        admin.close()
        assert emitter.wait(0, 120)
        emitter.close()
        assert _subjects(broker, topic) == _expected(60)
    finally:
        broker.remove()


def test_after_a_refusal_nothing_of_the_wave_is_acknowledged_so_that_the_order_holds(kafka: KafkaBroker) -> None:
    topic = _topic(kafka, max_message_bytes=4_000)
    producer = WaveProducer(Connection(bootstrap=kafka.bootstrap), topic)
    now = int(time.time() * 1000)
    drafting = Drafting("dev/1")
    events = [{"type": "loket.queue.closed", "data": {"unit": "u", "pad": pad}} for pad in ("", NOISE, "", NOISE, "")]
    try:
        answers = producer.deliver([with_sent(drafting.draft(event, now).value, now) for event in events], now)
    finally:
        producer.close()
    assert [answer.acknowledged for answer in answers] == [True, False, False, False, False]
    assert answers[1].refusal == "the broker refuses it: MessageSizeTooLarge"
    assert abs((answers[0].broker_ms or 0) - now) < 300_000
