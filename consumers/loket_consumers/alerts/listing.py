"""Alerts as text for a terminal."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from loket.harmless import harmless
from loket.wire.instant import format_instant
from loket_consumers.alerts.keeping import UNTOLD_MS, Kept

__all__ = ["lines"]

_BOLD: Final = {"fires": "bold red", "taken": "bold"}


def lines(alert: Kept, now: int) -> list[Text]:
    """What an alert says, how it stands, and the id by which somebody takes it: a line each, to be wrapped anywhere."""
    state = _state(alert, now)
    since = format_instant(alert.started_at)[:19] + "Z"
    told = Text.assemble((state, _BOLD.get(state, "")), f"  {harmless(alert.name)} since {since}")
    if alert.acknowledged_at is not None:
        note = f": {alert.note}" if alert.note else ""
        told.append(
            f", taken after {_minutes(alert.acknowledged_at - alert.started_at)} "
            + harmless(f"by {alert.acknowledged_by}{note}")
        )
    if alert.ended_at is not None:
        told.append(f", normal after {_minutes(alert.ended_at - alert.started_at)}")
    summary = harmless(alert.summary_en or alert.summary_id)
    return [told, Text(f"  {summary}"), Text(f"  {alert.id}", style="dim")]


def _state(alert: Kept, now: int) -> str:
    if alert.ended_at is not None:
        return "over"
    if now - alert.told_at >= UNTOLD_MS:
        return "not known"
    return "fires" if alert.acknowledged_by is None else "taken"


def _minutes(ms: int) -> str:
    minutes, seconds = divmod(max(0, ms) // 1_000, 60)
    return f"{minutes:,}:{seconds:02} min"
