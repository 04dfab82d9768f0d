"""The sender: takes waves from the outbox to the broker, in order, and marks what was acknowledged.

```
            ┌───────────── wait: nothing to send, or the pause after a failure ◀────────────┐
            ▼                                                                               │
   clocks ──▶ mark what is acknowledged but not marked ──▶ heartbeat ──▶ wave ──▶ each event:
                                                                acknowledged ─▶ deleted in one commit
                                                                refused      ─▶ alone in its wave: set aside
                                                                             └▶ in company: again, one by one
                                                                failed       ─▶ again, with `sent` anew
```
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from loket.broker import BrokerError
from loket.broker.waves import WAVE_BYTES, Delivery
from loket.emitter.device import Device
from loket.emitter.drafting import with_sent
from loket.emitter.errors import OutboxError
from loket.emitter.frame import Frame
from loket.emitter.outbox import Outbox
from loket.wire.cloudevents import Encoded

__all__ = ["HEARTBEAT_S", "Connect", "Producer", "Sender", "Sending"]

_log: Final = logging.getLogger(__name__)

_WIDEST: Final = 500
_FIRST_WIDTH: Final = 64
_IDLE_S: Final = 10.0
"""How often the clocks are compared when nothing else happens."""

_PAUSES_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
HEARTBEAT_S: Final = 60.0
"""The contract's interval."""


class Producer(Protocol):
    """Delivers waves. Raises BrokerError; after that, or any answer but an acknowledgement, it is unfit.

    Not promised: that an event that failed did not arrive, or that one refused in a wave is the one that is wrong.
    """

    def deliver(self, wave: Sequence[Encoded], sent_ms: int) -> list[Delivery]: ...

    def close(self) -> None: ...


Connect = Callable[[], Producer]
"""Makes a producer, or raises BrokerError."""


class Sending(Struct, frozen=True):
    """How the sending goes: the last acknowledgement, what stands in its way and since when, and how far the broker's
    time was ahead of the device's at the last acknowledgement (it includes the way there); milliseconds UTC."""

    acknowledged_at_ms: int | None = None
    trouble: str | None = None
    trouble_since_ms: int | None = None
    broker_ahead_ms: int | None = None


