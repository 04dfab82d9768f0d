"""The figures of a run as tables for a person, with what was refused, and whether metrics and record agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import UNSET, UnsetType
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from loket.domain.levels import Levels
from loket.domain.summary import EmployeeFigures, UnitFigures
from loket.wire.figures import Difference, TryReport

__all__ = ["print_report"]

LEVELS: Final = ("live", "answered", "offered", "excluding_short", "abandoned_ok", "excluding_early")
"""The six service levels, the default first."""

REJECTED_SHOWN: Final = 20
DIFFERENCES_SHOWN: Final = 40
NOTHING: Final = "–"


def print_report(report: TryReport, console: Console) -> None:
    """Print a report: service levels, waits, employees, what was not counted, and the verdict."""
    console.print(Text(f"Figures at {report.now}, from the record over the whole log", style="bold"))
    console.print(_levels(report.units))
    console.print(_waits(report.units))
    if report.employees:
        console.print(_employees(report.employees))
    for part in _notes(report):
        console.print(part)
    console.print(_verdict(report))


def _table(title: str, columns: Iterable[str], *, names: int) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < names else "right", overflow="fold")
    return table


def _row_name(row: UnitFigures) -> tuple[Text, Text]:
    whole = row.service is None
    return Text(row.unit), Text("all services" if row.service is None else row.service, style="italic" if whole else "")


def _levels(rows: Sequence[UnitFigures]) -> Table:
    table = _table(
        "Service levels (in brackets: without those called when nobody came)",
        ("unit", "service", "judged", "breached", *(level.replace("_", " ") for level in LEVELS), "nobody came"),
        names=2,
    )
    for row in rows:
        without = row.levels_without_no_shows if row.nobody_came else UNSET
        table.add_row(
            *_row_name(row),
            _number(row.judged),
            _number(row.breached),
            *(_level(row.levels, without, level) for level in LEVELS),
            _number(row.nobody_came),
        )
    return table


def _level(levels: Levels | UnsetType, without: Levels | UnsetType, name: str) -> str:
    told = NOTHING if levels is UNSET else _share(getattr(levels, name))
    return told if without is UNSET else f"{told}\n({_share(getattr(without, name))})"


def _waits(rows: Sequence[UnitFigures]) -> Table:
    table = _table(
        "Waits (median and p90: of those called; KM: Kaplan–Meier, which takes leavers to have been like who stayed)",
        (
            "unit",
            "service",
            "issued",
            "answered",
            "left",
            "waiting",
            "over target",
            "oldest",
            "median",
            "p90",
            "KM median",
            "KM p90",
            "served",
            "expired",
        ),
        names=2,
    )
    for row in rows:
        table.add_row(
            *_row_name(row),
            _number(row.issued),
            _number(row.answered),
            _number(row.left),
            _number(row.waiting),
            _number(row.over_target),
            *(
                _seconds(value)
                for value in (row.oldest_wait_s, row.wait_median_s, row.wait_p90_s, row.km_median_s, row.km_p90_s)
            ),
            _number(row.served),
            _number(row.closed.expired),
        )
    return table


def _employees(rows: Sequence[EmployeeFigures]) -> Table:
    table = _table(
        "Employees (sums of what they did themselves; the wait is that of the people they served)",
        ("unit", "employee", "served", "services", "handed on", "service", "way", "hold", "served wait"),
        names=2,
    )
    for row in rows:
        table.add_row(
            Text(row.unit),
            Text(row.employee),
            _number(row.served),
            _number(row.services),
            _number(row.handed_on),
            *(_seconds(value) for value in (row.service_s_sum, row.way_s_sum, row.hold_s_sum, row.served_wait_s_sum)),
        )
    return table


def _notes(report: TryReport) -> Iterable[RenderableType]:
    counts = {
        "duplicates": report.duplicates,
        "contradictions": report.contradictions,
        "late": report.late,
        "foreign": report.foreign,
        "not yet processed": report.not_yet,
        "skewed durations": report.skewed,
        "refused": len(report.rejected),
    }
    yield Text("Beside the figures: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()))
    if report.unknown_units:
        yield Text(f"Units that no target knows: {', '.join(report.unknown_units)}", style="yellow")
    if report.rejected:
        table = _table("Refused", ("source", "id", "reason", "field"), names=4)
        for refused in report.rejected[:REJECTED_SHOWN]:
            table.add_row(
                *(Text(part or NOTHING) for part in (refused.source, refused.id, refused.reason, refused.field))
            )
        more = len(report.rejected) - REJECTED_SHOWN
        yield Group(table, Text(f"and {more:,} more; all are in --json")) if more > 0 else table


def _verdict(report: TryReport) -> RenderableType:
    differences = report.agreement.differences
    if report.agreement.metrics_equal_record:
        verdict = Text("Metrics and record agree.", style="bold green")
        title = "Explained by late events, which change the record only"
    else:
        verdict = Text("Metrics and record disagree: this is a fault of Loket; please report it.", style="bold red")
        title = "Differences"
    if not differences:
        return verdict
    table = _table(title, ("table", "unit", "of", "figure", "metrics", "record"), names=4)
    shown = sorted(differences, key=lambda difference: difference.late)[:DIFFERENCES_SHOWN]
    for difference in shown:
        table.add_row(
            difference.table,
            Text(difference.unit),
            Text(_of(difference)),
            difference.figure,
            _number(difference.metrics),
            _number(difference.record),
        )
    more = len(differences) - len(shown)
    return Group(table, *([Text(f"and {more:,} more; all are in --json")] if more > 0 else []), verdict)


def _of(difference: Difference) -> str:
    of = difference.service if difference.employee is UNSET else difference.employee
    return "all services" if of is UNSET or of is None else of


def _number(value: float | UnsetType | None) -> str:
    if value is UNSET or value is None:
        return NOTHING
    return f"{value:,.0f}" if value == int(value) else f"{value:,.5g}"


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.3f} %"


def _seconds(value: float | UnsetType | None) -> str:
    """Seconds for a person: `6 s`, `2 min 11 s`, `3 h 02 min`."""
    if value is UNSET or value is None:
        return NOTHING
    minutes, seconds = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min"
