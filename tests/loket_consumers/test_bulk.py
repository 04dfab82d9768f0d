"""Rows by one statement on both databases: what goes in comes out, whatever a text holds; errors are the record's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, LargeBinary, MetaData, Table, Text, delete, select, text
from sqlalchemy.types import BigInteger, Boolean, Date

from loket_consumers import bulk
from loket_consumers.engines import connect, writing
from loket_consumers.errors import DatabaseAway, DatabaseRefuses

STRANGE = [
    None,
    "",
    "NULL",
    "null",
    "{",
    "}",
    ",",
    '"',
    "\\",
    '\\"',
    "a\nb\tc",
    "Puskesmas Ciputat",
    "\u202e\U0001f600",
    " ",
]

ROWS = Table(
    "bulk_rows",
    MetaData(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text),
    Column("day", Date),
    Column("yes", Boolean),
    Column("bytes", LargeBinary),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('bulk') / 'record.db'}"
    else:
        with request.getfixturevalue("postgres").database() as made:
            yield made


def test_what_goes_in_comes_out(url: str) -> None:
    names = st.one_of(
        st.sampled_from(STRANGE), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    )
    row = st.tuples(names, st.sampled_from([None, "2026-01-31", "1900-01-01"]), st.booleans() | st.none())
    whole = st.lists(st.tuples(row, st.binary() | st.none()), min_size=1, max_size=20)
    engine = connect(url)
    ROWS.create(engine, checkfirst=True)

    @settings(max_examples=60, deadline=None)
    @given(whole, st.booleans())
    def check(told: list[tuple[tuple[str | None, str | None, bool | None], bytes | None]], skip: bool) -> None:
        rows = [(number, *first, last) for number, (first, last) in enumerate(told)]
        with writing(engine) as connection:
            connection.execute(delete(ROWS))
            bulk.insert(connection, ROWS, rows, skip_known=skip)
            wanted = ("number", "name", "day", "yes", "bytes")
            found = bulk.lookup(connection, ROWS, ("number",), [(number,) for number in range(len(rows))], wanted)
            assert sorted(map(plain, found)) == rows
            changed = [(number, *rows[-1 - number][1:]) for number in range(len(rows))]
            bulk.update(connection, ROWS, ("number",), wanted[1:], changed)
            stored = connection.execute(select(ROWS).order_by(ROWS.c.number)).all()
            assert [plain(each) for each in stored] == changed
            by_name = [row for row in changed if row[1] is not None]
            keys = sorted({(row[1],) for row in by_name})
            assert sorted(each[0] for each in bulk.lookup(connection, ROWS, ("name",), keys, ("number",))) == [
                row[0] for row in by_name
            ]
            bulk.delete(connection, ROWS, "number", range(0, len(rows), 2))
            left = connection.execute(select(ROWS.c.number).order_by(ROWS.c.number)).scalars().all()
            assert left == list(range(1, len(rows), 2))

    check()
    engine.dispose()


def plain(row: bulk.Row) -> bulk.Row:
    number, name, day, yes, held = row
    return (
        number,
        name,
        None if day is None else str(day),
        None if yes is None else bool(yes),
        None if held is None else bytes(held),
    )


def test_a_known_key_is_refused_or_skipped(url: str) -> None:
    engine = connect(url)
    ROWS.create(engine, checkfirst=True)
    row = (1, "first", None, None, None)
    with writing(engine) as connection:
        connection.execute(delete(ROWS))
        bulk.insert(connection, ROWS, [row])
    with pytest.raises(DatabaseRefuses), writing(engine) as connection:
        bulk.insert(connection, ROWS, [(2, "new", None, None, None), (1, "second", None, None, None)])
    with writing(engine) as connection:
        bulk.insert(connection, ROWS, [(2, "new", None, None, None), (1, "second", None, None, None)], skip_known=True)
        assert connection.execute(select(ROWS.c.name).order_by(ROWS.c.number)).scalars().all() == ["first", "new"]
    engine.dispose()


def test_a_connection_that_is_cut_while_rows_go_over_it_is_a_database_that_is_away(database: str) -> None:
    engine, other = connect(database), connect(database)
    ROWS.create(engine)
    rows = [(number, "x" * 1_000, None, None, None) for number in range(5_000)]

    def cut_and_insert() -> None:
        with writing(engine) as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with writing(other) as theirs:
                theirs.execute(text(f"SELECT pg_terminate_backend({int(backend)})"))
            bulk.insert(connection, ROWS, rows)

    with pytest.raises(DatabaseAway):
        cut_and_insert()
    with writing(engine) as connection:  # and comes back
        bulk.insert(connection, ROWS, rows)
    engine.dispose()
    other.dispose()
