"""`loket sink` as a process, a load of events for it, and whether the record is what the domain says."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Final
from urllib.error import HTTPError, URLError

from kafka import KafkaConsumer, TopicPartition
from sqlalchemy import Engine, func, select

from loket.broker import EventProducer
from loket.domain.events import Event
from loket.domain.policy import DAY, MINUTE, SECOND, Policy
from loket.settings import Connection
from loket.wire.cloudevents import Decoder, encode
from loket_consumers.engines import reading
from loket_consumers.schema import archive, positions
from support.logs import make
from support.oracle import Oracle, without_zeros
from support.process import Process, ServerFailed, free_port, wait_until
from support.recorded import figures, of_record

__all__ = ["PARTITIONS", "Load", "SinkProcess", "assert_exact", "killed_at_the_end", "loket", "visits"]

PARTITIONS: Final = 4
REPEATED: Final = 0.1


def visits(number: int, begin_ms: int, seed: int = 0) -> list[Event]:
    """Visits to a dozen units: some people leave, do not come or are called again; a tenth of all comes twice."""
    dice = random.Random(seed)
    log: list[Event] = []
    for visit in range(number):
        unit, subject = f"office-{visit % 12}", f"A{visit}"
        at = begin_ms + visit * SECOND // 2
        employee = f"e{visit % 5}"

        def tell(kind: str, after: int, unit: str = unit, subject: str = subject, at: int = at, **data: object) -> None:
            log.append(make(kind, f"{subject}-{kind}-{after}", at + after, subject, unit, **data))

        tell("ticket.issued", 0, service=dice.choice(["general", "dental"]))
        fate = dice.random()
        if fate < 0.1:
            tell("ticket.abandoned", 3 * MINUTE)
            continue
        tell("ticket.called", 2 * MINUTE, employee=employee)
        if fate < 0.2:
            tell("ticket.no_show", 4 * MINUTE, employee=employee)
            continue
        if fate < 0.3:
            tell("ticket.requeued", 3 * MINUTE, employee=employee)
            tell("ticket.called", 5 * MINUTE, employee=employee)
        tell("service.started", 6 * MINUTE, employee=employee)
        if fate < 0.8:
            tell("service.completed", 9 * MINUTE + dice.randrange(MINUTE), employee=employee)
    log.sort(key=lambda event: event.time)
    for _ in range(int(len(log) * REPEATED)):
        log.insert(dice.randrange(len(log)), dice.choice(log))
    return log


class Load:
    """Sends a log to a topic, at a pace, while other things happen."""

    def __init__(self, connection: Connection, topic: str, log: list[Event], seconds: float = 0) -> None:
        self._connection = connection
        self._topic = topic
        self._log = log
        self._pause = Flag()
        self._seconds = seconds
        self._error: BaseException | None = None
        self._thread = Thread(target=self._send, daemon=True)

    def start(self) -> Load:
        self._thread.start()
        return self

    def finish(self) -> None:
        """Wait until everything is sent."""
        self._thread.join(120)
        if self._error is not None:
            raise self._error
        if self._thread.is_alive():
            raise TimeoutError("the load does not end")

    def _send(self) -> None:
        try:
            with EventProducer(self._connection, self._topic) as producer:
                for number, event in enumerate(self._log):
                    sent = encode(event)
                    producer.send(sent.key, sent.value, sent.headers, timestamp_ms=int(event.time))
                    if self._seconds and number % 50 == 49:
                        self._pause.wait(50 * self._seconds / len(self._log))
        except BaseException as error:  # noqa: BLE001 (told by finish)
            self._error = error


def loket(*arguments: str, environment: dict[str, str], timeout_s: float = 120) -> str:
    """Run a command of `loket` to its end, and return what it said; a failure raises."""
    done = subprocess.run(
        [sys.executable, "-m", "loket", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"loket {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class SinkProcess:
    """One `loket sink`, with its own port and log."""

    def __init__(
        self, bootstrap: str, topic: str, database: str, folder: Path, name: str = "sink", **settings: str
    ) -> None:
        self.port = free_port()
        self.environment = {
            "LOKET_BOOTSTRAP": bootstrap,
            "LOKET_TOPIC": topic,
            "LOKET_DATABASE": database,
            "LOKET_SINK_METRICS_PORT": str(self.port),
            "LOKET_GROUP_ID": f"{topic}-sinks",
            "LOKET_SESSION_TIMEOUT_S": "2",
        } | {f"LOKET_{key.upper()}": value for key, value in settings.items()}
        self.process = Process(f"loket sink ({name})", folder / f"{name}.log")

    def start(self, *options: str) -> SinkProcess:
        """Start it, and return when it serves."""
        self.process.run(
            [sys.executable, "-m", "loket", "sink", *options],
            environment=dict(os.environ) | self.environment,
            ready=lambda: self.page("/-/healthy") is not None,
        )
        return self

    def dies(self, *options: str, timeout_s: float = 60) -> int | None:
        """Start it, though it may end before it serves, and return how it ended."""
        with suppress(ServerFailed):
            self.start(*options)
        wait_until(lambda: not self.process.running, timeout_s, f"{self.process.name} to end")
        return self.process.status

    def run_to_the_end(self) -> None:
        """Store all that is there, and stop."""
        loket("sink", "--until-end", environment=self.environment)

    def page(self, path: str) -> tuple[int, str] | None:
        """Status and content of a page; None where nobody serves."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except (URLError, ConnectionError, TimeoutError):
            return None

    def metric(self, name: str) -> float | None:
        """The sum of all samples of a metric; None where there is none."""
        page = self.page("/metrics")
        lines = [] if page is None else page[1].splitlines()
        values = [float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(values) if values else None

    def stop(self) -> int | None:
        """SIGTERM; returns the exit status."""
        self.process.stop(signal.SIGTERM, 30)
        return self.process.status

    def kill(self) -> None:
        self.process.kill()


@contextmanager
def killed_at_the_end(*sinks: SinkProcess) -> Iterator[None]:
    """Leave none of these running."""
    try:
        yield
    finally:
        for sink in sinks:
            sink.kill()


def _log_of(connection: Connection, topic: str) -> Iterator[tuple[int, int, Event, int]]:
    """Everything in a topic, by partition: partition, offset, event, the broker's time."""
    consumer = KafkaConsumer(
        bootstrap_servers=connection.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    decoder = Decoder(PARTITIONS, clock="event", now=lambda: 1 << 60)
    try:
        places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        ends = consumer.end_offsets(places)
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        read = dict.fromkeys(places, 0)
        found: list[tuple[int, int, Event, int]] = []
        while any(read[place] < ends[place] for place in places):
            for place, records in consumer.poll(timeout_ms=500).items():
                read[place] = records[-1].offset + 1
                for record in records:
                    event = decoder.decode(record)
                    found.append((record.partition, record.offset, event, record.timestamp))  # type: ignore[arg-type]  # only ours
    finally:
        consumer.close()
    found.sort(key=lambda each: each[:2])
    yield from found


def assert_exact(
    engine: Engine, connection: Connection, topic: str, *, expected: int, policy: Policy | None = None
) -> None:
    """The record holds every event of the topic once and says what the domain says of them."""
    policy = policy or Policy()
    oracle = Oracle(policy)
    became: list[tuple[int, int, str]] = []
    newest = 0
    for partition, offset, event, received in _log_of(connection, topic):
        became.append((partition, offset, oracle.apply(event, received)))
        newest = max(newest, received)
    assert len(became) == expected
    c = archive.c
    with reading(engine) as database:
        rows = database.execute(select(c.partition, c.record_offset, c.result).order_by(c.partition, c.record_offset))
        assert [tuple(row) for row in rows] == became
        total = database.execute(select(func.sum(positions.c.next))).scalar_one()
    assert total == expected
    now = newest + DAY
    for live in (True, False):
        found = figures(engine, now, policy, live=live)
        assert (without_zeros(found.units), without_zeros(found.employees)) == of_record(oracle, now)
