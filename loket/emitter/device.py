"""The clocks of the device on which an emitter runs: read, and watched for jumps."""

import logging
import secrets
import threading
from pathlib import Path
from typing import Final
from zlib import crc32

from loket.clock import Clock
from loket.emitter.clockwatch import ClockWatch, Reading, named
from loket.emitter.errors import OutboxError
from loket.emitter.outbox import Outbox

__all__ = ["Device", "start_of_machine"]

_log: Final = logging.getLogger(__name__)
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def start_of_machine() -> int:
    """A number that stays the same until the machine is started anew; of this process alone where no file tells."""
    try:
        return crc32(_BOOT_ID.read_bytes())
    except OSError:
        return secrets.randbits(32)


class Device:
    """Both clocks, for any number of threads. A jump is noted in the outbox and logged; nothing is corrected."""

    def __init__(self, clock: Clock, boot: int) -> None:
        self.clock = clock
        self._boot = boot
        self._watch = ClockWatch()
        self._lock = threading.Lock()

    def read(self) -> Reading:
        """What both clocks show."""
        return Reading(self.clock.now_ms(), int(self.clock.monotonic() * 1000), self._boot)

    def resume(self, last: Reading | None) -> None:
        """Compare the next reading with the last one of an earlier process."""
        self._watch = ClockWatch(last)

    def see(self, outbox: Outbox) -> Reading:
        """Read both clocks and note a jump since the last reading."""
        with self._lock:
            reading = self.read()
            jump = self._watch.see(reading)
        if jump is not None:
            _log.warning("the clock of this device jumped: %s", named(jump))
            try:
                outbox.add_jump(jump, reading)
            except OutboxError as error:  # the event that comes with this reading matters more
                _log.warning("the jump could not be noted: %s", error)
        return reading
