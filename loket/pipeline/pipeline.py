"""One worker and one sink on topics of their own, until both have applied everything, and what they say then.

```
topics ─▶ worker ───────────────┬─ events come ─▶ settle(ends) ─▶ answers(): metrics and record at one instant
     └──▶ db upgrade ─▶ sink ───┘
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import sleep
from typing import Final

import msgspec
from msgspec import Struct

from loket.agreement import compare
from loket.agreement.metrics import figures_of
from loket.broker import apply_topics, changelog_topic, events_topic
from loket.catalogue import Metric
from loket.catalogue.employees import EMPLOYEES_EVALUATED_AT
from loket.catalogue.pipeline import APPLIED_OFFSET, EVALUATED_AT, PARTITION_READY
from loket.catalogue.sink import SINK_NEXT_OFFSET
from loket.clock import Clock
from loket.companions import Companion, Run
from loket.companions.run import child_environment
from loket.pipeline.errors import Unfinished
from loket.pipeline.places import HOST, Places
from loket.scrape import Sample, Unreachable, scrape
from loket.wire.figures import Agreement, Difference, LiveFigures, RecordFigures, Rejection, TryReport
from loket.wire.instant import format_instant
from loket.wire.partition import partition_of

__all__ = ["Answers", "Pipeline"]

START_S: Final = 90.0
"""Worker and sink have to serve their metrics in this time."""

ANSWER_S: Final = 30.0
"""A process that runs has to answer in this time."""

STALL_S: Final = 120.0
"""Somebody has to apply something in this time."""

RECORD_S: Final = 600.0
"""The record has to be evaluated in this time."""

POLL_S: Final = 0.1

Positions = Mapping[int, int]
"""The next offset by partition."""


class Answers(Struct, frozen=True):
    """What metrics and record say at one instant, `now` (ms), and whether they agree."""

    now: int
    record: RecordFigures
    agreement: Agreement

    def report(self, refused: Sequence[Rejection] = ()) -> TryReport:
        """What a person is told: the record, with what was refused before it could become a record, and the verdict."""
        common = {name: getattr(self.record, name) for name in TryReport.__struct_fields__ if name != "agreement"}
        common |= {"now": format_instant(self.now), "rejected": [*refused, *self.record.rejected]}
        return TryReport(**common, agreement=self.agreement)


class Pipeline:
    """The processes of one run; `start` begins it, the run ends them."""

    def __init__(
        self,
        run: Run,
        places: Places,
        clock: Clock,
        *,
        partitions: int,
        broker_runs: Callable[[], bool] = lambda: True,
    ) -> None:
        self._run = run
        self._places = places
        self._clock = clock
        self._partitions = partitions
        self._broker_runs = broker_runs
        self._environment = child_environment(places.environment())
        self._running: list[Companion] = []
        self.metrics_url = f"http://{HOST}:{places.worker_port}"
        self.sink_url = f"http://{HOST}:{places.sink_port}"

    def start(self) -> None:
        """Create the topics that are missing and start the processes; events may come from now on.

        Raises BrokerError, CompanionFailed and Unfinished.
        """
        places = self._places
        applied = apply_topics(
            places.connection,
            [events_topic(places.topic, self._partitions), changelog_topic(places.app_id, self._partitions)],
        )
        if applied.differences and not places.embedded:
            raise Unfinished("\n".join(str(difference) for difference in applied.differences))
        self._running.append(self._run.start("worker", ["worker"], self._environment))
        upgrade = self._run.start("database", ["db", "upgrade"], self._environment)
        self._wait(upgrade.finished, START_S, "the tables of the record")
        self._running.append(self._run.start("sink", ["sink"], self._environment))

    def wait_until_serving(self) -> None:
        """Return when worker and sink serve their metrics. Raises CompanionFailed and Unfinished."""
        self._wait(lambda: _serves(self.metrics_url) and _serves(self.sink_url), START_S, "worker and sink to serve")

    def wait_until_ready(self) -> None:
        """Return when the worker shows every partition's units. Raises CompanionFailed and Unfinished."""
        self.wait_until_serving()
        self._wait(lambda: len(_applied(self.metrics())) == self._partitions, START_S, "the worker to be ready")

    def positions(self) -> tuple[Positions, Positions]:
        """What the worker has applied and the sink has stored. Raises CompanionFailed if one of them ended."""
        return (
            _applied(self._page(f"{self.metrics_url}/metrics")),
            _by_partition(self._page(f"{self.sink_url}/metrics"), SINK_NEXT_OFFSET.name),
        )

    def metrics(self) -> list[Sample]:
        """What the worker's two pages say now. Raises CompanionFailed and Unfinished."""
        return [*self._page(f"{self.metrics_url}/metrics"), *self._page(f"{self.metrics_url}/metrics/employees")]

    def check(self) -> None:
        """Raise CompanionFailed if a process that should run has ended, Unfinished if the embedded broker has."""
        if not self._broker_runs():
            raise self._unfinished("the embedded broker ended by itself: try again, or name a Kafka with --bootstrap")
        for companion in self._running:
            companion.check()

    def settle(self, ends: Positions, progress: Callable[[int, int], None] | None = None) -> None:
        """Return when worker and sink have applied everything below `ends`; tell how many records each has.

        Raises Unfinished where neither moves for STALL_S.
        """
        seen: tuple[int, int] = (-1, -1)
        moved_at = self._clock.monotonic()
        while True:
            worker, sink = self.positions()
            if _reached(worker, ends) and _reached(sink, ends):
                return
            now = self._clock.monotonic()
            reached = (sum(worker.values()), sum(sink.values()))
            if reached != seen:
                seen, moved_at = reached, now
                if progress is not None:
                    progress(*seen)
            elif now - moved_at > STALL_S:
                behind = [name for name, found in (("worker", worker), ("sink", sink)) if not _reached(found, ends)]
                raise self._unfinished(
                    f"{' and '.join(behind)} did not move for {STALL_S:g} s before the end of the log"
                )
            sleep(POLL_S)

    def answers(self, ends: Positions) -> Answers:
        """What metrics and record say. Nothing below `ends` may be missing, and nothing may come any more.

        The record is evaluated at the instants at which the worker evaluated its figures: of each page, one for each
        partition.
        """
        samples = self.metrics()
        if not _reached(_applied(samples), ends):
            raise self._unfinished("the worker went back behind the end of the log")
        metrics = figures_of(samples)
        of_queues, of_people = (_instants(samples, metric) for metric in (EVALUATED_AT, EMPLOYEES_EVALUATED_AT))
        latest = max(of_queues.values(), default=self._clock.now_ms())
        records: dict[int, RecordFigures] = {}
        differences: list[Difference] = []
        for evaluated, part in ((of_queues, _queues), (of_people, _people)):
            for instant in sorted({latest, *evaluated.values()}):
                if instant not in records:
                    records[instant] = self._record(instant)

                def here(unit: str, instant: int = instant, evaluated: Mapping[int, int] = evaluated) -> bool:
                    return evaluated.get(partition_of(unit.encode(), self._partitions), latest) == instant

                told = {unit: part(figures) for unit, figures in metrics.items() if here(unit)}
                differences += compare(told, _of(records[instant], here, part), instant).differences
        return Answers(latest, records[latest], Agreement(all(found.late for found in differences), differences))

    def _record(self, instant: int) -> RecordFigures:
        """The record at an instant, by the command that an operator would use."""
        out = self._run.folder / f"record-{instant}.json"
        arguments = ["record", "figures", "--json", "--now", format_instant(instant)]
        companion = self._run.start("record", arguments, self._environment, output=out)
        self._wait(companion.finished, RECORD_S, "the figures of the record")
        return msgspec.json.decode(out.read_bytes(), type=RecordFigures)

    def _page(self, url: str) -> list[Sample]:
        """A page of a process that runs; a machine that is busy may need a second attempt."""
        deadline = self._clock.monotonic() + ANSWER_S
        while True:
            self.check()
            try:
                return scrape(url)
            except Unreachable as away:
                if self._clock.monotonic() > deadline:
                    raise self._unfinished(str(away)) from away
            sleep(POLL_S)

    def _wait(self, done: Callable[[], bool], timeout_s: float, what: str) -> None:
        deadline = self._clock.monotonic() + timeout_s
        while not done():
            self.check()
            if self._clock.monotonic() > deadline:
                raise self._unfinished(f"waited {timeout_s:g} s in vain for {what}")
            sleep(POLL_S)

    def _unfinished(self, why: str) -> Unfinished:
        tails = [f"{each.name} wrote last:\n{tail}" for each in self._running if (tail := each.tail())]
        return Unfinished("\n".join((why, *tails)))


