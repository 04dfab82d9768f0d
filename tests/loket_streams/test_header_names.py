"""A header whose name is not UTF-8 does not end the worker."""

import inspect
from collections.abc import Callable

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from loket.broker import header_names as of_kafka_python
from loket.wire.partition import partition_of
from loket_streams.header_names import Records, read_any_header_name
from support.raw_headers import MARK, NAME, make_raw, send_raw
from support.streams import Stream, visits

ESCAPED = NAME.decode(errors="backslashreplace")


def a_fetch() -> bytes:
    """Three batches, the middle one with two such headers."""
    made = b""
    for number in range(3):
        builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
        for offset in range(4):
            names = ["a", MARK, "b"] if number == 1 and offset in (1, 3) else ["a"]
            builder.append(offset, 1_000, b"key", b"value %d" % number, [(name, b"1") for name in names])
        made += make_raw(bytes(builder.build()))
    return made


def test_aiokafka_by_itself_raises_in_the_middle_of_a_fetch() -> None:
    records = MemoryRecords(a_fetch())
    records.next_batch()
    with pytest.raises(UnicodeDecodeError):
        list(records.next_batch())


def test_each_record_comes_once_with_its_bytes_escaped() -> None:
    records = Records(a_fetch())
    for number in range(3):
        assert records.has_next()
        batch = records.next_batch()
        assert batch is not None
        assert batch.validate_crc()
        assert not batch.is_control_batch
        found = [(r.offset, [name for name, _ in r.headers], r.key, r.value, r.timestamp) for r in batch]
        value = b"value %d" % number
        names = [["a", ESCAPED, "b"] if number == 1 and offset in (1, 3) else ["a"] for offset in range(4)]
        assert found == [(offset, names[offset], b"key", value, 1_000) for offset in range(4)]
        assert batch.next_offset == 4
    assert not records.has_next()
    assert records.next_batch() is None


def test_a_batch_that_is_cut_short_is_none() -> None:
    whole = a_fetch()
    records = Records(whole[:-5])
    assert [records.next_batch() is not None for _ in range(3)] == [True, True, False]
    assert records.size_in_bytes() == MemoryRecords(whole[:-5]).size_in_bytes()


def test_aiokafkas_fetcher_reads_by_it() -> None:
    read_any_header_name()
    assert fetcher.MemoryRecords is Records
    assert "records = MemoryRecords(part_data[-1])" in inspect.getsource(fetcher)


def test_the_worker_goes_on_behind_it(make_stream: Callable[..., Stream]) -> None:
    of_kafka_python.read_any_header_name()  # the oracle reads the topic, too
    stream = make_stream(partitions=2)
    told = list(visits(6, 1))
    partition = partition_of(told[0][0], 2)
    records = [(key, value, [(MARK, b"x")] if number % 3 == 1 else []) for number, (key, value) in enumerate(told)]
    send_raw(stream.bootstrap, stream.topic, partition, records)
    worker = stream.worker()
    worker.start(ready=True)
    found = stream.settled(worker)
    assert found == stream.expected()
    assert [state["offset"] for state in found.values()] == [len(told) - 1]
