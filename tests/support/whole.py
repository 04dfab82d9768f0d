"""Workers and a sink on one topic, and whether metrics and record are what the domain alone makes of the log."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any, Final

from sqlalchemy import Engine, select

from loket.agreement.metrics import figures_of
from loket.broker import EventProducer
from loket.catalogue.employees import EMPLOYEES_EVALUATED_AT
from loket.catalogue.pipeline import EVALUATED_AT
from loket.domain.policy import DAY, HOUR, Policy
from loket.domain.summary import Flat
from loket.scrape import Sample, scrape
from loket.settings import Connection
from loket.targets import load_targets
from loket.wire.cloudevents import Decoder, Foreign, encode
from loket.wire.figures import LiveFigures
from loket.wire.rejection import Rejected
from loket_consumers.engines import connect, reading
from loket_consumers.migrating import upgrade
from loket_consumers.schema import dead_letters, positions
from loket_consumers.storing import FOREIGN, REJECTED
from support import sinks
from support.logs import whole_policy
from support.oracle import Oracle, without_zeros
from support.process import wait_until
from support.recorded import figures, of_record, places
from support.sinks import SinkProcess
from support.streams import Stream, StreamWorker, as_told, read_all

__all__ = ["Feed", "Judged", "Told", "Whole", "events_of"]

Told = tuple[bytes, bytes, Sequence[tuple[str, bytes]]]
"""A record to be sent: key, value, headers."""

SETTLED_S: Final = 90.0

_TARGETS: Final = """
defaults: {zone: Asia/Jakarta}
units:
""" + "".join(
    f"  office-{number}: {{services: {{general: {{wait: "
    "[{valid_from: 2000-01-01, seconds: 90, objective: 0.8}]}}}\n"
    for number in range(12)
)


def events_of(number: int, seed: int, *, begin_ms: int) -> list[Told]:
    """Events of `number` visits to a dozen offices, a tenth of them sent twice; ids are of this seed alone."""
    told: list[Told] = []
    for event in sinks.visits(number, begin_ms, seed):
        sent = encode(event)
        marked = sent.value.replace(b'"source":"s"', b'"source":"s%d"' % seed).replace(
            b'"subject":"A', b'"subject":"%d.' % seed
        )
        told.append((sent.key, marked, tuple(sent.headers)))
    return told


class Judged:
    """What the domain makes of a topic: the result of each record, and all figures."""

    def __init__(self, records: Mapping[int, Sequence[Any]], policy: Policy, *, event_clock: bool = False) -> None:
        decoder = Decoder(len(records), clock="event" if event_clock else "service", now=lambda: 1 << 60)
        self.oracle = Oracle(policy)
        self.whole = Oracle(whole_policy(policy))
        """What the record says of all events, the late ones with them."""

        self.results: list[tuple[int, int, str]] = []
        self.reasons: list[tuple[int, int, str]] = []
        self.newest = 0
        for partition in sorted(records):
            for record in records[partition]:
                place = (partition, record.offset)
                try:
                    event = decoder.decode(record)
                except Rejected as rejected:
                    self.results.append((*place, REJECTED))
                    self.reasons.append((*place, str(rejected.reason)))
                    continue
                if isinstance(event, Foreign):
                    self.results.append((*place, FOREIGN))
                    continue
                received = int(event.time) if event_clock else record.timestamp
                self.newest = max(self.newest, received)
                result = self.oracle.apply(event, received)
                self.whole.apply(event, received)
                self.oracle.units[event.data.unit].offset = record.offset
                self.results.append((*place, result))
                if result == "conflicting_repeat":
                    self.reasons.append((*place, result))

    def assert_figures(self, engine: Engine, policy: Policy) -> None:
        """The record's figures are these, live and of all events."""
        now = self.newest + DAY
        for live, oracle in ((True, self.oracle), (False, self.whole)):
            found = figures(engine, now, policy, live=live)
            assert (without_zeros(found.units), without_zeros(found.employees)) == of_record(oracle, now), live

    def units(self) -> dict[str, dict[str, Any]]:
        """The states, as a worker of the tests tells them."""
        return {unit: as_told(state) for unit, state in self.oracle.units.items()}


