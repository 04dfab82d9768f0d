"""The views and reports on 33,344 real calls, where their log is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from msgspec import UnsetType
from sqlalchemy import Engine

from loket.domain.days import service_days
from loket.domain.events import Event
from loket.domain.policy import DAY, Policy
from loket.importing import Report, events_of, read_mapping
from loket.targets import TargetsFile
from loket_consumers.engines import connect, reading
from loket_consumers.migrating import upgrade
from loket_consumers.reports.building import build
from loket_consumers.reports.period_sums import Span
from support.by_period import assert_views, rows
from support.logs import whole_policy
from support.oracle import Oracle
from support.recorded import empty, store_all
from support.technion import MAPPING, TARGETS, technion_log

GOLDEN = {
    "level_live": 0.73117,
    "level_answered": 0.77075,
    "level_offered": 0.67328,
    "level_excluding_short": 0.68527,
    "level_abandoned_ok": 0.75246,
    "level_excluding_early": 0.73117,
}


@cache
def log() -> tuple[Event, ...]:
    return tuple(events_of(read_mapping(MAPPING), technion_log(), Report()))


def policy() -> Policy:
    return TargetsFile(TARGETS).policy


def store(engine: Engine, events: tuple[Event, ...]) -> None:
    upgrade(engine)
    empty(engine)
    store_all(engine, [(event, int(event.time)) for event in events], [10_000] * (len(events) // 10_000), policy())


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The record of the whole log."""
    path: Path = tmp_path_factory.mktemp("technion") / "record.db"
    engine = connect(f"sqlite:///{path}")
    store(engine, log())
    yield engine
    engine.dispose()


@pytest.mark.long
def test_views_tell_the_golden_levels_of_the_month(month: Engine) -> None:
    (told,) = rows(month, "SELECT * FROM service_levels_by_month WHERE service IS NULL")
    assert {name: told[name] for name in GOLDEN} == pytest.approx(GOLDEN, abs=5e-6)
    assert (told["month"], told["answered"], told["left_waiting"], told["judged"]) == ("1999-02", 27_162, 3_932, 28_632)


@pytest.mark.long
def test_a_report_tells_the_golden_waits_of_the_month(month: Engine) -> None:
    first = service_days(policy().unit("bank")).day(int(log()[0].time))
    span = Span("bank", first, first + 27, int(log()[-1].time) + DAY)
    with reading(month) as connection:
        told = build(connection, span, policy().unit("bank"), by="week")
    whole = told.whole
    assert (whole.wait_median_s, whole.wait_p90_s, whole.km_median_s, whole.km_p90_s) == (6, 131, 16, 174)
    bounds = [whole.km_median_low_s, whole.km_median_high_s, whole.km_p90_low_s, whole.km_p90_high_s]
    assert bounds == [15, 17, 170, 178]
    assert [period.period for period in told.periods] == ["1999-W05", "1999-W06", "1999-W07", "1999-W08"]
    assert whole.answered == 27_162
    assert sum(period.units[-1].answered for period in told.periods) == whole.answered
    people = told.employees
    assert not isinstance(people, UnsetType)
    assert people.people == 24
    assert isinstance(people.each, UnsetType)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_views_say_of_real_days_what_the_domain_says(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}" if kind == "sqlite" else request.getfixturevalue("database")
    engine = connect(url)
    few = tuple(event for event in log() if event.time < log()[0].time + 2 * DAY)
    store(engine, few)
    oracle = Oracle(whole_policy(policy()))
    oracle.apply_all((event, int(event.time)) for event in few)
    assert_views(engine, oracle)
    engine.dispose()
