"""The sink's loop, over a log in memory: what it stores, what it refuses to skip, and a database that is away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.exc import OperationalError

from loket.broker import BrokerAway
from loket.domain.events import Event
from loket.domain.policy import HOUR, MINUTE
from loket.targets import TargetsFile
from loket.testing.clock import FrozenClock
from loket.wire.cloudevents import Decoder
from loket.wire.record import WireRecord
from loket_consumers import sink as sink_module
from loket_consumers import storing
from loket_consumers.engines import connect, reading, writing
from loket_consumers.errors import GapError, LogReplacedError, PartitionsChangedError
from loket_consumers.migrating import upgrade
from loket_consumers.reading import ServiceTime
from loket_consumers.schema import archive, dead_letters, legs, positions, tickets
from loket_consumers.sink import Options, Sink
from loket_consumers.status import Status
from loket_consumers.storing import PartitionLost, store
from support.fake_consumer import FakeConsumer, FakeLog
from support.logs import DAY_BEGINS, POLICY, make, to_records
from support.recorded import TOPIC, decoded, rows_of

NOW = DAY_BEGINS + 6 * HOUR


def visit(number: int, at: int = NOW, unit: str = "clinic") -> list[Event]:
    """A person who came, was called, served and went: four events."""
    subject = f"A{number}"
    return [
        make("ticket.issued", f"{number}i", at, subject, unit, service="general"),
        make("ticket.called", f"{number}c", at + MINUTE, subject, unit, employee="ani"),
        make("service.started", f"{number}s", at + 2 * MINUTE, subject, unit, employee="ani"),
        make("service.completed", f"{number}d", at + 5 * MINUTE, subject, unit, employee="ani"),
    ]


def records(numbers: Sequence[int], partition: int = 0, begin: int = 0) -> list[WireRecord]:
    log = [told for number in numbers for told in visit(number)]
    return to_records([(told, int(told.time)) for told in log], topic=TOPIC, partition=partition, begin=begin)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = connect(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(made)
    yield made
    made.dispose()


class Bench:
    """A sink over a log in memory."""

    def __init__(self, engine: Engine, partitions: int = 1) -> None:
        self.engine = engine
        self.partitions = partitions
        self.clock = FrozenClock(NOW)
        self.log = FakeLog(partitions)
        self.stop = Flag()
        self.targets = TargetsFile(None)
        self.consumer = FakeConsumer(self.log, self.clock)
        self.status = Status(self.clock, self.consumer.highwater)

    def run(self, *then: Any, **options: Any) -> None:
        """Run a new sink until the end of the log; `then`: what happens at each poll."""
        self.stop.clear()
        self.consumer = FakeConsumer(self.log, self.clock, then)
        self.status = Status(self.clock, self.consumer.highwater)
        given = {"until_end": True} | options
        Sink(
            self.consumer,
            self.engine,
            Decoder(1, clock="event", now=lambda: 1 << 60),
            ServiceTime(),
            self.targets,
            self.clock,
            self.status,
            Options(TOPIC, self.partitions, **given),
        ).run(self.stop)

    def positions(self) -> dict[int, int]:
        with reading(self.engine) as connection:
            rows = connection.execute(select(positions.c.partition, positions.c.next))
            return {int(row.partition): int(row.next) for row in rows}

    def offsets(self) -> list[int]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(archive.c.record_offset).order_by(archive.c.record_offset)).scalars())


@pytest.fixture
def bench(engine: Engine) -> Bench:
    return Bench(engine)


def nothing() -> None:
    """A poll at which nothing happens."""


def test_everything_is_stored_once_and_told_to_kafka(bench: Bench) -> None:
    bench.log.append(records(range(10)))
    bench.run(records=7)

    assert bench.offsets() == list(range(40))
    assert bench.positions() == {0: 40}
    assert bench.consumer.committed == {0: 40}
    assert bench.consumer.closed
    assert len(rows_of(bench.engine, legs)) == 10


def test_a_second_start_reads_on_from_the_position_and_not_from_what_kafka_knows(bench: Bench) -> None:
    bench.log.append(records(range(3)))
    bench.run()
    bench.log.append(records(range(3, 5), begin=12))
    bench.run()

    assert bench.consumer.seeks == [(0, 12)]
    assert bench.offsets() == list(range(20))


def test_a_first_start_begins_with_what_retention_has_left(bench: Bench) -> None:
    bench.log.append(records(range(3)))
    bench.log.forget_before(0, 8)
    bench.run()
    assert bench.offsets() == list(range(8, 12))


def test_events_that_retention_removed_unread_stop_the_sink(bench: Bench) -> None:
    bench.log.append(records(range(2)))
    bench.run()
    bench.log.append(records(range(2, 4), begin=8))
    bench.log.forget_before(0, 11)
    with pytest.raises(GapError, match=r"offset 8 to 10 are gone.*--accept-lost-events"):
        bench.run()
    assert bench.positions() == {0: 8}

    bench.run(accept_lost_events=True)
    assert bench.offsets() == [*range(8), *range(11, 16)]


def test_what_retention_removes_while_the_sink_reads_stops_it_before_anything_after_the_hole(bench: Bench) -> None:
    bench.log.append(records(range(3)))
    with pytest.raises(GapError, match="offset 4 to 8 are gone"):
        bench.run(nothing, lambda: bench.log.forget_before(0, 9), records=4)
    assert bench.offsets() == list(range(4))


def test_a_hole_is_no_hole_where_the_broker_still_has_what_is_before_it(bench: Bench) -> None:
    """Markers of transactions take offsets, between records and after the last one; so does what was aborted."""
    whole = records(range(3))
    bench.log.append([*whole[:5], *whole[7:]])
    bench.log.ends[0] = 14
    bench.run(records=4)
    assert bench.offsets() == [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]
    assert bench.positions() == {0: 14}
    assert bench.status.lag() == {0: 0}

    bench.log.forget_before(0, 14)  # nothing is lost by that
    bench.run()
    assert bench.positions() == {0: 14}


def test_markers_that_come_alone_move_the_position_too(bench: Bench) -> None:
    bench.log.append(records(range(1)))
    bench.run()
    bench.log.ends[0] = 7
    bench.run()
    assert bench.positions() == {0: 7}
    assert bench.offsets() == [0, 1, 2, 3]


def test_a_hole_that_cannot_be_asked_about_is_read_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = records(range(2))
    bench.log.append([*whole[:3], *whole[4:]])
    asked = FakeConsumer.beginning_offsets
    answers = iter([True, False])  # placing it is answered, the hole is not

    def sometimes(consumer: FakeConsumer, partitions: Any) -> Any:
        if not next(answers, True):
            raise BrokerAway("fake:9092", TimeoutError("nobody answers"))
        return asked(consumer, partitions)

    monkeypatch.setattr(FakeConsumer, "beginning_offsets", sometimes)
    bench.run()
    assert bench.offsets() == [0, 1, 2, 4, 5, 6, 7]
    assert bench.consumer.seeks == [(0, 0), (0, 0)]


def test_a_poll_that_fails_loses_nothing_of_what_it_had_fetched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.log.append(records(range(4)))
    poll = FakeConsumer.poll

    def broken(consumer: FakeConsumer, timeout_ms: int, max_records: int) -> Any:
        found = poll(consumer, timeout_ms, max_records)
        if consumer.polls in (1, 2, 4):  # while it joins, as it reads, and as it gathers more
            raise BrokerAway("fake:9092", ConnectionRefusedError("nobody answers"))
        return found

    monkeypatch.setattr(FakeConsumer, "poll", broken)
    monkeypatch.setattr(sink_module, "POLL_MS", 10)
    bench.run(records=3)
    assert bench.offsets() == list(range(16))
    assert bench.positions() == {0: 16}
    assert not bench.status.kafka_away


def test_a_topic_that_was_made_anew_is_not_taken_for_the_old_one(bench: Bench) -> None:
    bench.log.append(records(range(4)))
    bench.run()
    bench.log.records[0] = records([7])
    with pytest.raises(LogReplacedError, match="made anew"):
        bench.run()
    bench.log.records[0] = []
    with pytest.raises(LogReplacedError, match="ends at offset 0"):
        bench.run()
    assert bench.positions() == {0: 16}


def test_while_kafka_is_away_it_is_not_ready_and_goes_on_afterwards(bench: Bench) -> None:
    bench.log.append(records(range(2)))
    reasons: list[list[str]] = []

    def gone() -> None:
        bench.consumer.away = True
        bench.clock.advance(seconds=sink_module.ASK_EVERY_S)

    def back() -> None:
        bench.consumer.away = False
        bench.log.append(records(range(2, 4), begin=8))

    def look() -> None:
        reasons.append(bench.status.waits_for())

    bench.run(nothing, nothing, gone, look, back, nothing, look, bench.stop.set, until_end=False)

    assert "no Kafka broker answers" in reasons[0][0]
    assert reasons[1] == []
    assert bench.offsets() == list(range(16))
    assert bench.consumer.committed == {0: 16}


class Away:
    """Breaks the database's transactions while it is on, at their begin or at their commit."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = False
        self.at_commit = False
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "commit", self._commit)

    def _begin(self, connection: Any) -> None:
        if self.on and not self.at_commit:
            self._fail()

    def _commit(self, connection: Any) -> None:
        if self.on and self.at_commit:
            connection.connection.driver_connection.execute("COMMIT")
            self.on = False
            self._fail()

    def _fail(self) -> None:
        raise OperationalError("BEGIN", {}, sqlite3.OperationalError("server closed the connection unexpectedly"))

    def turn(self, *, on: bool) -> None:
        self.on = on


