"""Employees of whom nothing was heard for long: in service their series end, and the state forgets them (rule 35)."""

from __future__ import annotations

from loket.domain.policy import DAY
from loket.domain.state import UnitState

__all__ = ["SILENT_MS", "forget_silent"]

SILENT_MS = 35 * DAY
"""Without events for so long a series is dropped."""


def forget_silent(state: UnitState) -> None:
    """Forget the employees whom no event has named for SILENT_MS, by the broker's time of the unit's last record.

    Their names are free for others, and who comes back begins anew. To be called when days have closed, by whoever is
    in service: a replay, and the record, keep everybody.
    """
    heard_since = state.admission.received - SILENT_MS
    for name in [name for name, seen in state.employees.items() if seen < heard_since]:
        del state.employees[name]
        state.people.pop(name, None)
        state.staff.pop(name, None)
