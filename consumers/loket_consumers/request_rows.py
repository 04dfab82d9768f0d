"""Requests and answers of a batch: loaded, forgotten as the live state forgets them, and written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select, update

from loket.domain.days import service_days
from loket.domain.policy import SECOND
from loket.domain.request_course import Course
from loket.domain.requesting import hours_of
from loket.domain.requests import KEPT_DAYS
from loket_consumers import bulk
from loket_consumers.columns import signed
from loket_consumers.request_record import RequestRecord
from loket_consumers.request_schema import feedback, request_steps, requests
from loket_consumers.rows import iso_day
from loket_consumers.schema import BOTH, LIVE, RECORD
from loket_consumers.unit_record import UnitRecord

__all__ = ["forget_requests", "live_answers", "load_requests", "measure_open_requests", "save_requests"]

_KEY: Final = ("unit", "subject")
_CHANGING: Final = ("steps", "kept", "over_day", "live_ids")


def load_requests(connection: Connection, keys: Collection[tuple[str, str]]) -> list[tuple[str, RequestRecord]]:
    """The requests with these units and subjects, each with its unit."""
    rows = bulk.lookup(connection, request_steps, _KEY, sorted(keys), ("unit", "steps", "kept", "live_ids"))
    return [
        (unit, RequestRecord.unpack(bytes(steps), kept=bool(kept), live_ids=live_ids))
        for unit, steps, kept, live_ids in rows
    ]


def live_answers(connection: Connection, days: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """How many answers of each unit and day the live state has taken."""
    c = feedback.c
    counts = {}
    for unit, day in days:
        query = select(func.count()).where(c.unit == unit, c.day == date.fromordinal(day), c.live)
        counts[unit, day] = int(connection.execute(query).scalar_one())
    return counts


def forget_requests(connection: Connection, unit: str, closed_day: int, loaded: Iterable[str]) -> int:
    """Forget what the live state forgets when days are closed, of all that is not loaded; how many."""
    c = request_steps.c
    mine = (c.unit == unit, c.kept, c.over_day <= closed_day - KEPT_DAYS, c.subject.not_in(list(loaded)))
    return int(connection.execute(update(request_steps).where(*mine).values(kept=False)).rowcount)


def measure_open_requests(connection: Connection, unit: UnitRecord) -> None:
    """Measure the open requests of a unit anew: it has other opening hours than when they were measured."""
    c = request_steps.c
    still_open = (c.unit == unit.unit, c.kept, c.over_day.is_(None))
    subjects = list(connection.execute(select(c.subject).where(*still_open)).scalars())
    wanted = [(unit.unit, subject) for subject in subjects if subject not in unit.requests]
    for _, record in load_requests(connection, wanted):
        unit.requests[record.request.subject] = record
    for subject in subjects:
        unit.requests[subject].measure(hours_of(unit.policy))


def save_requests(connection: Connection, units: Iterable[UnitRecord]) -> None:
    """Write the requests that changed, and the answers that came."""
    inserts: list[bulk.Row] = []
    updates: list[bulk.Row] = []
    rows: list[bulk.Row] = []
    answers: list[bulk.Row] = []
    for unit in units:
        for subject, record in unit.requests.items():
            if not record.changed:
                continue
            key = (unit.unit, subject)
            told = (record.packed(), record.kept, _over_day(unit, record), record.live_ids)
            (inserts if record.is_new else updates).append((*key, *told))
            rows.extend(_rows(unit, subject, record))
        answers.extend(
            (unit.unit, iso_day(day), signed(id_hash), live, at, service, score)
            for day, id_hash, live, at, service, score in unit.new_feedback
        )
    bulk.delete_rows(connection, requests, _KEY, [row[:2] for row in updates])
    bulk.insert(connection, request_steps, inserts)
    bulk.update(connection, request_steps, _KEY, _CHANGING, updates)
    bulk.insert(connection, requests, rows)
    bulk.insert(connection, feedback, answers)


def _over_day(unit: UnitRecord, record: RequestRecord) -> int | None:
    course = record.request.course
    return None if course.is_open or not course.last_at else service_days(unit.policy).day(course.last_at)


def _rows(unit: UnitRecord, subject: str, record: RequestRecord) -> Sequence[bulk.Row]:
    live, whole = record.request.course, record.whole(hours_of(unit.policy))
    bases = ((BOTH, live),) if live == whole else ((LIVE, live), (RECORD, whole))
    zone = ZoneInfo(unit.policy.zone)
    return [_row(unit.unit, subject, basis, course, zone) for basis, course in bases if course.submitted_at is not None]


def _row(unit: str, subject: str, basis: str, course: Course, zone: ZoneInfo) -> bulk.Row:
    submitted_at = course.submitted_at or 0
    return (
        unit,
        subject,
        basis,
        course.service,
        submitted_at,
        datetime.fromtimestamp(submitted_at // SECOND, zone).date().isoformat(),
        course.accepted_at,
        course.first_completed_at,
        course.ended_at,
        course.completed,
        course.outcome,
        course.outcome_label if course.completed else None,
        course.suspended_since,
        course.suspended_ms,
        course.reopened,
        course.reopened_early,
        course.target_ms,
        course.breach_at,
        course.citizen_ms,
        course.citizen_service_ms,
        course.legal_ms,
        course.task_ms,
        course.contradictions,
        course.skewed,
    )
