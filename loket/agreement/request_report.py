"""The requests of a unit as tables for a person: what became of them, and the clocks side by side by quarter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import UNSET, UnsetType
from rich.table import Table
from rich.text import Text

from loket.domain.request_summary import QuarterFigures, RequestFigures
from loket.harmless import harmless

__all__ = ["request_tables"]

NOTHING: Final = "–"


def request_tables(rows: Sequence[RequestFigures]) -> Iterator[Table]:
    """The tables of a unit's requests; none where it has none."""
    if not rows:
        return
    yield _ends(rows)
    for row in rows:
        yield _clocks(row)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(
            column, justify="left" if index == 0 else "right", overflow="fold" if index == 0 else "ellipsis"
        )
    return table


def _ends(rows: Sequence[RequestFigures]) -> Table:
    names = (
        "sub-\nmitted",
        "open",
        "com-\npleted",
        "can-\ncelled",
        "re-\nopened",
        "judged",
        "breach",
        "oldest",
        "right\nfirst",
    )
    table = _table("Requests (oldest in days; right the first time in per cent)", "service", *names)
    for row in rows:
        counts = (row.submitted, row.open, row.completed, row.cancelled, row.reopened, row.judged, row.breached)
        right = NOTHING if row.first_time_right is None else f"{100 * row.first_time_right:.1f}"
        oldest = NOTHING if row.oldest_s is None else f"{row.oldest_s / 86_400:,.0f}"
        table.add_row(harmless(row.service), *map(_number, counts), oldest, right)
    return table


def _clocks(row: RequestFigures) -> Table:
    title = f"{harmless(row.service)}: clocks of completed requests, medians (days, or hours:min of service)"
    names = (
        "sub-\nmitted",
        "open",
        "citizen\ndays",
        "KM\ndays",
        "citizen\nservice h",
        "legal\ndays",
        "task\nservice h",
    )
    table = _table(title, "quarter of\nsubmission", *names)
    for quarter in () if row.quarters is UNSET else row.quarters:
        table.add_row(quarter.quarter, *_medians(quarter))
    table.add_row(Text("all", style="italic"), *_medians(row))
    return table


def _medians(row: RequestFigures | QuarterFigures) -> tuple[str, ...]:
    return (
        _number(row.submitted),
        _number(row.open),
        _days(row.citizen_median_s),
        _days(row.km_citizen_median_s),
        _hours(row.citizen_service_median_s),
        _days(row.legal_median_s),
        _hours(row.task_median_s),
    )


def _number(value: int | UnsetType) -> str:
    return NOTHING if value is UNSET else f"{value:,}"


def _days(value: float | UnsetType | None) -> str:
    return NOTHING if value is UNSET or value is None else f"{value / 86_400:.1f}"


def _hours(value: float | UnsetType | None) -> str:
    if value is UNSET or value is None:
        return NOTHING
    hours, minutes = divmod(round(value / 60), 60)
    return f"{hours}:{minutes:02}"
