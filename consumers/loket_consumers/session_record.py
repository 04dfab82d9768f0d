"""The session events of one unit and day as the record keeps them: those that the live state knows, and late ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from loket.domain.session_steps import SessionStep, add_step

__all__ = ["MAX_RECORD_SESSION_STEPS", "SessionRecord"]

MAX_RECORD_SESSION_STEPS: Final = 20_000
"""Session events of one day of a unit in the record."""


class SessionRecord(Struct):
    """One day of one unit while it is worked on. `stored` is what the rows hold: a step and whether it is live."""

    live: list[SessionStep] = field(default_factory=list)
    late: list[SessionStep] = field(default_factory=list)
    stored: dict[tuple[object, ...], int] = field(default_factory=dict)

    def load(self, step: SessionStep, live: bool) -> None:
        """Take a row."""
        add_step(self.live if live else self.late, step)
        self.stored[_key(step, live)] = step.hash

    def take_late(self, step: SessionStep) -> bool | None:
        """Take a step that only the record takes; False if it repeats one, None if there is no room for more."""
        alike = [other for other in self.whole() if _key(other, False) == _key(step, False)]
        if any(other.hash <= step.hash for other in alike):
            return False
        if not alike and len(self.live) + len(self.late) >= MAX_RECORD_SESSION_STEPS:
            return None
        add_step(self.late, step)
        return not alike

    def whole(self) -> list[SessionStep]:
        """All steps, each once."""
        steps = list(self.live)
        for step in self.late:
            add_step(steps, step)
        return steps

    def changes(self) -> Iterator[tuple[SessionStep, bool, bool]]:
        """What the rows do not hold yet: a step, whether it is live, whether its row is new."""
        for steps, live in ((self.live, True), (self.late, False)):
            for step in steps:
                known = self.stored.get(_key(step, live))
                if known != step.hash:
                    yield step, live, known is None


def _key(step: SessionStep, live: bool) -> tuple[object, ...]:
    return (*step.place(), step.services, live)