@pytest.fixture
def away(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Away:
    return Away(engine, monkeypatch)


def test_while_the_database_is_away_polling_goes_on_and_nothing_is_lost(bench: Bench, away: Away) -> None:
    bench.log.append(records(range(5)))
    seen: list[tuple[bool, set[int]]] = []

    def look() -> None:
        seen.append((bool(bench.status.away), set(bench.consumer.paused)))

    bench.run(nothing, lambda: away.turn(on=True), look, look, look, look, lambda: away.turn(on=False), records=6)

    assert bench.offsets() == list(range(20))
    assert all(is_away and paused == {0} for is_away, paused in seen[1:])
    assert not bench.status.away
    assert bench.consumer.paused == set()


def test_a_commit_whose_answer_was_lost_is_not_stored_again(bench: Bench, away: Away) -> None:
    bench.log.append(records(range(5)))
    away.at_commit = True
    bench.run(nothing, lambda: away.turn(on=True), records=6)

    assert bench.offsets() == list(range(20))
    assert bench.positions() == {0: 20}


def test_a_full_disk_is_waited_for_like_a_database_that_is_away(bench: Bench) -> None:
    bench.log.append(records(range(40)))

    def pages(number: int) -> None:
        with bench.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute(f"PRAGMA max_page_count = {number}")

    told: list[str] = []
    bench.run(
        nothing,
        lambda: pages(1),  # as many as there are, and none more
        nothing,
        nothing,
        lambda: told.append(bench.status.away),
        lambda: pages(1 << 30),
        records=20,
    )
    assert "full" in told[0]
    assert "make room" in told[0]
    assert bench.offsets() == list(range(160))


def test_a_sink_that_is_told_to_stop_while_the_database_is_away_stops(bench: Bench, away: Away) -> None:
    bench.log.append(records(range(5)))
    bench.run(nothing, lambda: away.turn(on=True), nothing, nothing, bench.stop.set, until_end=False, records=6)
    away.turn(on=False)
    assert bench.positions()[0] == len(bench.offsets())


def test_partitions_that_go_take_what_is_not_stored_of_them_with_them(engine: Engine) -> None:
    bench = Bench(engine, partitions=2)
    clinic, ward = (
        records(range(3)),
        to_records([(told, NOW) for told in visit(1, unit="ward")], topic=TOPIC, partition=1),
    )
    bench.log.append([*clinic, *ward])
    bench.run(
        nothing,
        lambda: bench.consumer.revoke([1]),
        lambda: bench.consumer.assign([1]),
        records=2,
    )
    assert bench.positions() == {0: 12, 1: 4}
    assert bench.status.lag() == {0: 0, 1: 0}


def test_who_comes_back_with_an_old_batch_stores_nothing(engine: Engine) -> None:
    """The guard: without it the old owner would put the position back, and events would be read again."""
    bench = Bench(engine)
    bench.log.append(records(range(2)))
    bench.run()
    stale = decoded(bench.log.records[0][:3])
    with pytest.raises(PartitionLost), writing(engine) as connection:
        store(connection, TOPIC, {0: stale}, {0: 0}, POLICY)
    assert bench.positions() == {0: 8}
    assert bench.offsets() == list(range(8))


def test_a_sink_whose_partition_somebody_else_stored_goes_on_from_there(bench: Bench) -> None:
    bench.log.append(records(range(4)))

    def somebody_else() -> None:
        with writing(bench.engine) as connection:
            store(connection, TOPIC, {0: decoded(bench.log.records[0][6:14])}, {0: 6}, POLICY)

    bench.run(nothing, somebody_else, records=6)

    assert bench.offsets() == list(range(16))
    assert bench.consumer.seeks == [(0, 0), (0, 14)]


def test_without_the_guard_the_same_sink_would_spoil_the_record(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the two tests above are worth: with the condition taken out of the update they see another record."""

    def unguarded(connection: Any, topic: str, after: dict[int, int], expected: dict[int, int]) -> None:
        for partition, following in after.items():
            connection.execute(update(positions).where(positions.c.partition == partition).values(next=following))

    bench.log.append(records(range(4)))
    seen: list[int] = []

    def somebody_else() -> None:
        with writing(bench.engine) as connection:
            store(connection, TOPIC, {0: decoded(bench.log.records[0][6:14])}, {0: 6}, POLICY)

    monkeypatch.setattr(storing, "_guard", unguarded)
    bench.run(nothing, somebody_else, lambda: seen.append(bench.positions()[0]), records=6)
    assert seen == [12]  # put back behind what was stored
    assert b'loket_sink_records_total{result="duplicate"} 8' in bench.status.render()  # which was then read again


def test_a_topic_that_gets_more_partitions_stops_the_sink(bench: Bench) -> None:
    bench.log.append(records(range(2)))
    bench.log.records[1], bench.log.begins[1] = [], 0
    with pytest.raises(PartitionsChangedError, match="had 1 partitions and now has partition 1"):
        bench.run()


def test_targets_are_read_again_and_a_wrong_file_leaves_the_last_good_ones_in_force(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "targets.yaml"
    unit = "units: {{clinic: {{name: {{id: K, en: C}}, zone: {}, services: {{general: {{name: {{id: U, en: G}}}}}}}}}}"
    path.write_text("units: {}\n")
    bench = Bench(engine)
    bench.targets = TargetsFile(path)
    bench.log.append(records(range(1))[:1])  # somebody waits

    def changed(text: str) -> Any:
        def change() -> None:
            path.write_text(text)
            bench.clock.advance(seconds=10)

        return change

    def more() -> None:
        bench.log.append(to_records([(told, NOW) for told in visit(1)[:1]], topic=TOPIC, begin=1))

    def closes_at() -> set[int]:
        return {row["closes_at"] for row in rows_of(engine, legs)}

    seen: list[Any] = []

    def look() -> None:
        seen.append((closes_at(), bench.status.targets_error))

    makassar = changed(unit.format("Asia/Makassar"))
    bench.run(nothing, look, makassar, more, look, changed("units: 7"), nothing, look, bench.stop.set, until_end=False)

    assert seen[0] == ({DAY_BEGINS + 24 * HOUR}, "")
    assert seen[1] == ({DAY_BEGINS + 23 * HOUR}, "")  # three o'clock comes an hour earlier there, for who waits too
    assert "targets.yaml" in seen[2][1]
    assert b"loket_targets_valid 0" in bench.status.render()


def test_what_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on(bench: Bench) -> None:
    whole = records(range(2))
    naive = whole[1].value.replace(b"+00:00", b"").replace(b"Z", b"") if whole[1].value else b""
    bad = [
        WireRecord(TOPIC, 0, 1, NOW, b"clinic", b"\xff\xfe{", ()),
        WireRecord(TOPIC, 0, 2, NOW, b"clinic", naive, whole[1].headers),
        WireRecord(TOPIC, 0, 3, NOW, None, None, ()),
        WireRecord(TOPIC, 0, 4, NOW, b"other", whole[1].value, whole[1].headers),
    ]
    foreign = WireRecord(
        TOPIC, 0, 5, NOW, b"x", b'{"specversion":"1.0","type":"org.x\\u0000y","source":"s","id":"1"}', whole[0].headers
    )
    rest = [WireRecord(TOPIC, 0, 6 + n, r.timestamp, r.key, r.value, r.headers) for n, r in enumerate(whole[1:])]
    bench.log.append([whole[0], *bad, foreign, *rest])
    bench.run()

    letters = sorted(rows_of(bench.engine, dead_letters), key=lambda row: row["record_offset"])
    assert [row["reason"] for row in letters] == ["not_json", "naive_time", "not_json", "key_mismatch"]
    assert [row["value"] for row in letters] == [record.value for record in bad]
    assert letters[1]["field"] == "time"
    assert {row["result"] for row in rows_of(bench.engine, archive)} == {"applied", "rejected", "foreign"}
    assert len(bench.offsets()) == 6 + len(rest)
    assert len(rows_of(bench.engine, tickets)) == 2


def test_a_repeat_with_other_content_is_a_dead_letter_and_the_first_stands(bench: Bench) -> None:
    first = make("ticket.issued", "1", NOW, "A1", "clinic", service="general")
    other = make("ticket.issued", "1", NOW, "A1", "clinic", service="dental")
    bench.log.append(to_records([(first, NOW), (other, NOW)], topic=TOPIC))
    bench.run()

    (letter,) = rows_of(bench.engine, dead_letters)
    assert (letter["reason"], letter["record_offset"], letter["unit"]) == ("conflicting_repeat", 1, "clinic")
    assert [row["service"] for row in rows_of(bench.engine, legs)] == ["general"]
    assert b'loket_sink_dead_letters_total{reason="conflicting_repeat"} 1' in bench.status.render()


def test_it_is_ready_once_it_has_partitions_and_stuck_when_records_wait(bench: Bench, away: Away) -> None:
    assert bench.status.waits_for() == ["it has no partitions yet"]
    bench.log.append(records(range(2)))
    reasons: list[list[str]] = []

    def look() -> None:
        reasons.append(bench.status.waits_for())

    def wait() -> None:
        bench.clock.advance(seconds=70)

    bench.run(look, lambda: away.turn(on=True), nothing, look, wait, look, lambda: away.turn(on=False), records=3)

    assert reasons[0] == []
    assert "cannot be used now" in reasons[1][0]
    assert any("none was stored for" in reason for reason in reasons[2])
    assert bench.status.waits_for() == []
    bench.clock.advance(seconds=sink_module.LAST_RETRY_S * 3)
    assert bench.status.problems() == ["the loop has not come round for 90 s"]
