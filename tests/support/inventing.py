"""A broken device: every visit that it tells of has a new service, employee, session, counter, subject and source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loket.domain.events import Event
from loket.domain.policy import Budget
from loket.testing.builders import Desk, Office

__all__ = ["BUDGET", "MORNING", "inventions"]

MORNING: Final = int(Office().at("08:00"))

BUDGET: Final = Budget(services=7, employees=9, counters=5, sources=4)


def inventions(visits: int, *, first: int = 0, unit: str | None = None) -> Iterator[Event]:
    """Complete visits, half a second apart; without a `unit` each has a new one too."""
    for number in range(first, first + visits):
        office = Office(unit or f"unit-{number}", source=f"device-{number}")
        desk: Desk = {"counter": f"counter-{number}", "employee": f"employee-{number}"}
        at = MORNING + number * 500
        subject = f"ticket-{number}"
        yield office.issued(subject, at=at, service=f"service-{number}")
        yield office.called(subject, at=at + 60_000, **desk)
        yield office.started(subject, at=at + 70_000, service=f"started-{number}", **desk)
        yield office.added(subject, at=at + 80_000, service=f"added-{number}", employee=f"helper-{number}")
        yield office.completed(subject, at=at + 90_000, **desk)
        yield office.counter_opened(at=at, counter=f"counter-{number}")
        yield office.session_started(f"employee-{number}", at=at, counter=f"counter-{number}")
        yield office.session_started(f"helper-{number}", at=at, counter=f"counter-{number}")
        yield office.heartbeat(at=at, counter=f"counter-{number}", pending=1, oldest_pending_at=at)
