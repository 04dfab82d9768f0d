"""Whether what this worker has of a unit is the present, so that nothing old is shown as if it were."""

from __future__ import annotations

from typing import Final

from loket.wire.partition import partition_of
from loket_streams.board.told import Data, DataState
from loket_streams.partitions import Partition
from loket_streams.worker import ANSWER_S, LOOP_S, Worker

__all__ = ["Freshness"]

LATE_S: Final = 30.0
"""Whose last applied event is older than this, while others wait, is late."""

GRACE_S: Final = 5.0
"""After a quiet hour the first event waits for a moment, too: what waits has to wait for so long."""


class Freshness:
    """Tells the state of the data of a unit or partition; asked again and again, from one thread at a time."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._waiting_since: dict[int, float] = {}

    def of_unit(self, unit: str) -> tuple[Data, Partition | None]:
        """The data of a unit, and the partition that has it where it is shown."""
        worker = self._worker
        count = worker.partition_count
        if count is None or worker.partitions.generations == 0:
            return Data(DataState.STARTING), None
        partition = worker.partitions.get(partition_of(unit.encode(), count))
        if partition is None:
            return Data(DataState.ELSEWHERE), None
        data = self.of_partition(partition)
        return data, None if data.as_of is None else partition

    def of_partition(self, partition: Partition) -> Data:
        """The data of a partition; without `as_of` none of its units can be shown."""
        worker = self._worker
        as_of = worker.now_ms(partition)
        silence_s = worker.silence_s()
        if not partition.ready or as_of is None or silence_s is None:
            return Data(DataState.STARTING)
        if worker.event_clock:
            return Data(DataState.REPLAY, as_of)
        away = self._away_since(silence_s)
        if away is not None:
            return Data(DataState.AWAY, min(as_of, away))
        waited_s = self._waited_s(partition)
        if waited_s is None:
            return Data(DataState.LIVE, as_of)
        if waited_s < GRACE_S:  # what came before is applied
            return Data(DataState.LIVE, worker.clock.now_ms())
        return Data(DataState.LATE, as_of)

    def of_worker(self) -> Data:
        """The data of all units together: the worst of the partitions, and as of the oldest."""
        partitions = list(self._worker.partitions)
        if not partitions:
            away = self._worker.partitions.generations > 0
            return Data(DataState.ELSEWHERE if away else DataState.STARTING)
        found = [self.of_partition(partition) for partition in partitions]
        order = (DataState.AWAY, DataState.LATE, DataState.STARTING, DataState.REPLAY, DataState.LIVE)
        known = [data.as_of for data in found if data.as_of is not None]
        return Data(min((data.state for data in found), key=order.index), min(known, default=None))

    def _away_since(self, silence_s: float) -> int | None:
        """Since when (wall time, ms) the broker is silent, or the worker takes nothing; None: neither is so."""
        still_s = self._worker.still_s() or 0.0
        worst = max(silence_s if silence_s > ANSWER_S else 0.0, still_s if still_s > LOOP_S else 0.0)
        return self._worker.clock.now_ms() - int(worst * 1000) if worst else None

    def _waited_s(self, partition: Partition) -> float | None:
        """For how long (seconds) events have waited at every look while what is applied is old; None: not so."""
        worker = self._worker
        behind = worker.seconds_behind(partition)
        if not worker.lag(partition) or behind is None or behind <= LATE_S:
            self._waiting_since.pop(partition.number, None)
            return None
        now = worker.clock.monotonic()
        return now - self._waiting_since.setdefault(partition.number, now)
