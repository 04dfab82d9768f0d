"""The screen in the hall holds what it shows, however long names, numbers and counters are and whatever its size."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from loket.domain.calendar import Calendar, DayHours, Schedule
from loket.domain.durations import HOUR, MINUTE
from loket.domain.policy import Names, ServicePolicy
from loket.settings import WorkerSettings
from loket.testing.builders import Office, unit_policy
from loket_streams.board import BoardServer
from support.browser import Browser
from support.exported import worker_of
from support.telling import Told

pytestmark = pytest.mark.browser

NAMES = (
    "Pelayanan pendaftaran pasien rawat jalan dan penjaminan BPJS",
    "Poli gigi dan mulut",
    "Poli umum",
    "Kesehatan ibu dan anak",
    "Farmasi",
    "Laboratorium",
    "Rekam medis",
)
CALLED = (
    ("A030", "loket-4"),
    ("2026-01-15/RAWAT-JALAN/0012", "poli-gigi-dan-mulut-2"),
    ("G-1234567", "12"),
    ("pabcdefghijklmnopqrstuvwxyz", "3"),
    ("2026-01-15/RAWAT-JALAN/0099", "poli-gigi-dan-mulut-2"),
)
SCREENS = ((1920, 1080), (1366, 768), (1024, 768), (3840, 2160), (1080, 1920), (390, 844))


@pytest.fixture
def board() -> Iterator[str]:
    """The address of a board whose one unit has long names and is in a break."""
    office = Office()
    now = int(office.at("12:30"))
    day = DayHours(((8 * HOUR, 16 * HOUR),), ((12 * HOUR, 13 * HOUR),))
    policy = replace(
        unit_policy({}),
        names=Names("Rumah Sakit Umum Daerah Kabupaten Tangerang Selatan – Instalasi Rawat Jalan"),
        calendar=Calendar((Schedule(1, (day,) * 7),)),
        services={f"s{number}": ServicePolicy(Names(name)) for number, name in enumerate(NAMES)},
    )
    told = Told(policy)
    for person in range(140):
        told.tell(office.issued(f"P{person}", at=int(office.at("10:00")) + person * MINUTE, service=f"s{person % 7}"))
    for minute, (number, counter) in enumerate(CALLED):
        told.tell(
            office.issued(number, at="11:00", service="s0"), office.called(number, at=f"12:0{minute}", counter=counter)
        )
    worker = worker_of([told.state], now, answered=now)
    server = BoardServer(WorkerSettings(board_port=0), worker, worker.clock)
    server.start()
    yield server.urls[0]
    server.stop()


def test_everything_fits(board: str, browser: Browser) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(f"{board}/hall?unit=u")
        expect(page.locator("#waiting")).to_have_text("140", timeout=60_000)
        expect(page.locator("#hours")).to_contain_text("Sedang istirahat")
        for width, height in SCREENS:
            page.set_viewport_size({"width": width, "height": height})
            # What is too long is made smaller when the page is drawn again, each second.
            for part in ("#now", "#queue", "#before"):
                page.wait_for_function(
                    "part => { const e = document.querySelector(part); return e.scrollHeight <= e.clientHeight + 2 }",
                    arg=part,
                    timeout=60_000,
                )
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, height)
            assert page.locator("#queue tbody tr").count() >= 2
    finally:
        context.close()
