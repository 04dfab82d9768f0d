"""The only reader of the time. Everything else is handed a `Clock`, or the time itself."""

import time
from typing import Final, Protocol

__all__ = ["DEVICE_CLOCK", "SYSTEM_CLOCK", "Clock", "DeviceClock", "SystemClock"]


class Clock(Protocol):
    """What time it is. Not promised: that wall time never jumps, and that the two readings advance alike."""

    def now_ms(self) -> int:
        """Return the wall time in whole milliseconds since 1970-01-01T00:00:00Z, cut, not rounded."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards, for measuring how long something takes; the origin means nothing."""
        ...


class SystemClock:
    """The clock of the machine."""

    __slots__ = ()

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class DeviceClock(SystemClock):
    """The clock of a device that may sleep: its monotonic reading counts on meanwhile and, until the machine is started
    anew, is the same for every process, so that a wall clock that was set can be told from a night's sleep."""

    __slots__ = ()

    def monotonic(self) -> float:
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


SYSTEM_CLOCK: Final[Clock] = SystemClock()
DEVICE_CLOCK: Final[Clock] = DeviceClock()
