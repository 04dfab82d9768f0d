"""One rebuild of a record at a time: a lock that goes when its holder ends, however it ends.

PostgreSQL: an advisory lock of the session. SQLite: a lock of the kernel on a file beside the database, which stays, as
deleting it would let two in. Not promised on network file systems.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from loket.errors import UsageError
from loket_consumers.engines import database_errors, shown
from loket_consumers.rebuilding.errors import RebuildRuns

__all__ = ["beside", "only_one"]


def beside(engine: Engine, name: str) -> Path:
    """A file beside a SQLite database. Raises UsageError for one in memory."""
    database = engine.url.database
    if not database or database == ":memory:" or database.startswith("file:"):
        raise UsageError(f"{shown(engine)} is no file: a record in memory is made anew by reading the topic again")
    path = Path(database)
    return path.with_name(f"{path.name}-{name}")


@contextmanager
def only_one(engine: Engine) -> Iterator[None]:
    """Hold the lock. Raises RebuildRuns, DatabaseAway."""
    hold = _on_file if engine.dialect.name == "sqlite" else _in_session
    with hold(engine):
        yield


@contextmanager
def _on_file(engine: Engine) -> Iterator[None]:
    path = beside(engine, "rebuild.lock")
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RebuildRuns(shown(engine)) from None
        yield
    finally:
        os.close(file)


@contextmanager
def _in_session(engine: Engine) -> Iterator[None]:
    with database_errors(engine), engine.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        held = connection.exec_driver_sql("SELECT pg_try_advisory_lock(hashtext('loket_rebuild'))").scalar_one()
        if not held:
            raise RebuildRuns(shown(engine))
        try:
            yield
        finally:
            connection.exec_driver_sql("SELECT pg_advisory_unlock(hashtext('loket_rebuild'))")