class Feed:
    """Sends records while other things happen."""

    def __init__(self, connection: Connection, topic: str, log: Sequence[Told], seconds: float) -> None:
        self._connection, self._topic, self._log, self._seconds = connection, topic, log, seconds
        self._flag = Flag()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._send, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait until everything is acknowledged."""
        self._thread.join(180)
        if self._error is not None:
            raise self._error
        if self._thread.is_alive():
            raise TimeoutError("the feed does not end")

    def _send(self) -> None:
        try:
            with EventProducer(self._connection, self._topic) as producer:
                for number, (key, value, headers) in enumerate(self._log, 1):
                    producer.send(key, value, headers)
                    if self._seconds and number % 20 == 0:
                        self._flag.wait(20 * self._seconds / len(self._log))
        except BaseException as error:  # noqa: BLE001 (told by finish)
            self._error = error


class Whole:
    """A stream with a record of its own in `database`; its workers and sinks end with it."""

    def __init__(self, stream: Stream, database: str, folder: Path, *, event_clock: bool = False) -> None:
        self.stream = stream
        self.database = database
        self.folder = folder
        self.event_clock = event_clock
        targets = folder / f"targets-{stream.app_id}.yaml"
        targets.write_text(_TARGETS, encoding="utf-8")
        self.policy = load_targets(targets)
        self.engine: Engine = connect(database)
        upgrade(self.engine)
        self._settings = {"LOKET_TARGETS": str(targets)} | ({"LOKET_CLOCK": "event"} if event_clock else {})
        self._sinks: list[SinkProcess] = []
        self._seeds = 0

    def worker(self, *arguments: str, **settings: str) -> StreamWorker:
        """A worker, not started yet."""
        return self.stream.worker(*arguments, **(self._settings | settings))

    def sink(self, *, database: str = "", **settings: str) -> SinkProcess:
        """A sink, not started yet; it may know the database by another URL."""
        name = f"sink-{self.stream.app_id}-{len(self._sinks)}"
        url = database or self.database
        made = SinkProcess(self.stream.bootstrap, self.stream.topic, url, self.folder, name, **settings)
        made.environment |= self._settings
        self._sinks.append(made)
        return made

    def events(self, number: int, dice: random.Random, *, ago_ms: int = HOUR) -> list[Told]:
        """Events of visits that nobody has sent yet."""
        from loket.clock import SYSTEM_CLOCK

        self._seeds += 1
        return events_of(number, dice.randrange(1 << 20) * 100 + self._seeds, begin_ms=SYSTEM_CLOCK.now_ms() - ago_ms)

    def send(self, log: Iterable[Told]) -> None:
        """Send records and wait until they are there."""
        with EventProducer(self.stream.connection, self.stream.topic) as producer:
            for key, value, headers in log:
                producer.send(key, value, headers)

    def feed(self, log: Sequence[Told], seconds: float) -> Feed:
        """Send records over some seconds, from another thread."""
        return Feed(self.stream.connection, self.stream.topic, log, seconds)

    def judged(self) -> Judged:
        """What the log makes, by the domain alone."""
        records = read_all(self.stream.bootstrap, self.stream.topic, self.stream.partitions)
        return Judged(records, self.policy, event_clock=self.event_clock)

    def assert_exact(
        self, *workers: StreamWorker, sink: SinkProcess | None = None, judged: Judged | None = None
    ) -> Judged:
        """Wait until all is read; then units, metrics and record must be what the domain says.

        `sink` is one that runs; without one the record is brought to the end by a sink of its own. `judged` is given
        where the topic has not the whole log any more.
        """
        units = self.stream.settled(*workers, timeout_s=SETTLED_S)
        judged = judged or self.judged()
        assert units == judged.units()
        self._assert_metrics(workers, judged)
        if sink is None:
            self.sink().run_to_the_end()
        else:
            self.wait_for_record()
        self.assert_record(judged)
        return judged

    def wait_for_record(self) -> None:
        """Wait until a sink that runs has stored everything."""
        ends = self.stream.ends()
        wait_until(lambda: self.stored() == ends, SETTLED_S, "the sink to store everything", every_s=0.1)

    def stored(self) -> dict[int, int]:
        """The positions of the record."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(positions.c.partition, positions.c.next))
            return {int(row.partition): int(row.next) for row in rows}

    def assert_record(self, judged: Judged | None = None) -> None:
        """The record holds each record of the topic once, and says what the domain says."""
        judged = judged or self.judged()
        assert places(self.engine) == judged.results
        d = dead_letters.c
        with reading(self.engine) as connection:
            letters = connection.execute(
                select(d.partition, d.record_offset, d.reason).order_by(d.partition, d.record_offset)
            )
            assert [tuple(row) for row in letters] == judged.reasons
        judged.assert_figures(self.engine, self.policy)

    def _assert_metrics(self, workers: Sequence[StreamWorker], judged: Judged) -> None:
        seen: set[str] = set()
        for worker in workers:
            for path, evaluated, tables in (
                ("/metrics", EVALUATED_AT.name, ("services", "judging", "day")),
                ("/metrics/employees", EMPLOYEES_EVALUATED_AT.name, ("employees", "day_employees")),
            ):
                samples = scrape(f"http://127.0.0.1:{worker.port}{path}")
                now = _instant(samples, evaluated)
                found = figures_of(samples)
                if path == "/metrics":
                    seen |= found.keys() & judged.oracle.units.keys()
                for unit, told in found.items():
                    if unit in judged.oracle.units:
                        expected = self._expected(judged, unit, now)
                        for table in tables:
                            assert _plain(told, table) == _plain(expected, table), (unit, table)
        assert seen == judged.oracle.units.keys()

    def _expected(self, judged: Judged, unit: str, now: int) -> LiveFigures:
        services, people, day, judging = judged.oracle.flats(unit, now)
        return LiveFigures(
            services=services,
            judging=sorted(judging),
            employees=people,
            day=day,
            day_employees=judged.oracle.today(unit, now),
        )

    @contextmanager
    def closing(self) -> Iterator[Whole]:
        """End its sinks and forget its database."""
        try:
            yield self
        finally:
            for sink in self._sinks:
                sink.kill()
            self.engine.dispose()


def _instant(samples: Iterable[Sample], name: str) -> int:
    return max(round(sample.value * 1000) for sample in samples if sample.name == name)


def _plain(figures: LiveFigures, table: str) -> Any:
    """A table without zeros; an empty queue's first wait is no number at all."""
    found = getattr(figures, table)
    if table == "judging":
        return sorted(found)
    plain: dict[str, Flat] = {name: {figure: n for figure, n in flat.items() if n} for name, flat in found.items()}
    return {name: flat for name, flat in plain.items() if flat}
