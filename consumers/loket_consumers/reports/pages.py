"""A report as a page of sentences and tables, before it is known where it will be shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import UNSET, UnsetType

from loket.domain.levels import LevelCounts, Levels
from loket.domain.summary import EmployeeFigures, UnitFigures
from loket_consumers.reports.documents_pages import documents_grids
from loket_consumers.reports.grids import Grid, Page
from loket_consumers.reports.report import FEWEST_PEOPLE, Distribution, Employees, Report
from loket_consumers.reports.words import NOTHING, Words, minutes

__all__ = ["add_rest", "levels_grid", "report_page"]

Labelled = tuple[str, UnitFigures]
"""What a row is called (a service, a period), and its figures."""


def report_page(report: Report, words: Words, service: str | None = None) -> Page:
    """The page of a report: services, or with periods the unit (or one service) in each of them."""
    days = report.first
    if report.first != report.last:
        days = words("any_day", first=report.first, last=report.last)
    page = Page(words("report", unit=report.unit if service is None else f"{report.unit} / {service}", days=days))
    if report.has_visits:
        _visits(page, report, words, service)
    add_rest(page, report, words)
    return page


def _visits(page: Page, report: Report, words: Words, service: str | None) -> None:
    whole = report.whole
    if report.by is None:
        heading = words("service")
        rows: list[Labelled] = [(row.service or words("all"), row) for row in report.units]
    else:
        heading = words(report.by)
        rows = [(period.period, row) for period in report.periods for row in period.units if row.service == service]
        rows.append((words("all"), whole))
    page.grids = [
        *levels_grid(rows, heading, words),
        _waits(rows, heading, words),
        _estimates(rows, heading, words),
        _ends(rows, heading, words),
    ]
    if not any(row.levels is not UNSET for _, row in rows):
        page.sentences.append(words("no_level"))


def levels_grid(rows: Sequence[Labelled], heading: str, words: Words) -> Iterable[Grid]:
    """The six levels, `live` and `answered` first and beside their numbers; nothing where nobody has a target."""
    judging = [labelled for labelled in rows if labelled[1].levels is not UNSET]
    if not judging:
        return
    gone = any(row.nobody_came for _, row in judging)
    columns = [
        *(words("live"), words("judged"), words("answered"), words("called"), words("offered")),
        *(words("excluding_short"), words("abandoned_ok"), words("excluding_early"), words("left")),
    ]
    lines: list[list[str]] = []
    faint: set[int] = set()
    strong: set[int] = set()
    for label, row in judging:
        if len(judging) > 1 and label == words("all"):
            strong.add(len(lines))
        counts = row.level_counts if isinstance(row.level_counts, LevelCounts) else LevelCounts()
        numbers = [counts.judged, counts.answered_within + counts.answered_after]
        left = counts.left_short + counts.left_within + counts.left_after
        lines.append(_levels(label, row.levels, [*numbers, left], row.nobody_came if gone else None, words))
        if row.nobody_came:
            faint.add(len(lines))
            lines.append(_levels(words("without"), row.levels_without_no_shows, [], 0 if gone else None, words))
    names = [heading, *columns, *([words("nobody_came")] if gone else [])]
    yield Grid(words("levels"), names, lines, frozenset(strong), frozenset(faint))


def _levels(
    label: str, levels: Levels | UnsetType, numbers: Sequence[int], gone: int | None, words: Words
) -> list[str]:
    judged, called, left = (words.number(number) for number in numbers) if numbers else ("", "", "")

    def share(name: str) -> str:
        return NOTHING if isinstance(levels, UnsetType) else words.share(getattr(levels, name))

    line = [label, share("live"), judged, share("answered"), called, share("offered"), share("excluding_short")]
    line += [share("abandoned_ok"), share("excluding_early"), left]
    return line if gone is None else [*line, words.number(gone) if numbers else ""]


def _waits(rows: Sequence[Labelled], heading: str, words: Words) -> Grid:
    columns = (heading, words("issued"), words("called"), words("median"), words("p90"), words("left"))
    lines = [
        [
            label,
            words.number(row.issued),
            words.number(row.answered),
            minutes(row.wait_median_s),
            minutes(row.wait_p90_s),
            words.number(row.left),
            minutes(row.patience_median_s),
        ]
        for label, row in rows
    ]
    return Grid(words("waits"), (*columns, words("patience")), lines)


def _estimates(rows: Sequence[Labelled], heading: str, words: Words) -> Grid:
    lines = [
        [
            label,
            minutes(row.km_median_s),
            _between(row.km_median_low_s, row.km_median_high_s),
            minutes(row.km_p90_s),
            _between(row.km_p90_low_s, row.km_p90_high_s),
        ]
        for label, row in rows
    ]
    return Grid(words("km"), (heading, words("km_median"), words("95"), words("km_p90"), words("95")), lines)


def _between(low: object, high: object) -> str:
    """Bounds; open above where nobody waited that long."""
    if minutes(low) == NOTHING:
        return NOTHING
    return f"{minutes(low)}–{minutes(high)}" if minutes(high) != NOTHING else f"≥ {minutes(low)}"


def _ends(rows: Sequence[Labelled], heading: str, words: Words) -> Grid:
    names = ("served", "completed", "no_show", "abandoned", "transferred", "expired")
    lines = []
    for label, row in rows:
        ended = row.closed
        counts = (row.served, ended.completed, ended.no_show, ended.abandoned, ended.transferred, ended.expired)
        lines.append([label, *map(words.number, counts)])
    return Grid(words("ends"), (heading, *map(words, names)), lines)


def add_rest(page: Page, report: Report, words: Words) -> None:
    """Add what every page has behind the visits: documents, employees, and how to read it."""
    page.grids += documents_grids(report, words)
    _employees(page, report.employees, words)
    if report.has_visits:
        page.notes.append(words("notes", now=report.now))
    if report.requests:
        page.notes.append(words("notes_requests", now=report.now))


def _employees(page: Page, employees: Employees | UnsetType, words: Words) -> None:
    """Add what is told of employees: distributions from FEWEST_PEOPLE on, each person only where asked for."""
    if isinstance(employees, UnsetType):
        return
    if employees.distributions:
        columns = ("figure", "people", "cases", "p25", "median", "p75")
        lines = [_distribution(told, words) for told in employees.distributions]
        page.grids.append(Grid(words("employees"), tuple(map(words, columns)), lines))
    elif employees.people and isinstance(employees.each, UnsetType):
        page.sentences.append(words("few", people=employees.people, fewest=FEWEST_PEOPLE))
    if not isinstance(employees.each, UnsetType) and employees.each:
        page.grids.append(_each(employees.each, words))


def _distribution(told: Distribution, words: Words) -> list[str]:
    def value(number: float) -> str:
        if told.figure.endswith("_s"):
            return minutes(number)
        if told.figure == "occupancy":
            return words.share(number)
        return words.decimal(number) if told.figure != "served" else words.number(number)

    quartiles = (value(told.p25), value(told.median), value(told.p75))
    return [words(told.figure), words.number(told.people), words.number(told.cases), *quartiles]


def _each(each: Sequence[EmployeeFigures], words: Words) -> Grid:
    in_session = any(row.staffed_s is not UNSET for row in each)
    columns = ["employee", "served", "services", "handed_on", "service_time", "way", "hold"]
    lines = []
    for row in each:
        line = [row.employee, words.number(row.served), words.number(row.services), words.number(row.handed_on)]
        line += [minutes(row.service_s_sum), minutes(row.way_s_sum), minutes(row.hold_s_sum)]
        lines.append([*line, *([minutes(row.staffed_s)] if in_session else [])])
    return Grid(words("each"), [words(name) for name in (*columns, *(["staffed"] if in_session else []))], lines)
