"""What happens when, in a simulated city."""

from __future__ import annotations

import heapq
from collections.abc import Callable

__all__ = ["Agenda"]


class Agenda:
    """What happens when: actions in the order of their instants."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Callable[[int], None]]] = []
        self._put = 0

    def at(self, instant: int, action: Callable[[int], None]) -> None:
        """Do something at an instant."""
        self._put += 1
        heapq.heappush(self._due, (instant, self._put, action))

    def next(self) -> tuple[int, Callable[[int], None]]:
        """The next instant, and what happens then."""
        instant, _, action = heapq.heappop(self._due)
        return instant, action