def _serves(url: str) -> bool:
    try:
        scrape(f"{url}/metrics")
    except Unreachable:
        return False
    return True


def _applied(samples: list[Sample]) -> dict[int, int]:
    """What a worker has applied of the partitions whose units it shows."""
    ready = _by_partition(samples, PARTITION_READY.name)
    return {number: at for number, at in _by_partition(samples, APPLIED_OFFSET.name).items() if ready.get(number)}


def _by_partition(samples: Iterable[Sample], name: str) -> dict[int, int]:
    return {int(sample.labels["partition"]): int(sample.value) for sample in samples if sample.name == name}


def _reached(positions: Positions, ends: Positions) -> bool:
    return all(positions.get(partition, 0) >= end for partition, end in ends.items())


def _instants(samples: Iterable[Sample], metric: Metric) -> dict[int, int]:
    """When the figures of each partition were evaluated."""
    return {
        int(sample.labels["partition"]): round(sample.value * metric.parts)
        for sample in samples
        if sample.name == metric.name
    }


def _queues(figures: LiveFigures) -> LiveFigures:
    """What the page of units tells."""
    return msgspec.structs.replace(figures, employees={}, day_employees={})


def _people(figures: LiveFigures) -> LiveFigures:
    """What the page of employees tells."""
    return msgspec.structs.replace(figures, services={}, judging=[], day={})


def _of(
    record: RecordFigures, here: Callable[[str], bool], part: Callable[[LiveFigures], LiveFigures]
) -> RecordFigures:
    """The part of a record that speaks of some units, and of their queues or their people."""
    return msgspec.structs.replace(
        record,
        units=[row for row in record.units if here(row.unit)] if part is _queues else [],
        employees=[row for row in record.employees if here(row.unit)] if part is _people else [],
        requests=[row for row in record.requests if here(row.unit)] if part is _queues else [],
        live={unit: part(live) for unit, live in record.live.items() if here(unit)},
    )
