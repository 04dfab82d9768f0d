"""A day of two offices through the real pipeline into a real Prometheus, minutes for the simulator's seconds.

```
simulator ─▶ embedded broker ─▶ loket worker ─▶ its pages, every 3 simulated minutes ─▶ blocks ─▶ Prometheus
                          └───▶ loket sink ───▶ PostgreSQL
```

The worker goes by the events' clock, so the day takes seconds, and each page tells when it was evaluated:
with that timestamp its samples go into Prometheus' own blocks, as promtool writes them, under the labels of a scrape.
There are two days, a week apart: panels compare a day with the same weekday before.
"""

import heapq
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from loket.broker import EventProducer
from loket.catalogue.pipeline import EVALUATED_AT
from loket.clock import SYSTEM_CLOCK
from loket.companions import Run
from loket.companions.ports import free_port
from loket.domain import events as facts
from loket.domain.events import Event, Instant
from loket.domain.figures import Figures, evaluate
from loket.domain.policy import Policy
from loket.domain.unit import UnitState, apply
from loket.embedded import EmbeddedBroker
from loket.pipeline import Pipeline, Places
from loket.scrape import read
from loket.simulator.agenda import Agenda
from loket.simulator.devices import Devices
from loket.simulator.office import Office
from loket.simulator.papers import Papers
from loket.simulator.plans import CounterPlan, OfficePlan, ServicePlan
from loket.targets import load_targets
from loket.wire.cloudevents import encode
from support import programs
from support.prometheus import Prometheus, Sample

__all__ = ["BUSY", "LATER_MS", "MONDAY_MS", "QUIET", "TARGETS", "Day", "Lived", "Moment", "lived", "written"]

DILATION = 30
"""A second of the simulator is half a minute here."""

STEP_MS = 180_000
"""Between two scrapes; a query sees what is up to five minutes old."""

MONDAY_MS = 1_772_416_800_000  # 2026-03-02 09:00 in Jakarta
WEEK_MS = 7 * 86_400_000
LATER_MS = 7_200_000
"""How much later the day of the week before begins: it is needed where the other is asked about."""

BUSY, QUIET = "dukcapil", "pkm/ciputat-2"

TARGETS = """
defaults: {zone: Asia/Jakarta, short_seconds: 10}
units:
  dukcapil:
    hours: {mon-fri: "08:00-16:00"}
    name: {id: 'Dinas "Dukcapil", Kota \\\\ Tangerang', en: 'Civil registry: {{ $value }} % of "it"'}
    services:
      ktp-el:
        name: {id: 'KTP-el / "baru"', en: "Identity card"}
        wait: [{valid_from: 2025-01-01, seconds: 600, objective: 0.8}]
      kartu-keluarga:
        name: {id: Kartu keluarga, en: Family card}
        wait: [{valid_from: 2025-01-01, seconds: 900, objective: 0.8}]
      informasi:
        name: {id: Informasi, en: Information}
      akta:
        name: {id: Akta kelahiran, en: Birth certificate}
        kind: request
        turnaround: [{valid_from: 2025-01-01, within: 50m, objective: 0.8}]
  pkm/ciputat-2:
    name: {id: Puskesmas Ciputat é 漢, en: Ciputat health centre}
    services:
      poli-umum:
        name: {id: Poli umum, en: General clinic}
        wait: [{valid_from: 2025-01-01, seconds: 600, objective: 0.9}]
      farmasi:
        name: {id: Farmasi, en: Pharmacy}
        wait: [{valid_from: 2025-01-01, seconds: 600, objective: 0.9}]
  belum-buka:
    hours: {mon: closed, tue-fri: "08:00-16:00"}
    name: {id: Belum buka, en: Not opened yet}
    services:
      ktp-el:
        name: {id: KTP-el, en: Identity card}
        wait: [{valid_from: 2025-01-01, seconds: 600, objective: 0.8}]
"""

