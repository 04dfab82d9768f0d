"""Which units have series of their own."""

from __future__ import annotations

from loket.domain.state import OTHER, UnitState

__all__ = ["Named"]


class Named:
    """Those of the targets, and the first others that the budget has room for.

    Remembered as long as the process lasts: a unit that moved between its own name and `other` would make both jump.
    A unit that calls itself `other` is one of the others.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._others: set[str] = set()

    @property
    def used(self) -> int:
        """How much of the budget is used."""
        return len(self._others)

    def knows(self, unit: str) -> bool:
        """Whether a unit beside those of the targets has a name."""
        return unit in self._others

    def names(self, state: UnitState) -> bool:
        """Whether a unit is shown under its own name."""
        if state.policy.known or state.unit in self._others:
            return True
        if len(self._others) < self._budget and state.unit != OTHER:
            self._others.add(state.unit)
            return True
        return False
