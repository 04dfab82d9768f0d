"""Dead letters replayed on a real Kafka: each counts once, whatever was killed, and the record says when it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from sqlalchemy import Engine, select

from loket.clock import SYSTEM_CLOCK
from loket.domain.events import Event
from loket.domain.policy import DAY, HOUR, Policy
from loket.wire.cloudevents import Decoder, encode
from loket.wire.partition import partition_of
from loket.wire.record import WireRecord
from loket_consumers.dead_letters import Chosen, count
from loket_consumers.engines import connect, reading
from loket_consumers.migrating import upgrade
from loket_consumers.schema import archive
from support import dying_replay
from support.kafka import KafkaBroker
from support.oracle import Oracle, without_zeros
from support.process import wait_until
from support.recorded import figures, of_record
from support.sinks import PARTITIONS, SinkProcess, killed_at_the_end, loket, visits

OFFICES = ("office-3", "office-5")
"""Whose device chooses partitions of its own, and whose keys are of its own."""


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'record.db'}" if request.param == "sqlite" else request.getfixturevalue("database")
    made = connect(url)
    upgrade(made)
    yield made
    made.dispose()


def send_as_a_faulty_device(bootstrap: str, topic: str, log: list[Event]) -> Counter[str]:
    """Send a log as it should be but for two offices; returns how many will be refused, by reason."""
    refused: Counter[str] = Counter()
    producer: Any = KafkaProducer(bootstrap_servers=bootstrap)
    try:
        for event in log:
            sent = encode(event)
            home = partition_of(sent.key, PARTITIONS)
            if event.data.unit == OFFICES[0]:
                refused["wrong_partition"] += 1
                producer.send(topic, sent.value, sent.key, sent.headers, partition=(home + 1) % PARTITIONS)
            elif event.data.unit == OFFICES[1]:
                refused["key_mismatch"] += 1
                producer.send(topic, sent.value, b"device 17", sent.headers)
            else:
                producer.send(topic, sent.value, sent.key, sent.headers)
        producer.flush()
    finally:
        producer.close()
    return refused


def letters(engine: Engine, *, replayed: bool | None = None) -> dict[str, int]:
    with reading(engine) as connection:
        return {each.reason: each.number for each in count(connection, Chosen(replayed=replayed))}


def test_what_was_refused_counts_once_after_a_replay_that_was_killed_and_repeated(
    engine: Engine, kafka: KafkaBroker, tmp_path: Path
) -> None:
    topic = kafka.create_topic(partitions=PARTITIONS, message_timestamp_type="LogAppendTime")
    log = visits(300, SYSTEM_CLOCK.now_ms() - HOUR)
    refused = send_as_a_faulty_device(kafka.bootstrap, topic, log)
    url = engine.url.render_as_string(hide_password=False)
    sink = SinkProcess(kafka.bootstrap, topic, url, tmp_path)
    sink.run_to_the_end()
    assert letters(engine) == refused

    # Killed when Kafka had them and nothing was marked: they are sent once more.
    died = subprocess.run(
        [sys.executable, "-m", "support.dying_replay", "--reason", "wrong_partition"],
        env=os.environ | sink.environment | {"PYTHONPATH": str(Path(dying_replay.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert letters(engine, replayed=True) == {}

    out = loket("dead-letters", "replay", environment=sink.environment)
    assert f"Replayed to {topic}: {refused['wrong_partition']}" in out
    assert f"refused again: {refused['key_mismatch']}: key_mismatch" in out
    out = loket("dead-letters", "replay", "--key-by-unit", environment=sink.environment)
    assert f"Replayed to {topic}: {refused['key_mismatch']}" in out
    assert letters(engine, replayed=True) == refused
    assert letters(engine, replayed=False) == {}

    sink.run_to_the_end()
    assert letters(engine) == refused  # none was refused again
    assert_counts_once(engine, log, sent_again=refused["wrong_partition"])


def assert_counts_once(engine: Engine, log: list[Event], sent_again: int) -> None:
    """The record is the fold of what the archive holds, and of the log where every event came once more or not."""
    c = archive.c
    decoder = Decoder(PARTITIONS)
    there, once = Oracle(Policy()), Oracle(Policy())
    newest = 0
    with reading(engine) as connection:
        rows = connection.execute(select(archive).order_by(c.broker_time, c.partition, c.record_offset)).mappings()
        repeats = 0
        for row in rows:
            newest = max(newest, row["broker_time"])
            repeats += row["result"] == "duplicate"
            if row["result"] != "rejected":
                place = (row["topic"], row["partition"], row["record_offset"], row["broker_time"])
                event = decoder.decode(WireRecord(*place, row["key"], row["value"], ()))
                assert there.apply(event, row["broker_time"]) == row["result"]  # type: ignore[arg-type]  # only ours
    for event in log:
        once.apply(event, newest)
    now = newest + DAY
    found = figures(engine, now, Policy(), live=True)
    assert (without_zeros(found.units), without_zeros(found.employees)) == of_record(there, now) == of_record(once, now)
    in_log = len(log) - len({(event.source, event.id) for event in log})
    assert repeats == in_log + sent_again


def test_a_replay_while_the_sink_runs_is_taken_by_it(engine: Engine, kafka: KafkaBroker, tmp_path: Path) -> None:
    topic = kafka.create_topic(partitions=PARTITIONS, message_timestamp_type="LogAppendTime")
    log = visits(100, SYSTEM_CLOCK.now_ms() - HOUR)
    refused = send_as_a_faulty_device(kafka.bootstrap, topic, log)
    sink = SinkProcess(kafka.bootstrap, topic, engine.url.render_as_string(hide_password=False), tmp_path)
    with killed_at_the_end(sink):
        sink.start()
        wait_until(lambda: sink.metric("loket_sink_next_offset") == len(log), 60, "the log to be stored")
        loket("dead-letters", "replay", "--key-by-unit", environment=sink.environment)
        every = len(log) + refused.total()
        wait_until(lambda: sink.metric("loket_sink_next_offset") == every, 60, "what was replayed to be stored")
        sink.stop()
    assert letters(engine, replayed=True) == refused
    assert_counts_once(engine, log, sent_again=0)
