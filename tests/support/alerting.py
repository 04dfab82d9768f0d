"""A real Alertmanager, and who receives from it: a webhook, a mail server and a Telegram that write down everything."""

import email
import email.policy
import http.server
import json
import socketserver
import threading
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from support import programs
from support.boards import GENERATED
from support.process import Process, free_port

__all__ = ["Alertmanager", "Recorder", "write_configuration"]


KEEPS = "http://127.0.0.1:9103/alerts"
"""Where the generated configuration has the receiver of alerts."""


class _Web(http.server.BaseHTTPRequestHandler):
    """The webhook at /alerts, and what Alertmanager asks of Telegram at any other path."""

    server: "_WebServer"

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/alerts":
            self.server.recorder.webhook.append(told)
            answer: dict[str, Any] = {}
        else:
            self.server.recorder.telegram.append(str(told["text"]))
            answer = {"ok": True, "result": {"message_id": 1, "date": 1, "chat": {"id": -1, "type": "group"}}}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class _WebServer(http.server.ThreadingHTTPServer):
    def __init__(self, recorder: "Recorder") -> None:
        super().__init__(("127.0.0.1", 0), _Web)
        self.recorder = recorder


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs that sends one message after the other."""

    server: "_MailServer"

    def handle(self) -> None:
        self.wfile.write(b"220 recorder\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line[1:] if line.startswith(b"..") else line)
                parsed = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                self.server.recorder.mail.append(parsed)
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, recorder: "Recorder") -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.recorder = recorder


@dataclass
class Recorder:
    """What staff would get, in the order in which it came."""

    webhook: list[dict[str, Any]] = field(default_factory=list)
    telegram: list[str] = field(default_factory=list)
    mail: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._servers = (_WebServer(self), _MailServer(self))
        self._threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in self._servers]

    def __enter__(self) -> "Recorder":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *what: object) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()

    @property
    def url(self) -> str:
        """Of the webhook and of Telegram."""
        return f"http://127.0.0.1:{self._servers[0].server_address[1]}"

    @property
    def smarthost(self) -> str:
        """Of mail."""
        return f"127.0.0.1:{self._servers[1].server_address[1]}"

    def told(self, alert: str, status: str = "firing") -> list[dict[str, Any]]:
        """The alerts of a name and status that the webhook was told, in order; repeats too."""
        return [
            one
            for group in list(self.webhook)
            for one in group["alerts"]
            if one["labels"]["alertname"] == alert and one["status"] == status
        ]


class Alertmanager:
    """A server in `folder`, with a configuration that stands there as alertmanager.yml, beside its templates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process = Process("Alertmanager", folder / "alertmanager.log")

    def start(self) -> None:
        """Start it and return when it is ready."""
        self.process.run(
            [
                programs.alertmanager(),
                f"--config.file={self.folder / 'alertmanager.yml'}",
                f"--storage.path={self.folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--cluster.listen-address=",
                "--log.level=warn",
            ],
            ready=self._ready,
        )

    def post(self, alerts: list[dict[str, Any]]) -> None:
        """Tell it of alerts, as Prometheus does."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2/alerts",
            data=json.dumps(alerts).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10):
            pass

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def write_configuration(folder: Path, recorder: Recorder, keeps: str = "") -> None:
    """Write the generated configuration with its templates into a folder, so that it tells the recorder at once.

    `keeps`: where `loket alerts receive` is; it is told as the configuration says, too.
    """
    for name in ("loket.tmpl", "loket-links.tmpl"):
        (folder / name).write_bytes((GENERATED / "alertmanager" / name).read_bytes())
    content = yaml.safe_load((GENERATED / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8"))
    content["global"]["smtp_smarthost"] = recorder.smarthost
    content["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    for receiver in content["receivers"]:
        hooks = receiver["webhook_configs"]
        kept = [hook | {"url": f"{keeps}/alerts"} for hook in hooks if hook["url"] == KEEPS and keeps]
        for hook in hooks:
            hook["url"] = f"{recorder.url}/alerts"
        hooks += kept
        for telegram in receiver.get("telegram_configs", ()):
            telegram |= {"api_url": recorder.url}
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
