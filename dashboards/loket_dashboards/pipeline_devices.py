"""Pipeline: what stands in the halls and sends, and how near its names are to their limits."""

from __future__ import annotations

from loket_dashboards import figures
from loket_dashboards.language import Text
from loket_dashboards.page import Page
from loket_dashboards.parts import Column, Line
from loket_dashboards.promql import by, one, select

__all__ = ["devices", "limits"]

SILENT_S = 180
"""Three heartbeats."""


def devices(page: Page) -> None:
    """Counters that are silent, outboxes, clocks."""
    page.row(Text("Perangkat", "Devices"))
    heard = f"time() - {one('loket_counter_last_event_timestamp_seconds')}"
    page.table(
        Text("Loket yang diam", "Silent counters"),
        Text(
            "Loket buka yang tidak terdengar tiga detak lamanya, terlama di atas.",
            "Counters that are open and were not heard for three heartbeats, the longest first.",
        ),
        "counter",
        (
            Column(
                f"topk(50, ({heard} > {SILENT_S}) and on (unit, counter) ({one('loket_counter_open')} == 1))",
                Text("Diam", "Silent for"),
                unit="dtdurations",
            ),
        ),
        names={"unit": Text("Unit", "Unit"), "counter": Text("Loket", "Counter")},
        worst=Text("Diam", "Silent for"),
        hidden=("instance", "job"),
        width=12,
        height=8,
    )
    page.lines(
        Text("Kotak keluar", "Outboxes"),
        Text("Peristiwa yang menunggu di perangkat, menurut detak terakhirnya.", "Events that wait in the devices."),
        [Line(by("unit", "loket_counter_outbox_pending"), "{{unit}}")],
        width=12,
    )
    page.lines(
        Text("Galat jam", "Clock error"),
        Text(
            "Berapa jam perangkat di belakang broker; di bawah 0: di depan.", "How far devices are behind the broker."
        ),
        [
            Line(
                f"topk(10, abs({one('loket_source_clock_error_seconds')}))",
                "{{unit}} {{source}}",
            )
        ],
        unit="s",
        width=12,
    )
    page.lines(
        Text("Penundaan kirim", "Sending delay"),
        Text("Terlama antara peristiwa dan pengirimannya.", "The longest time between an event and its sending."),
        [Line(f"topk(10, {one('loket_source_delay_seconds')})", "{{unit}} {{source}}")],
        unit="s",
        width=12,
    )


def limits(page: Page) -> None:
    """Names beyond the budgets, units that nobody named, writes of others."""
    page.row(Text("Batas", "Limits"))
    used, allowed = (by("unit, kind", f"loket_label_budget_{which}", how="max") for which in ("used", "allowed"))
    page.lines(
        Text("Pemakaian jatah nama", "Label budgets"),
        Text(
            "Sepuluh yang paling penuh; di atas 100 % sisanya dihitung sebagai other.", "The ten that are the fullest."
        ),
        [Line(f"topk(10, {figures.share(used, allowed, 'unit, kind')})", "{{unit}} {{kind}}")],
        unit="percentunit",
        width=12,
    )
    page.number(
        Text("Unit tanpa targets.yaml", "Units that no target names"),
        Text("Loket yang terlupa saat penyiapan.", "Counters that were forgotten in the set-up."),
        f"count({by('unit', 'loket_unit_known', how='max')} == 0) or vector(0)",
        decimals=0,
        width=6,
        height=8,
    )
    page.number(
        Text("Penulisan asing", "Foreign writes"),
        Text(
            "Kali pekerja lain ditemukan menulis simpanan partisi kami; harus 0.",
            "Times that another worker wrote to the changelog of a partition of ours; should be 0.",
        ),
        f"sum({select('loket_foreign_writes_total')})",
        decimals=0,
        width=6,
        height=8,
    )
