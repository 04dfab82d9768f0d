"""A small HTTP server for metrics and health: some pages by their path, each made anew when it is asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar, NamedTuple
from urllib.parse import urlsplit

from loket.errors import LoketError

__all__ = ["PortTaken", "Response", "Routes", "Server", "progress_page", "text"]

logger = logging.getLogger("loket.serving")


class Response(NamedTuple):
    """One answer."""

    status: int
    content_type: str
    body: bytes


Routes = Mapping[str, Callable[[], Response]]
"""Pages by path. They are made on the server's own threads."""


class PortTaken(LoketError):
    """The port is taken: with its address and the setting that changes it."""

    def __init__(self, host: str, port: int, setting: str, reason: str) -> None:
        self.host, self.port, self.setting = host, port, setting
        super().__init__(
            f"the metrics cannot be served on {host}:{port} ({reason}): another program has that port; stop it, or set "
            f"{setting} (or --metrics-port) to a free one"
        )


def text(status: int, content: str) -> Response:
    """A page of plain text."""
    return Response(status, "text/plain; charset=utf-8", content.encode())


def progress_page(state: str, reasons: list[str]) -> Response:
    """A page for a probe: 200 and the state where there is no reason against it, else 503 and the reasons."""
    return text(503, "".join(f"{reason}\n" for reason in reasons)) if reasons else text(200, f"{state}\n")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "loket"
    sys_version = ""
    timeout = 30
    routes: ClassVar[Routes] = {}

    def do_GET(self) -> None:
        make = self.routes.get(urlsplit(self.path).path)
        if make is None:
            page = text(404, "".join(f"{path}\n" for path in self.routes))
        else:
            try:
                page = make()
            except Exception:
                logger.exception("%s could not be made", self.path)
                page = text(500, "this page could not be made: see the log\n")
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a scrape every few seconds is no news."""


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True  # a port whose last connections linger is free; one that somebody listens on is not

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news either."""


class Server:
    """Serves `routes` on a port, port 0 being any free one. Raises PortTaken when made."""

    def __init__(self, host: str, port: int, routes: Routes, *, setting: str) -> None:
        handler = type("_Routes", (_Handler,), {"routes": dict(routes)})
        try:
            self._server = _HTTPServer((host, port), handler)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise PortTaken(host, port, setting, reason) from error
        self.host = host
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, name="loket-serving", daemon=True)

    @property
    def url(self) -> str:
        """Where it serves."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._server.server_close()
