"""A proxy between a client and PostgreSQL that cuts the connection in the middle of a COMMIT."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Thread
from typing import Final, Literal

__all__ = ["CuttingProxy"]

COMMIT: Final = b"COMMIT"

Where = Literal["before it is asked", "before it is answered"]


class CuttingProxy:
    """Passes everything on both ways; `cut` ends the connection of the next COMMIT."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._where: Where | None = None
        self._was_cut = Event()
        Thread(target=self._accept, daemon=True).start()

    def cut(self, where: Where) -> None:
        """Cut at the next COMMIT and wait until that has happened."""
        self._was_cut.clear()
        self._where = where
        if not self._was_cut.wait(60):
            raise TimeoutError("nothing was committed")

    def close(self) -> None:
        """Take nobody any more."""
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                Thread(target=self._ask, args=(client, server), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        """What the client says; its COMMIT is so short that it comes in one piece, at the end of what it says."""
        answers = Thread(target=self._pass, args=(server, client), daemon=True)
        answers.start()
        is_cut = False
        with client, server, suppress(OSError):
            while said := client.recv(65_536):
                if self._where is not None and COMMIT in said[-64:]:
                    where, self._where, is_cut = self._where, None, True
                    if where == "before it is answered":
                        client.shutdown(socket.SHUT_RDWR)  # the answer finds nobody
                        server.sendall(said)
                        answers.join(10)
                    break
                server.sendall(said)
            server.shutdown(socket.SHUT_RDWR)
        if is_cut:
            self._was_cut.set()

    def _pass(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while answered := server.recv(65_536):
                client.sendall(answered)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
