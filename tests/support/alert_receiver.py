"""A receiver of alerts as `loket alerts receive` serves it: what the board asks of it, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["AlertReceiver", "alert"]


def alert(id: str, unit: str, name: str = "LoketOverTarget", **more: Any) -> dict[str, Any]:
    """An alert as the receiver tells it."""
    return {
        "id": id,
        "name": name,
        "unit": unit,
        "service": None,
        "severity": "warning",
        "started": "2026-01-15T02:10:00Z",
        "ended": None,
        "summary": {"id": "12 orang menunggu lebih dari 30 menit", "en": "12 people have waited over 30 min"},
        "runbook_url": "https://example.org/runbook#loketovertarget",
        "acknowledged": None,
        **more,
    }


@dataclass
class AlertReceiver:
    """What it knows, and what it was told. `token` None: it refuses everybody."""

    token: str | None = None
    alerts: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    answer: bytes | None = None
    """Sent instead of the alerts, whatever it is."""

    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, id: str, authorization: str, body: Any) -> tuple[int, dict[str, Any]]:
        """What it answers to an acknowledgement."""
        if self.token is None or authorization != f"Bearer {self.token}":
            return 401, {"error": "token"}
        found = next((known for known in self.alerts if known["id"] == id), None)
        if found is None:
            return 404, {"error": "unknown"}
        if found["acknowledged"] is not None:
            return 409, {"error": "taken", "by": found["acknowledged"]["by"]}
        self.told.append({"id": id, **body})
        found["acknowledged"] = {"at": "2026-01-15T02:12:00Z", **body}
        return 201, {}

    @contextmanager
    def serving(self) -> Iterator["AlertReceiver"]:
        """Serve on a free port."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                unit = parse_qs(address.query).get("unit", [""])[0]
                told = [known for known in receiver.alerts if known["unit"] == unit]
                self._answer(200, json.dumps(told).encode() if receiver.answer is None else receiver.answer)

            def do_POST(self) -> None:
                named = unquote(urlsplit(self.path).path.split("/")[2])
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, told = receiver.take(named, self.headers.get("Authorization", ""), body)
                self._answer(status, json.dumps(told).encode())

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = int(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join(30)
