"""The board in a real browser, on a real worker: what a supervisor's phone and the screen in the hall show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from loket.embedded import EmbeddedBroker
from support.alert_receiver import AlertReceiver, alert
from support.board_scene import BUSY, NASTY, NASTY_NAME, QUIET, Teller, morning, targets
from support.browser import Browser, Page
from support.process import free_port
from support.streams import Stream, StreamWorker

pytestmark = [pytest.mark.embedded, pytest.mark.browser]

TOKEN = "a-token-of-the-tests-0123"
PHONE = {"width": 390, "height": 844}
SCREEN = {"width": 1920, "height": 1080}
SOON_MS = 60_000

expect.set_options(timeout=SOON_MS)


@dataclass
class Scene:
    """A worker with its board, who sends it events, and the receiver of alerts that it asks."""

    stream: Stream
    worker: StreamWorker
    teller: Teller
    receiver: AlertReceiver
    staff: str
    public: str

    def tell(self, *told: tuple[bytes, bytes]) -> None:
        self.stream.send(iter(told))


@pytest.fixture(scope="module")
def scene(embedded: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("board")
    (folder / "targets.yaml").write_text(targets(), encoding="utf-8")
    staff, public = free_port(), free_port()
    receiver = AlertReceiver(TOKEN)
    with receiver.serving(), Stream(embedded.bootstrap, folder, partitions=2).closing() as stream:
        stream.create_topics()
        worker = stream.worker(
            LOKET_TARGETS=str(folder / "targets.yaml"),
            LOKET_BOARD_PORT=str(staff),
            LOKET_BOARD_PUBLIC_PORT=str(public),
            LOKET_BOARD_TOKEN=TOKEN,
            LOKET_BOARD_ALERTS_URL=receiver.url,
        )
        worker.start(ready=True)
        teller = Teller()
        stream.send(morning(teller))
        yield Scene(stream, worker, teller, receiver, f"http://127.0.0.1:{staff}", f"http://127.0.0.1:{public}")


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    """Open a page in a context of its own; nothing may go wrong in it."""
    wrong: list[str] = []
    contexts = []

    def open_page(address: str, viewport: dict[str, int] = PHONE, *, clock: bool = False) -> Page:
        context = browser.new_context(viewport=viewport, locale="en-US")  # type: ignore[arg-type]  # a dict with these keys
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SOON_MS)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
        if clock:
            page.clock.install()
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def test_a_queue_builds_up_on_the_page_and_goes_without_a_reload(scene: Scene, open_page: Any) -> None:
    page = open_page(f"{scene.staff}/unit?unit={QUIET}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Puskesmas Pamulang")
    expect(page.locator("#verdict .verdict")).to_have_attribute("data-queue", "nobody")
    expect(page.get_by_text("Data langsung")).to_be_visible()
    page.evaluate("window.mark = 'never loaded again'")
    tell = scene.teller.tell
    scene.tell(*(tell(QUIET, "ticket.issued", f"P{n}", service="poli", ago=59 + n) for n in range(3)))
    expect(page.locator("#waiting .value")).to_have_text("3")
    expect(page.locator("#verdict .verdict")).to_have_attribute("data-queue", "over")
    expect(page.locator("#verdict")).to_contain_text("Lewat target")
    expect(page.locator("#verdict")).to_contain_text(re.compile(r"terlama 1 jam \d menit \(target 1 jam\)"))
    scene.tell(*(tell(QUIET, "ticket.called", f"P{n}", counter="poli-2", employee="sari") for n in range(3)))
    expect(page.locator("#verdict .verdict")).to_have_attribute("data-queue", "nobody")
    expect(page.locator("#calls .number")).to_have_count(3)
    expect(page.locator("#calls")).to_contain_text("Loket poli-2")
    assert page.evaluate("window.mark") == "never loaded again"
    assert "sari" not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_it_speaks_both_languages_and_remembers_which(scene: Scene, open_page: Any) -> None:
    page = open_page(f"{scene.staff}/unit?unit={BUSY}")
    expect(page.locator("#verdict")).to_contain_text(
        re.compile(r"5 orang menunggu lebih lama dari targetnya; terlama \d\d menit")
    )
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Civil registry Ciputat")
    expect(page.locator("#verdict")).to_contain_text(
        re.compile(r"5 people have waited longer than .*; the longest \d\d min")
    )
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto(f"{scene.staff}/")
    expect(page.locator(f'[data-unit="{BUSY}"]')).to_contain_text("Over target")
    page.goto(f"{scene.staff}/unit?unit={BUSY}&lang=id")
    expect(page.locator("#verdict")).to_contain_text("Lewat target")


def test_an_alert_has_its_steps_and_is_taken_with_the_token_alone(scene: Scene, open_page: Any) -> None:
    scene.receiver.alerts = [alert("a1", BUSY), alert("a2", QUIET)]
    page, other = (open_page(f"{scene.staff}/unit?unit={BUSY}") for _ in range(2))
    card = page.locator('[data-alert="a1"]')
    expect(card).to_contain_text("12 orang menunggu lebih dari 30 menit")
    expect(card.locator(".steps li")).to_have_count(3)
    expect(card).to_contain_text("Buka loket lagi")
    expect(page.locator('[data-alert="a2"]')).to_have_count(0)
    card.get_by_role("button", name="Saya tangani").click()
    box = card.get_by_label("Nama Anda").bounding_box()
    assert box is not None
    assert box["width"] > PHONE["width"] / 2
    card.get_by_label("Nama Anda").fill("Ibu Ratna")
    card.get_by_label("Catatan").fill("Loket 4 <b>dibuka</b>")
    card.get_by_label("Token papan").fill("not the token of it")
    card.get_by_role("button", name="Catat").click()
    expect(card).to_contain_text("Token salah.")
    assert scene.receiver.told == []
    card.get_by_label("Token papan").fill(TOKEN)
    card.get_by_role("button", name="Catat").click()
    for seen in (card, other.locator('[data-alert="a1"]')):
        expect(seen).to_contain_text("Ditangani Ibu Ratna")
        expect(seen).to_contain_text("Loket 4 <b>dibuka</b>")
        expect(seen.get_by_role("button")).to_have_count(0)
    assert scene.receiver.told == [{"id": "a1", "by": "Ibu Ratna", "note": "Loket 4 <b>dibuka</b>"}]
    assert TOKEN not in page.url
    assert TOKEN not in scene.worker.process.output()
    assert page.evaluate("localStorage.getItem('loket-token')") is None


def test_what_somebody_writes_stays_while_figures_change(scene: Scene, open_page: Any) -> None:
    scene.receiver.alerts = [alert("a3", BUSY)]
    page = open_page(f"{scene.staff}/unit?unit={BUSY}")
    card = page.locator('[data-alert="a3"]')
    card.get_by_role("button", name="Saya tangani").click()
    card.get_by_label("Catatan").fill("half a sent")
    waiting = page.locator("#waiting .value")
    before = int(waiting.inner_text())
    scene.tell(scene.teller.tell(BUSY, "ticket.issued", "D099", service="info"))
    expect(waiting).to_have_text(str(before + 1))
    expect(card.get_by_label("Catatan")).to_have_value("half a sent")


def test_the_hall_shows_numbers_people_and_waits_and_nothing_of_staff(scene: Scene, open_page: Any) -> None:
    scene.receiver.alerts = [alert("a4", BUSY)]
    page = open_page(f"{scene.public}/hall?unit={BUSY}", SCREEN)
    expect(page.locator("#now .number")).to_have_text("B019")
    expect(page.locator("#now .to")).to_have_text("Loket 2")
    expect(page.locator("#before .number")).to_have_text(["A019", "C019", "A018", "B018"])
    expect(page.locator("#queue tbody tr").first).to_contain_text("KTP elektronik")
    expect(page.locator("#queue tbody tr").first).to_contain_text("± 22 menit")
    tall = page.evaluate("getComputedStyle(document.querySelector('#now .number')).fontSize")
    assert float(tall.removesuffix("px")) > 200
    assert page.evaluate("document.documentElement.scrollHeight") <= SCREEN["height"]
    for viewport in (PHONE, {"width": 1080, "height": 1920}, {"width": 1024, "height": 600}):
        page.set_viewport_size(viewport)
        for part in ("#now", "#queue", "#before"):
            hidden = page.locator(part).evaluate("part => part.scrollHeight - part.clientHeight")
            assert hidden <= 2, f"{part} at {viewport}"
    scene.tell(scene.teller.tell(BUSY, "ticket.called", "A090", counter="1", employee="e1"))
    expect(page.locator("#now .number")).to_have_text("A090")
    text = page.locator("body").inner_text()
    for word in ("target", "Peringatan", "12 orang", "e1"):
        assert word not in text
    for path in ("/unit", "/api/unit", "/api/overview"):
        answer = page.request.get(f"{scene.public}{path}?unit={BUSY}")
        assert answer.status == 404


def test_a_name_that_looks_like_a_page_is_text(scene: Scene, open_page: Any) -> None:
    tell = scene.teller.tell
    scene.tell(tell(NASTY, "ticket.issued", "N1", service="poli"), tell(NASTY, "ticket.called", "N1", counter="7"))
    for path in (f"/unit?unit={NASTY}", f"/hall?unit={NASTY}"):
        page = open_page(f"{scene.staff}{path}")
        expect(page.get_by_role("heading", level=1)).to_have_text(NASTY_NAME)
        expect(page.get_by_text("N1", exact=True)).to_be_visible()
        assert page.locator("img[src=x]").count() == 0
    page = open_page(f"{scene.staff}/")
    page.locator(f'[data-unit="{NASTY}"]').click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NASTY_NAME)


def test_a_unit_that_nobody_knows_is_said(scene: Scene, open_page: Any) -> None:
    page = open_page(f"{scene.staff}/unit?unit=no-such-unit")
    expect(page.get_by_role("alert")).to_contain_text("Unit ini tidak dikenal")
    page = open_page(f"{scene.staff}/unit")
    expect(page.get_by_role("alert")).to_contain_text("tidak menyebut unit yang sah")


def test_a_device_that_slept_does_not_show_what_it_had_as_the_present(scene: Scene, open_page: Any) -> None:
    page = open_page(f"{scene.staff}/unit?unit={BUSY}", clock=True)
    expect(page.locator("#verdict .verdict")).to_have_attribute("data-queue", "over")
    page.route("**/api/**", lambda route: route.abort())  # no network yet after waking up
    page.evaluate("const now = Date.now; Date.now = () => now() + 3600000")  # performance.now() stood still meanwhile
    expect(page.locator("#verdict .verdict")).to_have_attribute("data-queue", "stale")
    page.unroute("**/api/**")
    expect(page.locator("#verdict .verdict")).to_have_attribute("data-queue", "over")


def test_a_page_that_hears_nothing_shows_no_state_as_if_it_were_the_present(scene: Scene, open_page: Any) -> None:
    staff = open_page(f"{scene.staff}/unit?unit={BUSY}", clock=True)
    hall = open_page(f"{scene.staff}/hall?unit={BUSY}", SCREEN, clock=True)
    expect(staff.locator("#verdict .verdict")).to_have_attribute("data-queue", "over")
    expect(hall.locator("#now .number")).to_be_visible()
    scene.worker.process.pause()
    try:
        for page in (staff, hall):
            page.clock.fast_forward(16_000)
        expect(staff.get_by_role("alert")).to_contain_text("Tidak ada sambungan ke papan")
        expect(staff.locator("#verdict .verdict")).to_have_attribute("data-queue", "stale")
        expect(hall.get_by_role("alert")).to_contain_text("Informasi antrean sedang tidak terkini")
        expect(hall.locator("#now .number")).to_have_count(0)
    finally:
        scene.worker.process.resume()
    expect(staff.get_by_role("alert")).to_have_count(0)
    expect(hall.locator("#now .number")).to_be_visible()
