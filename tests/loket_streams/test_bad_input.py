"""What goes wrong around a worker: a clear message with what to do, an exit or visible patience, and nothing lost."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from loket.broker import apply_topics, changelog_topic, events_topic
from support.kafka import KafkaBroker
from support.process import ServerFailed, wait_until
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
    assert worker.wait(120) == status
    return worker.process.output()


def refusal_of(stream: Stream, *arguments: str, status: int = 1, **settings: str) -> str:
    """Start a worker that ends before it reads anything, and return what it says: a message, nothing of Python's."""
    output = end_of(stream, *arguments, status=status, **settings)
    assert "Traceback" not in output
    return output


def test_topics_missing(make_stream: MakeStream) -> None:
    stream = make_stream(topics=False)
    assert "loket topics apply" in refusal_of(stream)


def test_changelog_missing(make_stream: MakeStream) -> None:
    stream = make_stream(topics=False)
    apply_topics(stream.connection, [events_topic(stream.topic, 2)])
    told = refusal_of(stream)
    assert f"{stream.app_id}-units-changelog does not exist" in told
    assert "loket topics apply" in told


def test_another_number_of_partitions(make_stream: MakeStream) -> None:
    stream = make_stream(topics=False)
    apply_topics(stream.connection, [events_topic(stream.topic, 3)])
    apply_topics(stream.connection, [changelog_topic(stream.app_id, 2)])
    told = refusal_of(stream)
    assert "2 partitions" in told
    assert "expected 3" in told


def test_times_of_the_producer(kafka: KafkaBroker, make_stream: MakeStream) -> None:
    stream = make_stream(topics=False)
    kafka.create_topic(stream.topic, 2)
    apply_topics(stream.connection, [changelog_topic(stream.app_id, 2)])
    assert "message.timestamp.type" in refusal_of(stream)


def test_broker_away_at_the_start(tmp_path: Path) -> None:
    away = KafkaBroker(tmp_path)
    with Stream(away.bootstrap, tmp_path).closing() as stream:
        told = refusal_of(stream, "--patience", "1")
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
    told = refusal_of(make_stream(), status=2, LOKET_TARGETS=str(targets))
    assert "targets.yaml" in told
    assert "3" in told


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
    wait_until(lambda: stream.topic not in admin.list_topics(), 90, "the topic to go", every_s=0.2)
    admin.close()
    apply_topics(stream.connection, [events_topic(stream.topic, 1)])
    stream.send(visits(10, 5))
    told = end_of(stream)
    assert "ends at offset 40" in told
    assert "LOKET_APP_ID" in told


def test_a_worker_stops_in_time_though_its_broker_is_frozen(own_kafka: KafkaBroker, own_stream: Stream) -> None:
    stream = own_stream
    worker = stream.worker()
    worker.start(ready=True)
    stream.send(visits(200, 10))
    stream.settled(worker)
    stream.send(visits(200, 10, first=200))
    own_kafka.pause()
    time.sleep(2)
    worker.stop()
    assert worker.process.status in (0, 1)  # by itself: had it hung, it would have been killed after a minute
    own_kafka.resume()
    worker.start()
    assert stream.settled(worker) == stream.expected()


def test_targets_that_were_changed_while_no_worker_ran(make_stream: MakeStream, tmp_path: Path) -> None:
    targets = tmp_path / "targets.yaml"
    text = "units: {unit-0: {services: {s0: {wait: [{valid_from: 2026-01-01, seconds: 60, objective: 0.8}]}}}}\n"
    targets.write_text(text, encoding="utf-8")
    stream = make_stream(partitions=1)
    worker = stream.worker(LOKET_TARGETS=str(targets))
    worker.start(ready=True)
    stream.send(visits(20, 2))
    stream.settled(worker)
    worker.stop()
    targets.write_text(text.replace("seconds: 60", "seconds: 90"), encoding="utf-8")
    told = end_of(stream, LOKET_TARGETS=str(targets))
    assert "units.unit-0: services.s0" in told
    assert "docs/targets.md" in told
    targets.write_text(text.replace("}]}", "}, {valid_from: 2200-01-01, seconds: 90, objective: 0.8}]}"), "utf-8")
    worker.start(ready=True)
    assert sum(unit["issued"] for unit in stream.settled(worker).values()) == 20


def test_a_second_signal_is_not_needed(make_stream: MakeStream) -> None:
    stream = make_stream()
    worker = stream.worker()
    worker.start(ready=True)
    stream.send(visits(30, 5))
    stream.settled(worker)
    assert "durable and committed" in worker.stop()
    assert worker.process.status == 0


def test_with_the_events_clock_there_is_one_worker_rule_4(make_stream: MakeStream) -> None:
    stream = make_stream()
    first = stream.worker(LOKET_CLOCK="event")
    first.start(ready=True)
    assert "one worker reads all partitions" in end_of(stream, LOKET_CLOCK="event")
    stream.send(visits(20, 5))
    assert first.process.running
    stream.settled(first)
