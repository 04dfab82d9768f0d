"""Worker and sink as a service manager sees them, over a real socket: ready when they are, alive while they get on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from loket.clock import SYSTEM_CLOCK
from loket.domain.policy import HOUR
from loket_consumers.engines import connect
from loket_consumers.migrating import upgrade
from support.kafka import KafkaBroker
from support.manager import Manager
from support.process import Process, free_port
from support.sinks import Load, visits
from support.streams import Stream

ROOT = Path(__file__).parents[2]
WATCHDOG_S = 8
"""A sign of life is due every fourth part of it."""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path)
    yield made
    made.close()


@pytest.fixture
def stream(own_kafka: KafkaBroker, tmp_path: Path) -> Stream:
    made = Stream(own_kafka.bootstrap, tmp_path)
    made.create_topics()
    return made


class Service:
    """A process with a manager and a watchdog."""

    def __init__(self, manager: Manager, stream: Stream, folder: Path, name: str, **settings: str) -> None:
        self._manager = manager
        self._environment = {
            **os.environ,
            **manager.environment,
            "WATCHDOG_USEC": str(WATCHDOG_S * 1_000_000),
            "LOKET_BOOTSTRAP": stream.bootstrap,
            "LOKET_TOPIC": stream.topic,
            "LOKET_APP_ID": stream.app_id,
            "LOKET_GROUP_ID": f"{stream.topic}-sinks",
            "LOKET_WORKER_METRICS_PORT": str(free_port()),
            "LOKET_SINK_METRICS_PORT": str(free_port()),
            "LOKET_SESSION_TIMEOUT_S": "6",
            "PYTHONPATH": str(ROOT / "tests"),
            **settings,
        }
        self.process = Process(name, folder / f"{name}.log")

    def start(self, *program: str) -> None:
        """Start it, and return when it says that it is ready."""
        self.process.run(
            [sys.executable, "-m", *program],
            ready=lambda: any(message.startswith("READY=1") for message in self._manager.heard()),
            environment=self._environment,
            timeout_s=90,
        )

    def stays_silent(self) -> None:
        """Nothing of life is heard for as long as a manager waits before it restarts; one sign may be on its way."""
        time.sleep(WATCHDOG_S / 4 + 3)
        self._manager.heard()
        time.sleep(WATCHDOG_S)
        assert [message for message in self._manager.heard() if message == "WATCHDOG=1"] == []

    def stop(self) -> None:
        self._manager.heard()
        self.process.stop()
        assert any(message.startswith("STOPPING=1") for message in self._manager.heard())
        assert self.process.status == 0


def alive_until(manager: Manager, said: str, seconds: float) -> None:
    """Signs of life come as often as they have to for so long, and something is said meanwhile."""
    begin = time.monotonic()
    heard = False
    while not heard or time.monotonic() < begin + seconds:
        messages = manager.hears("WATCHDOG=1", timeout_s=WATCHDOG_S * 4)
        heard = heard or any(message.startswith(said) for message in messages)
        assert time.monotonic() < begin + 180, f"{said} was not said"


def test_a_worker_waits_for_a_broker_that_is_paused_and_is_not_alive_when_its_loop_stands(
    manager: Manager, stream: Stream, own_kafka: KafkaBroker, tmp_path: Path
) -> None:
    stuck = tmp_path / "stuck"
    targets = tmp_path / "targets.yaml"
    targets.write_text("units: {}\n", encoding="utf-8")
    worker = Service(manager, stream, tmp_path, "worker", STUCK=str(stuck), LOKET_TARGETS=str(targets))
    try:
        worker.start("support.stuck_worker")
        manager.hears("WATCHDOG=1")
        targets.write_text("units: {clinic: {services: {}}}\n", encoding="utf-8")
        assert any(message == "READY=1" for message in manager.hears("READY=1"))

        own_kafka.pause()
        alive_until(manager, "STATUS=the broker has not answered", 35)
        own_kafka.resume()
        manager.hears("STATUS=reads 4 partitions, 0 events behind", timeout_s=120)

        stuck.touch()
        load = Load(stream.connection, stream.topic, visits(20, SYSTEM_CLOCK.now_ms() - HOUR)).start()
        load.finish()
        worker.stays_silent()
        stuck.unlink()
        manager.hears("WATCHDOG=1")
        worker.stop()
    finally:
        worker.process.kill()


def test_a_sink_waits_for_a_broker_that_is_paused_and_is_not_alive_when_its_statement_hangs(
    manager: Manager, stream: Stream, own_kafka: KafkaBroker, database: str, tmp_path: Path
) -> None:
    engine = connect(database)
    upgrade(engine)
    sink = Service(manager, stream, tmp_path, "sink", LOKET_DATABASE=database)
    try:
        sink.start("loket", "sink")
        own_kafka.pause()
        alive_until(manager, "STATUS=no Kafka broker answers", 20)
        own_kafka.resume()
        manager.hears("STATUS=stores 4 partitions", timeout_s=120)

        with engine.begin() as connection:
            connection.execute(text("LOCK TABLE positions IN ACCESS EXCLUSIVE MODE"))
            load = Load(stream.connection, stream.topic, visits(20, SYSTEM_CLOCK.now_ms() - HOUR)).start()
            load.finish()
            sink.stays_silent()
        manager.hears("WATCHDOG=1")
        sink.stop()
    finally:
        sink.process.kill()
        engine.dispose()


def test_a_sink_that_cannot_go_on_leaves_the_reason_with_the_manager(
    manager: Manager, stream: Stream, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path / 'new.db'}"
    sink = Service(manager, stream, tmp_path, "sink", LOKET_DATABASE=database)
    ended = subprocess.run(
        [sys.executable, "-m", "loket", "sink"], env=environment_of(sink), capture_output=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    (status,) = manager.heard()
    assert status.startswith(f"STATUS=there is no file {database.removeprefix('sqlite:///')}: ")
    assert "run `loket db upgrade`" in status


def environment_of(service: Service) -> Mapping[str, str]:
    return service._environment


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("name", ["loket-worker.service", "loket-sink.service", "loket-alerts.service"])
def test_systemd_takes_the_units(name: str, tmp_path: Path) -> None:
    unit = (ROOT / "deploy" / "systemd" / name).read_text(encoding="utf-8")
    program = Path(sys.executable).with_name("loket")
    copy = tmp_path / name
    copy.write_text(unit.replace("/opt/loket/bin/loket", str(program)), encoding="utf-8")
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert "Type=notify\n" in unit
