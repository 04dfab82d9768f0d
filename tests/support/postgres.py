"""A real PostgreSQL server with its own port and data, and a fresh database for whoever asks."""

import os
import pwd
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from support import programs
from support.process import Process, ServerFailed, free_port, gone, wait_until

__all__ = ["PostgresServer", "SmallDisk"]


def _account() -> str:
    """Return the user that the server runs as, or nothing for ourselves: it refuses to run as root."""
    if os.geteuid() != 0:
        return ""
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise programs.Unavailable("PostgreSQL refuses to run as root, and there is no user postgres or nobody")


class SmallDisk:
    """A file system in memory that is soon full, for a tablespace of a server; `grow` makes room."""

    def __init__(self, folder: Path, mebibytes: int) -> None:
        self.folder = folder
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "loket-small", folder],
            capture_output=True,
            check=False,
        )
        self.is_mounted = done.returncode == 0
        if self.is_mounted and (account := _account()):
            shutil.chown(folder, account)
            folder.chmod(0o700)

    def grow(self, mebibytes: int) -> None:
        """Make it as large as that."""
        subprocess.run(["mount", "-o", f"remount,size={mebibytes}m", self.folder], capture_output=True, check=True)

    def close(self) -> None:
        """Forget it and what it holds."""
        if self.is_mounted:
            subprocess.run(["umount", self.folder], capture_output=True, check=True)
        self.folder.rmdir()


class PostgresServer:
    """A server in `folder`; port and data stay the same over stop, kill and start.

    `durable=False` does not wait for the disk. That still survives `kill`, as what was written stays with the kernel.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self.durable = durable
        self.process = Process("PostgreSQL", folder / "log")

    def url(self, database: str = "postgres") -> str:
        """Return SQLAlchemy's URL of a database, by psycopg 3."""
        return f"postgresql+psycopg://loket@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it (for the first time, or again on the same port and data) and return when it answers."""
        data = self.folder / "data"
        account = _account()
        if not data.exists():
            self._initialise(data, account)
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "on" if self.durable else "off",
            "synchronous_commit": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            "max_connections": 100,
            "timezone": "UTC",
        }
        self.process.run(
            [programs.postgresql() / "postgres", "-D", data, *(f"--{name}={value}" for name, value in options.items())],
            ready=self._answers,
            user=account,
            on_orphaned=signal.SIGQUIT,  # at once, and its own processes with it
        )

    def stop(self) -> None:
        """Shut it down in order; open connections are cut."""
        self.process.stop(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL the server and the processes that serve its connections, as in a crash."""
        if not self.process.running:
            return
        server = self.process.pid
        served = Path(f"/proc/{server}/task/{server}/children").read_text(encoding="ascii").split()
        self.process.kill()
        for child in map(int, served):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        wait_until(lambda: all(gone(int(child)) for child in served), 90, "PostgreSQL's processes to go")

    def restart(self) -> None:
        """Stop it in order if it runs, and start it again."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """End it and delete what it kept."""
        self.process.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def database(self, options: str = "") -> Iterator[str]:
        """Make an empty database, give its URL, and drop it in the end whoever is still connected."""
        name = f"loket_{uuid.uuid4().hex[:12]}"
        self.execute(f'CREATE DATABASE "{name}" {options}')
        try:
            yield self.url(name)
        finally:
            with suppress(psycopg.OperationalError):  # a test may have left the server down
                self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _initialise(self, data: Path, account: str) -> None:
        command: list[str | Path] = [
            programs.postgresql() / "initdb",
            "-D",
            data,
            "--username=loket",
            "--auth=trust",
            "--encoding=UTF8",
        ]
        command += ["--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        if account:
            self.folder.chmod(0o711)
            data.mkdir(mode=0o700)
            shutil.chown(data, account)
        done = subprocess.run(
            command,
            user=account or None,
            group=pwd.getpwnam(account).pw_gid if account else None,
            extra_groups=[] if account else None,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServerFailed(f"PostgreSQL's cluster could not be made\n{done.stdout}{done.stderr}")

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """Connect as the server's owner; every statement is a transaction of its own."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="loket", dbname=database, autocommit=True, connect_timeout=10
        )

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement."""
        with self.connect(database) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True
