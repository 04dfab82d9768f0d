"""The record says what the domain says: live figures by rule 8, all events else, in any order and any batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select

from loket.domain.events import Event
from loket.domain.policy import HOUR, Policy
from loket.wire.cloudevents import Decoder
from loket_consumers.engines import connect, reading, writing
from loket_consumers.migrating import upgrade
from loket_consumers.reading import ServiceTime, read
from loket_consumers.record_figures import record_figures
from loket_consumers.schema import METADATA, archive, positions
from loket_consumers.storing import store
from support.logs import DAY_BEGINS, POLICY, arrivals, log_of, to_records, whole_policy
from support.oracle import Oracle, without_zeros

TOPIC = "loket.events"

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = connect("sqlite://")
    upgrade(made)
    yield made
    made.dispose()


def empty(engine: Engine) -> None:
    with writing(engine) as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(delete(table))
        connection.execute(insert(positions).values(topic=TOPIC, partition=0, next=0))


def store_all(
    engine: Engine, arrived: Sequence[tuple[Event, int]], batches: Sequence[int], policy: Policy = POLICY
) -> None:
    """Store a log in batches of these sizes, and the rest."""
    reads = read(to_records(arrived, topic=TOPIC), Decoder(1, clock="event", now=lambda: 1 << 60), ServiceTime())
    start = 0
    for size in [*batches, len(reads)]:
        some = reads[start : start + size]
        if some:
            with writing(engine) as connection:
                store(connection, TOPIC, {0: some}, {0: start}, policy)
        start += len(some)


def results(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(archive.c.result).order_by(archive.c.record_offset)).scalars())


nows = st.integers(0, 130).map(lambda hours: DAY_BEGINS + hours * HOUR)
sizes = st.lists(st.integers(1, 12), max_size=8)
slow = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@slow
@given(data=st.data(), batches=sizes)
def test_live_rows_are_those_of_the_state_whatever_came_late(
    engine: Engine, data: st.DataObject, batches: list[int]
) -> None:
    arrived = data.draw(arrivals(data.draw(log_of())))
    now = max(received for _, received in arrived) + data.draw(st.integers(0, 60)) * HOUR
    oracle = Oracle(POLICY)
    expected = oracle.apply_all(arrived)
    empty(engine)
    store_all(engine, arrived, batches)

    assert results(engine) == expected
    with reading(engine) as connection:
        found = record_figures(connection, POLICY, now, live=True)
    units, people = oracle.rows(now)
    assert without_zeros(found.units) == without_zeros(units)
    assert without_zeros(found.employees) == without_zeros(people)
    for name in oracle.units:
        services, employees, day, judging = oracle.flats(name, now)
        live = found.live[name]
        assert {service: flat for service, flat in live.services.items() if flat} == services
        assert live.employees == employees
        assert {service: flat for service, flat in live.day.items() if flat} == day
        assert set(live.judging) == judging


@slow
@given(data=st.data(), batches=sizes)
def test_the_record_is_that_of_all_events_whatever_came_late(
    engine: Engine, data: st.DataObject, batches: list[int]
) -> None:
    arrived = data.draw(arrivals(data.draw(log_of(conflicts=False))))
    now = max(received for _, received in arrived) + data.draw(st.integers(0, 60)) * HOUR
    oracle = Oracle(whole_policy())
    oracle.apply_all(arrived)
    empty(engine)
    store_all(engine, arrived, batches)

    with reading(engine) as connection:
        found = record_figures(connection, POLICY, now)
    units, people = oracle.rows(now)
    assert without_zeros(found.units) == without_zeros(units)
    assert without_zeros(found.employees) == without_zeros(people)
