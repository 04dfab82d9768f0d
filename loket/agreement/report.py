"""The figures of a run as tables for a person, with what was refused, and whether metrics and record agree.

Made for a terminal of 80 columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import UNSET, UnsetType
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loket.agreement.request_report import request_tables
from loket.domain.levels import Levels
from loket.domain.summary import EmployeeFigures, UnitFigures
from loket.harmless import harmless
from loket.wire.figures import Difference, TryReport

__all__ = ["print_report"]

LEVELS: Final = {
    "live": "live",
    "answered": "answered",
    "offered": "offered",
    "excluding_short": "excl.\nshort",
    "abandoned_ok": "aband.\nok",
    "excluding_early": "excl.\nearly",
}
"""The six service levels, the default first, and how a narrow column calls them."""

REJECTED_SHOWN: Final = 20
DIFFERENCES_SHOWN: Final = 40
NOTHING: Final = "–"

Rows = Sequence[UnitFigures]


def print_report(report: TryReport, console: Console) -> None:
    """Print a report: for each unit levels, waits, ends and employees; then what was not counted, and the verdict."""
    console.print(Text(f"Figures at {report.now}, from the record over the whole log", style="bold"))
    for unit in dict.fromkeys(row.unit for row in report.units):
        rows = [row for row in report.units if row.unit == unit]
        people = [row for row in report.employees if row.unit == unit]
        console.print(Padding(Text(harmless(unit), style="bold reverse"), (1, 0, 0, 0)))
        counted = any(row.issued or row.served or row.closed.abandoned for row in rows)
        for table in _tables(rows, people) if counted or not any(row.unit == unit for row in report.requests) else ():
            console.print(Padding(table, (0, 0, 1, 0)))
        asked = [row for row in report.requests if row.unit == unit]
        for table in request_tables(asked):
            console.print(Padding(table, (0, 0, 1, 0)))
    for part in _notes(report):
        console.print(part)
    console.print(_verdict(report))


def _tables(rows: Rows, people: Sequence[EmployeeFigures]) -> Iterator[Table]:
    if any(row.levels is not UNSET for row in rows):
        yield _levels(rows)
    yield _waits(rows)
    if any(row.waiting or row.early for row in rows):
        yield _waiting(rows)
    yield _ends(rows)
    if people:
        yield _employees(people)


def _table(title: str, *columns: str, names: int = 1) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        if index < names:
            table.add_column(column, overflow="fold")
        else:
            table.add_column(column, justify="right", no_wrap=True)
    return table


def _name(row: UnitFigures) -> Text:
    return Text("all", style="italic") if row.service is None else Text(harmless(row.service))


def _levels(rows: Rows) -> Table:
    gone = any(row.nobody_came for row in rows)
    table = _table("Service levels in per cent", "service", *LEVELS.values(), *(["nobody\ncame"] if gone else []))
    for row in rows:
        table.add_row(_name(row), *_shares(row.levels), *([_number(row.nobody_came)] if gone else []))
        if row.nobody_came:
            table.add_row("without no-shows", *_shares(row.levels_without_no_shows), style="dim")
    return table


def _shares(levels: Levels | UnsetType) -> Iterator[str]:
    for level in LEVELS:
        yield NOTHING if levels is UNSET else _share(getattr(levels, level))


def _waits(rows: Rows) -> Table:
    table = _table(
        "Waits of those called (min:s); KM takes who left to have been like who stayed",
        "service",
        "issued",
        "called",
        "left",
        "judged",
        "breach",
        "median",
        "p90",
        "KM\nmedian",
        "KM\np90",
    )
    for row in rows:
        counts = (row.issued, row.answered, row.left, row.judged, row.breached)
        waits = (row.wait_median_s, row.wait_p90_s, row.km_median_s, row.km_p90_s)
        table.add_row(_name(row), *map(_number, counts), *map(_minutes, waits))
    return table


def _waiting(rows: Rows) -> Table:
    table = _table("Still waiting", "service", "waiting", "early", "over target", "oldest (min:s)")
    for row in rows:
        counts = (row.waiting, row.early, row.over_target)
        table.add_row(_name(row), *map(_number, counts), _minutes(row.oldest_wait_s))
    return table


def _ends(rows: Rows) -> Table:
    names = (
        "com-\npleted",
        "no-\nshow",
        "aban-\ndoned",
        "trans-\nferred",
        "expired",
        "called\nagain",
        "served",
        "services",
    )
    table = _table("How they ended", "service", *names)
    for row in rows:
        ended = row.closed
        counts = (ended.completed, ended.no_show, ended.abandoned, ended.transferred, ended.expired)
        table.add_row(_name(row), *map(_number, (*counts, row.called_again, row.served, row.services)))
    return table


def _employees(rows: Sequence[EmployeeFigures]) -> Table:
    in_session = any(row.staffed_s is not UNSET for row in rows)
    table = _table(
        "Employees (sums, h:min:s; the wait is of the people that they served)",
        "employee",
        "served",
        "services",
        "handed\non",
        "service",
        "way",
        "hold",
        "served\nwait",
        *(("staffed", "serving", "call\ngap", "gaps") if in_session else ()),
    )
    for row in rows:
        sums = (row.service_s_sum, row.way_s_sum, row.hold_s_sum, row.served_wait_s_sum)
        counts = (row.served, row.services, row.handed_on)
        time = (row.staffed_s, row.serving_s, row.call_gap_s_sum)
        told = (*map(_minutes, time), _number(row.call_gaps)) if in_session else ()
        table.add_row(Text(harmless(row.employee)), *map(_number, counts), *map(_minutes, sums), *told)
    return table


def _notes(report: TryReport) -> Iterator[RenderableType]:
    counts = {
        "duplicates": report.duplicates,
        "contradictions": report.contradictions,
        "late": report.late,
        "foreign": report.foreign,
        "of a later version": report.not_yet,
        "durations below zero": report.skewed,
        "refused": len(report.rejected),
    }
    yield Text("Beside the figures: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    if report.unknown_units:
        yield Text(f"Units that no target knows: {', '.join(map(harmless, report.unknown_units))}", style="yellow")
    if report.rejected:
        table = _table("Refused", "source", "id", "reason", "field", names=4)
        for refused in report.rejected[:REJECTED_SHOWN]:
            parts = (refused.source, refused.id, refused.reason, refused.field)
            table.add_row(*(Text(harmless(part or NOTHING)) for part in parts))
        yield Group(table, *_more(len(report.rejected) - REJECTED_SHOWN))


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
    table = _table(title, "table", "unit", "of", "figure", "metrics", "record", names=4)
    shown = sorted(differences, key=lambda difference: difference.late)[:DIFFERENCES_SHOWN]
    for difference in shown:
        names = (difference.table, difference.unit, _of(difference), difference.figure)
        table.add_row(
            *(Text(harmless(name)) for name in names), _number(difference.metrics), _number(difference.record)
        )
    return Group(table, *_more(len(differences) - len(shown)), verdict)


def _more(number: int) -> Iterable[Text]:
    return [Text(f"and {number:,} more; all are in --json")] if number > 0 else []


def _of(difference: Difference) -> str:
    of = difference.service if difference.employee is UNSET else difference.employee
    return "all services" if of is UNSET or of is None else of


def _number(value: float | UnsetType | None) -> str:
    if value is UNSET or value is None:
        return NOTHING
    return f"{value:,.0f}" if value == int(value) else f"{value:,.5f}"


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.3f}"


def _minutes(value: float | UnsetType | None) -> str:
    """Seconds as minutes and seconds, from an hour on with hours: `0:06`, `2:11`, `51:03:20`."""
    if value is UNSET or value is None:
        return NOTHING
    minutes, seconds = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
