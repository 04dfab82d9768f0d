"""What the metrics show of a unit's counters and sessions. A unit that never sent such events has nothing of it."""

from __future__ import annotations

from msgspec import Struct, field

from loket.catalogue import desks as names
from loket.domain.counters import Counter, is_open
from loket.domain.sessions import active_sessions
from loket.domain.state import UnitState
from loket.exposition import Page, labels

__all__ = ["Desk", "Desks", "desks", "write_desks"]


class Desk(Struct):
    """One counter. `is_open` None: it never told."""

    counter: Counter
    is_open: bool | None


class Desks(Struct):
    """The desks of a unit, how many are open, and how many sessions are active; None: no such event ever came."""

    by_name: dict[str, Desk] = field(default_factory=dict)
    open: int | None = None
    active: int | None = None

    def add(self, other: Desks) -> None:
        """Add what units are summed by: not the single desks."""
        if other.open is not None:
            self.open = other.open + (self.open or 0)
        if other.active is not None:
            self.active = other.active + (self.active or 0)


def desks(state: UnitState, now: int) -> Desks:
    """The desks of a unit at `now` (ms)."""
    found = {name: Desk(counter, is_open(counter, state.policy, now)) for name, counter in state.counters.items()}
    told = [desk.is_open for desk in found.values() if desk.is_open is not None]
    return Desks(found, sum(told) if told else None, active_sessions(state, now))


def write_desks(page: Page, unit: str, found: Desks) -> None:
    """Write a unit's desks to a page."""
    for metric, amount in ((names.COUNTERS_OPEN, found.open), (names.SESSIONS_ACTIVE, found.active)):
        if amount is not None:
            page.add(metric, labels(unit=unit), amount)
    for name, desk in found.by_name.items():
        text, counter = labels(unit=unit, counter=name), desk.counter
        if desk.is_open is not None:
            page.add(names.COUNTER_OPEN, text, int(desk.is_open))
        page.add(names.COUNTER_LAST_EVENT, text, counter.received)
        if counter.pending is not None:
            page.add(names.COUNTER_OUTBOX_PENDING, text, counter.pending)
        if counter.oldest_pending_at is not None:
            page.add(names.COUNTER_OUTBOX_OLDEST, text, counter.oldest_pending_at)
