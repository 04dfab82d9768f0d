"""What a record holds, row by row, and in what two of them differ.

Numbers of tickets happen to be what they are; a rebuilt record has them in the order of unit, day and subject, so that
it is the same whoever rebuilds it, and wherever. A row's hash is of its values, not of how a database keeps them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, Table, collate, func, select

from loket_consumers.rebuilding.hashes import Hashes
from loket_consumers.request_schema import feedback, request_steps, requests
from loket_consumers.schema import (
    archive,
    dead_letters,
    employee_days,
    employee_stretches,
    legs,
    queue_closings,
    sessions,
    stretches,
    tickets,
    units,
)

__all__ = [
    "DERIVED",
    "RAW",
    "TABLES",
    "Compared",
    "compare",
    "digest_of",
    "rows_of",
    "streamed",
]

DERIVED: Final = (
    units,
    queue_closings,
    sessions,
    employee_days,
    tickets,
    legs,
    stretches,
    employee_stretches,
    request_steps,
    requests,
    feedback,
)
"""Tables that say nothing but what the archive comes to, in the order in which they can be filled."""

RAW: Final = ("key", "value", "headers")
"""What a record is, and no verdict on it."""

_NUMBERED: Final = {"tickets": "id", "legs": "ticket", "stretches": "ticket", "employee_stretches": "ticket"}
TABLES: Final = (archive, dead_letters, *DERIVED)
_NOT_COMPARED: Final = {"archive": RAW, "dead_letters": ("replayed_at",), "units": ("terms",)}
"""The bytes are what it comes from, and what people have done since is no consequence of them. Terms are of the file
that was in force when a unit's last events were stored, days to come included."""

_CHUNK: Final = 10_000
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_MODULUS: Final = 1 << 256


class Compared(Struct, frozen=True):
    """A table before and after: rows, and those that are in one of both only."""

    table: str
    before: int
    after: int
    only_before: int
    only_after: int

    @property
    def same(self) -> bool:
        return not self.only_before and not self.only_after


def rows_of(connection: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """The rows of a table, in the order of its columns; tickets by the numbers that they should have.

    The database numbers them, as it sorts more than memory holds: in the order of unit, day and subject, by bytes.
    """
    numbered = _NUMBERED.get(table.name)
    if numbered is None:
        yield from streamed(connection, select(table))
        return
    c = tickets.c
    by_bytes = [_by_bytes(connection, c.unit), c.bucket, _by_bytes(connection, c.subject)]
    numbers = select(c.id.label("id"), func.row_number().over(order_by=by_bytes).label("number")).subquery()
    columns = [numbers.c.number if column.name == numbered else column for column in table.c]
    query = select(*columns).select_from(table.join(numbers, table.c[numbered] == numbers.c.id))
    yield from streamed(connection, query)


def _by_bytes(connection: Connection, column: ColumnElement[str]) -> ColumnElement[str]:
    """SQLite's order as it is, which is that of UTF-8's bytes; not the locale's in PostgreSQL."""
    return column if connection.dialect.name == "sqlite" else collate(column, "C")


def streamed(connection: Connection, query: Select[Any]) -> Generator[tuple[Any, ...], None, None]:
    """The rows of a query, some at a time, as there may be more than memory holds."""
    with connection.execute(query.execution_options(stream_results=True, yield_per=_CHUNK)) as found:
        for some in found.partitions():
            yield from map(tuple, some)


def compare(
    before: Connection, after: Connection, told: Callable[[int], None], *, raw: bool
) -> tuple[list[Compared], str]:
    """Compare two records table by table, with `raw` the archived bytes too; returns the digest of `after` as well.

    `told` hears how many tables are done.
    """
    found = []
    digest = _Digest()
    for number, table in enumerate(TABLES):
        told(number)
        counts = [0, 0]
        content, compared = _content(table), _content(table, raw=raw)
        with Hashes() as hashes:
            for side, connection in enumerate((before, after)):
                for row in rows_of(connection, table):
                    counts[side] += 1
                    whole = _hash(row, content)
                    if side == 1:
                        digest.add(str(table.name), whole)
                    seen = _hash(row, compared) if raw and table is archive else whole
                    hashes.add(side, int.from_bytes(seen[:8], "big"))
            only_before, only_after = hashes.only()
        found.append(Compared(str(table.name), counts[0], counts[1], only_before, only_after))
    return found, digest.told()


def digest_of(connection: Connection) -> str:
    """A digest of a record's content: equal on SQLite and PostgreSQL, in whatever order and numbering its rows are."""
    digest = _Digest()
    for table in TABLES:
        content = _content(table)
        for row in rows_of(connection, table):
            digest.add(str(table.name), _hash(row, content))
    return digest.told()


def _content(table: Table, *, raw: bool = False) -> list[int]:
    left_out = _NOT_COMPARED.get(table.name, ())
    if raw and table is archive:
        left_out = ()
    return [place for place, name in enumerate(table.c.keys()) if name not in left_out]


def _hash(row: tuple[Any, ...], places: list[int]) -> bytes:
    return hashlib.sha256(_ENCODE([row[place] for place in places])).digest()


class _Digest:
    """Of a set of rows: sums of their hashes, which their order does not change."""

    def __init__(self) -> None:
        self._sums: dict[str, int] = {}

    def add(self, table: str, row: bytes) -> None:
        self._sums[table] = (self._sums.get(table, 0) + int.from_bytes(row, "big")) % _MODULUS

    def told(self) -> str:
        return hashlib.sha256(_ENCODE(sorted((name, f"{total:x}") for name, total in self._sums.items()))).hexdigest()
