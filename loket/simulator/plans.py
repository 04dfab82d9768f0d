"""What an office of the simulator is like: its services, its counters, how often people come."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CounterPlan", "OfficePlan", "ServicePlan"]


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A service: the letter of its tickets, its share of the arrivals, how long it takes (seconds), where people are
    sent afterwards (unit, service, share), and the document that those served ask for."""

    service: str
    letter: str
    share: float
    seconds: float
    onward: tuple[str, str, float] | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class CounterPlan:
    """A counter, who sits there and what is served there."""

    counter: str
    employee: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfficePlan:
    """An office: people come every `every_s` seconds, and in the rush (from, until of each minute) every `rush_s`."""

    unit: str
    services: tuple[ServicePlan, ...]
    counters: tuple[CounterPlan, ...]
    at_the_door: int
    every_s: float
    rush_s: float
    rush: tuple[int, int]
