"""Looks at the worker's units: what each page is told of them, made under the lock and off the stream's event loop."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple, TypeVar

from msgspec.structs import replace

from loket.domain.calls import Call, LastCalls
from loket.domain.figures import Figures, evaluate
from loket.domain.first_waits import DayEstimates, evaluate_estimates
from loket.domain.halls import hours_of
from loket.domain.levels import share
from loket.domain.opening import State
from loket.domain.policy import Names
from loket.domain.state import OTHER, UnitState
from loket.domain.steps import EMPTY_SERVICE
from loket_streams.board.freshness import Freshness
from loket_streams.board.told import (
    CallTold,
    Data,
    DataState,
    HallTold,
    OverviewTold,
    Queue,
    QueueTold,
    RowTold,
    ServiceTold,
    UnitTold,
    WaitTold,
)
from loket_streams.desks import desks
from loket_streams.looking import PAUSE_S, Looking
from loket_streams.rows import Row, rows
from loket_streams.worker import Worker

__all__ = ["CALLS", "NEAR", "ROWS", "Looks"]

CALLS: Final = 5
"""Numbers called last that are told."""

NEAR: Final = 0.8
"""From this share of the target on the longest wait is near it, as on the dashboards."""

ROWS: Final = 300
"""Units of the overview that are told."""

REMEMBERED: Final = 200
"""Units whose calls are remembered between looks: as many as pages may be open."""

_PSEUDONYM: Final = re.compile(r"\Ap[a-z2-7]{26}\Z")
_TAIL: Final = re.compile(r"(?<=.)[._:/-][0-9a-f]{8,64}\Z")
"""What machines put behind a number to make it unique is on no paper: it is not shown."""

_WORST: Final = (Queue.OVER, Queue.NEAR, Queue.NO_TARGET, Queue.WITHIN, Queue.NOBODY, None)


_T = TypeVar("_T")


class _Whole(NamedTuple):
    """What a look at a unit found, whoever it is told to."""

    figures: Figures
    rows: list[Row]
    queues: list[QueueTold]
    queue: QueueTold
    hours: State | None


class Looks:
    """Makes what is told. Not to be called from two threads at once, nor from the stream's event loop."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._looking = Looking(worker)
        self._freshness = Freshness(worker)
        self._calls: dict[str, LastCalls] = {}

    def unit(self, unit: str) -> UnitTold:
        """A unit as its staff see it."""
        data, found = self._look(unit, _tell_unit)
        return found or UnitTold(unit, self._names(unit), data)

    def hall(self, unit: str) -> HallTold:
        """A unit as the people in its hall see it."""
        data, found = self._look(unit, _tell_hall)
        return found or HallTold(unit, self._names(unit), data)

    def overview(self) -> OverviewTold:
        """All units of this worker, and how each stands."""
        worker = self._worker
        found: list[RowTold] = []
        partitions = list(worker.partitions)
        for partition in partitions:
            data = self._freshness.of_partition(partition)
            if data.as_of is not None:
                self._looking.into(partition, partial(_add_row, found, data))
        found.sort(key=_urgency)
        return OverviewTold(
            self._freshness.of_worker(), tuple(found[:ROWS]), len(found[ROWS:]), len(partitions), worker.partition_count
        )

    def _look(self, unit: str, tell: Callable[[UnitState, Data, tuple[CallTold, ...]], _T]) -> tuple[Data, _T | None]:
        data, partition = self._freshness.of_unit(unit)
        if partition is None:
            return data, None
        policy = self._worker.policy
        looking = self._calls_of(unit)
        while True:
            with self._worker.partitions.lock:
                state = partition.units.get(unit)
                if state is None and unit in policy.units:
                    state = UnitState(unit, policy.unit(unit))
                if state is None or unit == OTHER:
                    return Data(DataState.UNKNOWN), None
                calls = looking.look(state, data.as_of or 0, CALLS)
                if calls is not None:
                    data = replace(data, last_event=state.received or None)
                    return data, tell(state, data, tuple(_call(state, call) for call in calls))
            time.sleep(PAUSE_S)

    def _calls_of(self, unit: str) -> LastCalls:
        """What is remembered of a unit's calls; of those looked at least recently nothing is."""
        found = self._calls.pop(unit, None) or LastCalls()
        self._calls[unit] = found
        if len(self._calls) > REMEMBERED:
            del self._calls[next(iter(self._calls))]
        return found

    def _names(self, unit: str) -> Names:
        """The names of a unit of the targets, whoever has it."""
        return self._worker.policy.unit(unit).names if unit in self._worker.policy.units else Names()


