"""The metrics pages of a worker, made anew at each scrape from the units of the partitions that it has and has read.

```
scrape's thread:  partition ─▶ now, applied offset ─▶ lock ─▶ units, evaluated at now, as lines ─▶ unlock ─▶ … ─▶ page
event loop:              applies batches under the same lock, between two looks
```

A look is short (loket_streams.looking), then the event loop has its turn: nothing else of a page holds it up but the
interpreter, which changes threads every 5 ms. So the units of a page are not of one instant: each contains at least the
events below the applied offset that the page shows, and all are evaluated at the instant that it shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from loket.catalogue import EMPLOYEE_METRICS, PIPELINE_METRICS, UNIT_METRICS, pipeline
from loket.catalogue.employees import EMPLOYEES_EVALUATED_AT
from loket.domain.figures import evaluate
from loket.domain.first_waits import evaluate_estimates
from loket.domain.silence import SILENT_MS
from loket.domain.state import OTHER, UnitState
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.tally import ServiceTally
from loket.domain.windows import evaluate_windows
from loket.exposition import CONTENT_TYPE, Page, labels
from loket.serving import Response, Routes
from loket.wire.rejection import Reason
from loket_streams.desks import desks, write_desks
from loket_streams.estimates import write_estimates
from loket_streams.looking import Looking
from loket_streams.naming import Named
from loket_streams.partitions import Partition
from loket_streams.pipeline_series import write_partitions, write_unit, write_worker
from loket_streams.request_series import RequestSeries
from loket_streams.rows import Others, people, rows
from loket_streams.series import EmployeeSeries, ServiceSeries
from loket_streams.tallies import SourceClock
from loket_streams.windows import write_hours, write_windows
from loket_streams.worker import Worker

__all__ = ["EMPLOYEES_PATH", "UNITS_PATH", "Exporter", "pages"]

UNITS_PATH: Final = "/metrics"
EMPLOYEES_PATH: Final = "/metrics/employees"

_NO_TALLY: Final = ServiceTally()
_NO_SOURCES: Final[Mapping[str, SourceClock]] = {}


def pages(worker: Worker) -> Routes:
    """The two pages by their path."""
    exporter = Exporter(worker)
    return {
        UNITS_PATH: lambda: Response(200, CONTENT_TYPE, exporter.render_units()),
        EMPLOYEES_PATH: lambda: Response(200, CONTENT_TYPE, exporter.render_employees()),
    }


class Exporter:
    """Renders the pages; both may be asked for at once, from any thread but the event loop's."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._looking = Looking(worker)
        self._named = Named(worker.unit_budget)
        self._process = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._process)

    def render_units(self) -> bytes:
        """The page of units, services and the pipeline."""
        worker = self._worker
        page = Page((*UNIT_METRICS, *PIPELINE_METRICS))
        series, requests = ServiceSeries(page), RequestSeries(page)
        others = Others()
        shown: set[str] = set()
        write_partitions(page, worker)
        for partition, now in self._ready():
            page.add(pipeline.EVALUATED_AT, labels(partition=partition.number), now)
            self._looking.into(partition, partial(self._show, page, series, requests, others, shown, partition, now))
        if others.units:
            for row in (others.row, others.without_issue):
                series.write(OTHER, row)
                requests.write(OTHER, row)
            series.write_unit(OTHER, others.without_issue.tally.counts, others.late)
            write_desks(page, OTHER, others.desks)
        self._behind(page)
        self._rejections(page, shown)
        write_worker(page, worker, self._named.used + (1 if others.units else 0))
        return page.render() + generate_latest(self._process)

    def render_employees(self) -> bytes:
        """The page of employees."""
        page = Page(EMPLOYEE_METRICS)
        series = EmployeeSeries(page)
        others = Others()
        for partition, now in self._ready():
            page.add(EMPLOYEES_EVALUATED_AT, labels(partition=partition.number), now)
            self._looking.into(partition, partial(self._show_people, series, others, now))
        if others.persons:
            series.write(OTHER, others.person)
        return page.render()

    def _ready(self) -> Iterator[tuple[Partition, int]]:
        """The partitions that are shown, each with the instant at which its units are evaluated."""
        for partition in self._worker.exported():
            now = self._worker.now_ms(partition)
            if now is not None:
                yield partition, now

    def _show(
        self,
        page: Page,
        series: ServiceSeries,
        requests: RequestSeries,
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
            requests.write(state.unit, row)
        series.write_unit(state.unit, state.tallies.get(EMPTY_SERVICE, _NO_TALLY).counts, state.late)
        write_desks(page, state.unit, desks(state, now))
        write_hours(page, state.unit, state.policy, now)
        write_windows(page, state.unit, evaluate_windows(state, now))
        write_estimates(page, state.unit, evaluate_estimates(state, now))
        write_unit(page, state, partition, self._worker.tallies.sources.get(state.unit, _NO_SOURCES))

    def _show_people(self, series: EmployeeSeries, others: Others, now: int, state: UnitState) -> None:
        heard_since = 0 if self._worker.event_clock else now - SILENT_MS
        if not self._named.names(state):
            others.add_people(state, now, heard_since)
            return
        for person in people(state, now, heard_since):
            series.write(state.unit, person)

    def _behind(self, page: Page) -> None:
        """Seconds behind: of the units of all assigned partitions, those that are not shown yet too."""
        worker = self._worker
        for partition in worker.partitions:
            behind = worker.seconds_behind(partition)
            if behind is None:
                continue
            with worker.partitions.lock:
                states = [state for state in partition.units.values() if self._named.names(state)]
            known = {state.unit for state in states} | set(self._looking.of_targets(partition))
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