_OFFICES = (
    OfficePlan(
        unit=BUSY,
        services=(
            ServicePlan("ktp-el", "A", 0.5, 12.0),
            ServicePlan("kartu-keluarga", "B", 0.4, 14.0),
            ServicePlan("informasi", "C", 0.1, 5.0),
        ),
        counters=tuple(
            CounterPlan(f"loket-{number}", f"pgw-{number}", ("ktp-el", "kartu-keluarga", "informasi"))
            for number in range(1, 7)
        ),
        at_the_door=12,
        every_s=3.0,
        rush_s=1.2,
        rush=(8, 40),
    ),
    OfficePlan(
        unit=QUIET,
        services=(
            ServicePlan("poli-umum", "U", 1.0, 8.0, (QUIET, "farmasi", 0.8)),
            ServicePlan("farmasi", "F", 0.0, 4.0),
        ),
        counters=(
            CounterPlan("poli-1", "pgw-21", ("poli-umum",)),
            CounterPlan("poli-2", "pgw-22", ("poli-umum",)),
            CounterPlan("apotek", "pgw-23", ("farmasi",)),
        ),
        at_the_door=4,
        every_s=6.0,
        rush_s=3.0,
        rush=(15, 33),
    ),
)

_SPOILT = b'{"specversion": "1.0", "type": "loket.ticket.issued"}'
"""What no counter should send."""


@dataclass(frozen=True)
class Moment:
    """One scrape: the instant that its figures are of (ms), and how many events were sent until then."""

    now: int
    sent: int


@dataclass
class Day:
    """What was sent, in order, and when it was scraped; `written` has the samples of each day in OpenMetrics."""

    policy: Policy
    events: list[Event] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)

    def units(self, moment: Moment) -> Mapping[str, UnitState]:
        """The units at a moment, by the domain alone."""
        units: dict[str, UnitState] = {}
        for event in self.events[: moment.sent]:
            name = event.data.unit
            state = units.setdefault(name, UnitState(name, self.policy.unit(name)))
            apply(state, event, int(event.time))
        return units


@dataclass
class Lived:
    """The day, where it is stored, and the busiest moment of it."""

    day: Day
    prometheus: Prometheus
    database: str
    moment: Moment

    def query(self, expression: str) -> list[Sample]:
        """What Prometheus answers for the moment."""
        return self.prometheus.query(expression, self.moment.now / 1000)

    def figures(self, unit: str = BUSY) -> Figures:
        """What the domain computes for the moment."""
        return evaluate(self.day.units(self.moment)[unit], self.moment.now)


@contextmanager
def lived(folder: Path, database: str) -> Iterator[Day]:
    """Live through the two days; worker and sink run until the block is left."""
    targets = folder / "targets.yaml"
    targets.write_text(TARGETS, encoding="utf-8")
    with Run("day") as run, EmbeddedBroker() as broker:
        name = Places.unique("day")
        places = Places(
            connection=broker.connection,
            topic="loket.events",
            app_id=f"{name}-worker",
            group_id=f"{name}-sink",
            database=database,
            worker_port=free_port(18_101),
            sink_port=free_port(18_102),
            clock="event",
            targets=targets,
            embedded=True,
        )
        pipeline = Pipeline(run, places, SYSTEM_CLOCK, partitions=2)
        pipeline.start()
        pipeline.wait_until_ready()
        day = Day(load_targets(targets))
        with EventProducer(places.connection, places.topic) as producer:
            for number, (start_ms, minutes) in enumerate(((MONDAY_MS - WEEK_MS + LATER_MS, 48), (MONDAY_MS, 168))):
                path = folder / f"day-{number}.om"
                _live(day, pipeline, producer, path, start_ms, minutes)
                day.written.append(path)
            pipeline.settle(producer.ends)
        yield day


