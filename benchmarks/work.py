"""The events that everything here is measured on, and what must come out of them.

Units with seven services and twelve employees each; every ticket goes issued, called, started, completed; about thirty
are open at once in a unit; one event in a hundred is a repeat, at most 40 events of its unit later. The same parameters
give the same bytes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import Struct

__all__ = ["HEADERS", "TARGET_S", "WAIT_EDGES_MS", "Work", "targets_text", "work"]

HEADERS: Final = (("content-type", b"application/cloudevents+json"),)
TARGET_S: Final = 600
"""Seconds within which everybody is to be called."""

WAIT_EDGES_MS: Final = (60_000, 300_000, 600_000, 1_200_000, 1_800_000, 3_600_000)
"""Upper bounds (inclusive) of the buckets of waits; one more bucket is above them."""

SERVICES: Final = 7
EMPLOYEES: Final = 12
BEGIN: Final = datetime(2026, 1, 5, 1, tzinfo=UTC)
BETWEEN_TICKETS_MS: Final = 33_000
STEPS: Final = ("ticket.issued", "ticket.called", "service.started", "service.completed")

Row = dict[str, Any]


class Work(Struct):
    """Events as key and value in the order of their times, and the lines that they must give, sorted."""

    events: list[tuple[bytes, bytes]]
    expected: list[str]


def work(events: int, units: int = 200, seed: int = 1) -> Work:
    """About so many events: whole tickets and one repeat for each hundred events."""
    log: list[tuple[int, int, int, bytes]] = []
    rows: list[Row] = []
    tickets = max(1, events * 99 // 400 // units)
    for number in range(units):
        chance = random.Random(f"{seed}:{number}")
        name = unit_name(number)
        visits = _visits(chance, name, tickets)
        rows.extend(_rows(name, visits))
        for at, (ms, value) in enumerate(_told(chance, name, visits)):
            log.append((ms, number, at, value))
    log.sort()
    lines = sorted(json.dumps(row, separators=(",", ":")) for row in rows)
    return Work([(unit_name(number).encode(), value) for _, number, _, value in log], lines)


def unit_name(number: int) -> str:
    return f"u{number:03d}"


def targets_text(units: int) -> str:
    """A targets file that promises TARGET_S for every service of so many units."""
    promise = f"{{wait: [{{valid_from: 2026-01-01, seconds: {TARGET_S}, objective: 0.8}}]}}"
    services = "".join(f"      s{service}: {promise}\n" for service in range(SERVICES))
    others = "".join(f"  {unit_name(number)}: {{services: *all}}\n" for number in range(1, units))
    return f"units:\n  {unit_name(0)}:\n    services: &all\n{services}{others}"


class _Visit(Struct):
    """One ticket: the instants (ms since BEGIN) of its four steps, who served it and for what."""

    at: tuple[int, int, int, int]
    service: str
    employee: str


def _visits(chance: random.Random, unit: str, number: int) -> list[_Visit]:
    found, issued = [], 0
    for _ in range(number):
        issued += 1 + int(chance.expovariate(1 / BETWEEN_TICKETS_MS))
        called = issued + 1_000 + min(int(chance.lognormvariate(13.1, 0.8)), 7_200_000)
        started = called + chance.randrange(8_000, 60_000)
        completed = started + 5_000 + min(int(chance.lognormvariate(12.4, 0.6)), 5_400_000)
        service = f"s{min(int(chance.expovariate(0.6)), SERVICES - 1)}"
        employee = f"{unit}-e{chance.randrange(EMPLOYEES):02d}"
        found.append(_Visit((issued, called, started, completed), service, employee))
    return found


def _told(chance: random.Random, unit: str, visits: list[_Visit]) -> Iterator[tuple[int, bytes]]:
    """The events of one unit in the order of their times, repeats among them."""
    told = []
    for ticket, visit in enumerate(visits):
        desk = {"unit": unit, "counter": f"c{visit.employee[-2:]}", "employee": visit.employee}
        for step, ms in enumerate(visit.at):
            event = {
                "specversion": "1.0",
                "id": f"{chance.getrandbits(128):032x}",
                "source": f"urn:loket:counter:{unit}",
                "type": f"loket.{STEPS[step]}",
                "time": (BEGIN + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds"),
                "subject": f"{unit}-{ticket:06d}",
                "datacontenttype": "application/json",
                "data": {"unit": unit, "service": visit.service} if step == 0 else desk,
            }
            told.append((ms, json.dumps(event, separators=(",", ":")).encode()))
    told.sort(key=lambda entry: entry[0])
    repeats: dict[int, list[bytes]] = {}
    for at in chance.sample(range(len(told)), len(told) // 100):
        repeats.setdefault(min(at + chance.randint(1, 40), len(told) - 1), []).append(told[at][1])
    for at, (ms, value) in enumerate(told):
        yield ms, value
        for repeat in repeats.get(at, ()):
            yield ms, repeat


def _rows(unit: str, visits: list[_Visit]) -> Iterator[Row]:
    for service in sorted({visit.service for visit in visits}):
        mine = [visit for visit in visits if visit.service == service]
        waits = [visit.at[1] - visit.at[0] for visit in mine]
        buckets = [0] * (len(WAIT_EDGES_MS) + 1)
        for wait in waits:
            buckets[sum(wait > edge for edge in WAIT_EDGES_MS)] += 1
        yield {
            "unit": unit,
            "service": service,
            "issued": len(mine),
            "called": len(mine),
            "completed": len(mine),
            "breached": sum(wait > TARGET_S * 1000 for wait in waits),
            "wait_ms_sum": sum(waits),
            "service_ms_sum": sum(visit.at[3] - visit.at[2] for visit in mine),
            "wait_buckets": buckets,
        }
    for employee in sorted({visit.employee for visit in visits}):
        times = [visit.at[3] - visit.at[2] for visit in visits if visit.employee == employee]
        yield {"unit": unit, "employee": employee, "served": len(times), "service_ms_sum": sum(times)}
