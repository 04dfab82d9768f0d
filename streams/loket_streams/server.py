"""The worker's HTTP server: the metrics and the two health pages, on a thread and a port of its own.

A page is made on the server's thread, so that a scrape never waits for the event loop, nor the event loop for a scrape
for longer than a look into one unit takes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from loket_streams.errors import PortInUseError

__all__ = ["Page", "Server", "text"]

logger = logging.getLogger("loket.streams")


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    status: int
    content_type: str
    body: bytes


def text(status: int, content: str) -> Page:
    """Return a page of plain text."""
    return Page(status, "text/plain; charset=utf-8", content.encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "loket"
    sys_version = ""
    timeout = 30
    routes: Mapping[str, Callable[[], Page]] = {}

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

    do_HEAD = do_GET  # noqa: N815 (the names are http.server's)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a scrape every few seconds is no news."""


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True  # a port whose last connections linger is free; one that somebody listens on is not

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news either."""


class Server:
    """Serves `routes` on a port, port 0 being any free one. Raises PortInUseError when made."""

    def __init__(self, host: str, port: int, routes: Mapping[str, Callable[[], Page]]) -> None:
        handler = type("_Routes", (_Handler,), {"routes": dict(routes)})
        try:
            self._server = _HTTPServer((host, port), handler)
        except OSError as error:
            raise PortInUseError(host, port, os.strerror(error.errno) if error.errno else str(error)) from error
        self.host = host
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, name="loket-metrics", daemon=True)

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
