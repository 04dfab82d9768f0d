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
from sqlalchemy import Connection, Select, Table, select

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
    "Numbers",
    "compare",
    "digest_of",
    "numbers_of",
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
_NOT_COMPARED: Final = {"archive": RAW, "dead_letters": ("replayed_at",)}
"""The bytes are what it comes from, and what people have done since is no consequence of them."""

_CHUNK: Final = 10_000
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_MODULUS: Final = 1 << 256

Numbers = dict[int, int]
"""A ticket's number in the database, and in the order of unit, day and subject, from 1 on."""


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


def numbers_of(connection: Connection) -> Numbers:
    """The numbers that the tickets of a record have, and those that they should have."""
    c = tickets.c
    query = select(c.unit, c.bucket, c.subject, c.id)
    keys = sorted(tuple(row) for row in connection.execute(query))
    return {number: place for place, (*_, number) in enumerate(keys, start=1)}


def rows_of(connection: Connection, table: Table, numbers: Numbers | None = None) -> Iterator[tuple[Any, ...]]:
    """The rows of a table, in the order of its columns; tickets by the numbers that they should have."""
    numbered = _NUMBERED.get(table.name)
    place = -1 if numbered is None else list(table.c.keys()).index(numbered)
    for row in streamed(connection, select(table)):
        if place < 0 or numbers is None:
            yield row
        else:
            yield (*row[:place], numbers[row[place]], *row[place + 1 :])


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
    numbers = (numbers_of(before), numbers_of(after))
    for number, table in enumerate(TABLES):
        told(number)
        known: set[int] = set()
        counts = [0, 0]
        only_after = 0
        content, compared = _content(table), _content(table, raw=raw)
        for side, connection in enumerate((before, after)):
            for row in rows_of(connection, table, numbers[side]):
                counts[side] += 1
                whole = _hash(row, content)
                if side == 1:
                    digest.add(str(table.name), whole)
                short = int.from_bytes((_hash(row, compared) if raw and table is archive else whole)[:8], "big")
                if side == 0:
                    known.add(short)
                elif short in known:
                    known.remove(short)
                else:
                    only_after += 1
        found.append(Compared(str(table.name), counts[0], counts[1], len(known), only_after))
    return found, digest.told()


def digest_of(connection: Connection) -> str:
    """A digest of a record's content: equal on SQLite and PostgreSQL, in whatever order and numbering its rows are."""
    digest = _Digest()
    numbers = numbers_of(connection)
    for table in TABLES:
        content = _content(table)
        for row in rows_of(connection, table, numbers):
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