def _whole(state: UnitState, data: Data) -> _Whole:
    now = data.as_of or 0
    figures = evaluate(state, now)
    shown = [row for row in rows(state, figures) if row.service != EMPTY_SERVICE and row.has_tickets]
    order = {service: number for number, service in enumerate(state.policy.services)}  # as people know it
    shown.sort(key=lambda row: (order.get(row.service, len(order)), row.service))
    queues = [_queue(row, now, data) for row in shown]
    longest = max(queues, key=partial(_against, now), default=QueueTold())
    queue = QueueTold(
        min((told.state for told in queues), key=_WORST.index, default=Queue.NOBODY if data.is_present else None),
        sum(told.waiting for told in queues),
        sum(told.over_target or 0 for told in queues) if any(told.over_target is not None for told in queues) else None,
        longest.start,
        longest.target_ms,
    )
    hours = hours_of(state.policy).state(now) if state.policy.calendar.has_hours else None
    return _Whole(figures, shown, queues, queue, hours)


def _queue(row: Row, now: int, data: Data) -> QueueTold:
    present = row.present
    start, target_ms = present.oldest_wait_start, None if row.target is None else row.target.within_ms
    state: Queue | None = None
    if data.is_present:
        if not present.waiting or start is None:
            state = Queue.NOBODY
        elif target_ms is None:
            state = Queue.NO_TARGET
        else:
            waited = now - start
            state = Queue.OVER if waited > target_ms else Queue.NEAR if waited >= NEAR * target_ms else Queue.WITHIN
    return QueueTold(state, present.waiting, present.over_target if present.judges else None, start, target_ms)


def _against(now: int, queue: QueueTold) -> tuple[int, float]:
    """How the longest wait stands to its target; where none is promised, how long it is."""
    if queue.start is None:
        return (0, 0.0)
    return (1, now - queue.start) if not queue.target_ms else (2, (now - queue.start) / queue.target_ms)


def _level(figures: Figures) -> float | None:
    judged = sum(day.judged for day in figures.day.values())
    return share(judged - sum(day.breached for day in figures.day.values()), judged)


def _tell_unit(state: UnitState, data: Data, calls: tuple[CallTold, ...]) -> UnitTold:
    whole = _whole(state, data)
    now = whole.figures.now
    estimates = evaluate_estimates(state, now)
    services = [
        ServiceTold(row.service, _service_names(state, row.service), queue, _expected(estimates, row.service))
        for row, queue in zip(whole.rows, whole.queues, strict=True)
    ]
    return UnitTold(
        state.unit,
        state.policy.names,
        data,
        whole.hours,
        state.policy.zone,
        whole.queue,
        tuple(services),
        desks(state, now).open,
        calls,
        sum(row.day.counts.get("served", 0) for row in whole.rows),
        _level(whole.figures),
    )


def _tell_hall(state: UnitState, data: Data, calls: tuple[CallTold, ...]) -> HallTold:
    if not data.is_present:
        return HallTold(state.unit, state.policy.names, data, zone=state.policy.zone)
    whole = _whole(state, data)
    now = whole.figures.now
    estimates = evaluate_estimates(state, now)
    waits = [
        WaitTold(_service_names(state, row.service), queue.waiting, _expected(estimates, row.service))
        for row, queue in zip(whole.rows, whole.queues, strict=True)
    ]
    return HallTold(
        state.unit,
        state.policy.names,
        Data(data.state, data.as_of),
        whole.hours,
        state.policy.zone,
        whole.queue.waiting,
        tuple(waits),
        calls,
    )


def _add_row(found: list[RowTold], data: Data, state: UnitState) -> None:
    if state.unit == OTHER:
        return
    whole = _whole(state, data)
    found.append(
        RowTold(
            state.unit,
            state.policy.names,
            replace(data, last_event=state.received or None),
            whole.hours,
            whole.queue,
            desks(state, whole.figures.now).open,
            _level(whole.figures),
            state.policy.known,
        )
    )


def _urgency(row: RowTold) -> tuple[int, float, float, str]:
    """The worst first: by state, then by the longest wait against its target, then by who waits."""
    queue = row.queue
    waited = 0 if queue.start is None or row.data.as_of is None else row.data.as_of - queue.start
    against = waited / queue.target_ms if queue.target_ms else 0.0
    return (_WORST.index(queue.state), -against, -queue.waiting, row.unit)


def _call(state: UnitState, call: Call) -> CallTold:
    number = None if _PSEUDONYM.match(call.number) else _TAIL.sub("", call.number)
    return CallTold(number, call.at, call.counter, _service_names(state, call.service))


def _expected(estimates: Mapping[str, DayEstimates], service: str) -> int | None:
    found = estimates.get(service)
    return None if found is None else found.expected_ms


def _service_names(state: UnitState, service: str) -> Names:
    """The names of a service: those of the targets, else its id."""
    policy = state.policy.services.get(service)
    names = Names() if policy is None else policy.names
    return Names(names.id or names.en or service, names.en or names.id or service)
