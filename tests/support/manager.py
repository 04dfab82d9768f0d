"""A service manager's notify socket, as systemd has one: a path, or an abstract name."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from uuid import uuid4

__all__ = ["Manager"]


class Manager:
    """Hears what the processes tell that are given its `environment`."""

    def __init__(self, folder: Path | None) -> None:
        """Bind a path in a folder, or without one an abstract name."""
        address = f"@loket-{uuid4()}" if folder is None else str(folder / "notify")
        self.environment = {"NOTIFY_SOCKET": address}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        """The messages since the last time, their lines joined by a space."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode().replace("\n", " "))
            except BlockingIOError:
                return found

    def hears(self, what: str, timeout_s: float = 60) -> list[str]:
        """Wait for a message that begins with `what`; returns all until then."""
        found: list[str] = []
        end = time.monotonic() + timeout_s
        while not any(message.startswith(what) for message in found):
            if time.monotonic() > end:
                raise TimeoutError(f"{what} was not heard in {timeout_s:g} s, but {found}")
            time.sleep(0.05)
            found += self.heard()
        return found

    def close(self) -> None:
        self._socket.close()
