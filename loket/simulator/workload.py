"""Workloads of any size for tests: tickets of many units in every way that they can go, in the order of a log."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from loket.domain import events as facts
from loket.domain.events import Envelope, Event, Instant
from loket.domain.policy import HOUR, SECOND

__all__ = ["workload", "workload_targets"]

_WAYS: Final = {
    "served": 60,
    "held": 8,
    "added": 5,
    "no_show": 6,
    "abandoned": 7,
    "requeued": 5,
    "moved": 3,
    "transferred": 4,
    "voided": 1,
    "left_open": 1,
}
"""How tickets go, and how many in a hundred."""


def workload(
    seed: int,
    units: int,
    services: int,
    employees: int,
    tickets: int,
    *,
    start_ms: int,
    span_ms: int = 8 * HOUR,
) -> Iterator[Event]:
    """Yield the events of `tickets` tickets, by time: about 4.2 each, issued evenly over `span_ms` from `start_ms`.

    Each unit has `services` services and `employees` employees of its own. A ticket takes some minutes, so the last
    events lie up to an hour after the span.
    """
    open_events: list[tuple[int, int, Event]] = []
    put = 0
    for number in range(tickets):
        issued = start_ms + number * span_ms // tickets
        while open_events and open_events[0][0] < issued:
            yield heapq.heappop(open_events)[2]
        # A generator of its own for each ticket: one more ticket changes none of the others.
        random = Random(f"{seed}/{number}")  # noqa: S311 - a test's data, the same for the same seed
        for event in _Ticket(random, seed, number, (units, services, employees), issued).events():
            put += 1
            heapq.heappush(open_events, (event.time, put, event))
    while open_events:
        yield heapq.heappop(open_events)[2]


def workload_targets(units: int, services: int, *, seconds: int = 300, zone: str = "Asia/Jakarta") -> str:
    """The text of a `targets.yaml` for a workload: one target for every service, valid from 2000 on."""
    lines = ["defaults:", f"  zone: {zone}", "units:"]
    for unit in range(units):
        lines += [f"  {_unit(unit)}:", "    services:"]
        for service in range(services):
            target = f"{{valid_from: 2000-01-01, seconds: {seconds}, objective: 0.8}}"
            lines.append(f"      {_service(service)}: {{wait: [{target}]}}")
    return "\n".join(lines) + "\n"


def _unit(number: int) -> str:
    return f"unit-{number:04}"


def _service(number: int) -> str:
    return f"service-{number}"


class _Ticket:
    """One ticket and the way that it goes."""

    def __init__(self, random: Random, seed: int, number: int, sizes: tuple[int, int, int], issued: int) -> None:
        self._random = random
        self._units, self._services, self._employees = sizes
        self._name = f"{seed}-{number}"
        self._at = issued
        self._steps = 0
        self._from_unit: str | None = None
        self._unit = _unit(random.randrange(self._units))
        self._made: list[Event] = []

    def events(self) -> list[Event]:
        """All of its events."""
        way = self._random.choices(list(_WAYS), list(_WAYS.values()))[0]
        self._issue()
        if way == "left_open":
            return self._made
        if way == "voided":
            self._tell(facts.TicketVoided, facts.VoidedData, 20, reason="printed by mistake")
            return self._made
        if way == "abandoned":
            self._tell(facts.TicketAbandoned, facts.TicketData, self._random.randint(2, 900))
            return self._made
        by = self._call()
        if way == "no_show":
            self._tell(facts.TicketRecalled, facts.AtCounterData, 30, **by)
            self._tell(facts.TicketNoShow, facts.AtCounterData, 40, **by)
            return self._made
        if way == "requeued":
            self._tell(facts.TicketRequeued, facts.RequeuedData, 15, **by)
            by = self._call()
        self._tell(facts.ServiceStarted, facts.StartedData, self._random.randint(2, 40), **by)
        if way == "held":
            self._tell(facts.ServiceHeld, facts.AtCounterData, 30, **by)
            self._tell(facts.ServiceResumed, facts.AtCounterData, self._random.randint(5, 200), **by)
        if way == "added":
            service = _service(self._random.randrange(self._services))
            self._tell(facts.ServiceAdded, facts.AddedData, 20, service=service, employee=by["employee"])
        if way in ("moved", "transferred"):
            by = self._hand_on(by, abroad=way == "transferred")
        self._tell(facts.ServiceCompleted, facts.CompletedData, self._random.randint(20, 500), **by)
        return self._made

    def _issue(self) -> None:
        service = _service(self._random.randrange(self._services))
        self._tell(facts.TicketIssued, facts.IssuedData, 0, service=service)

    def _call(self) -> dict[str, str]:
        employee = self._random.randrange(self._employees)
        by = {"counter": f"counter-{employee}", "employee": f"{self._unit}.emp-{employee:03}"}
        self._tell(facts.TicketCalled, facts.AtCounterData, self._random.randint(1, 900), **by)
        return by

    def _hand_on(self, by: dict[str, str], *, abroad: bool) -> dict[str, str]:
        """To another unit or, within this one, to another service: a new leg there, called and started."""
        there = _unit(self._random.randrange(self._units)) if abroad else self._unit
        self._tell(facts.TicketTransferred, facts.TransferredData, 60, to_unit=there, **by)
        if there != self._unit:
            self._from_unit, self._unit = self._unit, there
        self._at += 30 * SECOND
        self._issue()
        by = self._call()
        self._tell(facts.ServiceStarted, facts.StartedData, self._random.randint(2, 40), **by)
        return by

    def _tell(self, kind: type[Envelope], data: Any, after_s: int, **said: Any) -> None:
        self._at += after_s * SECOND + (self._random.randrange(SECOND) if after_s else 0)
        self._steps += 1
        make: Any = kind  # one of the union
        told = data(unit=self._unit, from_unit=self._from_unit, **said)
        event: Event = make(
            source=f"workload/{self._unit}",
            id=f"{self._name}-{self._steps}",
            time=Instant(self._at),
            subject=f"t-{self._name}",
            data=told,
        )
        self._made.append(event)
