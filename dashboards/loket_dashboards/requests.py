"""Requests: documents that outlive the visit, from days to hours. Open ones are shown beside, never dropped."""

from __future__ import annotations

from typing import Final

from loket_dashboards import figures, variables
from loket_dashboards.language import Language, Text
from loket_dashboards.page import Page
from loket_dashboards.parts import Column, Line
from loket_dashboards.promql import SERVICE, UNIT, by, gained, grown

__all__ = ["requests"]

HOURS: Final = (1, 2, 3, 6, 24)
"""Within which a document may be handed over: the edges that the ministry reports by."""


def requests(language: Language) -> Page:
    """The dashboard in a language."""
    page = Page(
        language,
        "requests",
        Text("Loket: Permohonan", "Loket: Requests"),
        Text(
            "Berapa permohonan terbuka, berapa lama sampai selesai, dan menurut jam yang mana.",
            "How many requests are open, how long they take, and by which of the clocks.",
        ),
        refresh="1m",
        since="now-7d",
    )
    variables.source(page)
    variables.unit(page)
    variables.services(page)
    page.links(("unit", variables.BOARDS["unit"]), ("city", variables.BOARDS["city"]))
    _now(page)
    _services(page)
    _time(page)
    return page


def _age(labels: str) -> str:
    start = f"min without (instance) (loket_oldest_request_start_timestamp_seconds{{{SERVICE}}})"
    return f"time() - min by ({labels}) ({start})"


def _level(labels: str, during: str) -> str:
    """The share of those judged in a time that ended within their target."""
    judged, breached = (
        f"({by(labels, f'loket_requests_{which}', SERVICE)} - "
        f"{by(labels, f'loket_requests_{which}', SERVICE, f' offset {during}')})"
        for which in ("judged", "breached")
    )
    return f"1 - {breached} / on ({labels}) ({judged} > 0)"


def _now(page: Page) -> None:
    page.number(
        Text("Data", "Data"),
        Text("Apakah data langsung; bila tidak, mengapa.", "Whether the data are live; if not, why."),
        figures.data_state(UNIT),
        words=figures.DATA_WORDS,
    )
    for title, description, name in (
        (
            Text("Terbuka", "Open"),
            Text("Diajukan dan belum selesai.", "Submitted and not ended."),
            "loket_requests_open",
        ),
        (
            Text("Menunggu warga", "Wait for the citizen"),
            Text(
                "Di antaranya yang ditangguhkan; jam warga tetap berjalan.",
                "Of them, suspended ones; the citizen's clock runs on.",
            ),
            "loket_requests_suspended",
        ),
        (
            Text("Lewat target", "Over target"),
            Text("Di antaranya yang targetnya sudah lewat.", "Of them, those whose target has passed."),
            "loket_requests_over_target",
        ),
    ):
        page.number(title, description, by("unit", name, SERVICE), decimals=0)
    page.number(
        Text("Terlama terbuka", "Oldest open"),
        Text("Sejak pengajuan, waktu kalender.", "Since the submission, by the wall clock."),
        _age("unit"),
        unit="dtdurations",
        nothing=Text("tidak ada yang terbuka", "none is open"),
    )
    page.number(
        Text("Dalam target", "Within target"),
        Text(
            "Dari yang dinilai dalam rentang waktu ini: selesai dalam target. Yang terbuka dinilai begitu targetnya "
            "lewat.",
            "Of those judged in this range of time: ended within target. Open ones are judged once their target "
            "passes.",
        ),
        _level("unit", "$__range"),
        unit="percentunit",
        decimals=1,
        nothing=Text("–", "–"),
    )


