"""Looking into the units of a partition from another thread, without holding the event loop up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from loket.domain.policy import Policy
from loket.domain.state import UnitState
from loket.wire.partition import partition_of
from loket_streams.partitions import Partition
from loket_streams.worker import Worker

__all__ = ["HOLD_S", "PAUSE_S", "Looking"]

HOLD_S: Final = 0.005
"""How long units are looked into at a time."""

PAUSE_S: Final = 0.001
"""Between two looks, so that the event loop gets the lock: a lock that is taken again at once is never handed over."""


class Looking:
    """Looks into units under the lock, HOLD_S and one unit at most at a time; from any thread but the event loop's."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._planned: tuple[Policy, int, dict[int, list[str]]] | None = None

    def into(self, partition: Partition, look: Callable[[UnitState], None]) -> None:
        """Have the units of a partition looked into, those of the targets that nothing came from too."""
        partitions, clock = self._worker.partitions, self._worker.clock
        policy = partitions.policy
        with partitions.lock:
            left = list(dict.fromkeys((*self.of_targets(partition), *partition.units)))
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

    def of_targets(self, partition: Partition) -> list[str]:
        """The units of the targets whose events come in a partition."""
        count, policy = self._worker.partition_count, self._worker.policy
        if count is None:
            return []
        if self._planned is None or self._planned[0] is not policy or self._planned[1] != count:
            by_partition: dict[int, list[str]] = {}
            for unit in policy.units:
                by_partition.setdefault(partition_of(unit.encode(), count), []).append(unit)
            self._planned = (policy, count, by_partition)
        return self._planned[2].get(partition.number, [])