def written(day: Day, data: Path) -> None:
    """Write the samples as blocks into a folder that Prometheus starts on."""
    for path in day.written:
        done = subprocess.run(
            [programs.promtool(), "tsdb", "create-blocks-from", "openmetrics", "--quiet", path, data],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _live(day: Day, pipeline: Pipeline, producer: EventProducer, path: Path, start_ms: int, minutes: int) -> None:
    due = heapq.merge(_told(start_ms), _asked_for(start_ms), key=itemgetter(0))
    at, event = next(due)
    with path.open("w", encoding="utf-8") as out:
        for step in range(1, minutes * 60_000 // STEP_MS + 1):
            until = start_ms + step * STEP_MS
            while at < until:
                encoded = encode(event)
                producer.send(encoded.key, encoded.value, encoded.headers)
                day.events.append(event)
                at, event = next(due)
            if step % 20 == 10:
                producer.send(BUSY.encode(), _SPOILT)
            producer.flush()
            _scrape(day, pipeline, producer.ends, out)
        out.write("# EOF\n")


def _scrape(day: Day, pipeline: Pipeline, ends: Mapping[int, int], out: Any) -> None:
    """Take the pages once all that was sent is applied."""
    deadline = time.monotonic() + 60
    while True:
        page = _page(f"{pipeline.metrics_url}/metrics")
        samples = {(sample.name, sample.labels.get("partition")): sample.value for sample in read(page)}
        applied = {number: samples.get(("loket_partition_applied_offset", str(number)), 0) for number in ends}
        if all(applied[number] >= end for number, end in ends.items()):
            break
        if time.monotonic() > deadline:
            pipeline.check()
            raise TimeoutError(f"the worker applied {applied} of {ends} in a minute")
        time.sleep(0.01)
    now = max(round(value * EVALUATED_AT.parts) for (name, _), value in samples.items() if name == EVALUATED_AT.name)
    if day.moments and now <= day.moments[-1].now:
        return
    day.moments.append(Moment(now, len(day.events)))
    people, sink = _page(f"{pipeline.metrics_url}/metrics/employees"), _page(f"{pipeline.sink_url}/metrics")
    for job, text in (("loket-worker", page), ("loket-employees", people), ("loket-sink", sink)):
        common = f'instance="here:1",job="{job}"'
        out.write(f"up{{{common}}} 1 {now / 1000:.3f}\n")
        for line in text.splitlines():
            if line.startswith("#") or not line.startswith("loket_"):
                continue
            series, _, amount = line.rpartition(" ")
            labelled = f"{series[:-1]},{common}}}" if series.endswith("}") else f"{series}{{{common}}}"
            out.write(f"{labelled} {amount} {now / 1000:.3f}\n")


def _page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read()).decode()


def _told(start_ms: int) -> Iterator[tuple[int, Event]]:
    """The events of both offices from a start on: when each is sent, and the event."""
    for at, event in _told_by_the_second(start_ms):
        changed: dict[str, Any] = {"time": _later(start_ms, event.time), "sent": _later(start_ms, event.sent)}
        oldest = getattr(event.data, "oldest_pending_at", None)
        if oldest is not None:
            changed["data"] = msgspec.structs.replace(event.data, oldest_pending_at=_later(start_ms, oldest))
        yield start_ms + (at - start_ms) * DILATION, msgspec.structs.replace(event, **changed)


def _asked_for(start_ms: int) -> Iterator[tuple[int, Event]]:
    """Documents that are asked for every five minutes: most are handed over in half an hour, each fifth stays open."""
    told: list[tuple[int, Event]] = []
    for number in range(200):
        begin = start_ms + 60_000 + number * 300_000
        unit, subject = BUSY, f"akta-{start_ms // 60_000}-{number}"
        steps: list[tuple[int, Any, Any]] = [
            (0, facts.RequestSubmitted, facts.RequestSubmittedData(unit=unit, service="akta")),
            (4, facts.RequestAccepted, facts.RequestByData(unit=unit, employee="pgw-1")),
            (10, facts.RequestWorked, facts.RequestWorkedData(unit=unit, employee="pgw-1")),
            (20, facts.RequestWorked, facts.RequestWorkedData(unit=unit, employee="pgw-2")),
        ]
        if number % 5:
            done = facts.RequestCompletedData(unit=unit, employee="pgw-2", outcome="handed_over")
            steps.append((31, facts.RequestCompleted, done))
        for minutes, kind, data in steps:
            at = begin + minutes * 60_000
            event = kind(source="ruang-berkas", id=f"{subject}-{minutes}", time=Instant(at), data=data, subject=subject)
            told.append((at, event))
    yield from sorted(told, key=itemgetter(0))


def _later(start_ms: int, instant: int | None) -> Instant | None:
    return None if instant is None else Instant(start_ms + (instant - start_ms) * DILATION)


def _told_by_the_second(start_ms: int) -> Iterator[tuple[int, Event]]:
    random = Random(7)
    agenda = Agenda()
    devices = Devices(random, start_ms, {f"{BUSY}/loket-3": (150_000, 200_000, 500_000)})
    offices: dict[str, Office] = {}

    def elsewhere(subject: str, from_unit: str, unit: str, service: str, at: int) -> None:
        agenda.at(at, lambda now: offices[unit].receive(subject, from_unit, service, now))

    for plan in _OFFICES:
        papers = Papers(plan.unit, agenda, devices, random)
        offices[plan.unit] = Office(plan, agenda, devices, random, start_ms, elsewhere, papers)
        offices[plan.unit].open(start_ms)
    while True:
        at, action = agenda.next()
        yield from devices.sent_before(at)
        action(at)
