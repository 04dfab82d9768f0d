"""The figures of the record as tables in a terminal."""

from __future__ import annotations

from msgspec import UnsetType
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loket.domain.summary import EmployeeFigures, UnitFigures
from loket.harmless import harmless
from loket.wire.figures import RecordFigures

__all__ = ["show"]

NOTHING = "–"


def show(figures: RecordFigures) -> None:
    """Print the rows, and what was refused, repeated or late."""
    console = Console()
    console.print(Text(f"The record at {figures.now}"))
    console.print(_units(figures.units))
    if figures.employees:
        console.print(_employees(figures.employees))
    counts = {
        "rejected": len(figures.rejected),
        "duplicates": figures.duplicates,
        "contradictions": figures.contradictions,
        "late": figures.late,
        "foreign": figures.foreign,
        "not yet": figures.not_yet,
        "skewed": figures.skewed,
    }
    console.print(Text(", ".join(f"{name} {number}" for name, number in counts.items())))
    if figures.unknown_units:
        console.print(
            Text(
                f"units that the targets do not know: {', '.join(map(harmless, figures.unknown_units))}", style="yellow"
            )
        )


def _units(rows: list[UnitFigures]) -> Table:
    table = Table()
    for name in ("unit", "service"):
        table.add_column(name)
    for name in ("issued", "answered", "waiting", "served", "level", "median wait", "p90"):
        table.add_column(name, justify="right")
    for row in rows:
        level = NOTHING
        if not isinstance(row.levels, UnsetType) and row.levels.live is not None:
            level = f"{100 * row.levels.live:.1f} %"
        table.add_row(
            Text(harmless(row.unit)),
            Text(harmless(row.service or "(all)"), style="" if row.service else "bold"),
            str(row.issued),
            str(row.answered),
            str(row.waiting),
            str(row.served),
            level,
            _seconds(row.wait_median_s),
            _seconds(row.wait_p90_s),
        )
    return table


def _employees(rows: list[EmployeeFigures]) -> Table:
    table = Table()
    for name in ("unit", "employee"):
        table.add_column(name)
    for name in ("served", "services", "handed on", "service", "way", "hold", "staffed", "serving", "call gap"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            Text(harmless(row.unit)),
            Text(harmless(row.employee)),
            str(row.served),
            str(row.services),
            str(row.handed_on),
            _seconds(row.service_s_sum),
            _seconds(row.way_s_sum),
            _seconds(row.hold_s_sum),
            _seconds(row.staffed_s),
            _seconds(row.serving_s),
            _seconds(row.call_gap_s_sum),
        )
    return table


def _seconds(value: float | UnsetType | None) -> str:
    return NOTHING if value is None or isinstance(value, UnsetType) else f"{value:,.0f} s"
