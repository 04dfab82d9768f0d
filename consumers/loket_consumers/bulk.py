"""Many rows by one statement, on SQLite and on PostgreSQL: insert, update, delete, and look up by keys.

SQLite takes rows by `executemany`. PostgreSQL takes new ones by COPY in binary, and keys and changes as arrays, one for
each column, whose text is made here: psycopg makes it value by value in Python, which took half of the sink's time.
Rows are tuples in the order of the columns; a day is its ISO text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import Any, Final

import msgspec
from sqlalchemy import Column, Connection, Date, Dialect, Table
from sqlalchemy.exc import DBAPIError

__all__ = ["Row", "delete", "delete_rows", "insert", "lookup", "update"]

Row = tuple[Any, ...]

_ROWS_AT_A_TIME: Final = 20_000
_JSON: Final = msgspec.json.Encoder()


def insert(connection: Connection, table: Table, rows: Sequence[Row], *, skip_known: bool = False) -> None:
    """Insert rows with all columns of a table; `skip_known` leaves those whose key exists already as they are."""
    if not rows:
        return
    if connection.dialect.name == "postgresql" and not skip_known:
        _copy(connection, table, rows)
    else:
        _run(connection, _insert(table, connection.dialect, skip_known), rows, tuple(table.columns))


def update(
    connection: Connection, table: Table, key: Sequence[str], change: Sequence[str], rows: Sequence[Row]
) -> None:
    """Set the columns `change` of the rows with the given `key`; each row holds the key first."""
    columns = tuple(table.columns[name] for name in (*key, *change))
    statement = _update(table, connection.dialect, tuple(key), tuple(change))
    if connection.dialect.name == "sqlite":
        rows = [(*row[len(key) :], *row[: len(key)]) for row in rows]
    _run(connection, statement, rows, columns)


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
        connection.exec_driver_sql(statement, (_array(tuple(values)),))


def delete_rows(connection: Connection, table: Table, key: Sequence[str], keys: Sequence[Row]) -> None:
    """Delete the rows with one of these keys."""
    columns = tuple(table.columns[name] for name in key)
    names = [_quoted(connection.dialect, column) for column in columns]
    if connection.dialect.name == "sqlite":
        wheres = " AND ".join(f"{name} = ?" for name in names)
        statement = f"DELETE FROM {table.name} WHERE {wheres}"  # noqa: S608 (names are ours)
    else:
        wheres = " AND ".join(f"t.{name} = w.{name}" for name in names)
        statement = f"DELETE FROM {table.name} AS t USING UNNEST AS w({', '.join(names)}) WHERE {wheres}"  # noqa: S608 (names are ours)
    _run(connection, statement, keys, columns)


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
            parameters = tuple(map(_array, zip(*some, strict=True)))
        found.extend(map(tuple, connection.exec_driver_sql(statement, parameters).all()))
    return found


def _run(connection: Connection, statement: str, rows: Sequence[Row], columns: tuple[Column[Any], ...]) -> None:
    for start in range(0, len(rows), _ROWS_AT_A_TIME):
        some = rows[start : start + _ROWS_AT_A_TIME]
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(statement, list(some))
        else:
            arrays = tuple(map(_array, zip(*some, strict=True)))
            types = _types(columns, connection.dialect)
            connection.exec_driver_sql(statement.replace("UNNEST", _arrays(types)), arrays)


def _copy(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """PostgreSQL's way for many new rows. SQLAlchemy does not see it: its errors are made here what they would be."""
    statement, types, days = _copying(table, connection.dialect)
    driver: Any = connection.connection.driver_connection
    dbapi: Any = connection.dialect.loaded_dbapi
    for place in days:
        rows = [(*row[:place], _date(row[place]), *row[place + 1 :]) for row in rows]
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except dbapi.Error as error:
        raise DBAPIError.instance(
            statement, None, error, dbapi.Error, connection_invalidated=driver.closed, dialect=connection.dialect
        ) from error


@lru_cache(maxsize=4096)
def _date(day: str | None) -> date | None:
    return None if day is None else date.fromisoformat(day)


_PLAIN: Final = str.maketrans({"\\": "\\\\", '"': '\\"'})


def _array(values: tuple[Any, ...]) -> str:
    """PostgreSQL's text of an array of values of one type, NULL among them."""
    first = next((value for value in values if value is not None), None)
    if isinstance(first, str):
        if None not in values:
            joined = '","'.join(values)
            if "\\" not in joined and joined.count('"') == 2 * (len(values) - 1):
                return f'{{"{joined}"}}'
        told = ["NULL" if value is None else f'"{value.translate(_PLAIN)}"' for value in values]
    elif isinstance(first, bytes):
        told = ["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]
    else:  # whole numbers, and booleans, whose names PostgreSQL takes as they are
        told = ["NULL" if value is None else str(value) for value in values]
    return f"{{{','.join(told)}}}"


@cache
def _copying(table: Table, dialect: Dialect) -> tuple[str, tuple[str, ...], tuple[int, ...]]:
    """The statement, the types of the columns as psycopg names them, and which of them are days."""
    names = ", ".join(_quoted(dialect, column) for column in table.columns)
    types = tuple(_COPIED.get(kind.lower(), kind.lower()) for kind in _types(tuple(table.columns), dialect))
    days = tuple(place for place, column in enumerate(table.columns) if isinstance(column.type, Date))
    return f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)", types, days


_COPIED: Final = {"integer": "int4", "bigint": "int8", "smallint": "int2", "boolean": "bool"}


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


@cache
def _types(columns: tuple[Column[Any], ...], dialect: Dialect) -> tuple[str, ...]:
    return tuple(column.type.compile(dialect) for column in columns)


def _arrays(types: tuple[str, ...]) -> str:
    return f"unnest({', '.join(f'%s::{kind}[]' for kind in types)})"


def _quoted(dialect: Dialect, column: Column[Any]) -> str:
    return dialect.identifier_preparer.format_column(column)
