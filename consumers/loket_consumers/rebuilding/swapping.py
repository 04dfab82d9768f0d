"""Puts a new record in the place of the old one, within the transaction of the caller.

Rows are deleted and inserted, and tables stay: rights, indexes and views of others on them stay too, and who reads
meanwhile goes on seeing the old record until the transaction commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from loket_consumers import bulk
from loket_consumers.rebuilding.builder import Stream, streams
from loket_consumers.rebuilding.content import DERIVED, RAW, rows_of
from loket_consumers.schema import archive, dead_letters, positions, tickets

__all__ = ["hold_still", "swap"]

_ROWS: Final = 20_000
_PAGE: Final = 5_000
"""Archived records in memory at a time: they have their bytes with them."""

_KEY: Final = ("topic", "partition", "record_offset")
_COLUMNS: Final = tuple(column.name for column in archive.columns)


def hold_still(connection: Connection) -> None:
    """Let no sink store anything before this transaction ends; SQLite's holds the lock of writers from its begin."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE positions IN SHARE ROW EXCLUSIVE MODE")


def swap(connection: Connection, new: Connection, told: Callable[[int], None], *, raw: bool) -> None:
    """Make the record what the new one is. With `raw` the archived bytes too, which else are those of the record.

    `told` hears how many tables are done.
    """
    _swap_archive(connection, new, raw=raw)
    told(1)
    _swap_dead_letters(connection, new)
    for table in reversed(DERIVED):
        connection.execute(delete(table))
    for number, table in enumerate(DERIVED, start=2):
        told(number)
        for some in _some(rows_of(new, table)):
            bulk.insert(connection, table, some)
    _number_on(connection)
    _keep_positions(connection, new)


def _some(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[bulk.Row]]:
    found = map(_as_text, rows)
    while some := list(islice(found, _ROWS)):
        yield some


def _as_text(row: tuple[Any, ...]) -> bulk.Row:
    return tuple(value.isoformat() if isinstance(value, date) else value for value in row)


def _swap_archive(connection: Connection, new: Connection, *, raw: bool) -> None:
    """Write the verdicts anew that differ, and records that only the new one has."""
    changing = [name for name in _COLUMNS if name not in _KEY and (raw or name not in RAW)]
    place = [_COLUMNS.index(name) for name in (*_KEY, *changing)]
    for stream in streams(new):
        before = _archived(connection, stream)
        old = next(before, None)
        for page in _pages(new, stream):
            changed: list[bulk.Row] = []
            added: list[bulk.Row] = []
            for row in page:
                while old is not None and old[2] < row[2]:
                    old = next(before, None)
                if old is None or old[2] > row[2]:
                    added.append(row)
                elif any(old[index] != row[index] for index in place):
                    changed.append(tuple(row[index] for index in place))
            if changed:
                bulk.update(connection, archive, _KEY, changing, list(map(_as_text, changed)))
            if added:
                bulk.insert(connection, archive, list(map(_as_text, added)))


def _archived(connection: Connection, stream: Stream) -> Iterator[tuple[Any, ...]]:
    for page in _pages(connection, stream):
        yield from page


def _pages(connection: Connection, stream: Stream) -> Iterator[list[tuple[Any, ...]]]:
    """The archived records of a stream in order, page by page: no cursor is open while something is written."""
    c = archive.c
    following = -1
    while True:
        query = select(archive).where(
            c.topic == stream.topic, c.partition == stream.partition, c.record_offset > following
        )
        page = [tuple(row) for row in connection.execute(query.order_by(c.record_offset).limit(_PAGE))]
        if not page:
            return
        yield page
        following = page[-1][2]


def _swap_dead_letters(connection: Connection, new: Connection) -> None:
    c = dead_letters.c
    replayed = {
        tuple(key): at
        for *key, at in connection.execute(
            select(*(c[name] for name in _KEY), c.replayed_at).where(c.replayed_at.is_not(None))
        )
    }
    connection.execute(delete(dead_letters))
    last = len(c) - 1
    rows = ((*row[:last], replayed.get(row[:3])) for row in rows_of(new, dead_letters))
    for some in _some(rows):
        bulk.insert(connection, dead_letters, some)


def _number_on(connection: Connection) -> None:
    """The numbers of new tickets go on after the highest. Never back: a sequence does not roll back with us."""
    if connection.dialect.name == "postgresql":
        highest = connection.execute(select(func.coalesce(func.max(tickets.c.id), 1))).scalar_one()
        connection.exec_driver_sql(
            "SELECT setval('ticket_numbers', greatest((SELECT last_value FROM ticket_numbers), %s))", (highest,)
        )


def _keep_positions(connection: Connection, new: Connection) -> None:
    """Where the record had no position yet, as it was lost and is read from Kafka, it has that of the new one."""
    rows = [tuple(row) for row in new.execute(select(positions))]
    bulk.insert(connection, positions, rows, skip_known=True)
