"""The sink on a real Kafka: whatever is killed, paused, joined or restarted, the record is what the domain says."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from loket.clock import SYSTEM_CLOCK
from loket.domain.policy import HOUR
from loket.settings import Connection
from loket_consumers.engines import connect
from loket_consumers.migrating import upgrade
from support.kafka import KafkaBroker
from support.postgres import PostgresServer
from support.process import wait_until
from support.sinks import PARTITIONS, Load, SinkProcess, assert_exact, killed_at_the_end, loket, visits


class Place:
    """A topic and a database of one test."""

    def __init__(self, kafka: KafkaBroker, database: str, folder: Path) -> None:
        self.topic = kafka.create_topic(partitions=PARTITIONS, message_timestamp_type="LogAppendTime")
        self.connection = Connection(bootstrap=kafka.bootstrap)
        self.database = database
        self.folder = folder
        self.log = visits(1_500, SYSTEM_CLOCK.now_ms() - HOUR)
        self.engine: Engine = connect(database)
        upgrade(self.engine)

    def sink(self, name: str, **settings: str) -> SinkProcess:
        return SinkProcess(self.connection.bootstrap, self.topic, self.database, self.folder, name, **settings)

    def load(self, seconds: float) -> Load:
        return Load(self.connection, self.topic, self.log, seconds).start()

    def assert_exact(self) -> None:
        assert_exact(self.engine, self.connection, self.topic, expected=len(self.log))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, kafka: KafkaBroker, tmp_path: Path) -> Iterator[Place]:
    url = f"sqlite:///{tmp_path / 'record.db'}" if request.param == "sqlite" else request.getfixturevalue("database")
    made = Place(kafka, url, tmp_path)
    yield made
    made.engine.dispose()


def stored(sink: SinkProcess) -> float:
    return sink.metric("loket_sink_next_offset") or 0


def stored_beyond(sink: SinkProcess, before: float) -> bool:
    return stored(sink) > before


def test_a_sink_that_is_killed_under_load_leaves_nothing_half_done(place: Place) -> None:
    dice = random.Random(17)
    sink = place.sink("killed")
    load = place.load(seconds=8)
    with killed_at_the_end(sink):
        for _ in range(3):
            sink.start()
            before = stored(sink)
            wait_until(partial(stored_beyond, sink, before), 120, "something to be stored")
            time.sleep(dice.random() * 0.4)  # somewhere within a transaction, or between two
            sink.kill()
        load.finish()
        sink.run_to_the_end()
    place.assert_exact()


def test_two_sinks_that_both_believe_that_all_partitions_are_theirs(place: Place) -> None:
    """The guard of the positions: members of two groups both have every partition."""
    one, other = place.sink("one"), place.sink("other", group_id=f"{place.topic}-others")
    with killed_at_the_end(one, other):
        one.start()
        other.start()
        place.load(seconds=4).finish()
        wait_until(lambda: max(stored(one), stored(other)) >= len(place.log), 120, "everything to be stored")
        assert one.stop() == 0
        assert other.stop() == 0
    place.assert_exact()
    assert "placed anew" in one.process.log.read_text() + other.process.log.read_text()


def test_sinks_that_join_leave_and_die_share_the_work(kafka: KafkaBroker, database: str, tmp_path: Path) -> None:
    place = Place(kafka, database, tmp_path)
    first, second, third = place.sink("first"), place.sink("second"), place.sink("third")
    load = place.load(seconds=10)
    with killed_at_the_end(first, second, third):
        first.start()
        second.start()
        wait_until(lambda: stored(second) > 0, 120, "the second to get partitions")
        assert first.stop() == 0
        third.start()
        wait_until(lambda: stored(third) > 0, 120, "the third to get partitions")
        second.kill()
        load.finish()
        wait_until(lambda: stored(third) >= len(place.log), 120, "the third to store the rest")
        assert third.stop() == 0
    place.assert_exact()
    place.engine.dispose()


def test_a_database_that_is_killed_and_comes_back_loses_nothing(
    kafka: KafkaBroker, own_postgres: PostgresServer, tmp_path: Path
) -> None:
    with own_postgres.database() as url:
        place = Place(kafka, url, tmp_path)
        sink = place.sink("patient")
        load = place.load(seconds=6)
        with killed_at_the_end(sink):
            sink.start()
            wait_until(lambda: stored(sink) > 0, 120, "something to be stored")
            own_postgres.kill()
            wait_until(lambda: sink.metric("loket_sink_database_up") == 0, 120, "the sink to notice")
            ready = sink.page("/-/ready")
            assert ready is not None
            assert ready[0] == 503
            assert "cannot be used now" in ready[1]
            load.finish()
            own_postgres.start()
            wait_until(lambda: stored(sink) >= len(place.log), 120, "everything to be stored")
            assert sink.metric("loket_sink_database_up") == 1
            assert sink.stop() == 0
        place.assert_exact()
        place.engine.dispose()


def test_a_sink_says_what_is_missing_before_it_starts(kafka: KafkaBroker, tmp_path: Path) -> None:
    topic = kafka.create_topic(partitions=1)
    url = f"sqlite:///{tmp_path / 'none.db'}"
    with pytest.raises(AssertionError, match=r"there is no file .*none\.db: .* run `loket db upgrade`"):
        SinkProcess(kafka.bootstrap, topic, url, tmp_path).run_to_the_end()
    loket("db", "upgrade", environment={"LOKET_DATABASE": url})
    assert "has the schema of this version" in loket("db", "check", environment={"LOKET_DATABASE": url})
    with pytest.raises(AssertionError, match="no-such-topic"):
        SinkProcess(kafka.bootstrap, "no-such-topic", url, tmp_path).run_to_the_end()
