"""Feeds: what is told, made once for all who look at the same, and only while somebody does.

```
the feed that is due ─▶ made anew (in a thread) ─▶ changed, or BEAT_S old ─▶ its readers are woken
```

A feed keeps its newest frame and nothing else: a reader that is slow misses what was in between, and holds no memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from loket.clock import Clock
from loket_streams.board.alerts import NO_RECEIVER, Receiver
from loket_streams.board.looks import Looks
from loket_streams.board.told import Alerts, HallTold, OverviewTold, UnitTold

__all__ = ["BEAT_S", "MAX_READERS", "Feeds", "Full"]

logger = logging.getLogger("loket.streams")

MAX_READERS: Final = 200
"""Pages that are open at once, of all browsers."""

INTERVAL_S: Final = 1.0
REST: Final = 9.0
"""A feed rests so many times as long as making it took: the overview of a country is not made every second."""

BREATH: Final = 4.0
"""And nothing is made for so many times as long: however many ask, a fifth of a core goes here at most."""

LONGEST_BREATH_S: Final = 0.5

BEAT_S: Final = 5.0
"""What has not changed is told again after so long, and a reader gets a sign of life."""

ALERTS_S: Final = 5.0
"""How often the receiver of alerts is asked about each unit that somebody looks at."""

Told = UnitTold | HallTold | OverviewTold
_ENCODER: Final = msgspec.json.Encoder()


class Full(Exception):
    """There are MAX_READERS already."""


class _Feed:
    """One thing that is told, and how many read it."""

    def __init__(self, what: str, unit: str) -> None:
        self.what, self.unit = what, unit
        self.readers = 0
        self.told: Struct | None = None
        self.frame = b""
        self.number = 0
        self.at = 0.0
        self.due = 0.0
        self.news = asyncio.Event()

    def publish(self, told: Told, now: float) -> None:
        """Wake the readers if this is news, or the last frame is old."""
        content = replace(told, data=replace(told.data, as_of=None))
        if content == self.told and now - self.at < BEAT_S:
            return
        self.told, self.at = content, now
        self.frame = _ENCODER.encode(told)
        self.number += 1
        self.news.set()
        self.news = asyncio.Event()

    async def frames(self) -> AsyncIterator[bytes]:
        """The newest frame, and each later one that is newest when it is asked for; empty: nothing came for BEAT_S."""
        number = 0
        while True:
            if self.number != number:
                number = self.number
                yield self.frame
                continue
            try:
                await asyncio.wait_for(self.news.wait(), BEAT_S)
            except TimeoutError:
                yield b""


class Feeds:
    """The feeds of one worker; within one event loop, where `make` and `ask` have to run."""

    def __init__(self, looks: Looks, clock: Clock, receiver: Receiver | None, *, can_take: bool) -> None:
        self._looks = looks
        self._clock = clock
        self._receiver = receiver
        self._can_take = can_take and receiver is not None
        self._feeds: dict[tuple[str, str], _Feed] = {}
        self._alerts: dict[str, tuple[float, Alerts]] = {}
        self._wanted = asyncio.Event()
        self._making = asyncio.Lock()
        self.readers = 0

    async def once(self, what: str, unit: str = "") -> bytes:
        """What a feed tells now, for who asks once."""
        if what == "unit":
            await self._ask(unit)
        return _ENCODER.encode((await self._made(what, unit))[0])

    @contextmanager
    def reading(self, what: str, unit: str = "") -> Iterator[AsyncIterator[bytes]]:
        """Read a feed while the context lasts. Raises Full."""
        if self.readers >= MAX_READERS:
            raise Full
        key = (what, unit)
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = _Feed(what, unit)
        feed.readers += 1
        self.readers += 1
        self._wanted.set()
        try:
            yield feed.frames()
        finally:
            self.readers -= 1
            feed.readers -= 1
            if not feed.readers:
                self._feeds.pop(key, None)

    async def refresh(self, unit: str) -> None:
        """Ask for a unit's alerts and tell them anew, as somebody takes care of one."""
        self._alerts.pop(unit, None)
        await self._ask(unit)
        feed = self._feeds.get(("unit", unit))
        if feed is not None:
            feed.due = 0.0
            self._wanted.set()

    async def make(self) -> None:
        """Make what is read when it is due, for ever."""
        while True:
            self._wanted.clear()
            feed = min(self._feeds.values(), key=lambda feed: feed.due, default=None)
            if feed is None:
                await self._wanted.wait()
                continue
            wait_s = feed.due - self._clock.monotonic()
            if wait_s > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), wait_s)
                continue
            feed.due = self._clock.monotonic() + 2 * BEAT_S  # should it fail
            try:
                told, took_s = await self._made(feed.what, feed.unit)
            except Exception:
                logger.exception("the board's %s %s could not be made", feed.what, feed.unit)
                continue
            now = self._clock.monotonic()
            feed.due = now + max(INTERVAL_S, REST * took_s)
            feed.publish(told, now)

    async def ask(self) -> None:
        """Ask the receiver about the units that somebody looks at, for ever."""
        while self._receiver is not None:
            watched = [feed.unit for feed in self._feeds.values() if feed.what == "unit"]
            for unit in set(self._alerts) - set(watched):
                del self._alerts[unit]
            for unit in watched:
                if (await self._ask(unit)).state == "away":
                    now = self._clock.monotonic()
                    self._alerts.update(dict.fromkeys(watched, (now, Alerts("away"))))
                    break
            await asyncio.sleep(INTERVAL_S)

    async def _ask(self, unit: str) -> Alerts:
        if self._receiver is None:
            return NO_RECEIVER
        asked, known = self._alerts.get(unit, (0.0, None))
        if known is not None and self._clock.monotonic() - asked < ALERTS_S:
            return known
        found = await self._receiver.alerts(unit)
        self._alerts[unit] = (self._clock.monotonic(), found)
        return found

    async def _made(self, what: str, unit: str) -> tuple[Told, float]:
        """What is told now, and how long (seconds) making it took. One at a time, with a breath after each."""
        async with self._making:
            began = self._clock.monotonic()
            told: Told = await asyncio.to_thread(self._maker(what, unit))
            took_s = self._clock.monotonic() - began
            await asyncio.sleep(min(BREATH * took_s, LONGEST_BREATH_S))
        if isinstance(told, UnitTold):
            waiting = Alerts("waiting" if self._receiver is not None else "none")
            told = replace(told, alerts=self._alerts.get(unit, (0.0, waiting))[1], can_take=self._can_take)
        return told, took_s

    def _maker(self, what: str, unit: str) -> Callable[[], Told]:
        if what == "overview":
            return self._looks.overview
        return (lambda: self._looks.unit(unit)) if what == "unit" else (lambda: self._looks.hall(unit))
