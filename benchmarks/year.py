"""A year of a city at a hundredth of its traffic by the commands that a user has: simulated, imported, stored, rebuilt.

Each command is a process of its own, whose CPU time and largest memory are taken when it ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import broker
from loket.clock import SYSTEM_CLOCK
from support.postgres import PostgresServer

__all__ = ["lines"]

UNITS = 100
SAME = "is what its"
"""What a rebuild says of a record that it would make just so."""

_MIB = 1024
"""Of `ru_maxrss`, which Linux tells in KiB."""


def lines(events: int, days: int) -> Iterator[str]:
    """Run it whole, and tell of each step as it ends. The record as the sink made it and the rebuilt one are equal, or
    the benchmark ends with an error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = PostgresServer(Path(tempfile.mkdtemp(prefix="loket-bench-postgres-")))
        try:
            server.start()
            with broker.kafka(folder / "kafka") as kafka, server.database() as url:
                yield from _steps(folder, kafka.bootstrap, url, events, days)
        finally:
            server.remove()


def _steps(folder: Path, bootstrap: str, database: str, events: int, days: int) -> Iterator[str]:
    log, targets = folder / "year.jsonl", folder / "targets.yaml"
    where = {
        "PYTHONPATH": broker.PATH,
        "LOKET_BOOTSTRAP": bootstrap,
        "LOKET_DATABASE": database,
        "LOKET_TARGETS": str(targets),
        "LOKET_CLOCK": "event",
        "LOKET_SINK_METRICS_PORT": "0",
    }
    simulated = ["simulate", str(log), "--targets", str(targets), "--units", str(UNITS)]
    for arguments in (
        [*simulated, "--events", str(events), "--days", str(days)],
        ["topics", "apply", "--partitions", str(broker.PARTITIONS)],
        ["db", "upgrade"],
        ["import", str(log)],
        ["sink", "--until-end"],
        ["rebuild"],
    ):
        yield _told(arguments, where)


def _told(arguments: list[str], where: dict[str, str]) -> str:
    began = SYSTEM_CLOCK.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "loket", *arguments], env=os.environ | where, stdout=said, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        told = said.read().decode(errors="replace").strip()
    name = f"loket {arguments[0]}"
    if process.returncode or (arguments == ["rebuild"] and SAME not in told):
        raise SystemExit(f"{name} failed:\n{told[-3000:]}")
    return (
        f"{name:<24} {SYSTEM_CLOCK.monotonic() - began:8,.0f} s   {used.ru_utime + used.ru_stime:8,.0f} CPU s   "
        f"{used.ru_maxrss / _MIB:6,.0f} MiB   {told.splitlines()[-1] if told else ''}"
    )
