"""Unit: how long people wait, where the time goes, and what is estimated for those whose wait nobody has seen whole."""

from __future__ import annotations

from loket_dashboards import figures
from loket_dashboards.language import Text
from loket_dashboards.page import Page
from loket_dashboards.parts import Column, Line
from loket_dashboards.promql import SERVICE, by, grown
from loket_dashboards.unit_levels import STEP

__all__ = ["estimates", "waits"]

NAMES = ("wait", "way", "service", "hold")


def waits(page: Page) -> None:
    """Waits of the last hour, their distribution, the same weekday before, and the stages of a visit."""
    page.row(Text("Waktu tunggu", "Waits"))
    buckets = grown("le", "loket_wait_seconds_bucket", "1h", SERVICE)
    target = by("", "loket_target_seconds", SERVICE, how="max")
    page.lines(
        Text("Waktu tunggu satu jam terakhir", "Waits of the last hour"),
        Text(
            "Perkiraan dari histogram, dari tunggu yang berakhir dengan panggilan. Yang masih menunggu ada di bawah "
            "“terlama”. Garis putus-putus: target terpanjang dari layanan yang dipilih.",
            "Estimated from a histogram, of waits that a call ended. Who still waits is in “longest”. Dashed: the "
            "longest target of the services chosen.",
        ),
        [
            Line(f"histogram_quantile(0.5, {buckets})", Text("median", "median")),
            Line(f"histogram_quantile(0.9, {buckets})", Text("90 % di bawah", "90 % below")),
            Line(figures.oldest_wait("", SERVICE), Text("terlama sekarang", "longest now")),
            Line(target, Text("target", "target"), dashed=True),
        ],
        unit="s",
    )
    page.heat(
        Text("Sebaran waktu tunggu", "Distribution of waits"),
        Text("Berapa orang dipanggil setelah berapa lama.", "How many people were called after how long."),
        grown("le", "loket_wait_seconds_bucket", "$__interval", SERVICE),
        every=STEP,
    )
    page.lines(
        Text("Menunggu, dan hari yang sama minggu lalu", "Waiting, and the same weekday before"),
        Text("Orang yang menunggu; putus-putus: tujuh hari sebelumnya.", "People waiting; dashed: seven days before."),
        [
            Line(by("", "loket_tickets_waiting", SERVICE), Text("sekarang", "now")),
            Line(
                by("", "loket_tickets_waiting", SERVICE, " offset 7d"),
                Text("minggu lalu", "a week before"),
                dashed=True,
            ),
        ],
    )
    stages = [
        Line(
            figures.share(
                grown("", f"loket_{stage}_seconds_sum", "1h", SERVICE),
                grown("", f"loket_{stage}_seconds_count", "1h", SERVICE),
                "",
            ),
            name,
        )
        for stage, name in zip(
            NAMES,
            (
                Text("menunggu", "waiting"),
                Text("menuju loket", "way"),
                Text("dilayani", "service"),
                Text("ditahan", "hold"),
            ),
            strict=True,
        )
    ]
    page.lines(
        Text("Ke mana waktu pergi", "Where the time goes"),
        Text(
            "Rata-rata satu jam terakhir untuk tiap tahap, masing-masing dari yang melaluinya.",
            "The mean of the last hour for each stage, each of those who went through it.",
        ),
        stages,
        unit="s",
        stacked=True,
    )


def estimates(page: Page) -> None:
    """Today's waits with who still waits and who left in them, and what who comes now has to expect."""
    name = f"name_{page.language}"
    page.table(
        Text("Perkiraan hari ini, menurut layanan", "Estimates of today, by service"),
        Text(
            "Yang datang sekarang: selama yang terakhir masuk layanan; kosong selama itu hanya tebakan, dan galatnya "
            "di sampingnya. Median dan 90 % menurut Kaplan-Meier dengan batas 95 %: yang masih menunggu atau pergi "
            "dihitung sebagai sudah menunggu sedikitnya selama itu. Kesabaran: median tunggu yang pergi.",
            "Who comes now: as long as the last who entered service; empty while that would be a guess, and its error "
            "beside it. Median and 90 % by Kaplan-Meier with bounds of 95 %: who still waits or left counts as having "
            "waited at least so long. Patience: the median wait of those who left.",
        ),
        "service",
        (
            Column(f"max by (service, {name}) (loket_service_info{{{SERVICE}}})", Text("", "")),
            Column(
                _of_service("loket_estimated_wait_seconds"),
                Text("Yang datang sekarang", "Who comes now"),
                "dtdurations",
            ),
            Column(
                _of_service("loket_estimated_wait_error_ratio"),
                Text("Galat perkiraan", "Error of it"),
                "percentunit",
                decimals=0,
            ),
            Column(_km("50", "value"), Text("Median", "Median"), "dtdurations"),
            Column(_km("50", "low"), Text("Median dari", "Median from"), "dtdurations"),
            Column(_km("50", "high"), Text("Median sampai", "Median to"), "dtdurations"),
            Column(_km("90", "value"), Text("90 % di bawah", "90 % below"), "dtdurations"),
            Column(_km("90", "low"), Text("90 % dari", "90 % from"), "dtdurations"),
            Column(_km("90", "high"), Text("90 % sampai", "90 % to"), "dtdurations"),
            Column(_of_service("loket_day_patience_median_seconds"), Text("Kesabaran", "Patience"), "dtdurations"),
        ),
        names={name: Text("Layanan", "Service"), "service": Text("Id", "Id")},
        hidden=("Value #A",),
        height=7,
    )


def _of_service(metric: str) -> str:
    return by("service", metric, SERVICE, how="max")


def _km(percentile: str, bound: str) -> str:
    return by("service", "loket_day_wait_km_seconds", f'{SERVICE},percentile="{percentile}",bound="{bound}"', how="max")
