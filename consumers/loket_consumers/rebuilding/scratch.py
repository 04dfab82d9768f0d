"""An empty record beside the record: a file of its own beside SQLite's, a schema of its own in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Engine

from loket_consumers.engines import connect, writing
from loket_consumers.migrating import upgrade
from loket_consumers.rebuilding.lock import beside

__all__ = ["SCHEMA", "scratch"]

SCHEMA: Final = "loket_rebuild"
"""PostgreSQL's schema; whoever rebuilds needs the right to create it."""


@contextmanager
def scratch(engine: Engine) -> Iterator[Engine]:
    """An engine on an empty record with the tables of this version, which is gone afterwards.

    What a rebuild that was killed has left of its own is removed first: the caller holds the lock.
    """
    _remove(engine)
    url = engine.url
    if engine.dialect.name == "sqlite":
        made = connect(url.set(database=str(beside(engine, "rebuild"))).render_as_string(hide_password=False))
    else:
        with writing(engine) as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
        made = connect(url.render_as_string(hide_password=False), schema=SCHEMA)
    try:
        upgrade(made)
        yield made
    finally:
        made.dispose()
        _remove(engine)


def _remove(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        for ending in ("rebuild", "rebuild-wal", "rebuild-shm"):
            beside(engine, ending).unlink(missing_ok=True)
        return
    with writing(engine) as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
