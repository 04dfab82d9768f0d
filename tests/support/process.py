"""A server of the tests as a process of its own: started, stopped, killed, paused, and gone when the tests are.

It runs in a session of its own, so Ctrl-C reaches pytest alone and the fixtures end it in order; `tether.py` ends it
when pytest itself is killed. Only the process that we started is ever signalled, by its id.
"""

import atexit
import os
import random
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["Process", "ServerFailed", "free_port", "gone", "wait_until"]

TETHER = Path(__file__).with_name("tether.py")


class ServerFailed(Exception):
    """A server did not start, or did not do what it was asked to; the text ends with the end of its log."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now, below those that the kernel gives to outgoing connections.

    One of the kernel's own would not stay ours while a server is down: a client that keeps knocking on it can be given
    that very port as its own, connect to itself, and keep the server from coming back.
    """
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        lowest = 32_768
    for _ in range(1_000):
        port = random.SystemRandom().randrange(max(1_024, lowest - 14_000), lowest)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerFailed(f"no free port below {lowest}")


def wait_until(true: Callable[[], bool], timeout_s: float, what: str, every_s: float = 0.02) -> None:
    """Return as soon as `true()`; after `timeout_s` raise ServerFailed that says `what` was waited for."""
    end = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > end:
            raise ServerFailed(f"waited {timeout_s:g} s in vain for {what}")
        time.sleep(every_s)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has collected yet (a zombie) has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Process:
    """One program, its output in `log`; `run` may be called again after it ended."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._popen: subprocess.Popen[bytes] | None = None
        self._started_at = 0  # position in the log
        _started.add(self)

    def run(
        self,
        program: Sequence[str | Path],
        *,
        ready: Callable[[], bool],
        timeout_s: float = 120,
        user: str = "",
        environment: Mapping[str, str] | None = None,
        on_orphaned: signal.Signals = signal.SIGKILL,
    ) -> None:
        """Start `program` (as `user` if one is named) and return when `ready()`."""
        if self.running:
            raise ServerFailed(f"{self.name} is running already")
        with self.log.open("ab") as output:
            self._started_at = output.tell()
            self._popen = subprocess.Popen(
                [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), on_orphaned.name, user, *map(str, program)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        try:
            wait_until(lambda: self._dead() or ready(), timeout_s, f"{self.name} to start")
        except ServerFailed as failure:
            self.kill()
            raise ServerFailed(f"{failure}\n{self.output()[-4_000:]}") from None
        if not self.running:
            raise ServerFailed(f"{self.name} ended with status {self._popen.returncode}\n{self.output()[-4_000:]}")

    def _dead(self) -> bool:
        return not self.running

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def status(self) -> int | None:
        """How it ended: its exit status, or less than 0 the signal; None while it runs or before it ever ran."""
        return None if self._popen is None else self._popen.poll()

    @property
    def pid(self) -> int:
        """The id of the running process."""
        if self._popen is None or not self.running:
            raise ServerFailed(f"{self.name} is not running")
        return self._popen.pid

    def output(self) -> str:
        """Return what it has written since its last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._started_at)
            return log.read().decode(errors="replace")

    def send(self, what: signal.Signals) -> None:
        """Send a signal to the running process."""
        if self._popen is None or not self.running:
            raise ServerFailed(f"{self.name} is not running")
        self._popen.send_signal(what)

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout_s: float = 60) -> None:
        """End it in order; what does not end within `timeout_s` is killed. Does nothing if it has ended."""
        if self._popen is None:
            return
        if self.running:
            self.send(signal.SIGCONT)
            self.send(how)
        try:
            self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, by SIGKILL, and return when it is gone. Does nothing if it has ended."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()

    def pause(self) -> None:
        """Stop it in its tracks: its connections stay, nothing answers."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on where it was paused."""
        self.send(signal.SIGCONT)


_started: weakref.WeakSet[Process] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    for process in list(_started):
        process.kill()
