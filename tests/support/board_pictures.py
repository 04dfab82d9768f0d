"""Photograph the board for docs/board.md: a real worker on the embedded broker, a real browser, a scene of a morning.

PYTHONPATH=tests python -m support.board_pictures docs/pictures
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from loket.embedded import EmbeddedBroker
from support.alert_receiver import AlertReceiver, alert
from support.board_scene import BUSY, Teller, instant, morning, targets
from support.browser import chromium
from support.process import free_port
from support.streams import Stream

TOKEN: Final = "a-token-for-pictures-only"


def _alerts() -> list[dict[str, object]]:
    return [
        alert(
            "1",
            BUSY,
            started=instant(9),
            summary={
                "id": "5 orang di Dukcapil Ciputat (KTP elektronik) menunggu lebih dari 30 menit, terlama 47 menit",
                "en": "5 people at Dukcapil Ciputat (Identity card) have waited over 30 min, the longest 47 min",
            },
        )
    ]


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        here = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loket-board-")))
        (here / "targets.yaml").write_text(targets(), encoding="utf-8")
        receiver = stack.enter_context(AlertReceiver(TOKEN, _alerts()).serving())
        broker = stack.enter_context(EmbeddedBroker())
        stream = stack.enter_context(Stream(broker.bootstrap, here, partitions=2).closing())
        stream.create_topics()
        port = free_port()
        worker = stream.worker(
            LOKET_TARGETS=str(here / "targets.yaml"),
            LOKET_BOARD_PORT=str(port),
            LOKET_BOARD_TOKEN=TOKEN,
            LOKET_BOARD_ALERTS_URL=receiver.url,
        )
        worker.start(ready=True)
        stream.send(morning(Teller()))
        browser = stack.enter_context(chromium())
        for name, path, width, height, shown in (
            ("board-phone", f"/unit?unit={BUSY}&lang=id", 390, 1180, "[data-alert]"),
            ("board-hall", f"/hall?unit={BUSY}&lang=id", 1280, 720, "#now .number"),
        ):
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"http://127.0.0.1:{port}{path}")
            page.locator(shown).wait_for(timeout=60_000)
            page.locator("#calls .number, #before .number").nth(3).wait_for(timeout=60_000)
            page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    main()
