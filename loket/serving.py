"""A small HTTP server: pages by their path (metrics, health), each made anew when it is asked for, and what else one
function answers. On threads, as those who answer wait for a database or compute, and nothing here is asked often."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar, Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from loket.errors import LoketError

__all__ = ["Answers", "PortTaken", "Request", "Response", "Routes", "Server", "progress_page", "text"]

logger = logging.getLogger("loket.serving")


class Response(NamedTuple):
    """One answer."""

    status: int
    content_type: str
    body: bytes


Routes = Mapping[str, Callable[[], Response]]
"""Pages by path. They are made on the server's own threads."""


class Request(NamedTuple):
    """What somebody asks. `parts`: of the path, decoded; `query`: the last of each name; `headers` in lower case."""

    method: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


Answers = Callable[[Request], Response | None]
"""Answers what is no page; None where there is nothing of that path. On the server's own threads."""

MAX_BODY: Final = 4 << 20
"""Bytes of a body that are read."""


class PortTaken(LoketError):
    """`what` cannot be served, as its port is taken: with its address, and the setting (and option) that changes it."""

    def __init__(
        self, what: str, host: str, port: int, error: OSError, *, setting: str, option: str | None = None
    ) -> None:
        self.host, self.port, self.setting = host, port, setting
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        super().__init__(
            f"{what} cannot be served on {host}:{port} ({reason}): another program has that port; stop it, or set "
            f"{setting}{'' if option is None else f' (or {option})'} to a free one"
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
    answers: ClassVar[list[Answers]] = []
    """One or none: in a list, as a function of a class would become a method."""

    def do_GET(self) -> None:
        make = self.routes.get(urlsplit(self.path).path)
        try:
            page = self._answer(b"") if make is None else make()
        except Exception:
            logger.exception("%s could not be made", self.path)
            page = text(500, "this page could not be made: see the log\n")
        self._send(page)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        if not self.answers:
            self.send_error(501, "Unsupported method ('POST')")
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or len(length) > 12:
            self.close_connection = True
            self._send(text(411, "send the length of the body (Content-Length)\n"))
            return
        if int(length) > MAX_BODY:
            self.close_connection = True
            self._send(text(413, f"a body has at most {MAX_BODY} bytes\n"))
            return
        try:
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                self.close_connection = True
                return
            page = self._answer(body)
        except Exception:
            logger.exception("%s could not be answered", self.path)
            page = text(500, "this could not be answered: see the log\n")
        self._send(page)

    def _answer(self, body: bytes) -> Response:
        asked = urlsplit(self.path)
        request = Request(
            "GET" if self.command == "HEAD" else self.command,
            tuple(unquote(part) for part in asked.path.split("/")[1:]),
            dict(parse_qsl(asked.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            body,
        )
        for answers in self.answers:
            page = answers(request)
            if page is not None:
                return page
        return text(404, "".join(f"{path}\n" for path in self.routes))

    def _send(self, page: Response) -> None:
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a scrape every few seconds is no news."""


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True  # a port whose last connections linger is free; one that somebody listens on is not

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news either."""


class Server:
    """Serves `routes`, and what `answers` knows, on a port, port 0 being any free one. Raises PortTaken when made.

    `what`, `setting` and `option`: what that says could not be served, and what changes the port.
    """

    def __init__(
        self,
        host: str,
        port: int,
        routes: Routes,
        *,
        setting: str,
        what: str = "the metrics",
        option: str = "--metrics-port",
        answers: Answers | None = None,
    ) -> None:
        handled = {"routes": dict(routes), "answers": [] if answers is None else [answers]}
        handler = type("_Routes", (_Handler,), handled)
        try:
            self._server = _HTTPServer((host, port), handler)
        except OSError as error:
            raise PortTaken(what, host, port, error, setting=setting, option=option) from error
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
