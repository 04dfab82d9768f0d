"""One process beside ours, its output in a log file, ended in order and within a deadline."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from loket.errors import LoketError

__all__ = ["LOKET", "Companion", "CompanionFailed"]

LOKET = (sys.executable, "-m", "loket")
LOG_TAIL_LINES = 20
STOP_TIMEOUT_S = 20.0


class CompanionFailed(LoketError):
    """A process that the command needs ended or did not do its part; the text ends with the end of its log."""

    exit_status = 3

    def __init__(self, companion: Companion, what: str) -> None:
        self.companion = companion.name
        tail = companion.tail()
        super().__init__(f"{companion.name} {what}" + (f"; its log ends with:\n{tail}" if tail else ""))


class Companion:
    """A process of ours. It leads a session of its own, so that Ctrl-C in the terminal reaches only us."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        folder: Path,
        output: Path | None = None,
        program: Sequence[str] = LOKET,
    ) -> None:
        self.name = name
        self.log = log
        log.write_bytes(b"")
        with log.open("ab") as told, (output or log).open("ab") as written:
            self._process = subprocess.Popen(
                [*program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=told,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )

    @property
    def id(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative where a signal ended it."""
        return self._process.poll()

    def check(self) -> None:
        """Raise CompanionFailed if it has ended, in order or not."""
        status = self.exit_status
        if status is not None:
            raise CompanionFailed(self, f"ended with {_told(status)}")

    def finished(self) -> bool:
        """Whether it has ended in order; raise CompanionFailed if it failed."""
        status = self.exit_status
        if status is None:
            return False
        if status != 0:
            raise CompanionFailed(self, f"ended with {_told(status)}")
        return True

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End it by SIGTERM, by SIGKILL where that takes longer; nothing where it has ended."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def tail(self, lines: int = LOG_TAIL_LINES) -> str:
        """The last lines that it wrote."""
        try:
            written = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(f"  {line}" for line in written[-lines:])


def _told(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
