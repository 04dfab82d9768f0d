"""Reports as files for other programs: CSV, JSON, XLSX. Names are those of the JSON, durations are seconds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from loket.domain.levels import LevelCounts, Levels
from loket.domain.summary import Closed, EmployeeFigures, UnitFigures
from loket_consumers.reports.documents import WITHIN_H, Answers, PeriodRequests, RequestRow
from loket_consumers.reports.report import Distribution, Report

__all__ = ["Table", "inert", "to_csv", "to_json", "to_xlsx"]

_PARTS: Final[Mapping[str, tuple[str, type]]] = {
    "levels": ("level", Levels),
    "levels_without_no_shows": ("level_without_no_shows", Levels),
    "level_counts": ("count", LevelCounts),
    "closed": ("closed", Closed),
}
"""Structs in a row, which get a column for each field: `level_live`, `closed_no_show`, …"""

_FIRST: Final = ("unit", "service", "levels", "level_counts")
"""Levels with their numbers come first; `live` and `answered` the first of them."""

_LEVELS: Final = ("live", "answered", "offered", "excluding_short", "abandoned_ok", "excluding_early")


_SHARES: Final = frozenset(
    {
        "occupancy",
        "met",
        "first_time_right",
        *(f"{clock}_within_{hours}h" for clock in ("citizen", "legal") for hours in WITHIN_H),
    }
)

Table = Literal["visits", "requests", "satisfaction"]
"""What a CSV has rows of."""


def to_json(report: Report) -> bytes:
    """The report as one JSON object, indented."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def to_csv(report: Report, table: Table = "visits") -> bytes:
    """Rows of all services: of each period where there are periods, else of the whole, in UTF-8 with CRLF (RFC 4180).

    `table`: of visits, of requests, or of citizens' answers (of the whole, always), as their columns differ. A cell
    that a spreadsheet would take for a formula begins with an apostrophe.
    """
    lines = io.StringIO()
    writer = csv.writer(lines)
    if table == "requests":
        header, rows = _of_requests(report, periods=report.by is not None)
    elif table == "satisfaction":
        header, rows = _of_answers(report)
    else:
        header, rows = _lines(report, periods=report.by is not None)
    writer.writerow(header)
    for row in rows:
        writer.writerow([inert(value) for value in row])
    return lines.getvalue().encode()


def inert(value: object) -> object:
    """A cell in which a spreadsheet finds no formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _lines(report: Report, *, periods: bool) -> tuple[list[str], Iterator[list[Any]]]:
    columns = list(_columns())
    header = ["period", "from", "to", *(name for name, *_ in columns)]

    def cells(row: UnitFigures) -> list[Any]:
        return [_cell(row, name, part) for _, name, part in columns]

    def of_periods() -> Iterator[list[Any]]:
        for period in report.periods:
            for row in period.units:
                yield [period.period, period.first, period.last, *cells(row)]

    def of_whole() -> Iterator[list[Any]]:
        for row in report.units:
            yield ["all", report.first, report.last, *cells(row)]

    return header, of_periods() if periods else of_whole()


def _of_requests(report: Report, *, periods: bool) -> tuple[list[str], Iterator[list[Any]]]:
    names = RequestRow.__struct_fields__
    whole = PeriodRequests(period="all", first=report.first, last=report.last, requests=report.requests)
    told = report.request_periods if periods else [whole]
    rows = ([each.period, each.first, each.last, *_plain(row, names)] for each in told for row in each.requests)
    return ["period", "from", "to", *names], rows


def _of_answers(report: Report) -> tuple[list[str], Iterator[list[Any]]]:
    names = Answers.__struct_fields__
    rows = ([report.unit, report.first, report.last, *_plain(row, names)] for row in report.satisfaction)
    return ["unit", "from", "to", *names], rows


def _columns() -> Iterator[tuple[str, str, str]]:
    """Heading, field, and field of the struct in it ("" where it is a plain value)."""
    fields = UnitFigures.__struct_fields__
    for name in (*_FIRST, *(name for name in fields if name not in _FIRST)):
        if name not in _PARTS:
            yield name, name, ""
            continue
        prefix, kind = _PARTS[name]
        for part in _LEVELS if kind is Levels else kind.__struct_fields__:  # type: ignore[attr-defined]  # a Struct
            yield f"{prefix}_{part}", name, part


def _cell(row: UnitFigures, name: str, part: str) -> Any:
    value = getattr(row, name)
    if part and value is not UNSET:
        value = getattr(value, part)
    return None if isinstance(value, UnsetType) else value


def to_xlsx(report: Report) -> bytes:
    """A workbook: the whole, the periods, employees, and what the figures mean; the same bytes for the same report."""
    import xlsxwriter

    target = io.BytesIO()
    # Ids of others stay text: no formulas, no links, no numbers of them.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = xlsxwriter.Workbook(target, options)
    made = datetime.fromisoformat(report.now).replace(tzinfo=None)
    workbook.set_properties({"title": f"{report.unit} {report.first} {report.last}", "created": made})
    bold = workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    percent = workbook.add_format({"num_format": "0.0%"})

    def sheet(name: str, header: Sequence[str], rows: Iterator[list[Any]]) -> None:
        page = workbook.add_worksheet(name)
        page.write_row(0, 0, header, bold)
        page.freeze_panes(1, 0)
        page.set_column(0, len(header) - 1, 13)
        for line, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if value is not None:
                    share = header[column].startswith("level") or header[column] in _SHARES
                    page.write(line, column, value, *([percent] if share else []))

    if report.has_visits or not report.requests:
        sheet("whole", *_lines(report, periods=False))
        if report.by is not None:
            sheet(f"by {report.by}", *_lines(report, periods=True))
    if report.requests:
        sheet("requests", *_of_requests(report, periods=False))
        if report.request_periods:
            sheet(f"requests by {report.by}", *_of_requests(report, periods=True))
    if report.satisfaction:
        sheet("satisfaction", *_of_answers(report))
    if not isinstance(report.employees, UnsetType):
        told = report.employees
        if told.distributions:
            fields = Distribution.__struct_fields__
            sheet("employees", fields, ([getattr(row, name) for name in fields] for row in told.distributions))
        if not isinstance(told.each, UnsetType) and told.each:
            names = EmployeeFigures.__struct_fields__
            sheet("each employee", names, (_plain(row, names) for row in told.each))
    sheet("about", ("what", "told"), iter(_about(report)))
    workbook.close()
    return target.getvalue()


def _plain(row: Struct, names: Sequence[str]) -> list[Any]:
    values = (getattr(row, name) for name in names)
    return [None if isinstance(value, UnsetType) else value for value in values]


def _about(report: Report) -> Iterator[list[Any]]:
    yield ["unit", report.unit]
    yield ["from", report.first]
    yield ["to", report.last]
    yield ["zone", report.zone]
    yield ["as it stood at", report.now]
    yield ["counted", "by the service day (and local hour) of arrival; durations in seconds; levels as shares"]
    yield ["service empty", "the unit as a whole"]
    yield ["empty cell", "does not apply, or there is nothing to divide"]
    yield ["km_…", "Kaplan-Meier estimates with 95 % bounds, who left taken to have been like who stayed"]
    if report.requests:
        yield ["requests", "by the day of submission, as they stand; those open are censored in km_… and …_within_…h"]
        yield ["backlog", "open at the end of the period, whenever submitted; oldest_s is the age of the oldest"]
    for promise in report.targets:
        text = f"{promise.objective:.1%} within {promise.seconds:g} s, since {promise.valid_from}"
        yield [f"target of {promise.service}", text]
