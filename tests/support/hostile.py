"""A worker that is told what a hostile device sends, and the series that it then has: no broker, no Faust."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from loket.domain.events import Event
from loket.domain.policy import HOUR, Policy
from loket.scrape import Sample, read
from loket.testing.builders import unit_policy
from loket.wire.cloudevents import Decoder
from loket_streams.exporter import Exporter
from loket_streams.processing import Processor, ServiceTime
from loket_streams.worker import Worker
from support.changelogs import batch, record
from support.exported import partition_of, worker_of
from support.inventing import BUDGET, MORNING

__all__ = ["POLICY", "Told", "names"]

NOW = MORNING + 4 * HOUR
POLICY = Policy(
    units={"u": unit_policy({"s": 300}, budget=BUDGET)}, defaults=replace(unit_policy(budget=BUDGET), known=False)
)


class Told:
    """A worker that reads records as they come from Kafka: a replay, which keeps every unit, or one `in_service`."""

    def __init__(self, unit_budget: int = 3, *, in_service: bool = False) -> None:
        self.worker: Worker = worker_of([], NOW, units=POLICY.units)
        self.worker.unit_budget = unit_budget
        self.worker.partitions.follow(POLICY)
        if in_service:
            self.worker.partitions.unit_budget = unit_budget
        self._processor = Processor(self.worker.partitions, Decoder(1), self.worker.tallies, ServiceTime())

    def tell(self, told: Iterable[Event | tuple[bytes, bytes]]) -> None:
        begin = partition_of(self.worker).next or 0
        records = []
        for number, what in enumerate(told):
            if isinstance(what, tuple):
                records.append(record(what[1], begin + number, timestamp=NOW, key=what[0]))
            else:
                records.append(record(what, begin + number, timestamp=int(what.time) + 1_000))
        self._processor.process(batch(records))

    def pages(self) -> tuple[list[Sample], list[Sample]]:
        exporter = Exporter(self.worker)
        return read(exporter.render_units().decode()), read(exporter.render_employees().decode())


def names(page: Iterable[Sample]) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """The series of a page."""
    return {(sample.name, tuple(sorted(sample.labels.items()))) for sample in page}
