"""How costs grow: `apply` with more units and more open tickets, and the memory and restart of a whole country.

    apply     100 units and 10,000, 10 open tickets each and 500: unit by unit, as the worker takes a batch
    country   10,000 units with 100 open and 200 closed tickets each: memory, and how long they take to be read again

All in one process, without Kafka. Times are CPU time.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.work import SERVICES, TARGET_S
from loket.domain.events import (
    AtCounterData,
    CompletedData,
    Event,
    Instant,
    IssuedData,
    ServiceCompleted,
    ServiceStarted,
    StartedData,
    TicketCalled,
    TicketIssued,
)
from loket.domain.figures import evaluate
from loket.domain.policy import ServicePolicy, Target, UnitPolicy
from loket.domain.records import split_key, take_records
from loket.domain.unit import UnitState, apply
from loket_streams.changelog import Packer, decode_unit, unpack

BEGIN_MS = 1_767_574_800_000
"""2026-01-05T01:00:00Z: eight in the morning of the units' zone."""

POLICY = UnitPolicy(
    services={f"s{number}": ServicePolicy(targets=(Target(1, TARGET_S * 1000, 0.8),)) for number in range(SERVICES)}
)
OPEN, CLOSED = 100, 200
"""Tickets of each unit of the country."""

AT_A_TIME = 40
"""Events of one unit that follow one another."""


def visits(unit: str, number: int, open_at_once: int) -> list[Event]:
    """The events of so many visits to a unit, of which so many are always open, in the order of their times."""
    told: list[Event] = []
    for visit in range(number):
        source, subject, employee = f"urn:loket:counter:{unit}", f"{unit}-{visit:06d}", f"{unit}-e{visit % 12:02d}"
        issued = BEGIN_MS + visit * 1_000
        stays = open_at_once * 1_000
        at = [Instant(issued + stays * part // 4 + part) for part in (0, 2, 3, 4)]
        ids = [f"{subject}-{step}-0123456789abcdef" for step in range(4)]
        desk = AtCounterData(unit=unit, counter="c01", employee=employee)
        issue = IssuedData(unit=unit, service=f"s{visit % SERVICES}")
        start = StartedData(unit=unit, counter="c01", employee=employee)
        end = CompletedData(unit=unit, counter="c01", employee=employee)
        told += [
            TicketIssued(source=source, id=ids[0], time=at[0], subject=subject, data=issue),
            TicketCalled(source=source, id=ids[1], time=at[1], subject=subject, data=desk),
            ServiceStarted(source=source, id=ids[2], time=at[2], subject=subject, data=start),
            ServiceCompleted(source=source, id=ids[3], time=at[3], subject=subject, data=end),
        ]
    return sorted(told, key=lambda event: event.time)


def apply_us(units: int, open_at_once: int, events: int) -> float:
    """Microseconds of CPU of an `apply`, the median of some rounds over all units, once so many tickets are open."""
    steps = 4 * open_at_once  # until as many tickets close as open
    rounds = max(3, events // (units * AT_A_TIME))
    told = visits("u", open_at_once + steps + rounds * AT_A_TIME, open_at_once)
    states = [UnitState("u", POLICY) for _ in range(units)]
    for state in states:
        for event in told[:steps]:
            apply(state, event, BEGIN_MS)
    gc.collect()
    gc.freeze()
    took = []
    for at in range(steps, steps + rounds * AT_A_TIME, AT_A_TIME):
        part = told[at : at + AT_A_TIME]
        began = time.process_time()
        for state in states:
            for event in part:
                apply(state, event, BEGIN_MS)
        took.append((time.process_time() - began) / units / AT_A_TIME * 1e6)
    gc.unfreeze()
    return median(took)


def resident_mib() -> float:
    """Memory of this process that is in RAM."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def country(units: int) -> Iterator[str]:
    """Lines about so many units that are read from their records, as after a SIGKILL."""
    state = UnitState("u", POLICY)
    told = visits("u", CLOSED + OPEN, OPEN)
    issued = [event for event in told if event.subject is not None and event.subject >= f"u-{CLOSED:06d}"]
    done = [event for event in told if event not in issued]
    waiting: list[Event] = [event for event in issued if isinstance(event, TicketIssued)]
    called: list[Event] = [event for event in issued if isinstance(event, TicketCalled)]
    for event in (*done, *waiting, *called[: OPEN // 2]):
        apply(state, event, BEGIN_MS)
    packer = Packer()
    began = time.process_time()
    records = [(split_key(key)[1], value or b"") for key, value in take_records(state, packer.pack, unpack)]
    written_ms = (time.process_time() - began) * 1e3
    head = next(value for name, value in records if name is None)
    pages = {name: value for name, value in records if name is not None}
    gc.collect()
    gc.freeze()
    gc.disable()
    before, began = resident_mib(), time.process_time()
    # Each has its own bytes, as they come from Kafka.
    copies = ({name: bytes(bytearray(value)) for name, value in pages.items()} for _ in range(units))
    states = [decode_unit("u", head, own, lambda _unit: POLICY) for own in copies]
    read_s, mib = time.process_time() - began, resident_mib() - before
    began = time.process_time()
    for one in states:
        evaluate(one, BEGIN_MS + 3_600_000)
    shown_s = time.process_time() - began
    gc.enable()
    gc.unfreeze()
    yield (
        f"{units:,} units, {OPEN} open and {CLOSED} closed tickets each: "
        f"{mib:,.0f} MiB ({mib * 1024 / units:.0f} KiB a unit), "
        f"read in {read_s:.1f} s of CPU ({read_s / units * 1e3:.2f} ms a unit)"
    )
    yield (
        f"of each: {sum(len(value) for _, value in records) / 1024:.1f} KiB compressed, "
        f"written in {written_ms:.2f} ms, evaluated in {shown_s / units * 1e3:.2f} ms"
    )


def lines() -> Iterator[str]:
    """What an event costs."""
    base = apply_us(100, 10, 200_000)
    yield f"apply, {100:>6} units, {10:>3} open tickets each {base:8.2f} µs   1.00 ×"
    for number, open_at_once in ((10_000, 10), (100, 500)):
        took = apply_us(number, open_at_once, 200_000)
        yield f"apply, {number:>6} units, {open_at_once:>3} open tickets each {took:8.2f} µs   {took / base:.2f} ×"
