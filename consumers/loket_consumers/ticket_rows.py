"""Writes tickets and the rows of their legs: those that were there are replaced, by one statement for each table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, func, select

from loket.domain.days import closes_at
from loket.domain.leg import Leg
from loket_consumers import bulk
from loket_consumers.rows import LegRows, Owner, add_leg
from loket_consumers.schema import (
    BOTH,
    LIVE,
    RECORD,
    employee_stretches,
    legs,
    stretches,
    ticket_numbers,
    tickets,
)
from loket_consumers.ticket_record import TicketRecord
from loket_consumers.unit_record import UnitRecord

__all__ = ["save_tickets"]

_CHANGING: Final = (
    "steps",
    "forgotten",
    "kept",
    "live_ids",
    "contradictions",
    "skewed",
    "live_contradictions",
    "live_skewed",
)


def save_tickets(connection: Connection, changed: Sequence[tuple[UnitRecord, TicketRecord]]) -> None:
    """Write tickets, each with its unit; the closings of the days of their open legs are loaded."""
    new = [record for _, record in changed if record.number is None]
    for record, number in zip(new, _numbers(connection, len(new)), strict=True):
        record.number = number
    fresh = {id(record) for record in new}
    rows = LegRows()
    inserts: list[bulk.Row] = []
    updates: list[bulk.Row] = []
    for unit, record in changed:
        live, whole = _add_rows(rows, unit, record)
        kept = record.never and bool(record.live_steps())
        told = (*record.packed(), kept, record.live_ids, *whole, *live)
        if id(record) in fresh:
            inserts.append((record.number, unit.unit, record.ticket.day, record.ticket.subject, *told))
        else:
            updates.append((record.number, *told))
    known = [row[0] for row in updates]
    for table in (legs, stretches, employee_stretches):
        bulk.delete(connection, table, "ticket", known)
    bulk.insert(connection, tickets, inserts)
    bulk.update(connection, tickets, ("id",), _CHANGING, updates)
    bulk.insert(connection, legs, rows.legs)
    bulk.insert(connection, stretches, rows.stretches)
    bulk.insert(connection, employee_stretches, rows.employees)


def _numbers(connection: Connection, count: int) -> list[int]:
    """Numbers for new tickets."""
    if not count:
        return []
    if connection.dialect.name == "sqlite":
        last = connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM tickets").scalar_one()
        return list(range(last + 1, last + 1 + count))
    numbers = select(ticket_numbers.next_value()).select_from(func.generate_series(1, count))
    return list(connection.execute(numbers).scalars())


def _add_rows(rows: LegRows, unit: UnitRecord, record: TicketRecord) -> tuple[tuple[int, int], tuple[int, int]]:
    """Add the rows of a ticket's legs; returns contradictions and skewed durations, live and of the record."""
    folded, whole = record.live(), record.record()
    live = [*(record.forgotten.legs if record.forgotten else ()), *folded.legs]
    ends = [_ends(leg, unit, live=True) for leg in live]
    same = whole is folded and record.forgotten is None and not unit.has_late_closings()
    whole_ends = ends if same else [_ends(leg, unit, live=False) for leg in whole.legs]
    number, subject, zone = record.number or 0, record.ticket.subject, unit.policy.zone
    if same or (ends == whole_ends and live == whole.legs):
        _add(rows, Owner(number, unit.unit, subject, BOTH, zone), live, ends)
    else:
        _add(rows, Owner(number, unit.unit, subject, LIVE, zone), live, ends)
        _add(rows, Owner(number, unit.unit, subject, RECORD, zone), whole.legs, whole_ends)
    contradictions, skewed = folded.contradictions, folded.skewed
    if record.forgotten is not None:
        contradictions += record.forgotten.contradictions
        skewed += record.forgotten.skewed
    return (contradictions, skewed), (whole.contradictions, whole.skewed)


def _ends(leg: Leg, unit: UnitRecord, *, live: bool) -> int | None:
    """When time alone ends an open leg, by the closings that are known live or to the record."""
    if leg.outcome is not None:
        return None
    return closes_at(leg, unit.policy, unit.closings_of(leg.day, live=live))


def _add(rows: LegRows, owner: Owner, found: Iterable[Leg], ends: Iterable[int | None]) -> None:
    for number, (leg, closes) in enumerate(zip(found, ends, strict=True), start=1):
        add_leg(rows, owner, number, leg, closes)
