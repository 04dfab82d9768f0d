"""Alerts as a table in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from loket.harmless import harmless
from loket.wire.instant import format_instant
from loket_consumers.alerts.keeping import UNTOLD_MS, Kept

__all__ = ["table"]

NOTHING: Final = "–"


def table(alerts: Sequence[Kept], now: int) -> Table:
    """A row for each alert, with its id to take it by, and below it what it said."""
    rows = Table(box=None, pad_edge=False, header_style="dim")
    rows.add_column("alert", overflow="fold")
    rows.add_column("since", no_wrap=True)
    rows.add_column("state", no_wrap=True)
    for column in ("taken after\n(min:s)", "normal after\n(min:s)"):
        rows.add_column(column, justify="right", no_wrap=True)
    for alert in alerts:
        rows.add_row(
            Text(harmless(f"{alert.name}\n{alert.summary_en or alert.summary_id}\n{alert.id}", "\n"), overflow="fold"),
            format_instant(alert.started_at)[:19] + "Z",
            Text(_state(alert, now), style="bold red" if alert.ended_at is None else ""),
            _minutes(alert.acknowledged_at, alert.started_at),
            _minutes(alert.ended_at, alert.started_at),
        )
    return rows


def _state(alert: Kept, now: int) -> str:
    if alert.ended_at is not None:
        return "over"
    if now - alert.told_at >= UNTOLD_MS:
        return "not known"
    return "fires" if alert.acknowledged_by is None else "taken"


def _minutes(instant: int | None, start: int) -> str:
    if instant is None:
        return NOTHING
    minutes, seconds = divmod(max(0, instant - start) // 1_000, 60)
    return f"{minutes:,}:{seconds:02}"
