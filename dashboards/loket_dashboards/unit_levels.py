"""Unit: the service level, the budget of breached waits, and what is unusual."""

from __future__ import annotations

from loket_dashboards import figures
from loket_dashboards.alerts.burn import burn
from loket_dashboards.language import Text
from loket_dashboards.page import Page
from loket_dashboards.parts import Column, Line
from loket_dashboards.promql import SERVICE, by, gained

__all__ = ["STEP", "budget", "levels", "unusual"]

STEP = "30m"
"""What a bar counts, where the range of the dashboard asks for nothing longer."""


def levels(page: Page) -> None:
    """How much was called in time, in both meanings, with who was called and did not come beside."""
    page.row(Text("Tingkat layanan", "Service level"))
    objective = by("", "loket_target_ratio", SERVICE, how="min")
    page.lines(
        Text("Tingkat layanan hari ini", "Level today"),
        Text(
            "live: dari semua yang dinilai, juga yang masih menunggu; answered: hanya dari yang dipanggil. "
            "Antrean yang tidak dipanggil menurunkan live saja. Putus-putus: tujuan terendah dari layanan yang "
            "dipilih.",
            "live: of all judged, who still waits too; answered: of those called alone. A queue that nobody calls "
            "lowers live alone. Dashed: the lowest objective of the services chosen.",
        ),
        [
            Line(figures.level("unit", SERVICE), Text("live", "live")),
            Line(figures.answered_level("unit", SERVICE), Text("answered", "answered")),
            Line(objective, Text("tujuan", "objective"), dashed=True),
        ],
        unit="percentunit",
        most=1,
    )
    during = "$__range"
    page.number(
        Text("live", "live"),
        Text("1 − lewat / dinilai, hari layanan ini.", "1 − breached / judged, on this service day."),
        figures.level("unit", SERVICE),
        unit="percentunit",
        decimals=1,
        height=8,
        nothing=Text("–", "–"),
    )
    page.number(
        Text("answered", "answered"),
        Text("Dipanggil dalam target / dipanggil, hari layanan ini.", "Called within target / called, on this day."),
        figures.answered_level("unit", SERVICE),
        unit="percentunit",
        decimals=1,
        height=8,
        nothing=Text("–", "–"),
    )
    page.number(
        Text("Dipanggil, tidak datang", "Called, nobody came"),
        Text(
            "Orang dalam rentang waktu ini yang dihitung sebagai dipanggil tetapi tidak datang.",
            "People in this range of time who count as called, and did not come.",
        ),
        gained("", "loket_calls_nobody_came_total", during, SERVICE),
        decimals=0,
        height=8,
    )


def budget(page: Page) -> None:
    """What is left of the budget of breached waits, and how fast it is spent."""
    page.row(Text("Jatah keterlambatan", "Error budget"))
    name = f"name_{page.language}"
    spans = {
        "1h": Text("satu jam layanan", "one service hour"),
        "3h": Text("tiga jam layanan", "three service hours"),
        "1d": Text("satu hari layanan", "one service day"),
        "5d": Text("lima hari layanan", "five service days"),
    }
    page.table(
        Text("Jatah dan pemakaiannya", "Budget and burn"),
        Text(
            "Sisa jatah bulan ini, juga dalam jam layanan: selama itu jatah cukup pada laju 1; orang yang masih boleh "
            "melewati target dari yang dinilai dalam lima hari layanan; "
            "dan berapa kali lebih cepat dari yang boleh jatah terpakai. Di atas 1 jatah habis sebelum waktunya.",
            "What is left of this month's budget, in service hours too: so long it lasts at a burn of 1; how many "
            "people may still be breached of those judged in five "
            "service days; and how many times faster than allowed the budget is spent. Above 1 it is used up before "
            "its time.",
        ),
        "service",
        (
            Column(f"max by (service, {name}) (loket_service_info{{{SERVICE}}})", Text("", "")),
            Column(
                by("service", "loket_budget_left_ratio", SERVICE, how="min"),
                Text("Sisa bulan ini", "Left this month"),
                unit="percentunit",
                decimals=0,
                thresholds=((None, "red"), (0, "text")),
            ),
            Column(
                f"{by('service', 'loket_budget_left_seconds', SERVICE, how='min')} / 3600",
                Text("Sisa, jam layanan", "Left, service hours"),
                decimals=1,
                thresholds=((None, "red"), (0, "text")),
            ),
            Column(_people_left(), Text("Orang tersisa (5 hari)", "People left (5 days)"), decimals=0),
            *(
                Column(
                    f"max by (service) ({burn(window, 1, SERVICE)})",
                    Text(f"Laju, {span.id}", f"Burn, {span.en}"),
                    decimals=1,
                )
                for window, span in spans.items()
            ),
        ),
        names={name: Text("Layanan", "Service"), "service": Text("Id", "Id")},
        hidden=("Value #A",),
        height=7,
    )


def _people_left() -> str:
    judged, breached = (
        by("service", f"loket_window_{which}", f'{SERVICE},window="5d"') for which in ("judged", "breached")
    )
    allowed = f"(1 - {by('service', 'loket_target_ratio', SERVICE, how='max')})"
    return f"({allowed} * on (service) {judged}) - on (service) {breached}"


def unusual(page: Page) -> None:
    """What is worth a question, and proves nothing."""
    page.row(Text("Tidak biasa", "Unusual"))
    below, above = (
        gained("", "loket_waits_near_target_total", "$__interval", f'{SERVICE},side="{side}"')
        for side in ("below", "above")
    )
    page.lines(
        Text("Panggilan dekat target", "Calls near the target"),
        Text(
            "Panggilan tepat di bawah (90–100 %) dan tepat di atas (100–110 %) target. Jauh lebih banyak di bawah "
            "daripada di atas itu tidak biasa dan patut ditanyakan; bukan bukti.",
            "Calls just below (90–100 %) and just above (100–110 %) the target. Many more below than above is unusual "
            "and worth a question; it is no proof.",
        ),
        [
            Line(below, Text("tepat di bawah", "just below")),
            Line(above, Text("tepat di atas", "just above")),
        ],
        bars=True,
        every=STEP,
    )
    page.lines(
        Text("Dipanggil lagi", "Called again"),
        Text(
            "Panggilan yang disusul kembali ke antrean: memanggil semua orang sekali akan menghentikan semua jam.",
            "Calls that a requeue followed: calling everybody once would stop every clock.",
        ),
        [Line(gained("", "loket_calls_again_total", "$__interval", SERVICE), Text("dipanggil lagi", "called again"))],
        bars=True,
        every=STEP,
    )
