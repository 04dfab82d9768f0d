"""What a service manager is told of a process: systemd's notify protocol over the socket that `NOTIFY_SOCKET` names.

```
before it is ready   EXTEND_TIMEOUT_USEC while it gets on, STATUS
ready                READY=1, then WATCHDOG=1 while it gets on, STATUS
targets read anew    RELOADING=1, READY=1
stopping             STOPPING=1, STATUS
```

Whoever makes the progress calls `turn` from its own loop: where the loop stands still nothing is said, and a loop that
comes round without getting on says why and keeps silent otherwise. No thread and no timer of its own.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Final

from loket.clock import Clock
from loket.harmless import harmless

__all__ = ["NotifySocket", "Supervision", "supervision"]

logger = logging.getLogger("loket.supervision")

STATUS_EVERY_S: Final = 5.0
TELL_EVERY_S: Final = 10.0
"""How often a start that gets on asks for more time, where no watchdog asks for less."""

EXTEND_S: Final = 60
"""So much more time a start asks for."""

LONGEST_STATUS: Final = 400


class NotifySocket:
    """The manager's datagram socket; what cannot be delivered is said once and harms nothing."""

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._failed = False

    def send(self, *lines: str) -> None:
        """Send one message of these assignments."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if not self._failed:
                logger.warning("the service manager's socket (NOTIFY_SOCKET) takes nothing: %s", error)
            self._failed = True
        else:
            self._failed = False


class Supervision:
    """One process as its manager sees it; without a socket nobody is told anything. `watchdog_s` 0: none is set."""

    def __init__(self, clock: Clock, to: NotifySocket | None, watchdog_s: float = 0) -> None:
        self._clock = clock
        self._to = to
        self._every_s = min(TELL_EVERY_S, watchdog_s / 4) if watchdog_s else TELL_EVERY_S
        self._watches = watchdog_s > 0
        self._ready = False
        self._stopping = False
        self._alive_at: float | None = None
        self._status_at: float | None = None
        self._status = ""

    def turn(self, problems: Sequence[str], waits_for: Sequence[str], status: str) -> None:
        """The loop came round. `problems`: why it does not get on; `waits_for`: why it is not ready (those included);
        `status`: what it does, in a sentence. Waiting for others is not a problem."""
        if self._to is None or self._stopping:
            return
        now = self._clock.monotonic()
        if not waits_for and not self._ready:
            self._ready = True
            self._tell_status(now, status, "READY=1")
            self._alive_at = None
        if not problems and (self._alive_at is None or now - self._alive_at >= self._every_s):
            self._alive_at = now
            if not self._ready:
                self._to.send(f"EXTEND_TIMEOUT_USEC={EXTEND_S * 1_000_000}")
            elif self._watches:
                self._to.send("WATCHDOG=1")
        if self._status_at is None or now - self._status_at >= STATUS_EVERY_S:
            self._tell_status(now, "; ".join(waits_for) or status)

    def reloaded(self) -> None:
        """The targets were read anew and are in force."""
        if self._to is not None and self._ready and not self._stopping:
            self._to.send("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.monotonic() * 1_000_000)}")
            self._to.send("READY=1")

    def stopping(self) -> None:
        """The process was told to stop, and finishes what is under way."""
        if self._to is not None and not self._stopping:
            self._tell_status(self._clock.monotonic(), "finishing what is under way", "STOPPING=1")
            self._stopping = True

    def ended(self, why: str) -> None:
        """The process ends because of this error: what the manager goes on showing."""
        if self._to is not None:
            self._tell_status(self._clock.monotonic(), why)

    def _tell_status(self, now: float, status: str, *also: str) -> None:
        shown = harmless(status, "\\")[:LONGEST_STATUS]
        self._status_at = now
        if self._to is not None and (also or shown != self._status):
            self._to.send(*also, f"STATUS={shown}")
            self._status = shown


def supervision(environment: Mapping[str, str], clock: Clock) -> Supervision:
    """The manager that the environment names; none where it names none."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return Supervision(clock, None)
    if address[0] not in "/@" or len(address) < 2:
        logger.warning("NOTIFY_SOCKET is neither a path nor an abstract name, so no service manager is told anything")
        return Supervision(clock, None)
    microseconds = environment.get("WATCHDOG_USEC", "")
    meant = environment.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
    watchdog_s = int(microseconds) / 1_000_000 if meant and microseconds.isascii() and microseconds.isdecimal() else 0
    return Supervision(clock, NotifySocket(address), watchdog_s)
