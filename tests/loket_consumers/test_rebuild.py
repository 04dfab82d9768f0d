"""`loket rebuild`: the record anew, the same whoever makes it, and whole whatever happens on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, inspect, select, text

from loket.cli import main
from loket.domain.events import Event, EventCorrected, EventReference, TicketCalled
from loket.domain.policy import DAY, HOUR, MINUTE, Policy, ServicePolicy, Target
from loket.testing.clock import FrozenClock
from loket_consumers.engines import connect, reading, writing
from loket_consumers.migrating import upgrade
from loket_consumers.rebuilding.content import digest_of
from loket_consumers.rebuilding.errors import KafkaLacks, KafkaSilent, NothingToRebuild, RebuildRuns
from loket_consumers.rebuilding.kafka import Topic
from loket_consumers.rebuilding.lock import only_one
from loket_consumers.rebuilding.rebuild import Outcome, rebuild
from loket_consumers.rebuilding.scratch import SCHEMA
from loket_consumers.schema import archive, dead_letters, legs, tickets
from support import dying_rebuild
from support.dying_rebuild import MEANING, Quiet
from support.fake_consumer import FakeConsumer, FakeLog
from support.logs import DAY_BEGINS, POLICY, arrivals, log_of, make, to_records
from support.recorded import TOPIC, empty, figures, rows_of, store_all, store_more
from support.sinks import visits

AT = DAY_BEGINS + 6 * HOUR
sizes = st.lists(st.integers(1, 12), max_size=4)


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    made = connect(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(made)
    empty(made)
    yield made
    made.dispose()


def logged(people: int = 60) -> list[tuple[Event, int]]:
    """A morning, the sessions of two who serve, a hall that closes, and what comes days later."""
    day = [(event, int(event.time)) for event in visits(people, AT)]
    day += [
        (make("session.started", "s1", AT, None, "office-1", counter="1", employee="e1"), AT),
        (make("session.ended", "s2", AT + 4 * HOUR, None, "office-1", counter="1", employee="e1"), AT + 4 * HOUR),
        (make("queue.closed", "q", AT + 5 * HOUR, None, "office-2"), AT + 5 * HOUR),
    ]
    later = AT + 3 * DAY
    day += [(make("counter.heartbeat", f"h{n}", later, None, f"office-{n}", counter="1"), later) for n in range(12)]
    day += [
        (make("ticket.abandoned", f"late{n}", AT + 3 * HOUR, f"A{n}", f"office-{n % 12}"), later)
        for n in range(0, 40, 7)
    ]
    return sorted(day, key=lambda each: each[1])


def digest(engine: Engine) -> str:
    with reading(engine) as connection:
        return digest_of(connection)


def differing(outcome: Outcome) -> set[str]:
    return {table.table for table in outcome.tables if not table.same}


def left_over(engine: Engine) -> bool:
    """Whether something of a scratch is there."""
    if engine.dialect.name == "postgresql":
        return SCHEMA in inspect(engine).get_schema_names()
    return Path(f"{engine.url.database}-rebuild").exists()


def test_a_rebuild_of_any_record_finds_it_as_it_is(tmp_path: Path) -> None:
    made, other = (connect(f"sqlite:///{tmp_path / name}.db") for name in ("one", "other"))
    for each in (made, other):
        upgrade(each)

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data(), batches=sizes, others=sizes)
    def law(data: st.DataObject, batches: list[int], others: list[int]) -> None:
        arrived = data.draw(arrivals(data.draw(log_of())))
        for each, sizes_of in ((made, batches), (other, others)):
            empty(each)
            store_all(each, arrived, sizes_of)
        before = digest(made)
        assert digest(other) == before
        outcome = rebuild(made, MEANING, Quiet())
        assert differing(outcome) == set()
        assert (outcome.digest, outcome.records) == (before, len(arrived))
        assert digest(made) == before

    law()
    made.dispose()
    other.dispose()


def test_it_is_byte_equal_on_either_database_and_twice(engine: Engine, tmp_path: Path) -> None:
    here = connect(f"sqlite:///{tmp_path / 'here.db'}")
    upgrade(here)
    empty(here)
    log = logged()
    store_all(here, log, [7, 50, 3], policy=POLICY)
    store_all(engine, log, [100], policy=POLICY)
    told = {rebuild(each, MEANING, Quiet()).digest for each in (engine, here, engine)}
    assert len(told) == 1
    assert {digest(engine), digest(here)} == told
    rows = [sorted(row for row in all_of(each)) for each in (engine, here)]
    assert rows[0] == rows[1]
    here.dispose()


def all_of(engine: Engine) -> Iterator[tuple[int, str, int, str, bytes]]:
    with reading(engine) as connection:
        c = tickets.c
        for row in connection.execute(select(c.id, c.unit, c.bucket, c.subject, c.steps)):
            yield tuple(row)


def test_what_was_damaged_is_found_and_mended_and_what_is_new_goes_on_behind_it(engine: Engine) -> None:
    log = logged()
    store_all(engine, log, [40])
    whole = digest(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE legs SET answered = 'no' WHERE answered = 'none'"))
        connection.execute(text("DELETE FROM employee_stretches WHERE stretch = 2"))
        connection.execute(text("DELETE FROM employee_days"))
        connection.execute(text("UPDATE archive SET result = 'not_yet' WHERE type = 'loket.queue.closed'"))
    damaged = digest(engine)
    outcome = rebuild(engine, MEANING, Quiet(), check=True)
    assert differing(outcome) == {"archive", "legs", "employee_stretches", "employee_days"}
    assert (outcome.swapped, digest(engine)) == (False, damaged)

    outcome = rebuild(engine, MEANING, Quiet())
    assert differing(outcome) == {"archive", "legs", "employee_stretches", "employee_days"}
    assert (outcome.swapped, outcome.digest, digest(engine)) == (True, whole, whole)
    assert not left_over(engine)

    later = AT + 4 * DAY
    more = [(make("ticket.issued", f"n{n}", later, f"B{n}", "office-1", service="general"), later) for n in range(9)]
    store_more(engine, len(log), more)
    with reading(engine) as connection:
        numbers, highest = connection.execute(select(func.count(), func.max(tickets.c.id))).one()
    assert numbers <= highest
    assert len([row for row in rows_of(engine, legs) if row["subject"].startswith("B")]) == 9
    with reading(engine) as connection:
        assert connection.execute(text("SELECT sum(issued) FROM record_days")).scalar_one() > 60


def test_targets_of_now_are_taken(sqlite: Engine) -> None:
    """Rule 10: a target that is already valid may not change in service; a rebuild takes the new one."""
    log = logged()
    store_all(sqlite, log)
    strict = Policy(
        units={
            f"office-{n}": msgspec.structs.replace(
                POLICY.defaults, services={"general": ServicePolicy(targets=(Target(1, MINUTE, 0.8),))}
            )
            for n in range(12)
        }
    )
    outcome = rebuild(sqlite, msgspec.structs.replace(MEANING, policy=strict), Quiet())
    assert "legs" in differing(outcome)
    mended = digest(sqlite)
    now = AT + 10 * DAY
    told = figures(sqlite, now, strict)
    empty(sqlite)
    store_all(sqlite, log, policy=strict)
    assert digest(sqlite) == mended
    assert figures(sqlite, now, strict) == told
    assert sum(row.breached or 0 for row in told.units if row.service == "general") > 10


class Meanwhile(Quiet):
    """A sink stores something when a step of the rebuild begins."""

    def __init__(self, when: str, happens: Sequence[tuple[Event, int]], engine: Engine, begin: int) -> None:
        self._when, self._happens, self._engine, self._begin = when, happens, engine, begin
        self.steps: list[str] = []

    def step(self, description: str, total: int | None = None) -> None:
        self.steps.append(description)
        if description == self._when:
            sink = connect(self._engine.url.render_as_string(hide_password=False))
            store_more(sink, self._begin, self._happens)
            sink.dispose()


@pytest.mark.parametrize("when", ["reading what came meanwhile", "comparing"])
def test_what_a_sink_stores_meanwhile_is_in_it(engine: Engine, when: str) -> None:
    log = logged()
    store_all(engine, log[:150])
    meanwhile = Meanwhile(when, log[150:], engine, 150)
    outcome = rebuild(engine, MEANING, meanwhile)
    assert (outcome.records, differing(outcome)) == (len(log), set())
    assert meanwhile.steps == ["reading the archive", "reading what came meanwhile", "comparing", "writing"]
    kept = digest(engine)
    assert outcome.digest == kept
    empty(engine)
    store_all(engine, log)
    assert digest(engine) == kept


def test_a_second_rebuild_is_refused_while_one_runs(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store_all(engine, logged(12))
    monkeypatch.setenv("LOKET_DATABASE", engine.url.render_as_string(hide_password=False))
    another = connect(engine.url.render_as_string(hide_password=False))
    with only_one(engine):
        with pytest.raises(RebuildRuns, match="wait until it ends"), only_one(another):
            pass
        with pytest.raises(SystemExit) as ended:
            main(["rebuild", "--clock", "event"])
    assert ended.value.code == 1
    another.dispose()
    rebuild(engine, MEANING, Quiet())  # the lock is free again


def test_killed_anywhere_it_leaves_the_record_whole_and_the_next_one_works(engine: Engine) -> None:
    store_all(engine, logged(), [40])
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM employee_stretches"))  # so that there is something to do
    damaged = digest(engine)
    url = engine.url.render_as_string(hide_password=False)
    environment = os.environ | {"PYTHONPATH": str(Path(dying_rebuild.__file__).parents[1])}

    def die(*places: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "support.dying_rebuild", url, *places],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr

    die("store:1", "compare:1", "insert:6", "swap:1")
    assert digest(engine) == damaged
    assert left_over(engine)
    outcome = rebuild(engine, MEANING, Quiet())
    assert differing(outcome) == {"employee_stretches"}
    assert digest(engine) == outcome.digest != damaged
    assert not left_over(engine)


def test_letters_that_were_replayed_stay_so_and_what_is_readable_now_is_none_any_more(sqlite: Engine) -> None:
    records = to_records([(make("ticket.issued", "1", AT, "A1", "clinic", service="general"), AT)], topic=TOPIC)
    bad = [msgspec.structs.replace(records[0], offset=n, value=b"{}") for n in (1, 2)]
    from loket_consumers.storing import store
    from support.recorded import decoded

    with writing(sqlite) as connection:
        store(connection, TOPIC, {0: decoded([*records, *bad])}, {0: 0}, POLICY)
        connection.execute(text("UPDATE dead_letters SET replayed_at = 7 WHERE record_offset = 1"))
        connection.execute(  # as an older version may have refused it
            text(
                "INSERT INTO dead_letters SELECT topic, partition, 0, broker_time, unit, reason, field, sentence, "
                "source, id, key, value, headers, 8 FROM dead_letters WHERE record_offset = 2"
            )
        )
    outcome = rebuild(sqlite, MEANING, Quiet())
    assert differing(outcome) == {"dead_letters"}
    assert {row["record_offset"]: row["replayed_at"] for row in rows_of(sqlite, dead_letters)} == {1: 7, 2: None}


def test_what_an_older_version_did_not_process_is_processed(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    log = logged(20)
    called = next(event for event, _ in log if isinstance(event, TicketCalled))
    of = EventReference(source=called.source, id=called.id)
    fields = {"of": of, "set": {"employee": "siti"}}
    log.append((make("event.corrected", "k", AT + HOUR, called.subject, called.data.unit, **fields), AT + 3 * DAY))
    with monkeypatch.context() as older:
        for module in ("storing", "workspace"):
            older.setattr(f"loket_consumers.{module}.is_processed", lambda event: not isinstance(event, EventCorrected))
        store_all(sqlite, log)
    with reading(sqlite) as connection:
        assert connection.execute(text("SELECT recorded FROM archive WHERE id = 'k'")).scalar_one() == "not_yet"
    outcome = rebuild(sqlite, MEANING, Quiet())
    assert {"archive", "tickets", "stretches"} <= differing(outcome)
    with reading(sqlite) as connection:
        assert connection.execute(text("SELECT recorded FROM archive WHERE id = 'k'")).scalar_one() == "applied"
        assert connection.execute(text("SELECT count(*) FROM stretches WHERE caller = 'siti'")).scalar_one() == 1


def test_an_empty_archive_is_no_record(sqlite: Engine) -> None:
    with pytest.raises(NothingToRebuild, match="nothing to rebuild"):
        rebuild(sqlite, MEANING, Quiet())


def topic(log: FakeLog) -> Topic:
    clock = FrozenClock(AT)
    return Topic(FakeConsumer(log, clock), TOPIC, len(log.records), clock.monotonic)


def test_from_kafka_it_is_the_same_and_a_record_that_was_lost_comes_back(engine: Engine) -> None:
    log = logged()
    store_all(engine, log, [40])
    kept = digest(engine)
    kafka = FakeLog(1)
    kafka.append(to_records(log, topic=TOPIC))
    kafka.append(
        to_records(
            [(make("ticket.issued", "x", AT, "X", "clinic", service="general"), AT)], topic=TOPIC, begin=len(log)
        )
    )
    outcome = rebuild(engine, MEANING, Quiet(), source=topic(kafka))
    assert (outcome.records, differing(outcome)) == (len(log), set())  # what the sink has not stored yet is the sink's
    with writing(engine) as connection:
        connection.execute(text("UPDATE archive SET value = NULL WHERE record_offset = 3"))
        connection.execute(text("DELETE FROM archive WHERE record_offset = 5"))
    outcome = rebuild(engine, MEANING, Quiet(), source=topic(kafka))
    assert differing(outcome) == {"archive"}
    assert (outcome.tables[0].before, outcome.tables[0].after) == (len(log) - 1, len(log))
    assert digest(engine) == kept
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).where(archive.c.value.is_(None))).scalar_one() == 0

    empty(engine, partitions=0)  # a new database
    outcome = rebuild(engine, MEANING, Quiet(), source=topic(kafka))
    assert outcome.records == len(log) + 1
    with reading(engine) as connection:
        assert connection.execute(text("SELECT next FROM positions")).scalars().all() == [len(log) + 1]


def test_kafka_that_has_less_than_the_archive_is_not_taken(sqlite: Engine) -> None:
    log = logged(20)
    store_all(sqlite, log)
    kept = digest(sqlite)
    kafka = FakeLog(1)
    kafka.append(to_records(log, topic=TOPIC))
    kafka.forget_before(0, 10)
    with pytest.raises(KafkaLacks, match="from the archive, without --from-kafka"):
        rebuild(sqlite, MEANING, Quiet(), source=topic(kafka))
    kafka.begins[0] = 0  # compacted: the first is there, others are not
    kafka.records[0].insert(0, to_records(log[:1], topic=TOPIC)[0])
    with pytest.raises(KafkaLacks, match="offset 1 "):
        rebuild(sqlite, MEANING, Quiet(), source=topic(kafka))
    kafka.records[0].clear()
    with pytest.raises((KafkaSilent, KafkaLacks)):
        rebuild(sqlite, MEANING, Quiet(), source=topic(kafka))
    assert digest(sqlite) == kept


def test_the_command_says_what_differs_in_80_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    monkeypatch.setenv("LOKET_DATABASE", url)
    monkeypatch.setenv("COLUMNS", "80")
    made = connect(url)
    upgrade(made)
    empty(made)
    store_all(made, [(event, int(event.time)) for event in visits(20, AT)], policy=Policy())
    with writing(made) as connection:
        connection.execute(text("DELETE FROM employee_stretches"))

    def call(*options: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["rebuild", "--clock", "event", *options])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    status, out, err = call("--check")
    assert status == 1
    assert "nothing was changed" in out
    assert "`loket rebuild` makes it so" in err
    status, out, _ = call()
    assert status == 0
    assert "now is what its" in " ".join(out.split())
    assert digest(made) in out
    assert max(map(len, out.splitlines())) <= 80
    status, out, _ = call("--check")
    assert status == 0
    made.dispose()


def test_a_record_in_memory_is_refused() -> None:
    from loket.errors import UsageError

    made = connect("sqlite://")
    with pytest.raises(UsageError, match="in memory"), only_one(made):
        pass
    made.dispose()
