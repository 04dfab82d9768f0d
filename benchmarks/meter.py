"""Seconds, CPU seconds and memory of a process, and the report that every contestant prints as its last line."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from loket.clock import SYSTEM_CLOCK

__all__ = ["Meter", "cpu_s"]


def cpu_s() -> float:
    """User and system time (s) of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


class Meter:
    """From the first record in hand to the state being safe."""

    def __init__(self) -> None:
        self._began: tuple[float, float] | None = None
        self._took = (0.0, 0.0)

    def begin(self) -> None:
        """Note the first record; later calls change nothing."""
        if self._began is None:
            self._began = (SYSTEM_CLOCK.monotonic(), cpu_s())

    def end(self) -> None:
        """Note that the state is safe."""
        began = self._began or (SYSTEM_CLOCK.monotonic(), cpu_s())
        self._took = (SYSTEM_CLOCK.monotonic() - began[0], cpu_s() - began[1])

    def report(self, contestant: str, group: str, events: int, rows: Iterable[Mapping[str, Any]], out: Path) -> None:
        """Write the rows as sorted JSON lines and print the report."""
        lines = sorted(json.dumps(row, separators=(",", ":")) for row in rows)
        out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        seconds, cpu_seconds = self._took
        report = {
            "contestant": contestant,
            "group": group,
            "events": events,
            "seconds": round(seconds, 3),
            "cpu_seconds": round(cpu_seconds, 3),
            "cpu_seconds_total": round(cpu_s(), 3),
            "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }
        # Faust's worker sends sys.stdout into its log.
        print(json.dumps(report), file=sys.__stdout__, flush=True)
