"""Laws of the exporter over random logs: what is scraped is the state, and no counter ever falls."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from loket.agreement.metrics import figures_of
from loket.catalogue import METRICS, Kind
from loket.domain.events import Event
from loket.domain.figures import evaluate
from loket.domain.policy import DAY, HOUR, Budget, ServicePolicy, Target, UnitPolicy
from loket.domain.summary import add_up, employee_figures, flat_people_today, rows_of_state, rows_of_unit
from loket.domain.unit import UnitState, apply
from loket.scrape import read
from loket.testing.builders import Office
from loket.testing.strategies import arrivals, logs
from loket_streams.exporter import Exporter
from support.exported import StandingClock, partition_of, worker_of

OFFICE = Office()
OPENS = int(OFFICE.at("08:00"))
TOMORROW = OFFICE.day.toordinal() + 1

policies = st.builds(
    UnitPolicy,
    day_starts_ms=st.sampled_from([3 * HOUR, None]),
    late_ms=st.sampled_from([0, 6 * HOUR]),
    budget=st.builds(Budget, services=st.integers(2, 4), employees=st.integers(1, 3)),
    services=st.sampled_from(
        [
            {"s": ServicePolicy(targets=(Target(1, 300_000, 0.8),))},
            {"s": ServicePolicy(targets=(Target(TOMORROW, 60_000, 0.9),)), "t": ServicePolicy()},
        ]
    ),
    known=st.booleans(),
)
logs_as_received = logs("u").flatmap(arrivals)


@given(policies, logs_as_received, st.integers(0, 3 * DAY))
def test_what_is_scraped_are_the_rows_of_the_state(policy: UnitPolicy, log: list[Event], after: int) -> None:
    state = UnitState("u", policy)
    for event in log:
        apply(state, event, int(event.time))
    now = OPENS + after
    exporter = Exporter(worker_of([state], now, units={}))
    pages = read(exporter.render_units().decode()) + read(exporter.render_employees().decode())
    found = figures_of(pages)["u"]
    figures = evaluate(state, now)
    units, people = rows_of_state(state, figures)
    assert rows_of_unit("u", found.services, found.judging, now) == units
    # Who has only called is shown at 0 from then on, and is in no row yet.
    shown = [employee_figures("u", name, flat) for name, flat in sorted(found.employees.items())]
    known = {row.employee for row in people}
    assert [row for row in shown if row.employee in known] == people
    assert all(employee_figures("u", row.employee, {}) == row for row in shown if row.employee not in known)
    today = flat_people_today(state, now)
    for name in found.day_employees.keys() | today.keys():
        assert Counter(found.day_employees.get(name, {})) == Counter(today.get(name, {})), name
    for service, day in figures.day.items():
        exact = {"judged": day.judged, "breached": day.breached, "expired": day.expired, **day.counts}
        exact["unserved"] = day.unserved
        told = found.day.get(service, {})
        assert {name: told.get(name, 0) for name in told.keys() | exact.keys()} == {
            name: exact.get(name, 0) for name in told.keys() | exact.keys()
        }


@settings(max_examples=30)
@given(logs_as_received, logs_as_received, st.integers(0, 3 * DAY))
def test_units_beyond_the_budget_are_the_sum_of_theirs(one: list[Event], other: list[Event], after: int) -> None:
    policy = UnitPolicy(services={"s": ServicePolicy(targets=(Target(1, 300_000, 0.8),))})
    states = [UnitState("u", policy), UnitState("v", policy)]
    for state, log in zip(states, (one, other), strict=True):
        for event in log:
            apply(state, event, int(event.time))
    worker = worker_of(states, OPENS + after)
    by_name = figures_of(read(Exporter(worker).render_units().decode()))
    worker.unit_budget = 0
    summed = figures_of(read(Exporter(worker).render_units().decode()))
    assert set(by_name) >= {"u", "v"}
    assert set(summed) == {"other"}
    for table in ("services", "day"):
        theirs = [flat for unit in ("u", "v") for flat in getattr(by_name[unit], table).values()]
        expected, found = add_up(theirs), add_up(getattr(summed["other"], table).values())
        assert {name: amount for name, amount in found.items() if amount} == {
            name: amount for name, amount in expected.items() if amount
        }


_COUNTERS = {metric.name for metric in METRICS if metric.kind is Kind.COUNTER} | {
    f"{metric.name}_{part}" for metric in METRICS if metric.is_distribution for part in ("sum", "count", "bucket")
}


def counters(*pages: bytes) -> dict[str, float]:
    """The value of every series that Prometheus takes for a counter."""
    lines = [line.rpartition(" ") for page in pages for line in page.decode().splitlines() if line[0] != "#"]
    return {name: float(amount) for name, _, amount in lines if name.partition("{")[0] in _COUNTERS}


@given(policies, logs_as_received)
def test_rule_23_no_counter_ever_falls(policy: UnitPolicy, log: list[Event]) -> None:
    state = UnitState("u", policy)
    worker = worker_of([state], OPENS)
    exporter = Exporter(worker)
    clock, partition = worker.clock, partition_of(worker)
    assert isinstance(clock, StandingClock)
    before: dict[str, float] = {}
    for event in log:
        apply(state, event, int(event.time))
        clock.ms = partition.record_ms = int(event.time)  # not in order either
        after = counters(exporter.render_units(), exporter.render_employees())
        fallen = {series: after.get(series, 0) for series, amount in before.items() if after.get(series, 0) < amount}
        assert fallen == {}
        before = after
    assert len(before) > 50
