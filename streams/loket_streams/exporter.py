"""The metrics pages of a worker, made anew at each scrape from the units of the partitions that it has and has read.

```
scrape's thread:  partition ─▶ now, applied offset ─▶ lock ─▶ units, evaluated at now, as lines ─▶ unlock ─▶ … ─▶ page
event loop:              applies batches under the same lock, between two looks
```

A look lasts HOLD_S and one unit at most, then the event loop has its turn: nothing else of a page holds it up but the
interpreter, which changes threads every 5 ms. So the units of a page are not of one instant: each contains at least the
events below the applied offset that the page shows, and all are evaluated at the instant that it shows.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from loket import __version__
from loket.catalogue import EMPLOYEE_METRICS, PIPELINE_METRICS, UNIT_METRICS, pipeline, units
from loket.clock import Clock
from loket.domain.figures import evaluate
from loket.domain.policy import Policy
from loket.domain.state import OTHER, UnitState
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.tally import Counts, ServiceTally
from loket.exposition import CONTENT_TYPE, Page, labels
from loket.wire.partition import partition_of
from loket.wire.rejection import Reason
from loket_streams import server
from loket_streams.partitions import Partition
from loket_streams.rows import Others, rows
from loket_streams.series import EmployeeSeries, ServiceSeries
from loket_streams.tallies import RESULTS
from loket_streams.worker import Worker

__all__ = ["EMPLOYEES_PATH", "UNITS_PATH", "Exporter", "pages"]

UNITS_PATH: Final = "/metrics"
EMPLOYEES_PATH: Final = "/metrics/employees"

HOLD_S: Final = 0.005
"""How long units are looked into at a time."""

PAUSE_S: Final = 0.001
"""Between two looks, so that the event loop gets the lock: a lock that is taken again at once is never handed over."""

_NO_TALLY: Final = ServiceTally()
_NO_COUNTS: Final = Counts()


def pages(worker: Worker) -> Mapping[str, Callable[[], server.Page]]:
    """The two pages by their path."""
    exporter = Exporter(worker)
    return {
        UNITS_PATH: lambda: server.Page(200, CONTENT_TYPE, exporter.render_units()),
        EMPLOYEES_PATH: lambda: server.Page(200, CONTENT_TYPE, exporter.render_employees()),
    }


class Exporter:
    """Renders the pages; both may be asked for at once, from any thread but the event loop's."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._clock: Clock = worker.clock
        self._named = _Named(worker.unit_budget)
        self._planned: tuple[Policy, int, dict[int, list[str]]] | None = None
        self._process = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._process)

    def render_units(self) -> bytes:
        """The page of units, services and the pipeline."""
        page = Page((*UNIT_METRICS, *PIPELINE_METRICS))
        series = ServiceSeries(page)
        others = Others()
        shown: set[str] = set()
        self._partitions(page)
        for partition, now in self._ready():
            page.add(pipeline.EVALUATED_AT, labels(partition=partition.number), now)
            self._look_into(partition, partial(self._show, page, series, others, shown, partition, now))
        if others.units:
            for row in (others.row, others.without_issue):
                series.write(OTHER, row)
            series.write_unit(OTHER, others.without_issue.tally.counts, others.late)
        self._behind(page)
        self._rejections(page, shown)
        self._worker_itself(page, self._named.used + (1 if others.units else 0))
        return page.render() + generate_latest(self._process)

    def render_employees(self) -> bytes:
        """The page of employees."""
        page = Page(EMPLOYEE_METRICS)
        series = EmployeeSeries(page)
        others = Others()
        for partition, _ in self._ready():
            self._look_into(partition, partial(self._show_people, series, others))
        if others.people.total:
            series.write(OTHER, OTHER, others.people)
        return page.render()

    def _ready(self) -> Iterator[tuple[Partition, int]]:
        """The partitions that are shown, each with the instant at which its units are evaluated."""
        for partition in self._worker.exported():
            now = self._worker.now_ms(partition)
            if now is not None:
                yield partition, now

    def _look_into(self, partition: Partition, look: Callable[[UnitState], None]) -> None:
        """Have the units of a partition looked into under the lock, those of the targets that nothing came from too."""
        partitions, clock = self._worker.partitions, self._clock
        policy = partitions.policy
        with partitions.lock:
            left = list(dict.fromkeys((*self._of_targets(policy, partition), *partition.units)))
        left.reverse()
        while left:
            with partitions.lock:
                until = clock.monotonic() + HOLD_S
                if partitions.get(partition.number) is not partition:
                    return  # another worker's now
                while left and clock.monotonic() < until:
                    name = left.pop()
                    state = partition.units.get(name)
                    look(UnitState(name, policy.unit(name)) if state is None else state)
            if left:
                time.sleep(PAUSE_S)

    def _show(
        self,
        page: Page,
        series: ServiceSeries,
        others: Others,
        shown: set[str],
        partition: Partition,
        now: int,
        state: UnitState,
    ) -> None:
        figures = evaluate(state, now)
        if not self._named.names(state):
            others.add(state, figures)
            return
        shown.add(state.unit)
        for row in rows(state, figures):
            series.write(state.unit, row)
        series.write_unit(state.unit, state.tallies.get(EMPTY_SERVICE, _NO_TALLY).counts, state.late)
        self._unit(page, state, partition)

    def _show_people(self, series: EmployeeSeries, others: Others, state: UnitState) -> None:
        if not self._named.names(state):
            others.add_people(state)
            return
        for employee in state.employees.keys() | state.people.keys():
            series.write(state.unit, employee, state.people.get(employee, _NO_COUNTS))

    def _of_targets(self, policy: Policy, partition: Partition) -> list[str]:
        """The units of the targets whose events come in a partition."""
        count = self._worker.partition_count
        if count is None:
            return []
        if self._planned is None or self._planned[0] is not policy or self._planned[1] != count:
            by_partition: dict[int, list[str]] = {}
            for unit in policy.units:
                by_partition.setdefault(partition_of(unit.encode(), count), []).append(unit)
            self._planned = (policy, count, by_partition)
        return self._planned[2].get(partition.number, [])

    def _unit(self, page: Page, state: UnitState, partition: Partition) -> None:
        """What there is of a unit beside its figures."""
        policy, text = state.policy, labels(unit=state.unit)
        page.add(units.UNIT_INFO, f"{text},{labels(name_id=policy.names.id, name_en=policy.names.en)}", 1)
        page.add(units.UNIT_KNOWN, text, int(policy.known))
        if state.received:
            page.add(pipeline.LAST_EVENT, text, state.received)
        sources = self._worker.tallies.sources.get(state.unit, {})
        services = policy.services.keys() | state.services.keys()
        for kind, used, allowed in (
            ("services", len(services) + (OTHER in state.tallies.keys() - services), policy.budget.services),
            (
                "employees",
                len(state.employees) + (OTHER in state.people.keys() - state.employees.keys()),
                policy.budget.employees,
            ),
            ("sources", len(sources), policy.budget.sources),
        ):
            page.add(pipeline.BUDGET_USED, f"{text},{labels(kind=kind)}", used)
            page.add(pipeline.BUDGET_ALLOWED, f"{text},{labels(kind=kind)}", allowed)
        if partition.record_ms is None:
            return
        for source, clock in sources.items():
            of_source = labels(unit=state.unit, source=source)
            error, delay = clock.error_ms(partition.record_ms), clock.delay_ms(partition.record_ms)
            if error is not None:
                page.add(pipeline.CLOCK_ERROR, of_source, error)
            if delay is not None:
                page.add(pipeline.DELAY, of_source, delay)

    def _partitions(self, page: Page) -> None:
        """How far each assigned partition is; taken before its units, which contain at least so much."""
        worker = self._worker
        for partition in worker.partitions:
            text = labels(partition=partition.number)
            page.add(pipeline.PARTITION_READY, text, int(partition.ready))
            for metric, amount in (
                (pipeline.APPLIED_OFFSET, partition.next),
                (pipeline.DURABLE_OFFSET, partition.durable),
                (pipeline.LAG, worker.lag(partition)),
                (pipeline.STATE_TAKEN_AT, partition.checkpoint_ms),
            ):
                if amount is not None:
                    page.add(metric, text, amount)

    def _behind(self, page: Page) -> None:
        """Seconds behind: of the units of all assigned partitions, those that are not shown yet too."""
        worker = self._worker
        for partition in worker.partitions:
            behind = worker.seconds_behind(partition)
            if behind is None:
                continue
            with worker.partitions.lock:
                states = [state for state in partition.units.values() if self._named.names(state)]
            known = {state.unit for state in states} | set(self._of_targets(worker.policy, partition))
            for unit in sorted(known):
                page.add(pipeline.SECONDS_BEHIND, labels(unit=unit), behind)

    def _rejections(self, page: Page, shown: set[str]) -> None:
        """Rejections of this process; all reasons exist at 0 from the start for each unit that is shown."""
        counts = dict.fromkeys(((unit, reason) for unit in (*sorted(shown), OTHER) for reason in Reason), 0)
        with self._worker.partitions.lock:
            rejected = list(self._worker.tallies.rejected.items())
        for (unit, reason), count in rejected:
            name = unit if unit in shown or self._named.knows(unit) else OTHER
            counts[name, reason] = counts.get((name, reason), 0) + count
        for (unit, reason), count in counts.items():
            page.add(pipeline.REJECTIONS, labels(unit=unit, reason=reason), count)

    def _worker_itself(self, page: Page, units_named: int) -> None:
        worker, checkpoints = self._worker, self._worker.checkpoints
        for result in RESULTS:
            page.add(pipeline.EVENTS, labels(result=result), worker.tallies.events[result])
        page.add(pipeline.BUDGET_USED, labels(kind="units"), units_named)
        page.add(pipeline.BUDGET_ALLOWED, labels(kind="units"), worker.unit_budget)
        for result, count in (("written", checkpoints.written), ("failed", checkpoints.failed)):
            page.add(pipeline.CHECKPOINTS, labels(result=result), count)
        page.add(pipeline.CHECKPOINT_RECORDS, "", checkpoints.records)
        page.add(pipeline.CHECKPOINT_BYTES, "", checkpoints.bytes)
        page.add(pipeline.CHECKPOINT_SECONDS, "", checkpoints.last_s)
        if checkpoints.last_ms is not None:
            page.add(pipeline.LAST_CHECKPOINT, "", checkpoints.last_ms)
        page.add(pipeline.FOREIGN_WRITES, "", checkpoints.foreign_writes)
        page.add(pipeline.REBALANCES, "", worker.rebalances)
        page.add(pipeline.TARGETS_VALID, "", int(worker.targets_valid))
        version = labels(component="worker", version=__version__, python=platform.python_version())
        page.add(pipeline.BUILD_INFO, version, 1)


class _Named:
    """Which units have series of their own: those of the targets, and the first others that the budget has room for.

    Remembered as long as the process lasts: a unit that moved between its own name and `other` would make both jump.
    A unit that calls itself `other` is one of the others.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._others: set[str] = set()

    @property
    def used(self) -> int:
        """How much of the budget is used."""
        return len(self._others)

    def knows(self, unit: str) -> bool:
        """Whether a unit beside those of the targets has a name."""
        return unit in self._others

    def names(self, state: UnitState) -> bool:
        """Whether a unit is shown under its own name."""
        if state.policy.known or state.unit in self._others:
            return True
        if len(self._others) < self._budget and state.unit != OTHER:
            self._others.add(state.unit)
            return True
        return False
