"""What an event costs before Kafka has anything to do with it: the decoder and `apply`, beside a bare msgspec decode.

All in one process and by turns, in CPU time, so that what else the machine does falls on all alike. The median counts.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median

import msgspec
from msgspec import Struct

from benchmarks.work import HEADERS, TARGET_S, work
from loket.domain.events import Event
from loket.domain.policy import ServicePolicy, Target, UnitPolicy
from loket.domain.unit import UnitState, apply
from loket.wire.cloudevents import Decoder, Foreign
from loket.wire.partition import partition_of
from loket.wire.record import WireRecord

PARTITIONS = 4


class _Data(Struct):
    unit: str
    service: str | None = None
    employee: str | None = None


class _Bare(Struct):
    """What a reader that checks nothing takes of an event; the time stays a text."""

    type: str
    time: str
    subject: str
    data: _Data


def measure(events: int, turns: int) -> dict[str, list[float]]:
    """Microseconds of CPU for each event: `bare`, `decode`, `apply`, one value a turn."""
    log = work(events).events
    records = [
        WireRecord("t", partition_of(key, PARTITIONS), offset, 0, key, value, HEADERS)
        for offset, (key, value) in enumerate(log)
    ]
    services = {f"s{number}": ServicePolicy(targets=(Target(1, TARGET_S * 1000, 0.8),)) for number in range(7)}
    policy = UnitPolicy(services=services)
    bare = msgspec.json.Decoder(_Bare)
    took: dict[str, list[float]] = {"bare": [], "decode": [], "apply": []}
    gc.collect()
    gc.freeze()  # the records are the benchmark's, not the worker's
    for _ in range(turns):
        decoder = Decoder(PARTITIONS, clock="event", now=lambda: 1 << 50)
        decoded: list[Event | Foreign] = []

        def only_decode() -> None:
            for record in records:
                bare.decode(record.value or b"")

        def decode(decoder: Decoder = decoder, into: list[Event | Foreign] = decoded) -> None:
            into.extend(map(decoder.decode, records))

        def fold(found: list[Event | Foreign] = decoded) -> None:
            units: dict[str, UnitState] = {}
            for event in found:
                if not isinstance(event, Foreign):
                    unit = event.data.unit
                    state = units.get(unit)
                    if state is None:
                        state = units[unit] = UnitState(unit, policy)
                    apply(state, event, event.time)

        for name, run in (("bare", only_decode), ("decode", decode), ("apply", fold)):
            took[name].append(_cpu_us(run) / len(records))
    gc.unfreeze()
    return took


def _cpu_us(run: Callable[[], None]) -> float:
    began = time.process_time()
    run()
    return (time.process_time() - began) * 1e6


def lines(events: int, turns: int) -> list[str]:
    """What was measured, as lines of a table."""
    took = measure(events, turns)
    base = median(took["bare"])
    return [
        f"{name:<24} {median(values):8.2f} µs  ({min(values):.2f} to {max(values):.2f})  {median(values) / base:6.1f} ×"
        for name, values in took.items()
    ]
