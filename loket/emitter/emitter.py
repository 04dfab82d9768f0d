"""What a counter's program uses: give it an event and go on; it is on the disk, and on its way."""

import logging
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from msgspec import Struct

from loket.broker.waves import WaveProducer
from loket.clock import DEVICE_CLOCK, Clock
from loket.domain.events import Event
from loket.emitter.device import Device, start_of_machine
from loket.emitter.drafting import Drafting
from loket.emitter.errors import CLOCK_SET_MS, ClockNotSet, OutboxClosed
from loket.emitter.outbox import Outbox
from loket.emitter.pseudonyms import Pseudonyms
from loket.emitter.sending import Connect, Sender
from loket.emitter.status import Status, read_status
from loket.emitter.store import Limits
from loket.settings import Connection
from loket.wire.instant import format_instant

__all__ = ["Emitter", "Heartbeat"]

_log: Final = logging.getLogger(__name__)
_AFTER_A_FAULT_S: Final = 30.0


class Heartbeat(Struct, frozen=True):
    """Whose heartbeats are sent every minute: the unit and the counter."""

    unit: str
    counter: str


class Emitter:
    """Stores events in the outbox at `path` and, where it knows a broker, sends them from a thread of its own.

    `emit` waits for the disk and never for the network; what it returned from is sent once the broker is there, in the
    order of the calls, also after a kill, a power cut or a day offline. `source` names this device and no other. Any
    number of threads may use it; another process may not use the same outbox. Without `connection` (or `connect`, for
    another producer) it only stores. Raises OutboxError, and UsageError or Rejected for what was given.
    """

    def __init__(
        self,
        path: str | Path,
        source: str,
        *,
        connection: Connection | None = None,
        topic: str = "loket.events",
        limits: Limits | None = None,
        pseudonyms: Pseudonyms | None = None,
        heartbeat: Heartbeat | None = None,
        clock: Clock = DEVICE_CLOCK,
        boot: int | None = None,
        connect: Connect | None = None,
    ) -> None:
        if connect is None and connection is not None:
            to = connection
            connect = lambda: WaveProducer(to, topic)  # noqa: E731 (a def would be a second name for it)
        self._drafting = Drafting(source, pseudonyms)
        if heartbeat is not None:  # what is wrong with it is said now, and not each minute
            data = {"unit": heartbeat.unit, "counter": heartbeat.counter}
            self._drafting.draft({"type": "loket.counter.heartbeat", "data": data}, CLOCK_SET_MS)
        self._device = Device(clock, start_of_machine() if boot is None else boot)
        self._outbox = Outbox(Path(path), limits or Limits(), self._device.read())
        self._device.resume(self._outbox.last_reading(self._device.read()))
        self._device.see(self._outbox)
        self._heartbeat = heartbeat
        self._open = True
        self._stop = threading.Event()
        self._abandoned = threading.Event()
        self._wake = threading.Event()
        self._fewer = threading.Condition()
        self._thread: threading.Thread | None = None
        if connect is not None:
            sender = Sender(self._outbox, connect, self._device, self._beat if heartbeat is not None else None)
            # A daemon: a program that ends without `close` is not held back, and loses nothing.
            self._thread = threading.Thread(target=self._run, args=(sender,), name="loket-emitter", daemon=True)
            self._thread.start()

    def emit(self, event: Event | Mapping[str, Any]) -> str:
        """Store one event and return its id; then it survives everything but the loss of the disk.

        Of a mapping (`type`, `subject`, `data`, as in the contract) id, source and time are filled in. Raises Rejected
        where the event is wrong, ClockNotSet, OutboxFull and other OutboxErrors; nothing was stored then. Who calls
        again after an error or a crash gives an `id` of their own, as the same id is the same event.
        """
        return self.emit_all([event])[0]

    def emit_all(self, events: Iterable[Event | Mapping[str, Any]]) -> list[str]:
        """Store several events, all or none, with one wait for the disk. Returns and raises as `emit`."""
        if not self._open:
            raise OutboxClosed(self._outbox.path, f"the emitter of {self._outbox.path} is closed: make a new one")
        reading = self._device.see(self._outbox)
        drafts = [self._drafting.draft(event, reading.wall_ms) for event in events]
        if drafts:
            self._outbox.append([draft.value for draft in drafts], reading)
            self._wake.set()
        return [draft.id for draft in drafts]

    def tell(self, type: str, unit: str, subject: str | None = None, **data: Any) -> str:
        """Emit an event of a type, which may be given without `loket.` in front; returns and raises as `emit`."""
        kind = type if type.startswith("loket.") else f"loket.{type}"
        said = {name: value for name, value in data.items() if value is not None}
        return self.emit({"type": kind, "subject": subject, "data": {"unit": unit, **said}})

    def issued(self, unit: str, ticket: str, service: str, **data: Any) -> str:
        """A person joined the queue."""
        return self.tell("ticket.issued", unit, ticket, service=service, **data)

    def called(self, unit: str, ticket: str, **data: Any) -> str:
        """A person was invited to a counter (`counter`, `employee`) for the first time in this stretch of waiting."""
        return self.tell("ticket.called", unit, ticket, **data)

    def started(self, unit: str, ticket: str, **data: Any) -> str:
        """The service began."""
        return self.tell("service.started", unit, ticket, **data)

    def completed(self, unit: str, ticket: str, **data: Any) -> str:
        """The service is done."""
        return self.tell("service.completed", unit, ticket, **data)

    @property
    def pending(self) -> int:
        """How many events wait."""
        return self._outbox.pending

    def status(self) -> Status:
        """How much waits, and what stands in its way."""
        return read_status(self._outbox.path)

    def wait(self, pending: int | None = 0, timeout_s: float = threading.TIMEOUT_MAX) -> bool:
        """Wait until no more than so many events wait (None: for ever); False where the time is over before."""
        with self._fewer:
            return self._fewer.wait_for(lambda: pending is not None and self.pending <= pending, timeout_s)

    def close(self, deadline_s: float = 5.0) -> int:
        """Take no more events, go on sending for at most so long, and return how many still wait (in the outbox).

        Once is enough; a sender that is held up by the network is left behind, and cannot reach the outbox any more.
        """
        self._open = False
        if self._thread is not None:
            self._stop.set()
            self._wake.set()
            self._thread.join(max(deadline_s, 0.0))
            self._abandoned.set()
            self._wake.set()
        left = self._outbox.pending
        self._outbox.close()
        return left

    def __enter__(self) -> "Emitter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self, sender: Sender) -> None:
        while not self._abandoned.is_set() and (self._outbox.pending or not self._stop.is_set()):
            try:
                pause = sender.step()
            except Exception:  # noqa: BLE001 (a fault, of Loket or of kafka-python, must not end the sending for good)
                _log.exception(
                    "sending failed for a reason that Loket does not know; it goes on in %s s", _AFTER_A_FAULT_S
                )
                pause = _AFTER_A_FAULT_S
            with self._fewer:
                self._fewer.notify_all()
            self._wake.wait(pause)
            self._wake.clear()
        sender.close()

    def _beat(self) -> bytes | None:
        """A heartbeat; none where the clock is not set, as it would have no time."""
        if self._heartbeat is None:
            return None
        clock = self._outbox.clock_record()
        data: dict[str, Any] = {
            "unit": self._heartbeat.unit,
            "counter": self._heartbeat.counter,
            "pending": self._outbox.pending,
            "clock_jumps": clock.count,
        }
        if oldest := self._outbox.waiting(1, 1):
            data["oldest_pending_at"] = format_instant(oldest[0].stored_at_ms)
        if clock.last:
            data["clock_jumped_ms"] = clock.last[-1].by_ms
        event = {"type": "loket.counter.heartbeat", "data": data}
        try:
            return self._drafting.draft(event, self._device.clock.now_ms()).value
        except ClockNotSet as error:
            _log.warning("no heartbeat: %s", error)
            return None
