"""Tell a unit's state some events, and read its exact figures by name."""

from __future__ import annotations

from collections.abc import Iterable

from loket.domain.events import Event
from loket.domain.figures import Figures, evaluate
from loket.domain.leg import Leg
from loket.domain.policy import UnitPolicy
from loket.domain.sessions import evaluate_staff
from loket.domain.staffing import Staff
from loket.domain.state import UnitState, derive
from loket.domain.summary import UnitFigures, add_up, flat_counts, flat_service, rows_of_state
from loket.domain.tally import ServiceTally
from loket.domain.unit import Applied, apply
from loket.testing.builders import At, Office, unit_policy

__all__ = ["Row", "Told", "tell"]

PROMISE = unit_policy({"s": 300, "t": 600})
"""Two services with targets of five and ten minutes; every other service has none."""


class Row(dict[str, int]):
    """Figures by name; what is not there is 0."""

    def __missing__(self, name: str) -> int:
        return 0

    def some(self, *names: str) -> tuple[int, ...]:
        """The figures of these names."""
        return tuple(self[name] for name in names)

    def nonzero(self) -> dict[str, int]:
        """What is not 0."""
        return {name: amount for name, amount in self.items() if amount}


class Told:
    """A state that was told events in the order given, each received at its own time or at `received`."""

    def __init__(self, policy: UnitPolicy = PROMISE, office: Office | None = None) -> None:
        self.office = office or Office()
        self.state = UnitState(self.office.unit, policy)
        self.applied: list[Applied] = []
        self.now = 0

    def tell(self, *told: Event, received: At | None = None) -> Told:
        """Apply events; `now` follows their times."""
        for event in told:
            at = int(event.time) if received is None else int(self.office.at(received))
            self.applied.append(apply(self.state, event, at))
            self.now = max(self.now, int(event.time))
        return self

    def figures(self, now: At | None = None) -> Figures:
        """Everything at an instant: by default that of the newest event."""
        return evaluate(self.state, self._now(now))

    def row(self, service: str = "s", now: At | None = None) -> Row:
        """The exact figures of a service (totals less corrections) and its present; `""`: legs without an issue."""
        figures = self.figures(now)
        if service not in figures.present:
            return Row()
        return Row(flat_service(self.state.tallies.get(service, ServiceTally()), figures, service))

    def unit_row(self, now: At | None = None) -> Row:
        """The sum over all services."""
        return Row(add_up(self.row(service, now) for service in self.figures(now).present))

    def day(self, service: str = "s", now: At | None = None) -> Row:
        """The figures of the service day of `now`."""
        day = self.figures(now).day.get(service)
        if day is None:
            return Row()
        return Row(day.counts | {"judged": day.judged, "breached": day.breached, "expired": day.expired})

    def person(self, employee: str) -> Row:
        """The exact figures of an employee."""
        counts = self.state.people.get(employee)
        return Row() if counts is None else Row(flat_counts(counts))

    def staff(self, employee: str, now: At | None = None) -> Staff:
        """An employee's time since the state began; all 0 where no session ever was."""
        found = evaluate_staff(self.state, self._now(now)).get(employee)
        return Staff() if found is None else found.total

    def staff_today(self, employee: str, now: At | None = None) -> Staff:
        """An employee's time on the service day of `now`."""
        found = evaluate_staff(self.state, self._now(now)).get(employee)
        return Staff() if found is None else found.day

    def _now(self, now: At | None) -> int:
        return self.now if now is None else int(self.office.at(now))

    def report(self, service: str | None = "s", now: At | None = None) -> UnitFigures:
        """The row under the names of rules.md."""
        rows, _ = rows_of_state(self.state, self.figures(now))
        return next(row for row in rows if row.service == service)

    def totals_ms(self) -> list[int]:
        """The sum of the stages of each leg that is still in the state, in order (rule 16)."""
        return [leg.total_ms for leg in self._legs()]

    def outcomes(self) -> list[str | None]:
        """How each leg ended that is still in the state, in order; None: open."""
        return [leg.outcome for leg in self._legs()]

    def _legs(self) -> Iterable[Leg]:
        for key in self.state.tickets:
            ticket = self.state.ticket(key)
            if ticket is not None:
                yield from derive(ticket, self.state.policy).folded.legs


def tell(*told: Event, policy: UnitPolicy = PROMISE) -> Told:
    """A fresh unit that was told some events."""
    return Told(policy).tell(*told)
