"""Brings a database to the schema of this version, and refuses to work with any other."""

from __future__ import annotations

from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from loket_consumers.engines import reading, shown, writing
from loket_consumers.errors import SchemaAbsent, SchemaAhead, SchemaBehind

__all__ = ["VERSION_TABLE", "check_schema", "configuration", "upgrade"]

VERSION_TABLE: Final = "loket_schema"


def configuration() -> Config:
    """Alembic's configuration, for the migrations in this package."""
    config = Config()
    config.set_main_option("script_location", "loket_consumers:migrations")
    return config


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Bring the database to this version in one transaction; returns the version it had, and the one it has.

    Raises SchemaAhead where it is newer, DatabaseAway, DatabaseRefuses.
    """
    config = configuration()
    wanted = _wanted(config)
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('loket_schema'))")
        found = _found(connection)
        if found is not None and not _knows(config, found):
            raise SchemaAhead(shown(engine), found, wanted)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return found, wanted


def check_schema(engine: Engine) -> str:
    """Return the version of the schema if it is this one. Raises SchemaError, DatabaseAway, DatabaseRefuses."""
    config = configuration()
    wanted = _wanted(config)
    with reading(engine) as connection:
        found = _found(connection)
    if found is None:
        raise SchemaAbsent(shown(engine), None, wanted)
    if found != wanted:
        wrong = SchemaBehind if _knows(config, found) else SchemaAhead
        raise wrong(shown(engine), found, wanted)
    return found


def _wanted(config: Config) -> str:
    head = ScriptDirectory.from_config(config).get_current_head()
    if head is None:
        raise RuntimeError("the package has no migrations")
    return head


def _knows(config: Config, version: str) -> bool:
    return any(script.revision == version for script in ScriptDirectory.from_config(config).walk_revisions())


def _found(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
