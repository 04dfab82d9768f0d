"""The worker of `benchmarks.live`: `loket worker` itself, taking notes.

Arguments: group, bootstrap, topic, targets, notes. A line of notes each second: `applied` has [ms, partition, next
offset], `pauses` has [ms, for how long the event loop came later than it was to (ms)].
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from typing import Final

import mode.loop

mode.loop.use("uvloop")  # as the command `loket worker` does: before anything of Faust is imported

from loket.clock import SYSTEM_CLOCK  # noqa: E402
from loket.settings import WorkerSettings  # noqa: E402
from loket_streams import exporter, running  # noqa: E402
from loket_streams.partitions import Partition  # noqa: E402
from loket_streams.process import WorkerProcess  # noqa: E402

TICK_S: Final = 0.002

_applied: list[tuple[int, int, int]] = []
_advance = Partition.advance


class Noting(WorkerProcess):
    """Writes notes beside its work."""

    notes: Path

    async def _beat(self) -> None:
        ticking = asyncio.create_task(self._tick())
        await super()._beat()
        ticking.cancel()

    async def _tick(self) -> None:
        pauses: list[tuple[int, float]] = []
        before = written = SYSTEM_CLOCK.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            now = SYSTEM_CLOCK.monotonic()
            pauses.append((SYSTEM_CLOCK.now_ms(), max(0.0, now - before - TICK_S) * 1000))
            if now - written > 1:
                line = json.dumps({"applied": _applied, "pauses": pauses})
                with self.notes.open("a", encoding="utf-8") as out:
                    out.write(f"{line}\n")
                _applied.clear()
                pauses.clear()
                now = written = SYSTEM_CLOCK.monotonic()
            before = now


def _noted(partition: Partition, next: int) -> None:
    _advance(partition, next)
    _applied.append((SYSTEM_CLOCK.now_ms(), partition.number, next))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def main() -> None:
    """Run the worker on one core until SIGTERM."""
    group, bootstrap, topic, targets, notes = sys.argv[1:]
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    Noting.notes = Path(notes)
    Partition.advance = _noted  # type: ignore[method-assign,assignment]
    running.WorkerProcess = Noting  # type: ignore[attr-defined]
    port = _free_port()
    Noting.notes.with_suffix(".url").write_text(f"http://127.0.0.1:{port}", encoding="utf-8")
    settings = WorkerSettings(
        bootstrap=bootstrap, topic=topic, targets=targets, clock="event", app_id=group, metrics_port=port
    )
    running.run(settings, SYSTEM_CLOCK, pages=exporter.pages)


if __name__ == "__main__":
    main()
