"""A device that invents a name for everything: the record keeps each name, in rows that its events bring anyway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from loket.domain.events import Event
from loket.domain.policy import HOUR, Policy
from loket.testing.builders import Office, unit_policy
from loket_consumers.engines import connect, reading
from loket_consumers.migrating import upgrade
from loket_consumers.schema import METADATA, archive, employee_stretches, legs
from support.inventing import BUDGET, MORNING, inventions
from support.recorded import empty, figures, store_all

POLICY = Policy(units={"u": unit_policy({"s": 300}, budget=BUDGET)}, defaults=unit_policy(budget=BUDGET))
NOW = MORNING + 4 * HOUR


@contextmanager
def record_in(file: Path) -> Iterator[Engine]:
    made = connect(f"sqlite:///{file}")
    try:
        upgrade(made)
        empty(made)
        yield made
    finally:
        made.dispose()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with record_in(tmp_path / "record.db") as made:
        yield made


def arrived(told: list[Event]) -> list[tuple[Event, int]]:
    return [(event, int(event.time)) for event in told]


def rows(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in METADATA.sorted_tables
        }


def size(engine: Engine) -> int:
    with reading(engine) as connection:
        pages, free, page = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * page)


def usual(visits: int) -> list[Event]:
    """The same visits as a sound device tells them: two services, two employees."""
    office = Office("u")
    told: list[Event] = []
    for number in range(visits):
        at, subject, employee = MORNING + number * 500, f"ticket-{number}", f"employee-{number % 2}"
        told += [
            office.issued(subject, at=at, service=f"service-{number % 2}"),
            office.called(subject, at=at + 60_000, counter="1", employee=employee),
            office.started(subject, at=at + 70_000, service="started", counter="1", employee=employee),
            office.added(subject, at=at + 80_000, service="added", employee="helper"),
            office.completed(subject, at=at + 90_000, counter="1", employee=employee),
            office.counter_opened(at=at),
            office.session_started(employee, at=at),
            office.session_started("helper", at=at),
            office.heartbeat(at=at, pending=1, oldest_pending_at=at),
        ]
    return told


@pytest.mark.parametrize("unit", ["u", None], ids=["names", "units too"])
def test_invented_names_bring_no_more_rows_than_usual_ones(engine: Engine, tmp_path: Path, unit: str | None) -> None:
    visits = 400
    with record_in(tmp_path / "sound.db") as sound:
        store_all(engine, arrived(list(inventions(visits, unit=unit))), [500] * 4, POLICY)
        store_all(sound, arrived(usual(visits)), [500] * 4, POLICY)
        invented, expected = rows(engine), rows(sound)
        assert invented | {"units": 0} == expected | {"units": 0}
        assert invented["units"] == (1 if unit else visits)
        assert size(engine) < 1.5 * size(sound)


def test_the_record_keeps_the_names_that_the_metrics_do_not(engine: Engine) -> None:
    visits = 60
    store_all(engine, arrived(list(inventions(visits, unit="u"))), policy=POLICY)
    with reading(engine) as connection:
        services = set(connection.execute(select(legs.c.service)).scalars())
        people = set(connection.execute(select(employee_stretches.c.employee)).scalars())
        sources = set(connection.execute(select(archive.c.source)).scalars())
    assert services == {f"service-{number}" for number in range(visits)}
    assert people == {f"{who}-{number}" for who in ("employee", "helper") for number in range(visits)}
    assert sources == {f"device-{number}" for number in range(visits)}
    found = figures(engine, NOW, POLICY)
    (whole,) = [row for row in found.units if row.service is None]
    assert (whole.issued, whole.served, whole.services) == (visits, visits, 2 * visits)
