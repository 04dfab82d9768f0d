"""One day of a unit on one page, for the head of the office: what happened, in sentences, and when."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UnsetType

from loket.domain.levels import Levels
from loket.domain.policy import UnitPolicy
from loket.domain.summary import UnitFigures
from loket_consumers.reports.grids import Grid, Page
from loket_consumers.reports.pages import add_rest, levels_grid
from loket_consumers.reports.report import PeriodRows, Promise, Report
from loket_consumers.reports.words import NOTHING, Words, minutes

__all__ = ["daily_page"]


def daily_page(report: Report, week_before: Report, policy: UnitPolicy, words: Words) -> Page:
    """The page of a report by hours of one day, beside that of the same weekday before."""
    names = {name: _named(service.names, name, words) for name, service in policy.services.items()}
    page = Page(f"{words('daily', unit=_named(policy.names, report.unit, words))}, {words.day(report.first)}")
    if report.has_visits:
        _visits(page, report, week_before, names, words)
    page.sentences += _of_documents(report, words)
    add_rest(page, report, words)
    return page


def _of_documents(report: Report, words: Words) -> list[str]:
    told = []
    if report.requests:
        row = report.requests[-1]
        numbers = {name: words.number(getattr(row, name)) for name in ("submitted", "completions", "backlog")}
        told.append(words("sentence_requests", oldest=words.days(row.oldest_s), **numbers))
    if report.satisfaction:
        answers = report.satisfaction[-1]
        index = words.decimal(answers.skm_index, 2)
        told.append(words("sentence_skm", answers=words.number(answers.answers), index=index, band=answers.band))
    return told


def _visits(page: Page, report: Report, week_before: Report, names: Mapping[str, str], words: Words) -> None:
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
    before = week_before.whole if week_before.units else None
    if before is not None and before.issued:
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
