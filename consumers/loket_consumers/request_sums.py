"""The record's sums of requests and answers from SQL, by unit and service, at a `now` of the caller's.

Figure names are those of the domain's tallies, as in `loket_consumers.sums`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from loket.domain.request_course import OUTCOMES
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.summary import Flat
from loket_consumers.request_schema import feedback, requests

__all__ = ["answer_sums", "request_sums"]

_CLOCKS: Final = ("citizen", "citizen_service", "legal", "task")


def request_sums(connection: Connection, rows: ColumnElement[bool], now: int) -> Iterator[tuple[str, str, Flat]]:
    """Unit, service and flat figures of the requests of these rows; what is wrong with some in the unit's own row."""
    c = requests.c
    is_open, cancelled = c.ended_at.is_(None), and_(c.ended_at.is_not(None), ~c.completed)
    over = and_(is_open, c.breach_at < now)
    breached = or_(over, c.ended_at > c.breach_at)
    columns = {
        "requests_submitted": func.count(),
        **{f"requests_completed/{label}": _count(c.outcome_label == label) for label in OUTCOMES},
        "requests_cancelled": _count(cancelled),
        "requests_reopened": func.sum(c.reopened),
        "requests_ever_completed": _count(c.first_completed_at.is_not(None)),
        "requests_reopened_early": _count(c.reopened_early),
        "requests_open": _count(is_open),
        "requests_suspended": _count(and_(is_open, c.suspended_since.is_not(None))),
        "requests_over_target": _count(over),
        "requests_judged": _count(or_(and_(c.completed, c.target_ms.is_not(None)), breached)),
        "requests_breached": _count(breached),
        **{f"request_{clock}_seconds_ms": func.sum(c[f"{clock}_ms"]) for clock in _CLOCKS},
        **{f"request_{clock}_seconds_count": func.count(c[f"{clock}_ms"]) for clock in _CLOCKS},
        "contradictions": func.sum(c.contradictions),
        "skewed_durations": func.sum(c.skewed),
    }
    oldest = func.min(case((is_open, c.submitted_at)))
    named = [column.label(name) for name, column in columns.items()]
    query = select(c.unit, c.service, oldest.label("oldest"), *named).where(rows).group_by(c.unit, c.service)
    for row in connection.execute(query).mappings():
        flat: Flat = {name: int(row[name]) for name in columns if row[name]}
        if row["oldest"] is not None:
            flat["oldest_request_start"] = min(int(row["oldest"]), now)
        of_unit: Flat = {name: flat.pop(name) for name in ("contradictions", "skewed_durations") if name in flat}
        yield row["unit"], row["service"], flat
        if of_unit:
            yield row["unit"], EMPTY_SERVICE, of_unit


def answer_sums(connection: Connection, *, live: bool) -> Iterator[tuple[str, str, Flat]]:
    """Unit, service and how many gave each score."""
    c = feedback.c
    query = select(c.unit, c.service, c.score, func.count()).group_by(c.unit, c.service, c.score)
    found: Any = connection.execute(query.where(c.live) if live else query)
    for unit, service, score, number in found:
        yield unit, service, {f"feedback/{score}": int(number)}


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
