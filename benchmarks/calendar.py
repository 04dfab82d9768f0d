"""What service time costs: a deadline per open request, a cold calendar, windows and estimates at a scrape.

In CPU time, in one process. The median of the turns counts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median

from msgspec.structs import replace

from loket.domain.durations import DAY, HOUR, MINUTE
from loket.domain.events import Event
from loket.domain.figures import evaluate
from loket.domain.first_waits import evaluate_estimates
from loket.domain.opening import OpeningHours
from loket.domain.state import UnitState
from loket.domain.unit import apply
from loket.domain.windows import evaluate_windows
from loket.targets.presets import preset_text
from loket.targets.reading import read_targets
from loket.testing.builders import Office, unit_policy

REQUESTS = 100_000


def lines(turns: int) -> list[str]:
    """The report."""
    calendar = next(iter(read_targets("preset", preset_text("civil-registry").encode()).policy.units.values())).calendar
    chance = random.Random(20260131)
    now = int(datetime(2026, 6, 24, 4, tzinfo=UTC).timestamp()) * 1000
    submitted = [now - chance.randrange(400 * DAY) for _ in range(REQUESTS)]
    warm = OpeningHours("Asia/Jakarta", calendar)
    told = []
    for name, ask in (
        ("deadline of 15 service hours", lambda at: warm.last_within(at, 15 * HOUR)),
        ("service time from there to now", lambda at: warm.between(at, now)),
    ):
        took = median(_cpu_s(lambda ask=ask: [ask(at) for at in submitted]) for _ in range(turns))  # type: ignore[misc]
        told.append(f"{name:<44} {1e6 * took / REQUESTS:8.2f} µs   {took:6.2f} s for {REQUESTS:,} open requests")
    took = median(
        _cpu_s(lambda: OpeningHours("Asia/Jakarta", calendar).between(now - 366 * DAY, now)) for _ in range(turns)
    )
    told.append(f"{'a year of a calendar that nobody asked before':<44} {1e3 * took:8.2f} ms")
    state = _month(now)
    looks: tuple[tuple[str, Callable[[UnitState, int], object]], ...] = (
        ("evaluate, 5 services", evaluate),
        ("windows of service time, 5 services", evaluate_windows),
        ("estimates of today, 5 services", evaluate_estimates),
    )
    for name, look in looks:
        took = median(_cpu_s(lambda look=look: look(state, now)) for _ in range(max(turns, 20)))  # type: ignore[misc]
        told.append(f"{name:<44} {1e3 * took:8.2f} ms   for a unit with a busy week behind it")
    return told


def _month(now: int) -> UnitState:
    """A unit with 5 services and 300 tickets a day for a week, up to now."""
    found = next(iter(read_targets("preset", preset_text("civil-registry").encode()).policy.units.values()))
    policy = replace(unit_policy({f"s{number}": 300 for number in range(5)}), calendar=found.calendar)
    state = UnitState("u", policy)
    chance = random.Random(20260131)
    office = Office()
    log: list[Event] = []
    for number in range(2_100):
        at = now - number % 7 * DAY - chance.randrange(3 * HOUR)
        subject, service = f"A{number}", f"s{number % 5}"
        log.append(office.issued(subject, at=at, service=service))
        log.append(office.called(subject, at=at + chance.randrange(10 * MINUTE)))
        log.append(office.completed(subject, at=at + 15 * MINUTE))
    for event in sorted(log, key=lambda event: int(event.time)):
        apply(state, event, int(event.time))
    return state


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
