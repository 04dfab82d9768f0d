"""What goes wrong around a worker: a clear message with what to do, an exit or visible patience, and nothing lost."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from loket.broker import apply_topics, changelog_topic, events_topic
from support.kafka import KafkaBroker
from support.process import ServerFailed
from support.streams import Stream, visits

MakeStream = Callable[..., Stream]


@pytest.fixture
def own_stream(own_kafka: KafkaBroker, tmp_path: Path) -> Iterator[Stream]:
    """A stream on a broker that this test may hurt."""
    with Stream(own_kafka.bootstrap, tmp_path, partitions=2).closing() as stream:
        stream.create_topics()
        yield stream


def end_of(stream: Stream, *arguments: str, status: int = 1, **settings: str) -> str:
    """Start a worker that cannot go on, and return what it says."""
    worker = stream.worker(*arguments, **settings)
    with suppress(ServerFailed):  # it may end before it serves, or right after
        worker.start()
    assert worker.wait(25) == status
    output = worker.process.output()
    assert "Traceback" not in output
    return output


def test_topics_missing(make_stream: MakeStream) -> None:
    stream = make_stream(topics=False)
    assert "loket topics apply" in end_of(stream)


def test_changelog_missing(make_stream: MakeStream) -> None:
    stream = make_stream(topics=False)
    apply_topics(stream.connection, [events_topic(stream.topic, 2)])
    told = end_of(stream)
    assert f"{stream.app_id}-units-changelog does not exist" in told
    assert "loket topics apply" in told


def test_another_number_of_partitions(make_stream: MakeStream) -> None:
    stream = make_stream(topics=False)
    apply_topics(stream.connection, [events_topic(stream.topic, 3)])
    apply_topics(stream.connection, [changelog_topic(stream.app_id, 2)])
    told = end_of(stream)
    assert "2 partitions" in told
    assert "expected 3" in told


def test_times_of_the_producer(kafka: KafkaBroker, make_stream: MakeStream) -> None:
    stream = make_stream(topics=False)
    kafka.create_topic(stream.topic, 2)
    apply_topics(stream.connection, [changelog_topic(stream.app_id, 2)])
    assert "message.timestamp.type" in end_of(stream)


def test_broker_away_at_the_start(tmp_path: Path) -> None:
    away = KafkaBroker(tmp_path)
    with Stream(away.bootstrap, tmp_path).closing() as stream:
        told = end_of(stream, "--patience", "1")
    assert f"looking for Kafka at {away.bootstrap}" in told
    assert f"no Kafka broker answers at {away.bootstrap}" in told


def test_port_in_use(make_stream: MakeStream) -> None:
    stream = make_stream()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        worker = stream.worker()
        worker._environment["LOKET_METRICS_PORT"] = str(taken.getsockname()[1])
        with pytest.raises(Exception, match="LOKET_WORKER_METRICS_PORT"):
            worker.start()


def test_targets_that_are_wrong(make_stream: MakeStream, tmp_path: Path) -> None:
    targets = tmp_path / "targets.yaml"
    targets.write_text("units:\n  u:\n    zone: Asia/Jakrta\n", encoding="utf-8")
    told = end_of(make_stream(), status=2, LOKET_TARGETS=str(targets))
    assert "targets.yaml" in told
    assert "3" in told


def delete_records(stream: Stream, before: int) -> None:
    """Have the broker forget events, as retention does."""
    from kafka import KafkaAdminClient, TopicPartition

    admin = KafkaAdminClient(bootstrap_servers=stream.bootstrap)
    admin.delete_records({TopicPartition(stream.topic, number): before for number in range(stream.partitions)})
    admin.close()


def test_events_removed_before_they_were_read(make_stream: MakeStream) -> None:
    stream = make_stream(partitions=1)
    worker = stream.worker()
    stream.send(visits(50, 5))
    worker.start(ready=True)
    stream.settled(worker)
    worker.stop()
    stream.send(visits(100, 5, first=50))
    delete_records(stream, 400)
    told = end_of(stream)
    assert "from offset 200 to 399 were removed by retention" in told
    assert "--accept-lost-events" in told
    again = stream.worker("--accept-lost-events")
    again.start()
    assert set(stream.settled(again)) == set(stream.expected())
    assert again.state()["partitions"]["0"]["next"] == 600


def test_a_topic_made_anew(make_stream: MakeStream) -> None:
    from kafka import KafkaAdminClient

    stream = make_stream(partitions=1)
    worker = stream.worker()
    stream.send(visits(50, 5))
    worker.start(ready=True)
    stream.settled(worker)
    worker.stop()
    admin = KafkaAdminClient(bootstrap_servers=stream.bootstrap)
    admin.delete_topics([stream.topic])
    admin.close()
    time.sleep(1)
    apply_topics(stream.connection, [events_topic(stream.topic, 1)])
    stream.send(visits(10, 5))
    told = end_of(stream)
    assert "ends at offset 40" in told
    assert "LOKET_APP_ID" in told


def test_transactions_of_a_producer_leave_no_holes(make_stream: MakeStream) -> None:
    """Markers of transactions take offsets, aborted events were never sent: neither is a hole."""
    from kafka import KafkaProducer

    stream = make_stream(partitions=2)
    worker = stream.worker()
    worker.start(ready=True)
    producer = KafkaProducer(bootstrap_servers=stream.bootstrap, transactional_id=stream.app_id)
    producer.init_transactions()
    events = list(visits(60, 6))
    for number, begin in enumerate(range(0, len(events), 40)):
        producer.begin_transaction()
        for key, value in events[begin : begin + 40]:
            producer.send(stream.topic, key=key, value=value)
        producer.flush()
        if number % 3 == 2:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    producer.close()
    units = stream.settled(worker)
    assert units == stream.expected()
    assert 0 < sum(unit["issued"] for unit in units.values()) < 60
    worker.kill()
    worker.start(ready=True)
    assert stream.settled(worker) == units


def test_broker_away_while_it_runs(own_kafka: KafkaBroker, own_stream: Stream) -> None:
    """Killed and started again, then frozen past the session: the worker goes on by itself, or says why it ends."""
    stream = own_stream
    worker = stream.worker()
    worker.start(ready=True)
    stream.send(visits(200, 10))
    stream.settled(worker)
    own_kafka.kill()
    time.sleep(5)
    own_kafka.start()
    stream.send(visits(200, 10, first=200))
    if not worker.process.running:
        assert "start it again" in worker.process.output()
        worker.start()
    assert stream.settled(worker, timeout_s=60) == stream.expected()
    own_kafka.pause()
    time.sleep(8)
    began = time.monotonic()
    output = worker.stop()
    assert time.monotonic() - began < 17
    assert "Traceback" not in output
    own_kafka.resume()
    worker.start()
    assert stream.settled(worker, timeout_s=60) == stream.expected()


def test_a_second_signal_is_not_needed(make_stream: MakeStream) -> None:
    stream = make_stream()
    worker = stream.worker()
    worker.start(ready=True)
    stream.send(visits(30, 5))
    stream.settled(worker)
    began = time.monotonic()
    assert "durable and committed" in worker.stop()
    assert time.monotonic() - began < 5
    assert worker.wait(1) == 0


def test_with_the_events_clock_there_is_one_worker_rule_4(make_stream: MakeStream) -> None:
    stream = make_stream()
    first = stream.worker(LOKET_CLOCK="event")
    first.start(ready=True)
    assert "one worker reads all partitions" in end_of(stream, LOKET_CLOCK="event")
    stream.send(visits(20, 5))
    assert first.process.running
    stream.settled(first)
