"""From alert to action: Alertmanager's webhook, the real receiver and its table, the board, a browser."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from loket.settings import WorkerSettings
from loket.testing.builders import Office, unit_policy
from loket_streams.board import BoardServer, feeds
from support.board_scene import instant
from support.browser import Browser
from support.exported import worker_of
from support.process import Process, free_port
from support.telling import Told

pytestmark = pytest.mark.browser

TOKEN = "a-token-of-the-tests-0123"
STARTED = instant(9)
SOON_MS = 60_000
LOKET = [sys.executable, "-m", "loket"]


def delivery(status: str) -> bytes:
    """What Alertmanager posts when an alert fires, or is over."""
    alert = {
        "status": status,
        "labels": {"alertname": "LoketOverTarget", "unit": "u", "service": "s", "severity": "warning"},
        "annotations": {
            "summary_id": "12 orang menunggu lebih dari 30 menit",
            "summary_en": "12 people have waited over 30 min",
            "runbook": "#loketovertarget",
        },
        "startsAt": STARTED,
        "endsAt": instant(0) if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1:9090/graph",
        "fingerprint": "4f2a7c01d9e35b68",
    }
    return json.dumps({"version": "4", "status": status, "receiver": "loket", "alerts": [alert]}).encode()


class Receiver:
    """`loket alerts receive` with a record of its own."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = Process("alerts", folder / "alerts.log")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LOKET_")},
            "LOKET_DATABASE": f"sqlite:///{folder / 'record.db'}",
            "LOKET_ALERTS_LISTEN_PORT": str(port),
            "LOKET_ALERTS_RUNBOOK_URL": "https://city.example/runbook",
            "LOKET_BOARD_TOKEN": TOKEN,
        }

    def start(self) -> None:
        subprocess.run([*LOKET, "db", "upgrade"], env=self._environment, check=True, capture_output=True, timeout=300)
        self.process.run([*LOKET, "alerts", "receive"], ready=self._serves, environment=self._environment)

    def deliver(self, status: str) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/alerts", delivery(status), headers, method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200

    def _serves(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/alerts?unit=u", timeout=30) as answer:
                return int(answer.status) == 200
        except OSError:
            return False


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path)
    receiver.start()
    yield receiver
    receiver.process.stop()


@pytest.fixture
def board(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a board that asks the receiver; its worker is one of the tests' own."""
    monkeypatch.setattr(feeds, "ALERTS_S", 0.2)
    monkeypatch.setattr(feeds, "INTERVAL_S", 0.2)
    office = Office()
    now = int(office.at("11:00"))
    worker = worker_of([Told(unit_policy({"s": 300})).tell(office.issued("A1", at="10:00")).state], now, answered=now)
    settings = WorkerSettings(board_port=0, board_token=TOKEN, board_alerts_url=receiver.url)
    server = BoardServer(settings, worker, worker.clock)
    server.start()
    yield server.urls[0]
    server.stop()


def test_an_alert_comes_is_taken_on_a_phone_and_goes(board: str, receiver: Receiver, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    try:
        page = context.new_page()
        page.set_default_timeout(SOON_MS)
        page.goto(f"{board}/unit?unit=u&lang=en")
        expect(page.locator("#alerts-state")).to_have_text("No alert fires.", timeout=SOON_MS)
        receiver.deliver("firing")
        card = page.locator("[data-alert]")
        expect(card).to_contain_text("12 people have waited over 30 min", timeout=SOON_MS)
        expect(card).to_contain_text("Open another counter")
        link = card.get_by_role("link").get_attribute("href")
        assert link is not None
        assert link.startswith("https://city.example/runbook")
        card.get_by_role("button", name="I take it").click()
        card.get_by_label("Your name").fill("Ratna")
        card.get_by_label("Note").fill("counter 4 opens")
        card.get_by_label("Token of this board").fill(TOKEN)
        card.get_by_role("button", name="Note it").click()
        expect(card).to_contain_text("Taken by Ratna", timeout=SOON_MS)
        expect(card).to_contain_text("counter 4 opens")
        receiver.deliver("resolved")
        expect(card).to_contain_text("ended", timeout=SOON_MS)
        expect(page.locator("#alerts-state")).to_have_text("No alert fires.")
        receiver.process.stop()
        expect(page.locator("#alerts-state")).to_contain_text("whether any fires is not known", timeout=SOON_MS)
    finally:
        context.close()
