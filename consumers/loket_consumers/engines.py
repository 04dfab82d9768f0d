"""Connections to the record's database: SQLite or PostgreSQL by the same URL, and what its errors mean.

SQLite: write-ahead log, foreign keys, and every transaction of ours takes the write lock at its begin, so that what it
read stays true until it commits. A power cut may take the last transactions away whole; their events are then read
again from Kafka.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InternalError, NoSuchModuleError, OperationalError

from loket.errors import UsageError
from loket_consumers.errors import DatabaseAbsent, DatabaseAway, DatabaseRefuses

__all__ = ["DatabaseUrlError", "connect", "database_errors", "reading", "shown", "writing"]

BUSY_TIMEOUT_S: Final = 20
CONNECT_TIMEOUT_S: Final = 5
UNACKNOWLEDGED_S: Final = 30
"""After so long the kernel gives up a connection whose other end acknowledges nothing of what was sent."""

SILENCE_S: Final = 10
"""So long after a statement should have been given up by the server itself, a connection is taken for dead."""

_KINDS: Final = ("sqlite", "postgresql")


class DatabaseUrlError(UsageError):
    """The setting `database` is no URL of a database that the record can be kept in."""


def connect(url: str, *, statement_timeout_s: int = 0, schema: str = "", exists: bool = False) -> Engine:
    """Return an engine for a database's URL; nobody is connected yet. Raises DatabaseUrlError.

    `statement_timeout_s`: after so many seconds PostgreSQL gives a statement up, and we the connection where it does
    not; 0: never. `schema`: of PostgreSQL, in which all tables are looked for and made. `exists`: SQLite, which makes a
    file for whoever asks, is not to make one: raises DatabaseAbsent where there is none.
    """
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        if kind not in _KINDS:
            raise DatabaseUrlError(
                f"the record cannot be kept in {kind}: set LOKET_DATABASE to sqlite:///loket.db or "
                "postgresql+psycopg://user@host/name"
            )
        if kind == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
            path = f" -c search_path={schema}" if schema else ""
            engine = create_engine(
                parsed,
                pool_size=1,
                max_overflow=1,
                pool_pre_ping=True,
                connect_args={
                    "connect_timeout": CONNECT_TIMEOUT_S,
                    "options": f"-c statement_timeout={statement_timeout_s}s -c timezone=UTC{path}",
                    "keepalives_idle": 10,
                    "keepalives_interval": 5,
                    "keepalives_count": 3,
                    "tcp_user_timeout": UNACKNOWLEDGED_S * 1_000,
                    "application_name": "loket",
                },
            )
            if statement_timeout_s:
                _be_patient(engine, statement_timeout_s + SILENCE_S)
        else:
            _check_folder(parsed.database)
            if exists:
                _check_file(parsed.database)
            engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
    except ArgumentError as error:
        raise DatabaseUrlError(
            f"LOKET_DATABASE is no database URL ({error}): write it like sqlite:///loket.db"
        ) from error
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseUrlError(f"{error}: install the driver with `pip install 'loket[postgresql]'`") from error
    return engine


def shown(engine: Engine) -> str:
    """The database's URL without its password."""
    return engine.url.render_as_string(hide_password=True)


def _check_folder(database: str | None) -> None:
    if database and database != ":memory:" and not database.startswith("file:"):
        folder = Path(database).absolute().parent
        if not folder.is_dir():
            raise DatabaseUrlError(f"there is no folder {folder} for the database {database}: make it, or name another")


def _check_file(database: str | None) -> None:
    if database and database != ":memory:" and not database.startswith("file:") and not Path(database).exists():
        raise DatabaseAbsent(str(Path(database).absolute()))


def _be_patient(engine: Engine, silence_s: float) -> None:
    from loket_consumers.patience import patient  # psycopg need not be there

    kind = patient(silence_s)

    def made(_dialect: object, _record: object, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        return kind.connect(*arguments, **options)

    event.listen(engine, "do_connect", made)


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: `_begin_sqlite` does
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA cache_size = -65536")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    deferred = connection.get_execution_options().get("loket_reads", False)
    connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that is committed if nothing is raised. Raises DatabaseAway, DatabaseRefuses."""
    with database_errors(engine), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees one instant and changes nothing. Raises DatabaseAway, DatabaseRefuses."""
    options: dict[str, Any] = {"loket_reads": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with database_errors(engine), engine.connect() as connection:
        connection = connection.execution_options(**options)
        with connection.begin():
            yield connection


@contextmanager
def database_errors(engine: Engine) -> Iterator[None]:
    """Turn what the driver raises into the record's errors: what passes by itself is DatabaseAway."""
    try:
        yield
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split()) or type(error.orig).__name__
        passing = error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError, InternalError))
        if passing and "no such table" not in reason and "no such column" not in reason:
            raise DatabaseAway(shown(engine), reason) from error
        raise DatabaseRefuses(shown(engine), reason) from error
