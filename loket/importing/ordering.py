"""Sorts events by time, in memory up to a bound and through temporary files beyond it."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from typing import IO, Any, Final

import msgspec

from loket.domain.events import Event, Instant

__all__ = ["EVENTS_IN_MEMORY", "TimeOrder"]

EVENTS_IN_MEMORY: Final = 500_000
"""About 400 MB. What is beyond is written in sorted runs to temporary files, some 200 bytes an event, and merged."""

_LENGTH: Final = 4

_Ordered = tuple[int, int, Event]


class TimeOrder:
    """Takes events in any order and gives them by time, those of one time as they came. To be read once."""

    def __init__(self, in_memory: int = EVENTS_IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._run: list[_Ordered] = []
        self._runs: list[IO[bytes]] = []
        self._taken = 0
        self._encoder = msgspec.msgpack.Encoder(enc_hook=int)

    def add(self, event: Event) -> None:
        """Take an event."""
        if len(self._run) >= self._in_memory:
            self._spill()
        self._run.append((event.time, self._taken, event))
        self._taken += 1

    def sorted(self) -> Iterator[Event]:
        """Every event that was taken; the temporary files are gone when it ends."""
        self._run.sort(key=_place)
        runs: list[Iterator[_Ordered]] = [_read(run) for run in self._runs]
        try:
            for _, _, event in heapq.merge(*runs, iter(self._run), key=_place):
                yield event
        finally:
            for run in self._runs:
                run.close()

    def _spill(self) -> None:
        self._run.sort(key=_place)
        run = tempfile.TemporaryFile(prefix="loket-import-")  # noqa: SIM115 - closed when the merge ends
        for ordered in self._run:
            packed = self._encoder.encode(ordered)
            run.write(len(packed).to_bytes(_LENGTH, "big") + packed)
        run.seek(0)
        self._runs.append(run)
        self._run = []


def _place(ordered: _Ordered) -> tuple[int, int]:
    return ordered[0], ordered[1]


def _read(run: IO[bytes]) -> Iterator[_Ordered]:
    decoder = msgspec.msgpack.Decoder(tuple[int, int, Event], dec_hook=_instant)
    while length := run.read(_LENGTH):
        yield decoder.decode(run.read(int.from_bytes(length, "big")))


def _instant(_: type, value: Any) -> Any:
    return Instant(value)