def _services(page: Page) -> None:
    name = f"name_{page.language}"
    early, ever = (
        by("service", f"loket_requests_{which}_total", SERVICE) for which in ("reopened_early", "ever_completed")
    )
    page.table(
        Text("Menurut layanan", "By service"),
        Text(
            "Keadaan sekarang, dan yang masuk dan selesai dalam rentang waktu ini. Sekali jadi: dari semua yang pernah "
            "selesai, yang tidak dibuka lagi dalam 30 hari; sampai saat itu sementara.",
            "The present, and what came and was completed in this range of time. First time right: of all ever "
            "completed, those not reopened within 30 days; provisional until then.",
        ),
        "service",
        (
            Column(by("service", "loket_requests_open", SERVICE), Text("Terbuka", "Open"), decimals=0),
            Column(by("service", "loket_requests_over_target", SERVICE), Text("Lewat target", "Over"), decimals=0),
            Column(_age("service"), Text("Terlama", "Oldest"), unit="dtdurations"),
            Column(
                by("service", "loket_request_target_seconds", SERVICE, how="max"),
                Text("Target", "Target"),
                unit="dtdurations",
            ),
            Column(
                gained("service", "loket_requests_submitted_total", "$__range", SERVICE),
                Text("Masuk", "Submitted"),
                decimals=0,
            ),
            Column(
                gained("service", "loket_requests_completed_total", "$__range", SERVICE),
                Text("Selesai", "Completed"),
                decimals=0,
            ),
            Column(
                f"1 - ({early}) / on (service) (({ever}) > 0)",
                Text("Sekali jadi", "First time right"),
                unit="percentunit",
                decimals=1,
            ),
            Column(f"max by (service, {name}) (loket_service_info{{{SERVICE}}})", Text("", "")),
        ),
        names={name: Text("Layanan", "Service"), "service": Text("Id", "Id")},
        worst=Text("Terbuka", "Open"),
        hidden=("Value #H",),
        height=8,
    )


def _time(page: Page) -> None:
    page.lines(
        Text("Tumpukan", "Backlog"),
        Text("Permohonan terbuka sepanjang waktu.", "Open requests over time."),
        [
            Line(by("", "loket_requests_open", SERVICE), Text("terbuka", "open")),
            Line(by("", "loket_requests_suspended", SERVICE), Text("menunggu warga", "wait for the citizen")),
            Line(by("", "loket_requests_over_target", SERVICE), Text("lewat target", "over target")),
        ],
    )
    page.lines(
        Text("Masuk dan selesai", "Submitted and completed"),
        Text("Permohonan untuk tiap batang.", "Requests for each bar."),
        [
            Line(gained("", "loket_requests_submitted_total", "$__interval", SERVICE), Text("masuk", "submitted")),
            Line(gained("", "loket_requests_completed_total", "$__interval", SERVICE), Text("selesai", "completed")),
        ],
        bars=True,
        every="1h",
    )
    page.lines(
        Text("Lama proses, menurut ketiga jam", "Turnaround, by the three clocks"),
        Text(
            "Median dari yang selesai dalam 24 jam terakhir, dari histogram. Perbaikan hanya diakui bila jam warga "
            "bergerak. Yang masih terbuka tidak di dalamnya: lihat “terlama terbuka”.",
            "The median of those completed in the last 24 hours, from a histogram. An improvement counts only if the "
            "citizen's clock moved. Open ones are not in it: see “oldest open”.",
        ),
        [
            Line(_quantile(0.5, "citizen"), Text("jam warga", "citizen's clock")),
            Line(_quantile(0.5, "citizen_service"), Text("jam warga, jam layanan", "citizen's, in service hours")),
            Line(_quantile(0.5, "legal"), Text("jam hukum (berkas lengkap)", "legal clock (papers complete)")),
            Line(_quantile(0.5, "task"), Text("jam kerja", "task clock")),
            Line(
                _quantile(0.9, "citizen"), Text("jam warga, 90 % di bawah", "citizen's clock, 90 % below"), dashed=True
            ),
        ],
        unit="s",
    )
    whole = grown("", "loket_request_citizen_seconds_count", "7d", SERVICE)
    page.lines(
        Text("Dari hari ke jam", "From days to hours"),
        Text(
            "Bagian yang selesai dalam sekian jam menurut jam warga, dari yang selesai dalam tujuh hari terakhir.",
            "The share completed within so many hours by the citizen's clock, of those completed in the last seven "
            "days.",
        ),
        [
            Line(
                figures.share(
                    grown("", "loket_request_citizen_seconds_bucket", "7d", f"{SERVICE},{_within(hours)}"), whole, ""
                ),
                Text(f"{hours} jam", f"{hours} h"),
            )
            for hours in HOURS
        ],
        unit="percentunit",
        most=1,
    )


def _quantile(share: float, clock: str) -> str:
    return f"histogram_quantile({share}, {grown('le', f'loket_request_{clock}_seconds_bucket', '1d', SERVICE)})"


def _within(hours: int) -> str:
    """Prometheus 3 writes whole bounds with .0, as the exporter does; others may not."""
    return f'le=~"{3_600 * hours}(\\\\.0)?"'
