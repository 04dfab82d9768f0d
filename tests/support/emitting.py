"""What the tests of the emitter share: a clock to be turned by hand, and a broker that does as it is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from loket.broker import BrokerAway
from loket.broker.waves import WAVE_BYTES, Delivery
from loket.emitter.device import Device
from loket.emitter.drafting import Drafting
from loket.emitter.outbox import Outbox
from loket.emitter.sending import Sender
from loket.emitter.store import Limits
from loket.wire.cloudevents import Encoded
from loket.wire.instant import parse_instant

START_MS = 1_800_000_000_000
BOOT = 7


@dataclass
class HandClock:
    """Both clocks, each moved by the test alone."""

    wall_ms: int = START_MS
    up_s: float = 100.0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return self.up_s

    def pass_s(self, seconds: float) -> None:
        self.wall_ms += int(seconds * 1000)
        self.up_s += seconds


def content(value: bytes) -> dict[str, Any]:
    """The event as JSON holds it."""
    event: dict[str, Any] = msgspec.json.decode(value)
    return event


@dataclass
class FakeBroker:
    """Keeps what it was sent. `plan` says what becomes of the next waves, the last of it for all that follow.

    "ok": acknowledged; "away": nobody answers; "lost answer": it arrived and the sender is not told; "failed": it did
    not arrive. A value with one of `refused` in it is refused alone, or with the whole wave if `whole_waves`.
    """

    plan: list[str] = field(default_factory=lambda: ["ok"])
    refused: set[bytes] = field(default_factory=set)
    whole_waves: bool = False
    received: list[dict[str, Any]] = field(default_factory=list)
    waves: list[int] = field(default_factory=list)
    broker_ms: int | None = None
    unfit: bool = False

    def connect(self) -> "FakeBroker":
        if self.plan[0] == "away":
            self._next()
            raise BrokerAway("nowhere:9092", OSError("refused"))
        self.unfit = False
        return self

    def deliver(self, wave: Sequence[Encoded], sent_ms: int) -> list[Delivery]:
        assert wave
        assert sum(len(event.key) + len(event.value) for event in wave) <= WAVE_BYTES
        self.waves.append(len(wave))
        step = self._next()
        if step == "away":
            raise BrokerAway("nowhere:9092", OSError("refused"))
        if step == "failed":
            return [Delivery(failure="NotEnoughReplicas")] * len(wave)
        bad = [any(part in event.value for part in self.refused) for event in wave]
        if self.unfit or (self.whole_waves and any(bad)):
            return self._refuse(len(wave))
        arrived = bad.index(True) if any(bad) else len(wave)
        self.received += [content(event.value) for event in wave[:arrived]]
        if step == "lost answer":
            return [Delivery(failure="no answer in time")] * len(wave)
        return [Delivery(broker_ms=self.broker_ms)] * arrived + self._refuse(len(wave) - arrived)

    def _refuse(self, count: int) -> list[Delivery]:
        """As the real one: whatever comes after it on this connection has the same answer."""
        self.unfit = self.unfit or count > 0
        return [Delivery(refusal="the broker refuses it: MessageSizeTooLarge")] * count

    def close(self) -> None:
        """Nothing to let go of."""

    def _next(self) -> str:
        return self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]

    @property
    def ids(self) -> list[str]:
        return [event["id"] for event in self.received]


class Bench:
    """An outbox with its sender, without a thread; `restart` is a new process on the same files."""

    def __init__(self, folder: Path, broker: FakeBroker, *, limits: Limits | None = None) -> None:
        self.path = folder / "outbox.db"
        self.broker = broker
        self.limits = limits or Limits()
        self.clock = HandClock()
        self.boot = BOOT
        self.heartbeat: Callable[[], bytes | None] | None = None
        self.drafting = Drafting("test/device")
        self.start()

    def start(self) -> None:
        self.device = Device(self.clock, self.boot)
        self.outbox = Outbox(self.path, self.limits, self.device.read())
        self.device.resume(self.outbox.last_reading(self.device.read()))
        self.device.see(self.outbox)
        self.sender = Sender(self.outbox, self.broker.connect, self.device, self.heartbeat)

    def crash(self) -> None:
        """End without a word. The kernel closes files as it does here; SQLite is not given the time to tidy up."""
        self.outbox.close()

    def restart(self) -> None:
        self.crash()
        self.start()

    @staticmethod
    def time_of(event: dict[str, Any]) -> int:
        return parse_instant(event["time"])

    def put(self, id: str, **data: Any) -> None:
        event = {"type": "loket.ticket.issued", "id": id, "subject": id, "data": {"unit": "u", "service": "s", **data}}
        reading = self.device.see(self.outbox)
        self.outbox.append([self.drafting.draft(event, reading.wall_ms).value], reading)

    def send(self, steps: int = 50) -> None:
        """Step until nothing is left to do, letting the pauses pass."""
        for _ in range(steps):
            pause = self.sender.step()
            if not self.outbox.pending:
                return
            self.clock.pass_s(pause)
