"""From a batch of records to changed units: decode, skip what a unit contains, apply, tally. No await anywhere."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Final, Protocol

from loket.domain.events import Event
from loket.domain.silence import forget_silent
from loket.domain.state import OTHER, UnitState
from loket.domain.unit import Applied, apply
from loket.wire.cloudevents import Decoder, Foreign, Record
from loket.wire.rejection import Reason, Rejected
from loket_streams.errors import GapError, RecoveryError
from loket_streams.fetched import FetchedRecord
from loket_streams.fetching import RecordBatch
from loket_streams.partitions import Partition, Partitions
from loket_streams.strangers import among_others
from loket_streams.tallies import Result, Tallies

__all__ = ["Processor", "Time", "unit_by_unit"]

LOG_APPEND_TIME: Final = 1
"""Kafka's timestamp type of a record whose time is the broker's."""

AHEAD_OF_BROKER_MS: Final = 5 * 60_000
"""An event's time further ahead of the broker is never `now` (rule 4)."""

_APPLIED: Final = Applied.APPLIED  # Python 3.11 takes a quarter of a microsecond to get a member of an enumeration


class Time(Protocol):
    """Which clock dates an event's arrival (rule 3), and what is ahead of it. `in_service`: the broker's, no replay."""

    @property
    def in_service(self) -> bool: ...

    def received(self, event: Event, broker_ms: int) -> int | None:
        """Return the time at which an event was received, or None for one that is ahead of `--now` (rule 5)."""
        ...


class ServiceTime:
    """`clock: service`: an event was received when the broker says."""

    in_service = True

    def received(self, event: Event, broker_ms: int) -> int | None:  # noqa: ARG002 (of the Protocol)
        return broker_ms


class EventTime:
    """`clock: event`: an event was received when it happened; what is after `now` is left alone."""

    in_service = False

    def __init__(self, now_ms: int | None) -> None:
        self._now_ms = now_ms

    def received(self, event: Event, broker_ms: int) -> int | None:  # noqa: ARG002 (of the Protocol)
        return None if self._now_ms is not None and event.time > self._now_ms else int(event.time)


def unit_by_unit(records: Iterable[FetchedRecord], begin: int, known: Container[str]) -> Iterator[FetchedRecord]:
    """The records from an offset on, those of a known unit one after the other and each unit's in their order.

    What one unit does, another does not see, and a unit whose data are in the processor's caches goes twice as fast.
    Records of units that are not known come first and in the order of the log: which of them get a state of their own,
    and what the state of the others contains, follows from it.
    """
    by_key: dict[bytes | None, list[FetchedRecord]] = {}
    for record in records:
        if record.offset >= begin:
            mine = by_key.get(record.key)
            if mine is None:
                mine = by_key[record.key] = []
            mine.append(record)
    known_keys = [
        key for key in by_key if key is not None and (name := key.decode(errors="replace")) in known and name != OTHER
    ]
    known_units = [by_key.pop(key) for key in known_keys]
    yield from sorted(chain.from_iterable(by_key.values()), key=attrgetter("offset"))
    yield from chain.from_iterable(known_units)


class Processor:
    """Applies record batches to the units of their partition."""

    def __init__(self, partitions: Partitions, decoder: Decoder, tallies: Tallies, time: Time) -> None:
        self._partitions = partitions
        self._decoder = decoder
        self._tallies = tallies
        self._time = time

    def process(self, batch: RecordBatch) -> None:
        """Apply a batch. Raises GapError before anything is applied if events before it are missing.

        A batch of a partition that is not assigned (any more) is left alone.
        """
        partition = self._partitions.get(batch.partition)
        if partition is None or not partition.loaded:
            return
        expected = partition.next
        if expected is None:
            raise RecoveryError(self._partitions.topic, batch.partition, "it is read before its position was set")
        if batch.begin > expected:
            raise GapError(self._partitions.topic, batch.partition, expected, batch.begin)
        with self._partitions.lock:
            self._take(partition, unit_by_unit(batch.records, expected, partition.units))
            if batch.records:
                partition.record_ms = batch.records[-1].timestamp
            if batch.end > expected:
                partition.advance(batch.end)

    def _take(self, partition: Partition, records: Iterable[Record]) -> None:
        """Apply records. What is counted of a partition and of the process is kept at hand meanwhile."""
        tallies, units, dirty = self._tallies, partition.units, partition.dirty
        decode, received_at = self._decoder.decode, self._time.received
        is_plain = not self._time.in_service and self._partitions.unit_budget is None
        events, newest, last_received = tallies.events, tallies.newest_event_ms, partition.received
        number = 0
        state: UnitState | None = None
        try:
            for record in records:
                broker_ms = record.timestamp
                try:
                    event = decode(record)
                except Rejected as rejected:
                    self._reject(partition, record, rejected.reason)
                    continue
                if isinstance(event, Foreign):
                    events[Result.FOREIGN] += 1
                    continue
                received = received_at(event, broker_ms)
                if received is None:
                    events[Result.AHEAD] += 1
                    continue
                name = event.data.unit
                if state is None or state.unit != name:
                    state = units.get(name) or self._partitions.state_for(partition, name)
                if last_received is None or received > last_received:
                    last_received = received
                if (newest is None or event.time > newest) and event.time <= broker_ms + AHEAD_OF_BROKER_MS:
                    newest = int(event.time)
                if getattr(record, "timestamp_type", None) == LOG_APPEND_TIME and not event.imported:
                    tallies.note_clock(event, broker_ms, state.unit, state.policy.budget.sources)
                if record.offset > state.offset:
                    dirty.add(state.unit)
                    applied = apply(state, event, received) if is_plain else self._apply(state, event, received)
                    state.offset = record.offset
                    if applied is _APPLIED:
                        number += 1
                    else:
                        self._note(state, applied)
        finally:
            events[_APPLIED] += number
            tallies.newest_event_ms = newest
            partition.received = last_received

    def _apply(self, state: UnitState, event: Event, received: int) -> Applied:
        """Apply an event in service, or where units have a budget."""
        closed_day = state.admission.closed_day
        if state.unit == OTHER and self._partitions.unit_budget is not None:
            applied = _apply_among_others(state, event, received)
        else:
            applied = apply(state, event, received)
        if state.admission.closed_day != closed_day and self._time.in_service:
            forget_silent(state)
        return applied

    def _note(self, state: UnitState, applied: Applied) -> None:
        tallies = self._tallies
        tallies.events[applied] += 1
        if applied is Applied.LATE:
            tallies.late[state.unit] += 1
        elif applied is Applied.CONFLICTING_REPEAT:
            tallies.rejected[state.unit, Reason.CONFLICTING_REPEAT] += 1

    def _reject(self, partition: Partition, record: Record, reason: Reason) -> None:
        key = record.key.decode(errors="replace") if record.key is not None else OTHER
        unit = key if key in partition.units or key in self._partitions.policy.units else OTHER
        self._tallies.events[Result.REJECTED] += 1
        self._tallies.rejected[unit, reason] += 1


def _apply_among_others(state: UnitState, event: Event, received: int) -> Applied:
    taken = among_others(event)
    if taken is None:  # beyond the bounds of the state: it changes the record only
        state.late += 1
        return Applied.LATE
    return apply(state, taken, received)
