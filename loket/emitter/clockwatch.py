"""Measures a clock that jumps, by comparing it with the time that the machine has been up. It corrects nothing.

```
wall ────────────┐            ┌─────────────      jump = (wall now − wall before) − (uptime now − uptime before)
                 └────────────┘
uptime ─────────────────────────────────────      is of one start of the machine (`boot`) and never jumps
```

Across a restart of the machine only a clock that went backwards can be seen, and by how much at least.
"""

from typing import Final

import msgspec
from msgspec import Struct

__all__ = ["ClockRecord", "ClockWatch", "Jump", "Reading", "named"]

_LEAST_MS: Final = 1_000
_SLEW: Final = 0.001
"""A clock that is being steered may drift by this share of the time (the kernel's limit is half of it)."""

_HOUR_MS: Final = 3_600_000
_CLOSE_MS: Final = 120_000
"""Somebody who sets a clock by hand is right to about this."""

_KEPT: Final = 20


class Reading(Struct, frozen=True):
    """Both clocks of the device at one moment; `boot` names the start of the machine."""

    wall_ms: int
    uptime_ms: int
    boot: int


class Jump(Struct, frozen=True):
    """A jump of the wall clock: when it was seen (by the clock after it), and by how much (negative: backwards).

    `at_least` where the machine was restarted in between, so that the true jump may be larger.
    """

    at_ms: int
    by_ms: int
    at_least: bool = False


class ClockRecord(Struct, frozen=True):
    """All jumps since the outbox was made: how many, their sums, and the last of them."""

    count: int = 0
    forward_ms: int = 0
    backward_ms: int = 0
    last: tuple[Jump, ...] = ()

    def with_jump(self, jump: Jump) -> "ClockRecord":
        """The record with one more jump."""
        return msgspec.structs.replace(
            self,
            count=self.count + 1,
            forward_ms=self.forward_ms + max(jump.by_ms, 0),
            backward_ms=self.backward_ms + max(-jump.by_ms, 0),
            last=(*self.last, jump)[-_KEPT:],
        )


class ClockWatch:
    """Told both clocks again and again; says when the wall clock jumped by over a second (or 0.1 % of the time)."""

    def __init__(self, last: Reading | None = None) -> None:
        self._last = last

    def see(self, now: Reading) -> Jump | None:
        """Return the jump between the last reading and this one, None where there is none."""
        last, self._last = self._last, now
        if last is None:
            return None
        passed = now.wall_ms - last.wall_ms
        same_start = now.boot == last.boot and now.uptime_ms >= last.uptime_ms
        if not same_start:
            return Jump(now.wall_ms, passed, at_least=True) if passed < -_LEAST_MS else None
        up = now.uptime_ms - last.uptime_ms
        by = passed - up
        return Jump(now.wall_ms, by) if abs(by) > _LEAST_MS + up * _SLEW else None


def named(jump: Jump) -> str:
    """What a person is told about a jump: its size, and what it looks like."""
    way = "forward" if jump.by_ms > 0 else "backward"
    size = f"{'at least ' if jump.at_least else ''}{abs(jump.by_ms) / 1000:,.0f} s {way}"
    for unit, like in (
        (24 * _HOUR_MS, "the date was set by hand"),
        (_HOUR_MS, "daylight saving or a zone was set by hand: set the zone instead"),
    ):
        times = round(abs(jump.by_ms) / unit)
        if times and not jump.at_least and abs(abs(jump.by_ms) - times * unit) <= _CLOSE_MS:
            return f"{size} (whole {'days' if unit > _HOUR_MS else 'hours'}: {like})"
    return size
