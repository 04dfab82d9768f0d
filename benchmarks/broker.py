"""The worker and the sink on a real Kafka, beside Faust as documented and a plain insert into the same database."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.work import HEADERS, Work, targets_text
from loket.broker import EventProducer
from loket.clock import SYSTEM_CLOCK
from loket.settings import Connection
from support.kafka import KafkaBroker
from support.postgres import PostgresServer

PARTITIONS = 4
PATH = os.pathsep.join(path for path in sys.path if path)


@contextmanager
def kafka(folder: Path) -> Iterator[KafkaBroker]:
    """A broker of our own."""
    folder.mkdir()
    broker = KafkaBroker(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.remove()


def fill(broker: KafkaBroker, done: Work) -> str:
    """Write the events to a new topic as Loket needs it, and return its name."""
    topic = broker.create_topic("", PARTITIONS, message_timestamp_type="LogAppendTime")
    with EventProducer(Connection(bootstrap=broker.bootstrap), topic) as producer:
        for key, value in done.events:
            producer.send(key, value, HEADERS)
    return topic


def worker(broker: KafkaBroker, topic: str, done: Work, units: int) -> dict[str, Any]:
    """The report of Loket's worker."""
    with tempfile.TemporaryDirectory() as folder:
        targets = Path(folder, "targets.yaml")
        targets.write_text(targets_text(units), encoding="utf-8")
        return _replayed("benchmarks.replay", ["--targets", str(targets)], broker, topic, done, Path(folder))


def documented(broker: KafkaBroker, topic: str, done: Work) -> dict[str, Any]:
    """The report of Faust as documented."""
    with tempfile.TemporaryDirectory() as folder:
        return _replayed("benchmarks.documented", ["--folder", folder], broker, topic, done, Path(folder))


def _replayed(
    module: str, further: Sequence[str], broker: KafkaBroker, topic: str, done: Work, folder: Path
) -> dict[str, Any]:
    out = folder / "out"
    call = [sys.executable, "-m", module, "--bootstrap", broker.bootstrap, "--topic", topic, "--out", str(out)]
    ran = subprocess.run(
        [*call, *further], env=os.environ | {"PYTHONPATH": PATH}, capture_output=True, text=True, check=False
    )
    if ran.returncode or not ran.stdout.strip():
        raise SystemExit(f"{module} failed:\n{ran.stderr[-3000:]}")
    if out.read_text(encoding="utf-8").splitlines() != done.expected:
        raise SystemExit(f"{module} gave another result than the events have")
    report: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return report


def sink(broker: KafkaBroker, topic: str, events: int, database: str) -> tuple[float, float]:
    """Seconds in which `loket sink` stores a whole topic, its start included; and CPU seconds of its own without its
    start, which is what a second run takes, as that finds everything stored."""
    call = [sys.executable, "-m", "loket"]
    where = {
        "PYTHONPATH": PATH,
        "LOKET_BOOTSTRAP": broker.bootstrap,
        "LOKET_TOPIC": topic,
        "LOKET_DATABASE": database,
        "LOKET_CLOCK": "event",
        "LOKET_SINK_METRICS_PORT": "0",
    }
    spent: list[tuple[float, float]] = []
    for arguments in (["db", "upgrade"], ["sink", "--until-end"], ["sink", "--until-end"]):
        began, cpu = SYSTEM_CLOCK.monotonic(), _cpu_of_children()
        ran = subprocess.run([*call, *arguments], env=os.environ | where, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise SystemExit(f"loket {' '.join(arguments)} failed:\n{ran.stderr[-3000:]}")
        spent.append((SYSTEM_CLOCK.monotonic() - began, _cpu_of_children() - cpu))
    _, whole, start = spent
    engine = sa.create_engine(database)
    with engine.connect() as connection:
        stored = connection.execute(sa.text("SELECT count(*) FROM archive")).scalar_one()
    engine.dispose()
    if stored != events:
        raise SystemExit(f"the record has {stored} events and not {events}")
    return whole[0], whole[1] - start[1]


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def plain_insert(done: Work, database: str) -> float:
    """Seconds in which the same bytes go into one plain table, 5,000 to a transaction."""
    engine = sa.create_engine(database)
    table = sa.Table(
        "plain_events",
        sa.MetaData(),
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("unit", sa.LargeBinary),
        sa.Column("value", sa.LargeBinary),
    )
    table.create(engine)
    began = SYSTEM_CLOCK.monotonic()
    for first in range(0, len(done.events), 5_000):
        rows = [
            {"id": first + at, "unit": key, "value": value}
            for at, (key, value) in enumerate(done.events[first : first + 5_000])
        ]
        with engine.begin() as connection:
            connection.execute(table.insert(), rows)
    took = SYSTEM_CLOCK.monotonic() - began
    table.drop(engine)
    engine.dispose()
    return took


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """URLs of an empty SQLite and of an empty PostgreSQL that waits for the disk."""
    # In a folder of its own, as the server may have to run as another user than we.
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="loket-bench-postgres-")), durable=True)
    try:
        server.start()
        with server.database() as url:
            yield {"SQLite": f"sqlite:///{folder / 'loket.db'}", "PostgreSQL": url}
    finally:
        server.remove()
