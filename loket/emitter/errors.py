"""What can go wrong between a counter and its outbox.

```
LoketError
├── OutboxError             `path` is the outbox
│   ├── OutboxFull          no room: the event was not taken
│   ├── OutboxInUse         another process has it; `pid` is that process, where it said so
│   ├── OutboxUnwritable    the disk does not take the event, or does not give the file
│   └── OutboxClosed        the emitter was closed, or is used by a process that was forked from its owner
├── ClockNotSet             the device's clock, or an event's time, is before 2020
└── UsageError
    ├── NotAnOutbox         the file is something else
    └── KeyUnusable         the key for the pseudonyms cannot be read, is too short, or anybody can read it
Rejected                    (wire) the event itself is wrong: reason, field and what to do
```
"""

from pathlib import Path
from typing import Final

from loket.errors import LoketError, UsageError

__all__ = [
    "CLOCK_SET_MS",
    "ClockNotSet",
    "KeyUnusable",
    "NotAnOutbox",
    "OutboxClosed",
    "OutboxError",
    "OutboxFull",
    "OutboxInUse",
    "OutboxUnwritable",
]

CLOCK_SET_MS: Final = 1_577_836_800_000
"""2020-01-01T00:00:00Z: before it a device's clock was never set (an empty battery starts it at 1970 or 2000)."""


class OutboxError(LoketError):
    """Something is wrong with an outbox."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(message)


class OutboxFull(OutboxError):
    """There is no room for the event, which was not taken; those that wait are untouched."""


class OutboxInUse(OutboxError):
    """Another process holds the outbox."""

    def __init__(self, path: Path, pid: int | None) -> None:
        self.pid = pid
        holder = f"process {pid}" if pid is not None else "another process"
        super().__init__(
            path,
            f"the outbox {path} is in use by {holder}: give the events to that one, stop it, or use another outbox "
            "(a process that ended, however it ended, holds nothing)",
        )


class OutboxUnwritable(OutboxError):
    """The outbox cannot be read or written; the event was not taken, or may not survive a power cut."""


class OutboxClosed(OutboxError):
    """The outbox is not open in this process."""


class ClockNotSet(LoketError):
    """The time is before 2020, so nobody set the device's clock. `time_ms` is what it shows."""

    def __init__(self, time_ms: int) -> None:
        self.time_ms = time_ms
        super().__init__(
            "the time is before 2020, so the clock of this device is not set and the event was not taken: set the "
            "clock (NTP, a new battery), or give the event's `time` from a clock that is right"
        )


class NotAnOutbox(UsageError):
    """The file is not an outbox of this version of Loket, and was left as it is. `path` is the file."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        super().__init__(f"{path} is {what}; it was left as it is: name another file for the outbox")


class KeyUnusable(UsageError):
    """The key file of the pseudonyms cannot be used. `path` is the file."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(f"the key file {path} {message}")
