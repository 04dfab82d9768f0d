"""A header whose name is not UTF-8 is somebody's mistake, and stops nobody."""

import inspect
import uuid

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from kafka.consumer import fetcher
from kafka.record import MemoryRecords

from loket.broker import KafkaEventConsumer, apply_topics, events_topic
from loket.broker.header_names import _Records, read_any_header_name
from loket.settings import Connection
from support.kafka import KafkaBroker
from support.raw_headers import MARK, NAME, make_raw, send_raw

ESCAPED = r"\xff\xfe\x80xyz"
assert NAME.decode(errors="backslashreplace") == ESCAPED


def a_fetch(batches: int = 2, records: int = 3) -> bytes:
    """Batches of which the middle record has such a header, among others."""
    made = b""
    for number in range(batches):
        builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
        for offset in range(records):
            names = ["a", MARK, "b"] if offset == 1 else ["a"]
            builder.append(offset, 1_000, b"key", b"value %d" % number, [(name, b"1") for name in names])
        made += make_raw(bytes(builder.build()))
    return made


def test_kafka_python_by_itself_takes_it_for_damage() -> None:
    with pytest.raises(Exception, match="UnicodeDecodeError"):
        list(MemoryRecords(a_fetch()).next_batch())


def test_it_is_read_with_its_bytes_escaped_and_the_others_as_they_are() -> None:
    records = _Records(a_fetch())
    for number in range(2):
        batch = records.next_batch()
        assert batch.validate_crc()
        found = [([name for name, _ in record.headers], record.key, record.value) for record in batch]
        assert found == [
            (["a"], b"key", b"value %d" % number),
            (["a", ESCAPED, "b"], b"key", b"value %d" % number),
            (["a"], b"key", b"value %d" % number),
        ]
        assert all(type(part) is bytes for _, *parts in found for part in parts)
    assert records.next_batch() is None


def test_the_consumer_reads_by_it() -> None:
    read_any_header_name()
    assert fetcher.MemoryRecords is _Records
    assert "MemoryRecords(completed_fetch.partition_data.records)" in inspect.getsource(fetcher)


def test_the_sinks_consumer_goes_on_behind_it(kafka: KafkaBroker) -> None:
    connection = Connection(bootstrap=kafka.bootstrap)
    topic = f"names-{uuid.uuid4().hex[:8]}"
    apply_topics(connection, [events_topic(topic, 1)])
    send_raw(kafka.bootstrap, topic, 0, [(b"u", b"1", []), (b"u", b"2", [(MARK, b"x")]), (b"u", b"3", [])])
    consumer = KafkaEventConsumer(connection, topic, f"group-{topic}")
    try:
        consumer.subscribe(lambda _: None, lambda _: None)
        values: list[tuple[bytes | None, list[str]]] = []
        for _ in range(40):
            for records in consumer.poll(500, 100).values():
                values += [(record.value, [name for name, _ in record.headers]) for record in records]
            if len(values) == 3:
                break
        assert values == [(b"1", []), (b"2", [ESCAPED]), (b"3", [])]
    finally:
        consumer.close()
