"""What the devices of an office send, and when: a little late, now and then twice, and all at once after an outage.

```
happened ──▶ network, 30 to 250 ms ──────────────▶ sent
         └─▶ the counter is offline: its outbox ──▶ sent in a block when it is back
```
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from loket.domain.events import Envelope, Event, Instant

__all__ = ["Devices", "Outage"]

Outage = tuple[int, int, int]
"""From, until and every how many ms (after the start) a device is offline."""

_REPEATED: Final = 0.03


class Devices:
    """The devices of a city. Events of one device are sent in the order in which they happened."""

    def __init__(self, random: Random, start_ms: int, outages: dict[str, Outage]) -> None:
        self._random = random
        self._start_ms = start_ms
        self._outages = outages
        self._sequence = 0
        self._last_sent: dict[str, int] = {}
        self._outbox: list[tuple[int, int, Event]] = []

    def tell(self, kind: type[Envelope], source: str, at: int, data: Any, subject: str | None = None) -> None:
        """Something happened `at` (ms UTC): make its event and put it where it is sent from."""
        self._sequence += 1
        make: Any = kind  # one of the union: which attributes it needs is known where it is told
        about = {} if subject is None else {"subject": subject}
        event: Event = make(
            source=source,
            id=f"{self._start_ms // 1_000:x}-{self._sequence}",
            time=Instant(at),
            data=data,
            **about,
        )
        sent = max(self._online(source, at) + self._random.randint(30, 250), self._last_sent.get(source, 0) + 1)
        self._last_sent[source] = sent
        self._put(event, sent)
        if self._random.random() < _REPEATED:
            # The answer was lost, so the emitter tries again: the same event, with another `sent`.
            self._put(event, sent + self._random.randint(500, 3_000))

    def pending(self, source: str, at: int) -> tuple[int, Instant | None]:
        """How many events of a device wait for the network at an instant, and the time of the oldest."""
        times = [event.time for sent, _, event in self._outbox if event.source == source and event.time <= at < sent]
        return len(times), min(times, default=None)

    def sent_before(self, at: int) -> Iterator[tuple[int, Event]]:
        """Everything that is sent before an instant, in order; what happens from then on is sent later."""
        while self._outbox and self._outbox[0][0] < at:
            sent, _, event = heapq.heappop(self._outbox)
            yield sent, event

    def _put(self, event: Event, sent: int) -> None:
        self._sequence += 1
        heapq.heappush(self._outbox, (sent, self._sequence, replace(event, sent=Instant(sent))))

    def _online(self, source: str, at: int) -> int:
        outage = self._outages.get(source)
        if outage is None:
            return at
        begins, ends, every = outage
        within = (at - self._start_ms) % every
        return at - within + ends if begins <= within < ends else at
