"""The figures of a log by the domain alone, in memory: what metrics and record have to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from loket.domain.events import Event
from loket.domain.figures import evaluate
from loket.domain.policy import Policy
from loket.domain.summary import (
    OF_THE_RECORD,
    EmployeeFigures,
    Flat,
    UnitFigures,
    flat_people,
    flat_people_today,
    flat_service,
    rows_of_state,
)
from loket.domain.tally import ServiceTally
from loket.domain.unit import UnitState, apply

__all__ = ["Oracle", "without_zeros"]


class Oracle:
    """All units of a log, each applied in the order of arrival."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.units: dict[str, UnitState] = {}

    def apply(self, event: Event, received: int) -> str:
        """Apply an event; returns what became of it."""
        name = event.data.unit
        state = self.units.get(name)
        if state is None:
            state = self.units[name] = UnitState(name, self.policy.unit(name))
        return str(apply(state, event, received))

    def apply_all(self, arrived: Iterable[tuple[Event, int]]) -> list[str]:
        """Apply events in order."""
        return [self.apply(event, received) for event, received in arrived]

    def rows(self, now: int) -> tuple[list[UnitFigures], list[EmployeeFigures]]:
        """The rows of all units at `now`."""
        units: list[UnitFigures] = []
        people: list[EmployeeFigures] = []
        for _, state in sorted(self.units.items()):
            mine, theirs = rows_of_state(state, evaluate(state, now))
            units += mine
            people += theirs
        return units, people

    def flats(self, unit: str, now: int) -> tuple[dict[str, Flat], dict[str, Flat], dict[str, Flat], set[str]]:
        """Flat figures of a unit without zeros: by service, by employee, of the day by service, and who judges."""
        state = self.units[unit]
        figures = evaluate(state, now)
        services = {
            label: _nonzero(flat_service(state.tallies.get(label, ServiceTally()), figures, label))
            for label in figures.present
        }
        people = {name: _nonzero(flat) for name, flat in flat_people(state, now).items()}
        day = {
            label: _nonzero(
                {
                    **of_day.counts,
                    "judged": of_day.judged,
                    "breached": of_day.breached,
                    "expired": of_day.expired,
                    "unserved": of_day.unserved,
                }
            )
            for label, of_day in figures.day.items()
        }
        judging = {label for label, present in figures.present.items() if present.judges}
        return _full(services), _full(people), _full(day), judging

    def today(self, unit: str, now: int) -> dict[str, Flat]:
        """Flat figures of a unit's employees on the service day of `now`, without zeros."""
        return _full({name: _nonzero(flat) for name, flat in flat_people_today(self.units[unit], now).items()})


def _nonzero(flat: Flat) -> Flat:
    return {name: amount for name, amount in flat.items() if amount or name == "oldest_wait_start"}


def _full(flats: dict[str, Flat]) -> dict[str, Flat]:
    return {name: flat for name, flat in flats.items() if flat}


def without_zeros(rows: Sequence[UnitFigures] | Sequence[EmployeeFigures]) -> list[dict[str, Any]]:
    """Rows as plain mappings without what only the record tells, and without those in which nothing happened."""
    kept = []
    for row in rows:
        told = msgspec.to_builtins(row)
        for name in OF_THE_RECORD:
            told.pop(name, None)
        numbers = [*told.values(), *told.get("closed", {}).values()]
        if any(isinstance(number, (int, float)) and number for number in numbers):
            kept.append(told)
    return kept
