"""The demo's city: a civil registry and a health centre, whose services take seconds."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from pathlib import Path
from random import Random
from typing import Final

from loket.domain.events import Event
from loket.domain.policy import SECOND
from loket.simulator.agenda import Agenda
from loket.simulator.devices import Devices
from loket.simulator.office import Office
from loket.simulator.papers import Papers
from loket.simulator.plans import CounterPlan, OfficePlan, ServicePlan

__all__ = ["OFFICES", "demo_targets", "events"]

REGISTRY: Final = OfficePlan(
    unit="dukcapil",
    services=(
        ServicePlan("ktp-el", "A", 0.5, 5.0),
        ServicePlan("kartu-keluarga", "B", 0.35, 5.5, document="cetak-kk"),
        ServicePlan("akta-kelahiran", "C", 0.15, 6.5, document="kutipan-akta"),
    ),
    counters=(
        CounterPlan("loket-1", "pgw-101", ("ktp-el", "kartu-keluarga")),
        CounterPlan("loket-2", "pgw-102", ("ktp-el", "kartu-keluarga", "akta-kelahiran")),
        CounterPlan("loket-3", "pgw-103", ("kartu-keluarga", "akta-kelahiran", "ktp-el")),
    ),
    at_the_door=12,
    every_s=4.5,
    rush_s=1.4,
    rush=(8, 28),
)
HEALTH_CENTRE: Final = OfficePlan(
    unit="puskesmas",
    services=(
        ServicePlan("poli-umum", "U", 0.7, 5.5, ("puskesmas", "farmasi", 0.8)),
        ServicePlan("kia", "K", 0.3, 6.5, ("dukcapil", "akta-kelahiran", 0.5)),
        ServicePlan("farmasi", "F", 0.0, 3.5),
    ),
    counters=(
        CounterPlan("poli-1", "pgw-201", ("poli-umum",)),
        CounterPlan("poli-2", "pgw-202", ("poli-umum", "kia")),
        CounterPlan("apotek", "pgw-203", ("farmasi",)),
    ),
    at_the_door=6,
    every_s=7.0,
    rush_s=2.5,
    rush=(15, 33),
)
OFFICES: Final = (REGISTRY, HEALTH_CENTRE)

_OUTAGES: Final = {"dukcapil/loket-3": (15 * SECOND, 35 * SECOND, 90 * SECOND)}
"""Offline from the 15th to the 35th second of each 90: what happened at this counter meanwhile comes all at once."""


def events(seed: int, start_ms: int) -> Iterator[tuple[int, Event]]:
    """Yield the city's events for ever: when each is sent (ms UTC, ascending), and the event with when it happened.

    A second run with the same arguments gives the same; one with another start gives other ids and tickets.
    """
    random = Random(seed)  # noqa: S311 - what happens in a game, the same for the same seed
    agenda = Agenda()
    devices = Devices(random, start_ms, _OUTAGES)
    # With a chance of its own, so that a document more or less changes nobody's visit.
    chance = Random(f"papers/{seed}")  # noqa: S311 - as above
    back_office = Devices(chance, start_ms, {})
    offices: dict[str, Office] = {}

    def elsewhere(subject: str, from_unit: str, unit: str, service: str, at: int) -> None:
        agenda.at(at, lambda now: offices[unit].receive(subject, from_unit, service, now))

    for plan in OFFICES:
        papers = Papers(plan.unit, agenda, back_office, chance)
        offices[plan.unit] = Office(plan, agenda, devices, random, start_ms, elsewhere, papers)
        offices[plan.unit].open(start_ms)
    while True:
        at, action = agenda.next()
        yield from merge(devices.sent_before(at), back_office.sent_before(at), key=lambda sent: sent[0])
        action(at)


def demo_targets() -> Path:
    """The `targets.yaml` of this city, which comes with the package."""
    return Path(__file__).with_name("targets.yaml")
