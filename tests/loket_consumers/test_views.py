"""The views for questions: each says what the domain's functions make of the same log, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, inspect

from loket.domain.policy import DAY, HOUR, MINUTE, Policy, UnitPolicy
from loket_consumers.engines import connect
from loket_consumers.migrating import upgrade
from support.by_period import assert_views, rows
from support.logs import DAY_BEGINS, POLICY, arrivals, log_of, make, whole_policy
from support.oracle import Oracle
from support.recorded import empty, store_all

DOCUMENT = Path(__file__).parents[2] / "docs" / "record.md"


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = connect(f"sqlite:///{tmp_path_factory.mktemp('views') / 'record.db'}")
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    made = connect(request.getfixturevalue("database"))
    upgrade(made)
    yield made
    made.dispose()


def views_say_what_the_domain_says(engine: Engine, data: st.DataObject, batches: list[int]) -> None:
    arrived = data.draw(arrivals(data.draw(log_of(conflicts=False))))
    oracle = Oracle(whole_policy())
    oracle.apply_all(arrived)
    empty(engine)
    store_all(engine, arrived, batches)
    assert_views(engine, oracle)


sizes = st.lists(st.integers(1, 12), max_size=4)


def test_views_say_what_the_domain_says_of_any_log(sqlite: Engine) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data(), batches=sizes)
    def law(data: st.DataObject, batches: list[int]) -> None:
        views_say_what_the_domain_says(sqlite, data, batches)

    law()


def test_views_say_what_the_domain_says_of_any_log_on_postgresql(database: str) -> None:
    made = connect(database)
    upgrade(made)

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data(), batches=sizes)
    def law(data: st.DataObject, batches: list[int]) -> None:
        views_say_what_the_domain_says(made, data, batches)

    try:
        law()
    finally:
        made.dispose()


def documented() -> dict[str, list[str]]:
    """The columns of each view that the document explains."""
    told: dict[str, list[str]] = {}
    for part in re.split(r"^### ", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name = re.match(r"`(\w+)`", part)
        if name is not None:
            of_view = re.split(r"^## ", part, flags=re.MULTILINE)[0]
            told[name[1]] = [
                column
                for names in re.findall(r"^\| (`.*?`) \|", of_view, flags=re.MULTILINE)
                for column in re.findall(r"`(\w+)`", names)
            ]
    levels = told["service_levels_by_hour"]
    for by in ("day", "week", "month"):
        told[f"service_levels_by_{by}"] += levels[levels.index("level_live") :]
    return told


def test_the_document_explains_each_view_and_column(engine: Engine) -> None:
    found = {
        name: [column["name"] for column in inspect(engine).get_columns(name)]
        for name in inspect(engine).get_view_names()
    }
    of_legs = {column["name"] for column in inspect(engine).get_columns("legs")}
    found["legs_now"] = [name for name in found["legs_now"] if name not in of_legs]
    of_requests = {column["name"] for column in inspect(engine).get_columns("requests")}
    found["requests_now"] = [name for name in found["requests_now"] if name not in of_requests]
    assert documented() == found


def test_hours_are_those_of_the_units_zone_over_a_change_of_clocks(engine: Engine) -> None:
    """In Berlin 2026-10-25 has 02:30 twice; in Kathmandu clocks are 5 h 45 min ahead of UTC."""
    berlin, kathmandu = UnitPolicy(zone="Europe/Berlin"), UnitPolicy(zone="Asia/Kathmandu")
    policy = Policy(units={"amt": berlin, "office": kathmandu})
    first = 1_792_888_200_000  # 2026-10-25T00:30:00Z
    log = [
        make("ticket.issued", f"{unit}{n}", first + n * HOUR, f"A{n}", unit, service="s")
        for n in range(3)
        for unit in ("amt", "office")
    ]
    empty(engine)
    store_all(engine, [(event, int(event.time)) for event in log], policy=policy)
    told = rows(engine, "SELECT unit, hour FROM waits ORDER BY unit, issued_at")
    assert [row["hour"] for row in told] == [2, 2, 3, 6, 7, 8]


@pytest.mark.parametrize(
    ("day", "week", "first_day"),
    [
        ("2026-01-01", "2026-W01", "2025-12-29"),
        ("2027-01-03", "2026-W53", "2026-12-28"),
        ("2024-12-30", "2025-W01", "2024-12-30"),
        ("2023-01-01", "2022-W52", "2022-12-26"),
    ],
)
def test_weeks_at_the_turn_of_the_year(engine: Engine, day: str, week: str, first_day: str) -> None:
    noon = (date.fromisoformat(day).toordinal() - date(1970, 1, 1).toordinal()) * DAY + 5 * HOUR
    empty(engine)
    store_all(engine, [(make("ticket.issued", "1", noon, "A1", "clinic", service="general"), noon)], policy=POLICY)
    (told, _) = rows(engine, "SELECT week, first_day FROM service_levels_by_week")
    assert told == {"week": week, "first_day": first_day}


def test_employees_time_is_beside_their_cases_and_absent_where_no_session_was(engine: Engine) -> None:
    at = DAY_BEGINS + 6 * HOUR
    log = [
        make("session.started", "1", at, None, "clinic", counter="1", employee="ani"),
        make("ticket.issued", "2", at, "A1", "clinic", service="general"),
        make("ticket.issued", "3", at, "A2", "clinic", service="general"),
    ]
    for n, who in (("1", "ani"), ("2", "budi")):
        log.append(make("ticket.called", f"c{n}", at + 10 * MINUTE, f"A{n}", "clinic", employee=who))
        log.append(make("service.started", f"s{n}", at + 15 * MINUTE, f"A{n}", "clinic", employee=who))
        log.append(make("service.completed", f"e{n}", at + 30 * MINUTE, f"A{n}", "clinic", employee=who))
    log.append(make("session.ended", "9", at + 2 * HOUR, None, "clinic", counter="1", employee="ani"))
    log.append(make("counter.heartbeat", "h", at + 2 * DAY, None, "clinic", counter="1"))
    empty(engine)
    store_all(engine, [(event, int(event.time)) for event in log])
    ani, budi = rows(engine, "SELECT * FROM employees_by_day ORDER BY employee")
    assert (ani["staffed_ms"], ani["serving_ms"], ani["services"], ani["people"]) == (2 * HOUR, 20 * MINUTE, 1, 2)
    assert (ani["services_per_staffed_hour"], ani["occupancy"]) == (pytest.approx(0.5), pytest.approx(1 / 6))
    assert (budi["served"], budi["service_mean_ms"]) == (1, 15 * MINUTE)
    for figure in ("staffed_ms", "serving_ms", "call_gaps", "call_gap_ms", "services_per_staffed_hour", "occupancy"):
        assert budi[figure] is None
