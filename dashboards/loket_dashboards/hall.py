"""Hall: the wall display of one unit, readable from five metres; its state by words and shape, not only by colour."""

from __future__ import annotations

from loket_dashboards import figures, variables
from loket_dashboards.language import Language, Text
from loket_dashboards.page import Page
from loket_dashboards.promql import UNIT, by, named, shown

__all__ = ["hall"]

BIG = 110
"""Pixels: on a screen of 1 m and 1080 lines five centimetres, which is read from over ten metres."""


def hall(language: Language) -> Page:
    """The dashboard in a language."""
    page = Page(
        language,
        "hall",
        Text("Loket: Ruang tunggu", "Loket: Hall"),
        Text("Layar dinding satu unit.", "The wall display of one unit."),
        refresh="10s",
        since="now-1h",
    )
    variables.source(page)
    variables.unit(page)
    page.number(
        Text("Antrean", "Queue"),
        Text(
            "Tunggu terlama terhadap target: dalam, mendekati (dari 80 %), lewat. Kosong selama data bukan keadaan "
            "sekarang.",
            "The longest wait against its target: within, near (from 80 %), over. Empty while the data are not the "
            "present.",
        ),
        figures.hall_state(UNIT),
        words=figures.HALL_WORDS,
        width=16,
        height=7,
        big=BIG,
        nothing=Text("✖ Tidak ada data", "✖ No data"),
    )
    page.number(
        Text("Data", "Data"),
        Text("Apakah data langsung; bila tidak, mengapa.", "Whether the data are live; if not, why."),
        figures.data_state(UNIT),
        words=figures.DATA_WORDS,
        width=8,
        height=7,
        big=56,
    )
    page.number(
        Text("Menunggu", "Waiting"),
        Text("Orang yang menunggu sekarang.", "People who wait now."),
        figures.fresh(by("unit", "loket_tickets_waiting", UNIT), UNIT),
        decimals=0,
        width=8,
        height=8,
        big=BIG,
    )
    page.number(
        Text("Tunggu terlama", "Longest wait"),
        Text("Tunggu terlama yang sedang berjalan.", "The longest wait that goes on."),
        figures.fresh(figures.oldest_wait("unit", UNIT), UNIT),
        unit="dtdurations",
        width=8,
        height=8,
        big=BIG,
        nothing=Text("–", "–"),
    )
    page.number(
        Text("Target", "Target"),
        Text(
            "Target layanan dengan tunggu terlama saat ini; bila tidak ada yang menunggu, target terpendek unit.",
            "The target of the service with the longest wait now; while nobody waits, the unit's shortest target.",
        ),
        _target_now(),
        unit="dtdurations",
        width=8,
        height=8,
        big=BIG,
        nothing=Text("–", "–"),
    )
    page.number(
        Text("Tingkat layanan hari ini", "Level today"),
        Text("Bagian orang yang dipanggil dalam target (live).", "The share of people called within target (live)."),
        figures.level("unit", UNIT),
        unit="percentunit",
        decimals=0,
        width=6,
        height=8,
        big=BIG,
        nothing=Text("–", "–"),
    )
    page.number(
        Text("Dilayani hari ini", "Served today"),
        Text("Orang yang layanannya selesai hari layanan ini.", "People whose service was completed on this day."),
        by("unit", "loket_day_served", UNIT),
        decimals=0,
        width=6,
        height=8,
        big=BIG,
    )
    page.number(
        Text("Satu jam terakhir", "In the last hour"),
        Text(
            "Orang yang layanannya selesai satu jam terakhir.", "People whose service was completed in the last hour."
        ),
        shown("unit", "loket_day_served", "1h", UNIT),
        decimals=0,
        width=6,
        height=8,
        big=BIG,
    )
    page.number(
        Text("Loket buka", "Counters open"),
        Text("Loket yang buka sekarang.", "Counters that are open now."),
        figures.fresh(figures.counters_open("unit", UNIT), UNIT),
        decimals=0,
        width=6,
        height=8,
        big=BIG,
        nothing=Text("–", "–"),
    )
    name = f"name_{language}"
    page.number(
        Text("Yang datang sekarang menunggu kira-kira", "Who comes now waits for about"),
        Text(
            "Menurut layanan: selama yang terakhir masuk layanan hari ini. Kosong selama itu hanya tebakan, dan selama "
            "data bukan keadaan sekarang.",
            "By service: as long as the last who entered service today. Empty while that would be a guess, and while "
            "the data are not the present.",
        ),
        figures.fresh(named(by("unit, service", "loket_estimated_wait_seconds", UNIT, how="max"), language), UNIT),
        legend=f"{{{{{name}}}}}",
        unit="dtdurations",
        width=24,
        height=5,
        nothing=Text("–", "–"),
    )
    return page


def _target_now() -> str:
    start = f"min without (instance) (loket_oldest_wait_start_timestamp_seconds{{{UNIT}}})"
    target = f"max without (instance) (loket_target_seconds{{{UNIT}}})"
    longest = f"topk(1, (time() - {start}) and on (unit, service) {target})"
    return f"(max by (unit) ({target} and on (unit, service) {longest})) or on (unit) (min by (unit) ({target}))"
