"""Unit: what happens in one unit and why, for its supervisor."""

from __future__ import annotations

from loket_dashboards import figures, variables
from loket_dashboards.language import Language, Text
from loket_dashboards.page import Page
from loket_dashboards.parts import Column, Line
from loket_dashboards.promql import SERVICE, UNIT, by, gained, named
from loket_dashboards.unit_levels import STEP, budget, levels, unusual
from loket_dashboards.unit_waits import estimates, waits

__all__ = ["unit"]


def unit(language: Language) -> Page:
    """The dashboard in a language."""
    page = Page(
        language,
        "unit",
        Text("Loket: Unit", "Loket: Unit"),
        Text(
            "Satu unit: siapa menunggu, berapa lama, apa yang memakan waktu.",
            "One unit: who waits, for how long, and what takes the time.",
        ),
    )
    variables.source(page)
    variables.unit(page)
    variables.services(page)
    page.links(
        ("city", variables.BOARDS["city"]),
        ("hall", variables.BOARDS["hall"]),
        ("employees", variables.BOARDS["employees"]),
        ("requests", variables.BOARDS["requests"]),
        ("history", variables.BOARDS["history"]),
    )
    _now(page)
    _services(page)
    waits(page)
    estimates(page)
    _flow(page)
    levels(page)
    budget(page)
    unusual(page)
    return page


def _now(page: Page) -> None:
    page.row(Text("Sekarang", "Now"))
    page.number(
        Text("Data", "Data"),
        Text("Apakah data langsung; bila tidak, mengapa.", "Whether the data are live; if not, why."),
        figures.data_state(UNIT),
        words=figures.DATA_WORDS,
    )
    page.number(
        Text("Menunggu", "Waiting"),
        Text("Orang yang menunggu dipanggil.", "People who wait to be called."),
        by("unit", "loket_tickets_waiting", SERVICE),
        decimals=0,
    )
    page.number(
        Text("Lewat target", "Over target"),
        Text("Di antaranya yang menunggu lebih lama dari target.", "Of them, who waits for longer than the target."),
        by("unit", "loket_tickets_over_target", SERVICE),
        decimals=0,
    )
    page.number(
        Text("Tunggu terlama", "Longest wait"),
        Text("Tunggu terlama yang sedang berjalan.", "The longest wait that goes on."),
        figures.oldest_wait("unit", SERVICE),
        unit="dtdurations",
        nothing=Text("tidak ada yang menunggu", "nobody waits"),
    )
    page.number(
        Text("Loket buka", "Counters open"),
        Text("Loket yang buka sekarang.", "Counters that are open now."),
        figures.counters_open("unit", UNIT),
        decimals=0,
    )
    page.number(
        Text("Sesi aktif", "Sessions active"),
        Text("Loket dengan pegawai yang tidak sedang jeda.", "Counters with somebody in session who is not paused."),
        by("unit", "loket_sessions_active", UNIT),
        decimals=0,
    )


def _services(page: Page) -> None:
    language = str(page.language)
    name = f"name_{language}"
    worst = Text("Terlama / target", "Longest / target")
    by_service = "unit, service"
    page.table(
        Text("Menurut layanan", "By service"),
        Text(
            "Keadaan tiap layanan sekarang dan hari layanan ini.",
            "Each service as it is now, and on this service day.",
        ),
        "service",
        (
            Column(f"max by (service, {name}) (loket_service_info{{{SERVICE}}})", Text("", "")),
            Column(by("service", "loket_tickets_waiting", SERVICE), Text("Menunggu", "Waiting"), decimals=0),
            Column(
                by("service", "loket_tickets_over_target", SERVICE), Text("Lewat target", "Over target"), decimals=0
            ),
            Column(figures.oldest_wait("service", SERVICE), Text("Terlama", "Longest"), unit="dtdurations"),
            Column(
                figures.oldest_share("service", SERVICE),
                worst,
                unit="percentunit",
                decimals=0,
                thresholds=((None, "green"), (figures.NEAR, "orange"), (1, "red")),
            ),
            Column(
                by("service", "loket_target_seconds", SERVICE, how="max"), Text("Target", "Target"), unit="dtdurations"
            ),
            Column(
                by("service", "loket_target_ratio", SERVICE, how="max"),
                Text("Tujuan", "Objective"),
                unit="percentunit",
                decimals=0,
            ),
            Column(
                figures.level("service", SERVICE),
                Text("Tingkat (live)", "Level (live)"),
                unit="percentunit",
                decimals=1,
            ),
            Column(by("service", "loket_day_tickets_issued", SERVICE), Text("Datang", "Arrived"), decimals=0),
            Column(by("service", "loket_day_served", SERVICE), Text("Dilayani", "Served"), decimals=0),
        ),
        names={name: Text("Layanan", "Service"), "service": Text("Id", "Id")},
        worst=worst,
        hidden=("Value #A",),
        height=8,
    )
    page.lines(
        Text("Menunggu, menurut layanan", "Waiting, by service"),
        Text("Orang yang menunggu dipanggil.", "People who wait to be called."),
        [Line(named(by(by_service, "loket_tickets_waiting", SERVICE), language), f"{{{{{name}}}}}")],
        stacked=True,
        width=24,
    )


def _flow(page: Page) -> None:
    page.row(Text("Datang, dilayani, pergi", "Arrived, served, left"))
    during = "$__interval"
    page.lines(
        Text("Datang dan dilayani", "Arrived and served"),
        Text(
            "Orang untuk tiap batang; layanan yang datang lebih banyak daripada yang dilayani menumpuk antrean.",
            "People for each bar; where more come than are served, a queue builds up.",
        ),
        [
            Line(gained("", "loket_tickets_issued_total", during, SERVICE), Text("datang", "arrived")),
            Line(gained("", "loket_served_total", during, SERVICE), Text("dilayani", "served")),
        ],
        bars=True,
        every=STEP,
    )
    page.lines(
        Text("Pergi dan tidak datang", "Left and did not come"),
        Text(
            "Satu angka dengan dua bagian, karena ruang tunggu jarang tahu siapa yang pergi: yang pergi selagi "
            "menunggu, dan yang dipanggil tetapi tidak datang.",
            "One figure with two parts, as halls rarely know who left: who left while waiting, and who was called and "
            "did not come.",
        ),
        [
            Line(_closed("abandoned", during), Text("pergi", "left")),
            Line(_closed("no_show", during), Text("dipanggil, tidak datang", "called, nobody came")),
        ],
        bars=True,
        stacked=True,
        every=STEP,
    )


def _closed(outcome: str, during: str) -> str:
    return gained("", "loket_tickets_closed_total", during, f'{SERVICE},outcome="{outcome}"')
