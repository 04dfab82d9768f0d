"""A worker as the exporter sees it, with units in memory and a clock that stands still: no broker, no Faust."""

import time
from collections.abc import Iterable, Mapping

from loket.domain.policy import Policy, UnitPolicy
from loket.domain.unit import UnitState
from loket.scrape import Sample, read
from loket_streams.exporter import Exporter
from loket_streams.partitions import Partition, Partitions
from loket_streams.tallies import Tallies
from loket_streams.worker import Worker

__all__ = ["StandingClock", "page_of", "partition_of", "series", "value", "worker_of"]


class StandingClock:
    """A wall clock that stands at an instant; how long something takes is still measured."""

    def __init__(self, now_ms: int) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return time.monotonic()


class _Source:
    """A consumer that has read everything, but for the offsets in `left`."""

    def __init__(self, partitions: Partitions) -> None:
        self._partitions = partitions
        self.left: dict[int, int] = {}
        self.answered: int | None = None

    def end_offset(self, partition: int) -> int | None:
        found = self._partitions.get(partition)
        return None if found is None or found.next is None else found.next + self.left.get(partition, 0)

    def answered_ms(self) -> int | None:
        return self.answered


def worker_of(
    states: Iterable[UnitState],
    now_ms: int,
    *,
    units: Mapping[str, UnitPolicy] | None = None,
    left: int = 0,
    partition_count: int = 1,
    answered: int | None = None,
) -> Worker:
    """A worker with partition 0, which holds these units and is read to `left` records before its end.

    `units` are the targets' units, by default those of the states whose policy is of a known unit.
    """
    held = list(states)
    known = {state.unit: state.policy for state in held if state.policy.known} if units is None else dict(units)
    partitions = Partitions("loket.events", Policy(units=known))
    partitions.assign([0], "a member", 1)
    partition = partitions.assigned[0]
    partition.units = {state.unit: state for state in held}
    partition.loaded = partition.ready = True
    partition.next = partition.durable = partition.end = 42
    partition.record_ms = partition.received = now_ms - 30_000
    source = _Source(partitions)
    source.left[0] = left
    source.answered = answered
    worker = Worker(
        partitions,
        Tallies(),
        source,
        StandingClock(now_ms),
        event_clock=False,
        fixed_now_ms=None,
        checkpoint_interval_s=5.0,
    )
    worker.partition_count = partition_count
    return worker


def partition_of(worker: Worker) -> Partition:
    """The worker's one partition."""
    return worker.partitions.assigned[0]


def page_of(states: Iterable[UnitState], now_ms: int) -> list[Sample]:
    """Both pages of such a worker, read back."""
    exporter = Exporter(worker_of(states, now_ms))
    return read(exporter.render_units().decode()) + read(exporter.render_employees().decode())


def series(samples: Iterable[Sample], name: str, **labels: str) -> list[Sample]:
    """The samples of a name whose labels include these."""
    return [
        sample
        for sample in samples
        if sample.name == name and all(sample.labels.get(label, "") == value for label, value in labels.items())
    ]


def value(samples: Iterable[Sample], name: str, **labels: str) -> float:
    """The value of the one series of a name with these labels."""
    (sample,) = series(samples, name, **labels)
    return sample.value
