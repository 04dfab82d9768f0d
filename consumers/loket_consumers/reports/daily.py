"""One day of a unit on one page, for the head of the office: what happened, in sentences, and when."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UnsetType

from loket.domain.levels import Levels
from loket.domain.policy import UnitPolicy
from loket.domain.summary import UnitFigures
from loket_consumers.reports.pages import Grid, Page, employees_of, levels_grid
from loket_consumers.reports.report import PeriodRows, Promise, Report
from loket_consumers.reports.words import NOTHING, Words, minutes

__all__ = ["daily_page"]


def daily_page(report: Report, week_before: Report, policy: UnitPolicy, words: Words) -> Page:
    """The page of a report by hours of one day, beside that of the same weekday before."""
    names = {name: _named(service.names, name, words) for name, service in policy.services.items()}
    page = Page(f"{words('daily', unit=_named(policy.names, report.unit, words))}, {words.day(report.first)}")
    row = report.whole
    page.sentences = [
        words(
            "sentence_came",
            issued=words.number(row.issued),
            answered=words.number(row.answered),
            left=words.number(row.left),
            no_show=words.number(row.nobody_came),
            served=words.number(row.served),
        )
    ]
    if row.closed.expired:
        page.sentences.append(words("sentence_expired", expired=words.number(row.closed.expired)))
    if row.waiting + row.early:
        page.sentences.append(words("sentence_waiting", waiting=words.number(row.waiting + row.early)))
    if row.answered:
        page.sentences.append(
            words("sentence_wait", median=words.duration(row.wait_median_s), p90=words.duration(row.wait_p90_s))
        )
    page.sentences += _of_levels(report, names, words)
    before = week_before.whole
    if before.issued:
        page.sentences.append(
            words(
                "sentence_week",
                day=words.day(week_before.first),
                issued=words.number(before.issued),
                level=words.share(_live(before)),
                judged=words.number(_judged(before)),
                median=words.duration(before.wait_median_s),
            )
        )
    rows = [(names.get(each.service or "", each.service or words("all")), each) for each in report.units]
    page.grids = [*levels_grid(rows, words("service"), words), _hours(report.periods, words)]
    employees_of(page, report.employees, words)
    page.notes.append(words("notes", now=report.now))
    return page


def _named(names: object, otherwise: str, words: Words) -> str:
    return str(getattr(names, words.language) or otherwise)


def _of_levels(report: Report, names: Mapping[str, str], words: Words) -> list[str]:
    row = report.whole
    if not _judged(row):
        return [words("no_level")]
    told = [
        words(
            "sentence_level",
            level=words.share(_live(row)),
            judged=words.number(_judged(row)),
            breached=words.number(0 if isinstance(row.breached, UnsetType) else row.breached),
        )
    ]
    rows = {each.service: each for each in report.units}
    for promise in report.targets:
        judged = _judged(rows[promise.service])
        if judged:
            told.append(_kept(promise, rows[promise.service], judged, names, words))
    return told


def _kept(promise: Promise, row: UnitFigures, judged: int, names: Mapping[str, str], words: Words) -> str:
    level = _live(row)
    return words(
        "sentence_target",
        service=names.get(promise.service, promise.service),
        objective=words.share(promise.objective, 0),
        within=words.duration(promise.seconds),
        level=words.share(level),
        judged=words.number(judged),
        met=words("met" if level is not None and level >= promise.objective else "not_met"),
    )


def _live(row: UnitFigures) -> float | None:
    return row.levels.live if isinstance(row.levels, Levels) else None


def _judged(row: UnitFigures) -> int:
    return 0 if isinstance(row.judged, UnsetType) else row.judged


def _hours(periods: list[PeriodRows], words: Words) -> Grid:
    columns = ("hour", "issued", "called", "left", "served", "median", "p90", "live", "judged")
    lines = []
    for period in periods:
        row = period.units[-1]
        counts = (words.number(number) for number in (row.issued, row.answered, row.left, row.served))
        waits = (minutes(row.wait_median_s), minutes(row.wait_p90_s))
        level = (words.share(_live(row)), words.number(_judged(row)) if _judged(row) else NOTHING)
        lines.append([f"{period.period}:00", *counts, *waits, *level])
    return Grid(words("hours"), tuple(map(words, columns)), lines)
