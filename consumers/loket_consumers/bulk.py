"""Many rows by one statement, on SQLite and on PostgreSQL: insert, update, delete, and look up by keys.

SQLite takes rows by `executemany`, PostgreSQL a column each as an array: both work without a statement for each row.
Rows are tuples in the order of the columns; a day is its ISO text.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy import Column, Connection, Dialect, Table

__all__ = ["Row", "delete", "insert", "lookup", "update"]

Row = tuple[Any, ...]

_ROWS_AT_A_TIME: Final = 20_000
_JSON: Final = msgspec.json.Encoder()


def insert(connection: Connection, table: Table, rows: Sequence[Row], *, skip_known: bool = False) -> None:
    """Insert rows with all columns of a table; `skip_known` leaves those whose key exists already as they are."""
    _run(
        connection,
        _insert(table, connection.dialect, skip_known),
        rows,
        _types(tuple(table.columns), connection.dialect),
    )


def update(
    connection: Connection, table: Table, key: Sequence[str], change: Sequence[str], rows: Sequence[Row]
) -> None:
    """Set the columns `change` of the rows with the given `key`; each row holds the key first."""
    columns = tuple(table.columns[name] for name in (*key, *change))
    statement = _update(table, connection.dialect, tuple(key), tuple(change))
    if connection.dialect.name == "sqlite":
        rows = [(*row[len(key) :], *row[: len(key)]) for row in rows]
    _run(connection, statement, rows, _types(columns, connection.dialect))


def delete(connection: Connection, table: Table, column: str, values: Collection[int]) -> None:
    """Delete the rows with one of these (whole) numbers in a column."""
    if not values:
        return
    quoted = _quoted(connection.dialect, table.columns[column])
    if connection.dialect.name == "sqlite":
        statement = f"DELETE FROM {table.name} WHERE {quoted} IN (SELECT value FROM json_each(?))"  # noqa: S608 (names are ours)
        connection.exec_driver_sql(statement, (_JSON.encode(list(values)).decode(),))
    else:
        statement = f"DELETE FROM {table.name} WHERE {quoted} = ANY(%s::bigint[])"  # noqa: S608 (names are ours)
        connection.exec_driver_sql(statement, (list(values),))


def lookup(
    connection: Connection,
    table: Table,
    key: Sequence[str],
    keys: Sequence[Row],
    wanted: Sequence[str],
    where: str = "",
) -> list[Row]:
    """The columns `wanted` of the rows whose `key` is one of `keys` and that are `where` (SQL on the alias t)."""
    found: list[Row] = []
    statement = _lookup(table, connection.dialect, tuple(key), tuple(wanted), where)
    for start in range(0, len(keys), _ROWS_AT_A_TIME):
        some = keys[start : start + _ROWS_AT_A_TIME]
        parameters: Row
        if connection.dialect.name == "sqlite":
            parameters = (_JSON.encode(some).decode(),)
        else:
            parameters = tuple(list(values) for values in zip(*some, strict=True))
        found.extend(tuple(row) for row in connection.exec_driver_sql(statement, parameters))
    return found


def _run(connection: Connection, statement: str, rows: Sequence[Row], types: tuple[str, ...]) -> None:
    for start in range(0, len(rows), _ROWS_AT_A_TIME):
        some = rows[start : start + _ROWS_AT_A_TIME]
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(statement, list(some))
        else:
            arrays = tuple(list(values) for values in zip(*some, strict=True))
            connection.exec_driver_sql(statement.replace("UNNEST", _arrays(types)), arrays)


@cache
def _insert(table: Table, dialect: Dialect, skip_known: bool) -> str:
    names = ", ".join(_quoted(dialect, column) for column in table.columns)
    known = " ON CONFLICT DO NOTHING" if skip_known else ""
    if dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        return f"INSERT INTO {table.name} ({names}) VALUES ({marks}){known}"  # noqa: S608 (names are ours)
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM UNNEST{known}"  # noqa: S608 (names are ours)


@cache
def _update(table: Table, dialect: Dialect, key: tuple[str, ...], change: tuple[str, ...]) -> str:
    def quoted(name: str) -> str:
        return _quoted(dialect, table.columns[name])

    if dialect.name == "sqlite":
        sets = ", ".join(f"{quoted(name)} = ?" for name in change)
        wheres = " AND ".join(f"{quoted(name)} = ?" for name in key)
        return f"UPDATE {table.name} SET {sets} WHERE {wheres}"  # noqa: S608 (names are ours)
    given = ", ".join(quoted(name) for name in (*key, *change))
    sets = ", ".join(f"{quoted(name)} = w.{quoted(name)}" for name in change)
    wheres = " AND ".join(f"t.{quoted(name)} = w.{quoted(name)}" for name in key)
    return f"UPDATE {table.name} AS t SET {sets} FROM UNNEST AS w({given}) WHERE {wheres}"  # noqa: S608 (names are ours)


@cache
def _lookup(table: Table, dialect: Dialect, key: tuple[str, ...], wanted: tuple[str, ...], where: str) -> str:
    columns = ", ".join(f"t.{_quoted(dialect, table.columns[name])}" for name in wanted)
    also = f" AND {where}" if where else ""
    names = [_quoted(dialect, table.columns[name]) for name in key]
    if dialect.name == "sqlite":
        # CROSS JOIN: SQLite then goes from the keys to the table's index, and never through the table.
        on = " AND ".join(f"t.{name} = json_extract(w.value, '$[{number}]')" for number, name in enumerate(names))
        return f"SELECT {columns} FROM json_each(?) AS w CROSS JOIN {table.name} AS t ON {on}{also}"  # noqa: S608 (names are ours)
    types = _types(tuple(table.columns[name] for name in key), dialect)
    on = " AND ".join(f"t.{name} = w.{name}" for name in names)
    keys = f"{_arrays(types)} AS w({', '.join(names)})"
    return f"SELECT {columns} FROM {keys} JOIN {table.name} AS t ON {on}{also}"  # noqa: S608 (names are ours)


def _types(columns: Collection[Column[Any]], dialect: Dialect) -> tuple[str, ...]:
    return tuple(column.type.compile(dialect) for column in columns)


def _arrays(types: tuple[str, ...]) -> str:
    return f"unnest({', '.join(f'%s::{kind}[]' for kind in types)})"


def _quoted(dialect: Dialect, column: Column[Any]) -> str:
    return dialect.identifier_preparer.format_column(column)