class Sender:
    """Sends what waits, one step at a time; one thread calls `step`.

    Events of one unit arrive in the order in which they were stored, but for those set aside. None that was
    acknowledged is sent again, but after a crash between the acknowledgement and its mark: then with the same id.
    """

    def __init__(
        self,
        outbox: Outbox,
        connect: Connect,
        device: Device,
        heartbeat: Callable[[], bytes | None] | None = None,
    ) -> None:
        self._outbox = outbox
        self._connect = connect
        self._device = device
        self._clock = device.clock
        self._heartbeat = heartbeat
        self._next_heartbeat = self._clock.monotonic()
        self._producer: Producer | None = None
        self._acknowledged: list[int] = []
        self._width = _FIRST_WIDTH
        self._failures = 0
        self._not_before = self._clock.monotonic()
        noted = outbox.noted("sending")
        self._sending = msgspec.json.decode(noted, type=Sending) if noted else Sending()

    def step(self) -> float:
        """Do what can be done now; return the seconds until the next step is worth it (0: at once)."""
        try:
            self._device.see(self._outbox)
            wait = self._not_before - self._clock.monotonic()
            return wait if wait > 0 else self._send()
        except (BrokerError, OutboxError) as error:
            return self._failed(str(error))

    def close(self) -> None:
        """Disconnect from the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close()
            except BrokerError as error:
                _log.warning("%s", error)

    def _send(self) -> float:
        self._mark()
        beat = self._due_heartbeat()
        wave = self._outbox.waiting(self._width, WAVE_BYTES // 2)  # half: keys, headers and `sent` come on top
        if not wave and beat is None:
            return min(_IDLE_S, self._next_heartbeat - self._clock.monotonic()) if self._heartbeat else _IDLE_S
        if self._producer is None:
            self._producer = self._connect()
        if beat is not None:
            (answer,) = self._deliver(self._producer, [beat])
            if answer.failure is not None:
                return self._failed(answer.failure)
            if answer.refusal is not None:
                _log.error("a heartbeat was dropped: %s", answer.refusal)
                self.close()
                return 0.0
            self._smooth()
        return self._take(wave, self._deliver(self._producer, [frame.value for frame in wave])) if wave else 0.0

    def _due_heartbeat(self) -> bytes | None:
        """Not stored: the next one tells more, and none must take the room or the turn of an event."""
        if self._heartbeat is None or self._clock.monotonic() < self._next_heartbeat:
            return None
        self._next_heartbeat = self._clock.monotonic() + HEARTBEAT_S
        return self._heartbeat()

    def _deliver(self, producer: Producer, values: Sequence[bytes]) -> list[Delivery]:
        sent_ms = self._clock.now_ms()
        answers = producer.deliver([with_sent(value, sent_ms) for value in values], sent_ms)
        ahead = next((answer.broker_ms - sent_ms for answer in answers if answer.broker_ms is not None), None)
        if ahead is not None:
            self._sending = msgspec.structs.replace(self._sending, broker_ahead_ms=ahead)
        return answers

    def _take(self, wave: Sequence[Frame], answers: Sequence[Delivery]) -> float:
        answered = list(zip(wave, answers, strict=True))
        self._acknowledged += [frame.seq for frame, answer in answered if answer.acknowledged]
        self._mark()
        refused = [(frame, answer.refusal) for frame, answer in answered if answer.refusal is not None]
        failure = next((answer.failure for answer in answers if answer.failure is not None), None)
        if refused:
            self.close()  # its next answers would be about this event
        if refused and len(wave) == 1:
            for frame, reason in refused:
                self._outbox.set_aside(frame.seq, reason or "", self._clock.now_ms())
                _log.error("event %d was set aside, the others go on: %s", frame.seq, reason)
        if failure is not None:
            return self._failed(failure)
        # A refusal may be meant for the company: who is refused alone is refused. Then the waves grow again.
        self._width = 1 if refused and len(wave) > 1 else min(self._width * 2, _WIDEST)
        self._failures = 0
        return 0.0

    def _mark(self) -> None:
        if not self._acknowledged:
            return
        reading = self._device.read()
        sending = msgspec.structs.replace(
            self._sending, acknowledged_at_ms=reading.wall_ms, trouble=None, trouble_since_ms=None
        )
        notes = [("sending", _text(sending)), ("reading", _text(reading))]
        self._outbox.acknowledge(self._acknowledged, notes)
        self._acknowledged = []  # and not before: what cannot be marked now must not be sent again meanwhile
        self._sending = sending

    def _smooth(self) -> None:
        if self._sending.trouble is not None:
            self._sending = msgspec.structs.replace(self._sending, trouble=None, trouble_since_ms=None)
            self._outbox.note("sending", _text(self._sending))

    def _failed(self, why: str) -> float:
        self.close()
        self._width = max(1, self._width // 2)  # over a slow line a narrower wave may still get through in time
        pause = _PAUSES_S[min(self._failures, len(_PAUSES_S) - 1)]
        self._failures += 1
        self._not_before = self._clock.monotonic() + pause
        if self._sending.trouble != why:
            _log.warning("%s; %d events wait", why, self._outbox.pending)
            since = self._sending.trouble_since_ms or self._clock.now_ms()
            self._sending = msgspec.structs.replace(self._sending, trouble=why, trouble_since_ms=since)
            try:
                self._outbox.note("sending", _text(self._sending))
            except OutboxError as error:
                _log.warning("%s", error)
        return pause


def _text(note: Struct) -> str:
    return msgspec.json.encode(note).decode()
