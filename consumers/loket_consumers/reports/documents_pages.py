"""Requests and citizens' answers as tables of a page."""

from __future__ import annotations

from collections.abc import Sequence

from loket_consumers.reports.documents import RequestRow
from loket_consumers.reports.grids import Grid
from loket_consumers.reports.report import Report
from loket_consumers.reports.words import NOTHING, Words

__all__ = ["documents_grids"]

Labelled = tuple[str, RequestRow]


def documents_grids(report: Report, words: Words) -> list[Grid]:
    """The tables of a report's requests, or of its periods, and of the answers; none where there are none."""
    grids: list[Grid] = []
    if report.requests:
        whole = report.requests[-1]
        rows: list[Labelled] = [(row.service or words("all"), row) for row in report.requests]
        heading = words("service")
        if report.request_periods:
            heading = words(report.by or "day")
            rows = [(period.period, period.requests[-1]) for period in report.request_periods]
            rows.append((words("all"), whole))
        rows = [(f"{label} *" if row.provisional else label, row) for label, row in rows]
        grids += [_stock(rows, heading, words), _clocks(rows, heading, words), _within(rows, heading, words)]
    if report.satisfaction:
        columns = ("service", "answers", "1", "2", "3", "4", "skm_index", "band")
        lines = [
            [
                row.service or (words("all") if row.service is None else words("none_in_particular")),
                *map(words.number, (row.answers, row.score_1, row.score_2, row.score_3, row.score_4)),
                words.decimal(row.skm_index, 2),
                row.band,
            ]
            for row in report.satisfaction
        ]
        heads = [name if name.isdigit() else words(name) for name in columns]
        grids.append(Grid(words("satisfaction"), heads, lines))
    return grids


def _stock(rows: Sequence[Labelled], heading: str, words: Words) -> Grid:
    """What became of them, and how many are open."""
    columns = (
        "submitted",
        "done_of_them",
        "cancelled",
        "backlog",
        "oldest",
        "requests_met",
        "judged",
        "breached",
        "right_first",
    )
    lines = [
        [
            label,
            *map(words.number, (row.submitted, row.completed, row.cancelled, row.backlog)),
            words.days(row.oldest_s),
            words.share(row.met) if isinstance(row.met, float) else NOTHING,
            *(words.number(value) if isinstance(value, int) else NOTHING for value in (row.judged, row.breached)),
            words.share(row.first_time_right),
        ]
        for label, row in rows
    ]
    return Grid(words("requests"), (heading, *map(words, columns)), lines)


def _clocks(rows: Sequence[Labelled], heading: str, words: Words) -> Grid:
    """The three clocks side by side, the citizen's by Kaplan-Meier and in service hours too."""
    columns = ("citizen_km", "95", "citizen_seen", "p90", "citizen_service", "legal", "task")
    lines = [
        [
            label,
            words.days(row.km_citizen_median_s),
            words.bounds(row.km_citizen_median_low_s, row.km_citizen_median_high_s),
            words.days(row.citizen_median_s),
            words.days(row.citizen_p90_s),
            words.days(row.citizen_service_median_s),
            words.days(row.legal_median_s),
            words.days(row.task_median_s),
        ]
        for label, row in rows
    ]
    return Grid(words("clocks"), (heading, *map(words, columns)), lines)


def _within(rows: Sequence[Labelled], heading: str, words: Words) -> Grid:
    """Shares within the ministry's hours, of the citizen's clock and of the legal one."""
    lines = []
    for label, row in rows:
        citizen = (row.citizen_within_1h, row.citizen_within_2h, row.citizen_within_3h, row.citizen_within_6h)
        legal = (row.legal_within_1h, row.legal_within_2h, row.legal_within_3h, row.legal_within_6h)
        lines.append([label, words("citizen"), *map(words.share, (*citizen, row.citizen_within_24h))])
        if row.legal_within_24h is not None:
            lines.append(["", words("legal_clock"), *map(words.share, (*legal, row.legal_within_24h))])
    hours = tuple(words("unit_hours", n=hours) for hours in (1, 2, 3, 6, 24))
    return Grid(words("within"), (heading, words("clock"), *hours), lines)
