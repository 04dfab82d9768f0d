"""`loket try` and `loket demo` as a person runs them: as a process, with its own folder for what it must not leave."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from loket.domain.events import Event
from loket.domain.policy import Policy
from loket.wire.cloudevents import encode
from loket.wire.figures import TryReport
from support.oracle import Oracle, without_zeros

__all__ = ["Tried", "figures_of_oracle", "left_by", "loket_process", "rows", "run_loket", "try_json", "write_jsonl"]


@dataclass(frozen=True)
class Tried:
    """How a command ended: its exit status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def report(self) -> TryReport:
        """The JSON on standard output, and nothing else may be there."""
        assert self.status in (0, 1), self.err
        return msgspec.json.decode(self.out.encode(), type=TryReport)


@contextmanager
def loket_process(
    arguments: Sequence[str | Path], scratch: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`loket`, whose temporary files go to `scratch`, with more in its environment; killed if it still runs then."""
    scratch.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
    with subprocess.Popen(
        [sys.executable, "-m", "loket", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=kept | {"TMPDIR": str(scratch), "COLUMNS": "200"} | dict(environment or {}),
        cwd=scratch,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run_loket(
    *arguments: str | Path, scratch: Path, timeout_s: float = 600, environment: Mapping[str, str] | None = None
) -> Tried:
    """Run `loket` to its end."""
    with loket_process(arguments, scratch, environment) as process:
        out, err = process.communicate(timeout=timeout_s)
    return Tried(process.returncode, out, err)


def try_json(*arguments: str | Path, scratch: Path, timeout_s: float = 600) -> TryReport:
    """The report of a try in which metrics and record agree, and of which nothing is left."""
    tried = run_loket("try", *arguments, "--json", scratch=scratch, timeout_s=timeout_s)
    assert tried.status == 0, tried.err + tried.out
    assert left_by(scratch) == []
    report = tried.report
    assert report.agreement.metrics_equal_record
    return report


def left_by(scratch: Path) -> list[str]:
    """What is still there of commands whose temporary files went to `scratch`: files, and processes told of it."""
    mark = f"TMPDIR={scratch}".encode()
    left = [str(path) for path in scratch.iterdir()]
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and mark in (process / "environ").read_bytes().split(b"\0"):
                left.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # ended meanwhile, or not ours
            continue
    return left


def write_jsonl(path: Path, events: Iterable[Event | bytes]) -> Path:
    """Write events, and lines as they are, in this order."""
    lines = [event if isinstance(event, bytes) else encode(event).value for event in events]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def figures_of_oracle(policy: Policy, events: Iterable[Event], now: int) -> tuple[list[Any], list[Any]]:
    """The rows that metrics and record have to say of events whose own clock rules, by the domain alone."""
    oracle = Oracle(policy)
    for event in events:
        oracle.apply(event, int(event.time))
    units, employees = oracle.rows(now)
    return without_zeros(units), without_zeros(employees)


def rows(report: TryReport) -> tuple[list[Any], list[Any]]:
    """The rows of a report, to be compared with the oracle's."""
    return without_zeros(report.units), without_zeros(report.employees)
