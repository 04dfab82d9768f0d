"""The schema: made by migrations alone, the same as the code says, and no other is worked with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, Table, insert, inspect, select, text

from loket.domain.days import Admission
from loket.domain.events import Instant
from loket.domain.policy import DAY, HOUR, Policy, UnitPolicy
from loket_consumers.engines import DatabaseUrlError, connect, reading, writing
from loket_consumers.errors import DatabaseAway, DatabaseRefuses, SchemaAbsent, SchemaAhead, SchemaBehind
from loket_consumers.migrating import VERSION_TABLE, check_schema, configuration, upgrade
from loket_consumers.schema import METADATA, employee_days, legs
from support.logs import DAY_BEGINS, make
from support.process import free_port
from support.recorded import empty, figures, rows_of, store_all
from support.sinks import visits


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'record.db'}" if request.param == "sqlite" else request.getfixturevalue("database")
    made = connect(url)
    yield made
    made.dispose()


def test_an_upgrade_makes_the_tables_that_the_code_knows_and_a_second_changes_nothing(engine: Engine) -> None:
    with pytest.raises(SchemaAbsent, match="run `loket db upgrade`"):
        check_schema(engine)
    before, after = upgrade(engine)
    assert before is None
    assert upgrade(engine) == (after, after)
    assert check_schema(engine) == after

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []


def test_a_schema_of_another_version_is_refused_with_what_to_do(engine: Engine) -> None:
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = 'from the future'"))
    with pytest.raises(SchemaAhead, match="run that version here too"):
        check_schema(engine)
    with pytest.raises(SchemaAhead):
        upgrade(engine)


def test_a_database_of_the_version_before_sessions_is_upgraded_with_what_is_in_it(engine: Engine) -> None:
    config = configuration()
    at = DAY_BEGINS + 6 * HOUR
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text("INSERT INTO units VALUES ('clinic', :yes, :admission, 'Asia/Jakarta', 10800000)"),
            {"yes": True, "admission": msgspec.msgpack.encode(Admission(at))},
        )
        connection.execute(text("INSERT INTO positions VALUES ('loket.events', 0, 0)"))
    with pytest.raises(SchemaBehind):
        check_schema(engine)
    assert upgrade(engine) == ("0001", check_schema(engine))

    store_all(
        engine,
        [
            (make("session.started", "1", at, None, "clinic", counter="1", employee="ani"), at),
            (make("session.ended", "2", at + HOUR, None, "clinic", counter="1", employee="ani"), at + HOUR),
            (make("ticket.issued", "3", at + DAY, "A1", "clinic", service="general"), at + DAY),
        ],
    )
    (row,) = rows_of(engine, employee_days)
    assert (row["employee"], row["staffed_ms"], row["basis"]) == ("ani", HOUR, "both")
    (ani,) = figures(engine, at + DAY).employees
    assert ani.staffed_s == 3_600


def test_legs_of_the_version_before_hours_get_those_that_the_sink_would_write(engine: Engine) -> None:
    policy = Policy(units={"office-0": UnitPolicy(zone="Asia/Kathmandu"), "office-1": UnitPolicy(day_starts_ms=None)})
    upgrade(engine)
    empty(engine)
    log = visits(300, DAY_BEGINS)
    log += [make("service.completed", "x", DAY_BEGINS + 9 * HOUR, "nobody", "office-0")]  # a leg without an issue
    spread = [msgspec.structs.replace(event, time=Instant(event.time + n * HOUR // 7)) for n, event in enumerate(log)]
    store_all(engine, [(event, int(event.time)) for event in spread], policy=policy)
    told = rows_of(engine, legs)
    assert len({row["hour"] for row in told}) > 12

    config = configuration()
    tables = [table for table in METADATA.sorted_tables if table.name in ("units", "tickets", "legs", "stretches")]
    with writing(engine) as connection:
        rows = {table.name: [dict(row) for row in connection.execute(select(table)).mappings()] for table in tables}
        for name in reversed(inspect(connection).get_view_names()):
            connection.execute(
                text(f"DROP VIEW IF EXISTS {name}" + (" CASCADE" if engine.dialect.name == "postgresql" else ""))
            )
        for table in reversed(METADATA.sorted_tables):
            connection.execute(text(f"DROP TABLE {table.name}"))
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
        if engine.dialect.name == "postgresql":
            connection.execute(text("DROP SEQUENCE ticket_numbers"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for table in tables:
            for row in rows[table.name]:
                row.pop("hour", None)
            old = Table(table.name, MetaData(), autoload_with=connection)
            connection.execute(insert(old), rows[table.name])
    assert upgrade(engine)[0] == "0003"
    assert rows_of(engine, legs) == told


def test_an_older_schema_is_behind(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(engine)
    monkeypatch.setattr("loket_consumers.migrating._wanted", lambda config: "9999")
    with pytest.raises(SchemaBehind, match="stop the sinks and run `loket db upgrade`"):
        check_schema(engine)


def test_an_upgrade_that_fails_leaves_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE tickets (somebody_elses INTEGER)"))
    with pytest.raises((DatabaseAway, DatabaseRefuses), match="tickets"):
        upgrade(engine)
    assert inspect(engine).get_table_names() == ["tickets"]


def test_a_database_that_is_not_there_is_told_with_its_address_and_without_its_password() -> None:
    engine = connect(f"postgresql+psycopg://loket:secret@127.0.0.1:{free_port()}/record")
    with pytest.raises(DatabaseAway, match="start it") as caught:
        check_schema(engine)
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://host/name", "cannot be kept in mysql"),
        ("sqlite:////nowhere/at/all/record.db", "there is no folder /nowhere/at/all"),
        ("nonsense://x/y", "cannot be kept in nonsense"),
    ],
)
def test_a_url_that_will_not_do_says_which_would(url: str, told: str) -> None:
    with pytest.raises(DatabaseUrlError, match=told) as caught:
        connect(url)
    assert caught.value.exit_status == 2


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    path.write_text("this is a letter and no database, and it is long enough to be looked at " * 20)
    engine = connect(f"sqlite:///{path}")
    with pytest.raises(DatabaseRefuses, match="not a database"):
        check_schema(engine)
    engine.dispose()


def test_views_tell_what_time_alone_has_changed(engine: Engine) -> None:
    upgrade(engine)
    columns = {column["name"] for column in inspect(engine).get_columns("legs_now")}
    assert {"status", "judged", "breached", "now_ms"} <= columns
    with reading(engine) as connection:
        assert connection.execute(text("SELECT * FROM record_days")).all() == []
