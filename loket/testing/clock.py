"""A clock for tests: it stands still until it is told to go on."""

from __future__ import annotations

__all__ = ["FrozenClock"]


class FrozenClock:
    """A `loket.clock.Clock` that moves only by `advance` and `set`; its two readings advance alike."""

    __slots__ = ("_elapsed_ms", "_now_ms")

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._elapsed_ms = 0

    def now_ms(self) -> int:
        """The time (ms) at which it stands."""
        return self._now_ms

    def monotonic(self) -> float:
        """Seconds that it was advanced since it was made."""
        return self._elapsed_ms / 1000

    def advance(self, *, seconds: float = 0, ms: int = 0) -> None:
        """Go on by some seconds and milliseconds. Raises ValueError for less than nothing: use `set` for a jump."""
        step = round(seconds * 1000) + ms
        if step < 0:
            raise ValueError("time does not go back by advancing; set() moves the wall clock alone")
        self._now_ms += step
        self._elapsed_ms += step

    def set(self, now_ms: int) -> None:
        """Put the wall clock elsewhere, as an operator or NTP does; the monotonic reading stays."""
        self._now_ms = now_ms
