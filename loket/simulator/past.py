"""Events of the past on their way to be told in the order of their times."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from loket.domain.events import Data, Envelope, Event, Instant
from loket.wire.instant import format_instant

__all__ = ["Past"]


class Past:
    """What has happened and was not told yet. An event's id is its number among those of its unit."""

    def __init__(self) -> None:
        self._events: list[tuple[int, int, Event]] = []
        self._made = 0
        self._of_unit: dict[str, int] = {}

    def tell(self, kind: type[Envelope], at: int, data: Data, subject: str | None = None) -> Event:
        """Make an event that happened at `at` (ms UTC), and tell it in its turn."""
        self._made += 1
        number = self._of_unit[data.unit] = self._of_unit.get(data.unit, 0) + 1
        make: Any = kind  # one of the union
        event: Event = make(
            source=f"simulated/{data.unit}",
            id=f"{number}",
            time=Instant(at),
            subject=subject,
            imported=True,
            data=data,
        )
        heapq.heappush(self._events, (at, self._made, event))
        return event

    def before(self, at: int) -> Iterator[Event]:
        """All that happened before an instant (ms UTC), by time."""
        while self._events and self._events[0][0] < at:
            yield heapq.heappop(self._events)[2]

    def rest(self) -> Iterator[Event]:
        """All that is left, by time."""
        while self._events:
            yield heapq.heappop(self._events)[2]

    @staticmethod
    def told(at: int) -> str:
        """An instant as a correction names it."""
        return format_instant(Instant(at))
