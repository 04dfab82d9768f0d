"""The sink as a process on the embedded broker: to the end, as a service, and what its pages tell."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loket.broker import apply_topics, events_topic
from loket.clock import SYSTEM_CLOCK
from loket.domain.policy import DAY, HOUR, Policy
from loket.embedded import EmbeddedBroker
from loket.settings import Connection
from loket_consumers.engines import connect, reading
from loket_consumers.migrating import upgrade
from loket_consumers.rebuilding.content import digest_of
from support.logs import DAY_BEGINS
from support.oracle import Oracle, without_zeros
from support.process import wait_until
from support.recorded import figures, of_record
from support.sinks import PARTITIONS, Load, SinkProcess, killed_at_the_end, loket, visits

pytestmark = pytest.mark.embedded

TOPIC = "loket.events"
LONG_AGO = DAY_BEGINS - 3_000 * DAY


@pytest.fixture
def connection() -> Iterator[Connection]:
    with EmbeddedBroker() as broker:
        made = Connection(bootstrap=broker.bootstrap)
        apply_topics(made, [events_topic(TOPIC, PARTITIONS)])
        yield made


def test_a_log_of_the_past_is_stored_to_its_end_and_a_second_time_changes_nothing(
    connection: Connection, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    engine = connect(url)
    upgrade(engine)
    log = visits(300, LONG_AGO)
    Load(connection, TOPIC, log).start().finish()
    sink = SinkProcess(connection.bootstrap, TOPIC, url, tmp_path, clock="event", session_timeout_s="6")
    oracle = Oracle(Policy())
    oracle.apply_all((event, int(event.time)) for event in log)
    now = LONG_AGO + DAY
    for _ in range(2):
        sink.run_to_the_end()
        for live in (True, False):
            found = figures(engine, now, Policy(), live=live)
            assert (without_zeros(found.units), without_zeros(found.employees)) == of_record(oracle, now)
    engine.dispose()


def test_a_record_is_rebuilt_from_kafka_and_one_that_was_lost_made_anew(connection: Connection, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    engine = connect(url)
    upgrade(engine)
    Load(connection, TOPIC, visits(200, LONG_AGO)).start().finish()
    sink = SinkProcess(connection.bootstrap, TOPIC, url, tmp_path, clock="event", session_timeout_s="6")
    sink.run_to_the_end()
    with reading(engine) as database:
        kept = digest_of(database)
    assert kept in loket("rebuild", "--from-kafka", "--check", environment=sink.environment)

    new = f"sqlite:///{tmp_path / 'new.db'}"
    fresh = connect(new)
    upgrade(fresh)
    fresh.dispose()
    assert kept in loket("rebuild", "--from-kafka", environment=sink.environment | {"LOKET_DATABASE": new})
    again = connect(new)
    with reading(again) as database:
        assert digest_of(database) == kept
    again.dispose()
    engine.dispose()


def test_events_ahead_of_the_present_of_a_replay_are_archived_and_in_no_figure(
    connection: Connection, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    engine = connect(url)
    upgrade(engine)
    log = visits(100, LONG_AGO)
    now = int(log[len(log) // 2].time)
    Load(connection, TOPIC, log).start().finish()
    told = {"clock": "event", "session_timeout_s": "6", "now": _written(now)}
    SinkProcess(connection.bootstrap, TOPIC, url, tmp_path, **told).run_to_the_end()

    oracle = Oracle(Policy())
    oracle.apply_all((event, int(event.time)) for event in log if event.time <= now)
    found = figures(engine, now, Policy())
    assert (without_zeros(found.units), without_zeros(found.employees)) == of_record(oracle, now)
    engine.dispose()


def _written(instant: int) -> str:
    from loket.domain.events import Instant
    from loket.wire.instant import format_instant

    return format_instant(Instant(instant))


def test_as_a_service_it_tells_how_it_gets_on_and_leaves_when_asked(
    connection: Connection, tmp_path: Path, promtool: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    engine = connect(url)
    upgrade(engine)
    log = visits(200, SYSTEM_CLOCK.now_ms() - HOUR)
    sink = SinkProcess(connection.bootstrap, TOPIC, url, tmp_path, session_timeout_s="6")
    with killed_at_the_end(sink):
        sink.start()
        Load(connection, TOPIC, log).start().finish()
        wait_until(lambda: (sink.metric("loket_sink_next_offset") or 0) >= len(log), 120, "everything to be stored")
        wait_until(lambda: (sink.page("/-/ready") or (0, ""))[0] == 200, 120, "it to be ready")
        assert sink.page("/-/healthy") == (200, "healthy\n")
        assert sink.metric("loket_sink_lag_records") == 0
        assert sink.metric("loket_sink_records_total") == len(log)
        page = sink.page("/metrics")
        assert page is not None
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=page[1], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")

        taken = SinkProcess(connection.bootstrap, TOPIC, url, tmp_path, "second")
        taken.environment["LOKET_SINK_METRICS_PORT"] = str(sink.port)
        with pytest.raises(AssertionError, match=r"another program has that port.*LOKET_SINK_METRICS_PORT"):
            taken.run_to_the_end()
        assert sink.stop() == 0
        assert "finishing what is under way" in sink.process.output()
    engine.dispose()
