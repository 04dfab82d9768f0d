"""A database that restarts, is full, locked up or cut off in the middle of a COMMIT: each record is stored once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from support.cutting import CuttingProxy
from support.kafka import KafkaBroker
from support.postgres import PostgresServer, SmallDisk
from support.process import wait_until
from support.rounds import dice_of, rounds
from support.sinks import SinkProcess
from support.whole import Whole

MakeWhole = Callable[..., Whole]


def reached(sink: SinkProcess, up: int) -> Callable[[], bool]:
    return lambda: sink.metric("loket_sink_database_up") == up


@rounds()
def test_restarted_in_order_and_killed_while_it_is_written(
    kafka: KafkaBroker, hurt_postgres: PostgresServer, make_whole: MakeWhole, fault_round: int
) -> None:
    dice = dice_of("database restarted", fault_round)
    with hurt_postgres.database() as url:
        whole = make_whole(kafka, database=url)
        sink = whole.sink()
        sink.start()
        feed = whole.feed(whole.events(600, dice), seconds=5)
        for end in dice.sample([hurt_postgres.stop, hurt_postgres.kill], 2):
            time.sleep(dice.uniform(0.5, 2))
            end()
            time.sleep(dice.uniform(0, 1))
            hurt_postgres.start()
        feed.finish()
        whole.wait_for_record()
        assert sink.process.running
        whole.assert_record()


@contextmanager
def full_soon(
    server: PostgresServer, make_whole: MakeWhole, kafka: KafkaBroker
) -> Iterator[tuple[Whole, Callable[[], None]]]:
    """A record that has room for a few hundred events, and what gives it more.

    On a small file system where this user may mount one, else by what PostgreSQL says when one is full.
    """
    with ExitStack() as stack:
        disk = SmallDisk(server.folder / "small", 10)
        stack.callback(disk.close)
        if disk.is_mounted:
            server.execute(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")
            stack.callback(server.execute, "DROP TABLESPACE small")
            url = stack.enter_context(server.database("TABLESPACE small"))
            whole = make_whole(kafka, database=url)
            yield whole, lambda: disk.grow(200)
            return
        url = stack.enter_context(server.database())
        whole = make_whole(kafka, database=url)
        name = url.rpartition("/")[2]
        server.execute(
            "CREATE FUNCTION full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF (SELECT count(*) FROM archive) > 100 THEN "
            "RAISE 'No space left on device' USING ERRCODE = '53100'; END IF; RETURN NULL; END $$",
            name,
        )
        server.execute("CREATE TRIGGER full AFTER INSERT ON archive FOR EACH STATEMENT EXECUTE FUNCTION full()", name)
        yield whole, lambda: server.execute("DROP TRIGGER full ON archive", name)


@rounds()
def test_full_and_then_with_room_again(
    kafka: KafkaBroker, hurt_postgres: PostgresServer, make_whole: MakeWhole, fault_round: int
) -> None:
    dice = dice_of("database full", fault_round)
    with full_soon(hurt_postgres, make_whole, kafka) as (whole, make_room):
        sink = whole.sink()
        sink.start()
        number = 0
        while sink.metric("loket_sink_database_up") != 0:
            whole.send(whole.events(200, dice))
            number += 1
            assert number < 60
            time.sleep(0.2)
        page = sink.page("/-/ready")
        assert page is not None
        assert page[0] == 503
        assert "make room" in page[1]
        time.sleep(dice.uniform(0, 1))
        make_room()
        whole.send(whole.events(50, dice))
        whole.wait_for_record()
        wait_until(reached(sink, 1), 60, "the sink to say that it is back")
        whole.assert_record()
        sink.kill()
        whole.engine.dispose()


@rounds()
def test_a_dead_lock_with_somebody_else(
    kafka: KafkaBroker, hurt_postgres: PostgresServer, make_whole: MakeWhole, fault_round: int
) -> None:
    """Somebody keeps the archive, then wants the positions, which the sink's transaction keeps: the sink gives up."""
    dice = dice_of("dead lock", fault_round)
    with hurt_postgres.database() as url:
        name = url.rpartition("/")[2]
        hurt_postgres.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '2s'")
        whole = make_whole(kafka, database=url)
        sink = whole.sink()
        sink.start()
        whole.send(whole.events(20, dice))
        whole.wait_for_record()
        with hurt_postgres.connect(name) as other, hurt_postgres.connect(name) as looking:
            other.execute("SET deadlock_timeout = '1h'")
            with other.transaction():
                other.execute("LOCK TABLE archive IN EXCLUSIVE MODE")
                whole.send(whole.events(30, dice))
                wait_until(lambda: waiting(looking) == 1, 60, "the sink to wait for the archive")
                other.execute("UPDATE positions SET next = next")  # answered once the sink's transaction has gone
            wait_until(lambda: deadlocks(looking) > 0, 60, "PostgreSQL to count it")
        whole.send(whole.events(20, dice))
        whole.wait_for_record()
        assert sink.process.running
        assert "deadlock" in sink.process.output()
        whole.assert_record()


def waiting(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """How many wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(str(row[0]))


def deadlocks(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """How many dead locks were found so far."""
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(str(row[0]))


@pytest.fixture
def proxy(hurt_postgres: PostgresServer) -> Iterator[CuttingProxy]:
    """Between the sink and the server."""
    made = CuttingProxy(hurt_postgres.port)
    yield made
    made.close()


@rounds()
def test_the_connection_is_cut_in_the_middle_of_a_commit(
    kafka: KafkaBroker,
    hurt_postgres: PostgresServer,
    proxy: CuttingProxy,
    make_whole: MakeWhole,
    fault_round: int,
) -> None:
    """Before it is asked nothing is stored; before it is answered all is, and the sink cannot know which."""
    dice = dice_of("commit", fault_round)
    with hurt_postgres.database() as url:
        whole = make_whole(kafka, database=url)
        sink = whole.sink(database=url.replace(f":{hurt_postgres.port}/", f":{proxy.port}/"))
        sink.start()
        feed = whole.feed(whole.events(500, dice), seconds=4)
        for where in dice.sample(["before it is asked", "before it is answered"] * 2, 4):
            proxy.cut(where)  # type: ignore[arg-type]  # of a list of both
            time.sleep(dice.uniform(0, 0.4))
        feed.finish()
        whole.wait_for_record()
        assert sink.process.running
        whole.assert_record()
