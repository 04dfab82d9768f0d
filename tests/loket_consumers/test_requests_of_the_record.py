"""The record's requests are the live state's where nothing came too late, and those of all events besides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from loket.domain.calendar import Calendar, DayHours, Schedule
from loket.domain.events import Event
from loket.domain.policy import DAY, HOUR, Clock, Policy, Produces, ServicePolicy, Since, Turnaround, UnitPolicy
from loket.domain.requesting import follow
from loket.domain.requests import KEPT_DAYS
from loket.testing.builders import Office
from loket.testing.strategies import conflicting, requests
from loket_consumers.engines import connect, reading, writing
from loket_consumers.migrating import upgrade
from loket_consumers.request_schema import feedback
from loket_consumers.request_schema import requests as requests_table
from loket_consumers.storing import store
from loket_consumers.sums import UnitSums, Whose, sums
from support.logs import to_records
from support.oracle import Oracle
from support.recorded import TOPIC, decoded, empty, figures, results, rows_of, store_all

_SHIFT = DayHours(((8 * HOUR, 16 * HOUR),))
HOURS = Calendar((Schedule(1, (_SHIFT,) * 5 + (DayHours(),) * 2),))
CARDS = ServicePolicy(produces=Produces.REQUEST, turnarounds=(Turnaround(1, 12 * HOUR, 0.9, Clock.SERVICE),))
PAPERS = ServicePolicy(produces=Produces.REQUEST, turnarounds=(Turnaround(1, DAY, 0.9, since=Since.ACCEPTANCE),))


def policy_of(calendar: Calendar) -> Policy:
    """One unit with two services that give documents, in service hours and by the wall."""
    return Policy(units={"u": UnitPolicy(services={"ktp": CARDS, "kk": PAPERS}, known=True, calendar=calendar)})


POLICY = policy_of(HOURS)
OPENS = int(Office().at("08:00"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("record")
    made = connect(f"sqlite:///{folder / 'record.db'}")
    upgrade(made)
    yield made
    made.dispose()


@st.composite
def receptions(draw: st.DrawFn, *, conflicts: bool = True) -> list[tuple[Event, int]]:
    """A log as the broker receives it: some of it when its requests are forgotten."""
    log = draw(requests(Office(), steps=8, corrections=True).filter(bool))
    if conflicts and draw(st.booleans()):
        log = draw(conflicting(log))
    delays = [draw(st.sampled_from([0, 0, 0, HOUR, 8 * HOUR, 30 * HOUR, 70 * DAY, 200 * DAY])) for _ in log]
    arrived = [(event, int(event.time) + delay) for event, delay in zip(log, delays, strict=True)]
    return sorted(arrived, key=lambda pair: pair[1])


sizes = st.lists(st.integers(1, 12), max_size=8)
law = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def told(engine: Engine, now: int, *, live: bool) -> dict[str, dict[str, int]]:
    """The figures of each service without zeros."""
    found = figures(engine, now, live=live).live["u"].services
    return {name: flat for name, flat in found.items() if flat}


def live_figures_are_those_of_the_state(engine: Engine, data: st.DataObject, batches: list[int]) -> None:
    arrived = data.draw(receptions())
    now = max(received for _, received in arrived) + data.draw(st.sampled_from([0, HOUR, 9 * DAY, 90 * DAY]))
    oracle = Oracle(POLICY)
    expected = oracle.apply_all(arrived)
    empty(engine)
    store_all(engine, arrived, batches, POLICY)
    assert results(engine) == expected
    services, *_ = oracle.flats("u", now)
    assert told(engine, now, live=True) == services


@law
@given(data=st.data(), batches=sizes)
def test_live_figures_are_those_of_the_state_whatever_came_late(
    engine: Engine, data: st.DataObject, batches: list[int]
) -> None:
    live_figures_are_those_of_the_state(engine, data, batches)


def the_record_is_that_of_all_events(engine: Engine, data: st.DataObject, batches: list[int]) -> None:
    arrived = data.draw(receptions(conflicts=False))
    now = max(received for _, received in arrived) + data.draw(st.sampled_from([0, HOUR, 90 * DAY]))
    at_once = [(event, OPENS) for event, _ in arrived]
    oracle = Oracle(POLICY)
    oracle.apply_all(at_once)
    empty(engine)
    store_all(engine, arrived, batches, POLICY)
    services, *_ = oracle.flats("u", now)
    with reading(engine) as connection:
        found = sums(connection, Whose(live=False), now)
    assert {name: flat for name, flat in found.get("u", UnitSums()).services.items() if flat} == services


@law
@given(data=st.data(), batches=sizes)
def test_the_record_is_that_of_all_events_whatever_came_late(
    engine: Engine, data: st.DataObject, batches: list[int]
) -> None:
    the_record_is_that_of_all_events(engine, data, batches)


def test_both_laws_hold_on_postgresql(database: str) -> None:
    made = connect(database)
    upgrade(made)

    @settings(law, max_examples=8)
    @given(data=st.data(), batches=sizes)
    def both(data: st.DataObject, batches: list[int]) -> None:
        live_figures_are_those_of_the_state(made, data, batches)
        the_record_is_that_of_all_events(made, data, batches)

    try:
        both()
    finally:
        made.dispose()


@settings(law, max_examples=15)
@given(log=requests(Office(), steps=8, corrections=True).filter(bool), batches=sizes, data=st.data())
def test_neither_order_nor_batches_change_the_rows(
    engine: Engine, log: list[Event], batches: list[int], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(log))
    found = []
    for arrived, sizes_of in ((log, []), (shuffled, batches)):
        empty(engine)
        store_all(engine, [(event, OPENS) for event in arrived], sizes_of, POLICY)
        found.append([rows_of(engine, table) for table in (requests_table, feedback)])
    assert found[0] == found[1]


def test_a_request_that_was_forgotten_live_is_reopened_in_the_record_alone(engine: Engine) -> None:
    office = Office()
    log: list[Event] = [office.request_submitted("R1", at="08:00"), office.request_completed("R1", at="10:00")]
    arrived: list[tuple[Event, int]] = [(event, int(event.time)) for event in log]
    later = OPENS + (KEPT_DAYS + 3) * DAY
    late = office.request_reopened("R1", at=later)
    arrived.append((office.request_submitted("R2", at=later - HOUR), later - HOUR))
    arrived.append((late, later))
    empty(engine)
    store_all(engine, arrived, [], POLICY)
    assert results(engine)[-1] == "late"
    rows = {(row["subject"], row["basis"]): row for row in rows_of(engine, requests_table)}
    assert rows["R1", "live"]["completed"]
    assert rows["R1", "record"]["ended_at"] is None
    assert rows["R2", "both"]["ended_at"] is None
    live = told(engine, later, live=True)["ktp"]
    assert (live["requests_open"], live["requests_completed/none"]) == (1, 1)


def test_other_opening_hours_move_the_targets_of_what_is_open_and_leave_what_has_ended(engine: Engine) -> None:
    office = Office()
    done: list[Event] = [office.request_submitted("R1", at="08:00"), office.request_completed("R1", at="+1 11:00")]
    waits: list[Event] = [office.request_submitted("R2", at="14:00"), office.request_submitted("R3", at="+1 08:00")]
    arrived: list[tuple[Event, int]] = [(event, int(event.time)) for event in (*done, waits[0])]
    oracle = Oracle(POLICY)
    oracle.apply_all(arrived)
    empty(engine)
    store_all(engine, arrived, [], POLICY)
    shorter = Calendar((Schedule(1, (DayHours(((8 * HOUR, 10 * HOUR),)),) * 7),))
    follow(oracle.units["u"], policy_of(shorter).units["u"])
    oracle.apply(waits[1], int(waits[1].time))
    with writing(engine) as connection:
        reads = decoded(to_records([(waits[1], int(waits[1].time))], topic=TOPIC, begin=len(arrived)))
        store(connection, TOPIC, {0: reads}, {0: len(arrived)}, policy_of(shorter))
    for now in (OPENS + 3 * DAY, OPENS + 6 * DAY, OPENS + 20 * DAY):
        services, *_ = oracle.flats("u", now)
        assert told(engine, now, live=True) == services
    rows = {row["subject"]: row for row in rows_of(engine, requests_table)}
    assert rows["R2"]["breach_at"] == int(office.at("+7 08:00"))  # Friday to Wednesday: six days of two hours
    assert rows["R1"]["breach_at"] == int(office.at("+1 12:00"))
