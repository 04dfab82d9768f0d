"""Employees' time in the record, by the domain's own function: of one unit and day, from its sessions and tickets.

What it was is stored for days that are over (`employee_days`); of others whoever asks computes it at a `now`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, delete, select

from loket.domain.days import QueueClosing, closes_at, is_never, service_days
from loket.domain.leg import Leg
from loket.domain.legs import NEVER_EXPIRES_MS
from loket.domain.policy import UnitPolicy
from loket.domain.session_steps import SessionKind, SessionStep
from loket.domain.sessions import MAX_UNSETTLED_DAYS, spans_of, window_of
from loket.domain.staffing import Staff, staff_of_day
from loket_consumers import bulk
from loket_consumers.columns import ordinal, unsigned
from loket_consumers.rows import iso_day
from loket_consumers.schema import (
    BOTH,
    LIVE,
    RECORD,
    employee_days,
    legs,
    queue_closings,
    sessions,
    tickets,
)
from loket_consumers.session_record import SessionRecord
from loket_consumers.ticket_record import TicketRecord, TicketRow

__all__ = ["BothStaff", "first_unfinished", "load_sessions", "session_days", "staff_on", "store_staff"]

_SESSION: Final = ("unit", "day", "at", "kind", "counter", "employee", "services", "live", "id_hash")
_TICKET: Final = ("id", "steps", "forgotten", "live_ids", "live_contradictions")


class BothStaff(Struct, frozen=True):
    """An employee's time each, by what was not late and by all events."""

    live: Mapping[str, Staff]
    record: Mapping[str, Staff]


def load_sessions(connection: Connection, days: Iterable[tuple[str, int]]) -> dict[tuple[str, int], SessionRecord]:
    """The sessions of units' days, where there are any."""
    found: dict[tuple[str, int], SessionRecord] = {}
    keys = sorted((unit, iso_day(day)) for unit, day in days)
    for unit, day, at, kind, counter, employee, services, live, id_hash in bulk.lookup(
        connection, sessions, ("unit", "day"), keys, _SESSION
    ):
        named = tuple(services.split(",")) if services else None
        step = SessionStep(at, SessionKind(kind), unsigned(id_hash), counter, employee, named)
        found.setdefault((unit, ordinal(day)), SessionRecord()).load(step, bool(live))
    return found


def session_days(connection: Connection, unit: str, first: int, last: int) -> list[int]:
    """The days from a first to a last one of which session events of a unit tell."""
    query = select(sessions.c.day).where(
        sessions.c.unit == unit, sessions.c.day.between(date.fromordinal(max(1, first)), date.fromordinal(last))
    )
    return [ordinal(day) for day in connection.execute(query.distinct()).scalars()]


def first_unfinished(policy: UnitPolicy, now: int) -> int:
    """The first service day that time alone may still change at `now`: where the day never starts, while tickets that
    reach into it may still expire."""
    return service_days(policy).day(now - _goes_on_ms(policy))


def _goes_on_ms(policy: UnitPolicy) -> int:
    return NEVER_EXPIRES_MS if is_never(policy) else 0


def staff_on(connection: Connection, unit: str, policy: UnitPolicy, day: int, now: int) -> BothStaff:
    """What a day has brought each employee of a unit by `now` (ms)."""
    days = (day - 1, day) if is_never(policy) else (day,)
    told = load_sessions(connection, [(unit, each) for each in days])
    window = window_of(policy, day, now)
    live_legs, all_legs = _legs_on(connection, unit, policy, day)

    def staff(steps: Iterable[SessionStep], of: list[tuple[Leg, int | None]]) -> dict[str, Staff]:
        spans = spans_of(of)
        return staff_of_day(steps, spans.work, spans.waiting, window, policy.wrap_up_ms)

    return BothStaff(
        staff([step for each in told.values() for step in each.live], live_legs),
        staff([step for each in told.values() for step in each.whole()], all_legs),
    )


def store_staff(connection: Connection, unit: str, policy: UnitPolicy, day: int, now: int) -> None:
    """Write the rows of a day that is over at `now` (ms)."""
    found = staff_on(connection, unit, policy, day, now)
    key = (employee_days.c.unit == unit, employee_days.c.day == date.fromordinal(day))
    connection.execute(delete(employee_days).where(*key))
    if found.live == found.record:
        told = [(BOTH, found.live)]
    else:
        told = [(LIVE, found.live), (RECORD, found.record)]
    ends_at = service_days(policy).end(day) + _goes_on_ms(policy)
    rows = [
        (
            unit,
            iso_day(day),
            basis,
            employee,
            ends_at,
            staff.staffed_ms,
            staff.serving_ms,
            staff.call_gap_ms,
            staff.call_gaps,
            staff.flagged,
        )
        for basis, people in told
        for employee, staff in sorted(people.items())
    ]
    bulk.insert(connection, employee_days, rows)


_Ended = list[tuple[Leg, int | None]]


def _legs_on(connection: Connection, unit: str, policy: UnitPolicy, day: int) -> tuple[_Ended, _Ended]:
    """The legs that may reach into a day, live and of the record, each with when time alone ends it."""
    if is_never(policy):
        begin = service_days(policy).start(day) - NEVER_EXPIRES_MS
        query = select(legs.c.ticket).where(
            legs.c.unit == unit,
            legs.c.day.between(date.fromordinal(day - MAX_UNSETTLED_DAYS), date.fromordinal(day)),
            legs.c.last_at >= begin,
        )
        numbers = sorted(set(connection.execute(query).scalars()))
        rows = bulk.lookup(connection, tickets, ("id",), [(number,) for number in numbers], _TICKET)
    else:
        rows = bulk.lookup(connection, tickets, ("unit", "bucket"), [(unit, day)], _TICKET)
    records = [TicketRecord.unpack(TicketRow(*row), policy) for row in rows]
    live = [leg for record in records for leg in (*_forgotten(record), *record.live().legs)]
    whole = [leg for record in records for leg in record.record().legs]
    closings = _closings(connection, unit, {leg.day for leg in (*live, *whole) if leg.outcome is None})

    def ended(leg: Leg, *, live: bool) -> tuple[Leg, int | None]:
        if leg.outcome is not None:
            return leg, None
        return leg, closes_at(leg, policy, [made for made, is_live in closings.get(leg.day, ()) if is_live or not live])

    return [ended(leg, live=True) for leg in live], [ended(leg, live=False) for leg in whole]


def _forgotten(record: TicketRecord) -> Iterable[Leg]:
    return record.forgotten.legs if record.forgotten is not None else ()


def _closings(connection: Connection, unit: str, days: Iterable[int]) -> dict[int, list[tuple[QueueClosing, bool]]]:
    """The closings of some days in order, and whether the live figures know each."""
    found: dict[int, list[tuple[QueueClosing, bool]]] = {}
    keys = [(unit, iso_day(day)) for day in sorted(days)]
    wanted = ("day", "at", "service", "live", "id_hash", "content_hash")
    for day, at, service, live, id_hash, content in bulk.lookup(
        connection, queue_closings, ("unit", "day"), keys, wanted
    ):
        made = QueueClosing(at, service or None, unsigned(id_hash), unsigned(content))
        found.setdefault(ordinal(day), []).append((made, bool(live)))
    for some in found.values():
        some.sort(key=lambda each: (each[0].at, each[0].hash))
    return found
