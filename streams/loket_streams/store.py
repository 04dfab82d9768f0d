"""Recovery: Faust's table serves it alone, and this store takes the changelog straight into the units of a partition.

```
on_rebalance ──▶ partitions kept: only what somebody else wrote since our last write is looked at (foreign writes)
            └──▶ partitions begun anew: the changelog from its beginning, as bytes, the highest offset of each key
on_recovery_completed ──▶ each unit decoded once, put into its partition
```

Faust logs an exception of a store and then waits for ever: here each ends the process with its reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from faust.stores import base
from faust.types import TP, EventT
from mode.utils.collections import FastUserDict

from loket.domain.days import service_days
from loket.domain.records import mark_all, split_key
from loket.domain.state import UnitState
from loket.domain.terms import differences
from loket_streams.changelog import Reading, decode_unit
from loket_streams.errors import RecoveryError, TermsError
from loket_streams.fetching import RecordBatch

__all__ = ["UnitStore"]

UNITS_AT_A_TIME = 50
"""Decoded before the event loop gets its turn."""


class UnitStore(base.Store, FastUserDict):
    """The store `units://local` (entry-point group `faust.stores`).

    The URL needs its host: without one it is falsy, and Faust would take the app's default store without a word.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.data: dict[Any, Any] = {}
        self._readings: dict[int, Reading] = {}

    def persisted_offset(self, tp: TP) -> int | None:
        """Return the last changelog offset whose content the units have; -1 has the whole changelog read."""
        partition = self.app.partitions.get(tp.partition)
        return partition.changelog_next - 1 if partition is not None and partition.loaded else -1

    async def on_rebalance(self, assigned: set[TP], *_: Any) -> None:
        """Take the new assignment over; called before Faust asks for `persisted_offset`."""
        numbers = [tp.partition for tp in assigned if tp.topic == self.app.source_topic]
        member, generation = self.app.consumer.member()
        self.app.partitions.assign(numbers, member, generation)
        self._readings = {partition.number: Reading() for partition in self.app.partitions if not partition.loaded}

    def apply_changelog_batch(self, batch: Iterable[EventT], **_: Any) -> None:
        """Take fetches of the changelog."""
        for event in batch:
            try:
                if event.message.generation_id == self.app.consumer_generation_id:
                    self._take(event.value)
            except Exception as error:  # noqa: BLE001 (anything here would be logged by Faust, which then waits for ever)
                self._fail(event.message.tp.partition, error)

    def _take(self, batch: RecordBatch) -> None:
        reading = self._readings.get(batch.partition)
        if reading is not None:
            reading.add(batch.records, batch.begin, batch.end)
            return
        partition = self.app.partitions.get(batch.partition)
        if partition is None or not partition.loaded:
            return
        with self.app.partitions.lock:
            for record in batch.records:
                if record.offset < partition.changelog_next or record.key is None:
                    continue
                if (state := _unit(partition, record.key)) is not None:
                    # Somebody else wrote what we own: ours goes on top again.
                    mark_all(state)
                    partition.mark([state.unit])
            partition.changelog_next = max(partition.changelog_next, batch.end)

    async def on_recovery_completed(self, active_tps: set[TP], *_: Any) -> None:
        """Put the units into the partitions whose changelog has been read."""
        for tp in sorted(active_tps):
            reading = self._readings.pop(tp.partition, None)
            if reading is None:
                continue
            try:
                await self._install(tp, reading)
            except Exception as error:  # noqa: BLE001 (as above)
                self._fail(tp.partition, error)
                return

    async def _install(self, tp: TP, reading: Reading) -> None:
        partitions = self.app.partitions
        partition = partitions.get(tp.partition)
        highwater = self.app.tables.recovery.active_highwaters.get(tp, -1)
        if highwater >= (self._first(tp) + 1 if reading.end is None else reading.end):
            raise ValueError(f"it was read to offset {reading.end}, and it ends at {highwater + 1}")
        units = {}
        changed: dict[str, list[str]] = {}
        dirty = set(reading.regressed)
        for count, (unit, (head, pages)) in enumerate(reading.keys().items(), 1):
            state = units[unit] = decode_unit(unit, head, pages, partitions.policy_of)
            if state.gone_pages:
                dirty.add(unit)
            if told := changed_terms(state):
                changed[unit] = told
            if count % UNITS_AT_A_TIME == 0:
                await asyncio.sleep(0)
                if partitions.get(tp.partition) is not partition:
                    return  # another rebalance began
        if changed:
            raise TermsError(changed)
        for unit in dirty & units.keys():
            mark_all(units[unit])
        if partitions.get(tp.partition) is partition:
            end = max(highwater + 1, reading.end or 0)
            partitions.install(tp.partition, units, dirty=dirty & units.keys(), changelog_next=end)

    def _first(self, tp: TP) -> int:
        # What Faust began the reading from, as it knows offsets: the one before the first record.
        offset = self.app.tables.recovery.active_offsets.get(tp)
        return -1 if offset is None else int(offset)

    def reset_state(self) -> None:
        """Nothing: what a partition holds ends with its assignment."""

    async def backup_partition(self, tp: Any, flush: bool = True, purge: bool = False, keep: int = 1) -> None:
        """Nothing: the changelog is the only copy."""

    def restore_backup(self, tp: Any, latest: bool = True, backup_id: int = 0) -> None:
        """Nothing: the changelog is the only copy."""

    def _fail(self, number: int, error: Exception) -> None:
        if not isinstance(error, TermsError):
            error = RecoveryError(self.app.changelog_topic, number, str(error) or repr(error))
        self.app.fail(error)


def changed_terms(state: UnitState) -> list[str]:
    """What the targets now say otherwise of the days on which a state that was read back has taken events."""
    if state.terms is None:
        return []
    return list(differences(state.terms, state.policy, service_days(state.policy).day(state.received)))


def _unit(partition: Any, key: bytes) -> Any:
    return partition.units.get(split_key(key)[0])
