"""The series of the pipeline: of the worker, its partitions, and the devices of its units."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from loket import __version__
from loket.catalogue import pipeline, units
from loket.domain.state import OTHER, UnitState
from loket.exposition import Page, labels
from loket_streams.partitions import Partition
from loket_streams.tallies import RESULTS, SourceClock
from loket_streams.worker import Worker

__all__ = ["write_partitions", "write_unit", "write_worker"]


def write_partitions(page: Page, worker: Worker) -> None:
    """How far each assigned partition is; taken before its units, which contain at least so much."""
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


def write_unit(page: Page, state: UnitState, partition: Partition, sources: Mapping[str, SourceClock]) -> None:
    """What there is of a unit beside its figures."""
    policy, text = state.policy, labels(unit=state.unit)
    page.add(units.UNIT_INFO, f"{text},{labels(name_id=policy.names.id, name_en=policy.names.en)}", 1)
    page.add(units.UNIT_KNOWN, text, int(policy.known))
    if state.received:
        page.add(pipeline.LAST_EVENT, text, state.received)
    services = policy.services.keys() | state.services.keys()
    for kind, used, allowed in (
        ("services", len(services) + (OTHER in state.tallies.keys() - services), policy.budget.services),
        (
            "employees",
            len(state.employees) + (OTHER in (state.people.keys() | state.staff.keys()) - state.employees.keys()),
            policy.budget.employees,
        ),
        ("counters", len(state.counters), policy.budget.counters),
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


def write_worker(page: Page, worker: Worker, units_named: int) -> None:
    """What the worker tells of itself; `units_named`: how much of its budget of units is used."""
    checkpoints = worker.checkpoints
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
    answered_ms = worker.source.answered_ms()
    if answered_ms is not None:
        page.add(pipeline.BROKER_ANSWERED, "", answered_ms)
    page.add(pipeline.TARGETS_VALID, "", int(worker.targets_valid))
    version = labels(component="worker", version=__version__, python=platform.python_version())
    page.add(pipeline.BUILD_INFO, version, 1)
