"""City: one row for each unit, the worst first."""

from __future__ import annotations

from loket_dashboards import figures, variables
from loket_dashboards.language import Language, Text
from loket_dashboards.page import Page
from loket_dashboards.parts import Column
from loket_dashboards.promql import by

__all__ = ["city"]


def city(language: Language) -> Page:
    """The dashboard in a language."""
    page = Page(
        language,
        "city",
        Text("Loket: Kota", "Loket: City"),
        Text("Semua unit, yang terburuk di atas.", "All units, the worst first."),
        refresh="15s",
    )
    variables.source(page)
    page.links(("pipeline", variables.BOARDS["pipeline"]), ("history", variables.BOARDS["history"]))
    _now(page)
    _units(page)
    return page


def _now(page: Page) -> None:
    page.number(
        Text("Data", "Data"),
        Text(
            "Apakah jalur data hidup. Selama putus, angka di bawah bukan keadaan sekarang.",
            "Whether the pipeline is alive. While it is away, the figures below are not the present.",
        ),
        f'({figures.AWAY} * absent(up{{job="loket-worker"}} == 1)) '
        f"or on () {figures.late('')} or on () vector({figures.LIVE})",
        words={code: words for code, words in figures.DATA_WORDS.items() if code != figures.NO_UNIT},
        width=6,
    )
    page.number(
        Text("Menunggu sekarang", "Waiting now"),
        Text("Orang yang menunggu dipanggil, di semua unit.", "People who wait to be called, in all units."),
        by("", "loket_tickets_waiting"),
        decimals=0,
        width=4,
    )
    page.number(
        Text("Lewat target", "Over target"),
        Text("Di antaranya yang menunggu lebih lama dari target.", "Of them, who waits for longer than the target."),
        by("", "loket_tickets_over_target"),
        decimals=0,
        width=4,
        steps=((None, "text"), (1, "orange")),
    )
    page.number(
        Text("Terlama menunggu", "Longest wait"),
        Text("Tunggu terlama yang sedang berjalan, di semua unit.", "The longest wait that goes on, in all units."),
        figures.oldest_wait("", ""),
        unit="dtdurations",
        width=5,
        nothing=Text("tidak ada yang menunggu", "nobody waits"),
    )
    page.number(
        Text("Tingkat layanan hari ini", "Level today"),
        Text(
            "Bagian orang yang dipanggil dalam target, dari semua yang sudah dinilai hari layanan ini (live).",
            "The share of people called within target, of all judged on this service day (live).",
        ),
        figures.level("", ""),
        unit="percentunit",
        decimals=1,
        width=5,
    )


def _units(page: Page) -> None:
    name = f"name_{page.language}"
    worst = Text("Terlama / target", "Longest / target")
    page.table(
        Text("Unit", "Units"),
        Text(
            "Diurutkan menurut tunggu terlama terhadap target layanannya. Klik nama untuk membuka unit.",
            "Sorted by the longest wait against its service's target. Click a name to open the unit.",
        ),
        "unit",
        (
            Column(f"max by (unit, {name}) (loket_unit_info)", Text("", "")),
            Column(figures.city_state(), Text("Data", "Data"), words=figures.DATA_WORDS),
            Column(by("unit", "loket_tickets_waiting"), Text("Menunggu", "Waiting"), decimals=0),
            Column(figures.oldest_wait("unit", ""), Text("Terlama", "Longest"), unit="dtdurations"),
            Column(
                figures.oldest_share("unit", ""),
                worst,
                unit="percentunit",
                decimals=0,
                thresholds=((None, "green"), (figures.NEAR, "orange"), (1, "red")),
            ),
            Column(by("unit", "loket_tickets_over_target"), Text("Lewat target", "Over target"), decimals=0),
            Column(figures.level("unit", ""), Text("Tingkat hari ini", "Level today"), unit="percentunit", decimals=1),
            Column(figures.counters_open("unit", ""), Text("Loket buka", "Counters open"), decimals=0),
            Column(
                figures.alerts_firing(),
                Text("Peringatan", "Alerts"),
                decimals=0,
                thresholds=((None, "text"), (1, "red")),
            ),
            Column(figures.age("unit", ""), Text("Umur data", "Age of data"), unit="dtdurations"),
        ),
        names={name: Text("Unit", "Unit"), "unit": Text("Id", "Id")},
        worst=worst,
        hidden=("Value #A",),
        link=(name, "unit"),
        height=18,
    )
