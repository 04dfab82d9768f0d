"""The record says what the domain says: live figures by rule 8, all events else, in any order and any batches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from loket.clock import SYSTEM_CLOCK
from loket.domain.days import service_days
from loket.domain.events import EventReference, Instant
from loket.domain.first_waits import DayEstimates, evaluate_estimates
from loket.domain.policy import DAY, HOUR, MINUTE, Policy, ServicePolicy, Target, UnitPolicy
from loket.domain.summary import Closed
from loket.domain.windows import evaluate_windows
from loket.wire.instant import format_instant
from loket_consumers.engines import connect, reading
from loket_consumers.migrating import upgrade
from loket_consumers.schema import archive, employee_days, employee_stretches, legs, sessions, stretches
from loket_consumers.sums import UnitSums, Whose, sums
from support.logs import DAY_BEGINS, POLICY, arrivals, log_of, make, whole_policy
from support.oracle import Oracle, without_zeros
from support.recorded import empty, figures, of_record, results, rows_of, store_all, store_more
from support.sinks import visits


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("record")
    made = connect(f"sqlite:///{folder / 'record.db'}")
    upgrade(made)
    yield made
    made.dispose()


def nonzero(flats: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Figures by name without zeros: who had a session has all of them, at 0 too."""
    found = {name: {figure: amount for figure, amount in flat.items() if amount} for name, flat in flats.items()}
    return {name: flat for name, flat in found.items() if flat}


TABLES = (legs, stretches, employee_stretches, sessions, employee_days)

sizes = st.lists(st.integers(1, 12), max_size=8)
law = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def live_rows_are_those_of_the_state(
    engine: Engine, data: st.DataObject, batches: list[int], *, requests: bool = False
) -> None:
    arrived = data.draw(arrivals(data.draw(log_of(requests=requests))))
    now = max(received for _, received in arrived) + data.draw(st.integers(0, 60)) * HOUR
    oracle = Oracle(POLICY)
    expected = oracle.apply_all(arrived)
    empty(engine)
    store_all(engine, arrived, batches)

    assert results(engine) == expected
    found = figures(engine, now, live=True)
    today = figures(engine, now, live=True, today=True)
    assert (without_zeros(found.units), without_zeros(found.employees)) == of_record(oracle, now)
    for name in oracle.units:
        services, employees, day, judging = oracle.flats(name, now)
        live = found.live[name]
        assert {service: flat for service, flat in live.services.items() if flat} == services
        assert nonzero(live.employees) == employees
        assert nonzero(live.day_employees) == oracle.today(name, now)
        assert {service: flat for service, flat in live.day.items() if flat} == day
        assert set(live.judging) == judging
        estimates = evaluate_estimates(oracle.units[name], now)
        for row in today.units:
            if row.unit == name and row.service is not None:
                known = estimates.get(row.service, DayEstimates())
                ms = (known.median.value, known.median.low, known.p90.value, known.p90.high, known.patience_ms)
                assert [None if one is None else one / 1000 for one in ms] == [
                    row.km_median_s,
                    row.km_median_low_s,
                    row.km_p90_s,
                    row.km_p90_high_s,
                    row.patience_median_s,
                ]
        windows = evaluate_windows(oracle.units[name], now)
        assert live.windows == {
            service: {f"window_judged/{window}": amount for window, amount in told.judged.items()}
            | {f"window_breached/{window}": amount for window, amount in told.breached.items()}
            for service, told in windows.items()
        }


def the_record_is_that_of_all_events(
    engine: Engine, data: st.DataObject, batches: list[int], *, requests: bool = False
) -> None:
    arrived = data.draw(arrivals(data.draw(log_of(conflicts=False, requests=requests))))
    now = max(received for _, received in arrived) + data.draw(st.integers(0, 60)) * HOUR
    oracle = Oracle(whole_policy())
    oracle.apply_all(arrived)
    empty(engine)
    store_all(engine, arrived, batches)

    found = figures(engine, now)
    assert (without_zeros(found.units), without_zeros(found.employees)) == of_record(oracle, now)
    with reading(engine) as connection:
        recorded = sums(connection, Whose(live=False), now)
    for name in oracle.units:
        services, *_ = oracle.flats(name, now)
        assert of_requests(recorded.get(name, UnitSums()).services) == of_requests(services)


def of_requests(flats: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The figures of requests alone, without zeros."""
    return nonzero({name: {key: n for key, n in flat.items() if "request" in key} for name, flat in flats.items()})


@law
@given(data=st.data(), batches=sizes)
def test_live_rows_are_those_of_the_state_whatever_came_late(
    engine: Engine, data: st.DataObject, batches: list[int]
) -> None:
    live_rows_are_those_of_the_state(engine, data, batches)


@law
@given(data=st.data(), batches=sizes)
def test_the_record_is_that_of_all_events_whatever_came_late(
    engine: Engine, data: st.DataObject, batches: list[int]
) -> None:
    the_record_is_that_of_all_events(engine, data, batches)


@settings(law, max_examples=40)
@given(data=st.data(), batches=sizes)
def test_both_laws_hold_where_tickets_and_requests_have_one_name(
    engine: Engine, data: st.DataObject, batches: list[int]
) -> None:
    live_rows_are_those_of_the_state(engine, data, batches, requests=True)
    the_record_is_that_of_all_events(engine, data, batches, requests=True)


def test_both_laws_hold_on_postgresql(database: str) -> None:
    made = connect(database)
    upgrade(made)

    @settings(law, max_examples=12)
    @given(data=st.data(), batches=sizes)
    def both(data: st.DataObject, batches: list[int]) -> None:
        live_rows_are_those_of_the_state(made, data, batches, requests=True)
        the_record_is_that_of_all_events(made, data, batches, requests=True)

    try:
        both()
    finally:
        made.dispose()


@law
@given(data=st.data(), batches=sizes)
def test_neither_the_order_of_arrival_nor_repeats_nor_batches_change_the_rows_of_the_record(
    engine: Engine, data: st.DataObject, batches: list[int]
) -> None:
    log = data.draw(log_of(conflicts=False, most=20))
    evening = DAY_BEGINS + 5 * 24 * HOUR
    in_order = [(event, evening) for event in sorted(log, key=lambda event: (event.time, event.id))]
    shuffled = data.draw(st.permutations(in_order))
    told = []
    for arrived, sizes_of in ((in_order, []), (shuffled, batches)):
        empty(engine)
        store_all(engine, arrived, sizes_of, whole_policy())
        told.append([rows_of(engine, table) for table in TABLES])
    assert told[0] == told[1]


def test_a_log_that_comes_twice_is_archived_twice_and_changes_nothing(engine: Engine) -> None:
    at = DAY_BEGINS + 6 * HOUR
    log = [
        make("ticket.issued", "1", at, "A1", "clinic", service="general"),
        make("ticket.called", "2", at + 5 * MINUTE, "A1", "clinic", employee="ani"),
        make("service.started", "3", at + 6 * MINUTE, "A1", "clinic", employee="ani"),
        make("service.completed", "4", at + 9 * MINUTE, "A1", "clinic", employee="ani"),
    ]
    arrived = [(event, int(event.time)) for event in log]
    empty(engine)
    store_all(engine, arrived)
    once = [rows_of(engine, table) for table in TABLES]
    empty(engine)
    later = at + 3 * 24 * HOUR
    store_all(engine, [*arrived, *arrived, *((event, later) for event in log)], [4, 4])

    assert [rows_of(engine, table) for table in TABLES] == once
    archived = rows_of(engine, archive)
    assert len(archived) == 12
    assert [row["result"] for row in sorted(archived, key=lambda row: row["record_offset"])] == (
        ["applied"] * 4 + ["duplicate"] * 4 + ["late"] * 4
    )
    assert {row["recorded"] for row in archived if row["result"] == "late"} == {"duplicate"}


def test_rule_34_a_day_that_is_over_is_stored_and_written_anew_by_what_comes_late(engine: Engine) -> None:
    at, tomorrow = DAY_BEGINS + 6 * HOUR, DAY_BEGINS + 30 * HOUR
    log = [
        (make("session.started", "1", at, None, "clinic", counter="1", employee="ani"), at),
        (make("ticket.issued", "2", at, "A1", "clinic", service="general"), at),
        (make("session.ended", "3", at + HOUR, None, "clinic", counter="1", employee="ani"), at + HOUR),
    ]
    empty(engine)
    store_all(engine, log)
    assert rows_of(engine, employee_days) == []  # the day goes on: what time alone changes is not stored
    (ani,) = figures(engine, at + 30 * MINUTE).employees
    assert (ani.staffed_s, ani.call_gap_s_sum, ani.call_gaps, ani.serving_s) == (1_800, 1_800, 0, 0)

    evening = DAY_BEGINS + 26 * HOUR
    in_time = (make("ticket.called", "4", at + 40 * MINUTE, "A1", "clinic", employee="ani"), evening)
    heartbeat = (make("counter.heartbeat", "5", tomorrow + DAY, None, "clinic", counter="1"), tomorrow + DAY)
    late = (make("session.ended", "6", at + 50 * MINUTE, None, "clinic", counter="1", employee="ani"), tomorrow + DAY)
    store_more(engine, len(log), [in_time, heartbeat, late])
    told = {row["basis"]: row for row in rows_of(engine, employee_days)}
    assert {basis: (row["staffed_ms"], row["call_gap_ms"], row["call_gaps"]) for basis, row in told.items()} == {
        "live": (60 * MINUTE, 40 * MINUTE, 1),
        "record": (50 * MINUTE, 40 * MINUTE, 1),
    }
    (ani,) = figures(engine, tomorrow + DAY).employees
    assert ani.staffed_s == 3_000
    (ani,) = figures(engine, tomorrow + DAY, live=True).employees
    assert ani.staffed_s == 3_600


def test_rule_08_a_correction_and_a_void_days_later_change_the_record_and_not_what_the_metrics_show(
    engine: Engine,
) -> None:
    at, later = DAY_BEGINS + 6 * HOUR, DAY_BEGINS + 4 * DAY
    day = date.fromordinal(service_days(POLICY.unit("clinic")).day(at)).isoformat()
    log = []
    for n in range(2):
        log.append(make("ticket.issued", f"i{n}", at, f"A{n}", "clinic", service="general"))
        log.append(make("ticket.called", f"c{n}", at + 20 * MINUTE, f"A{n}", "clinic", employee="ani"))
        log.append(make("service.started", f"s{n}", at + 21 * MINUTE, f"A{n}", "clinic", employee="ani"))
        log.append(make("service.completed", f"e{n}", at + 30 * MINUTE, f"A{n}", "clinic", employee="ani"))
    of_call = EventReference(source="s", id="c0")
    told = {"time": format_instant(Instant(at + 40 * MINUTE)), "employee": "budi"}
    late = [
        make("event.corrected", "k", later, "A0", "clinic", of=of_call, set=told, day=day),
        make("ticket.voided", "v", later, "A1", "clinic", day=day),
    ]
    empty(engine)
    store_all(engine, [*((event, int(event.time)) for event in log), *((event, later) for event in late)])
    assert results(engine)[-2:] == ["late", "late"]
    live = next(row for row in figures(engine, later, live=True).units if row.service is None)
    assert (live.issued, live.breached, live.served, live.wait_s_sum) == (2, 0, 2, 2_400)
    recorded = figures(engine, later)
    whole = next(row for row in recorded.units if row.service is None)
    assert (whole.issued, whole.breached, whole.served, whole.wait_s_sum, recorded.late) == (1, 1, 1, 2_400, 2)


def test_rule_06_a_session_that_nobody_ended_is_flagged(engine: Engine) -> None:
    at = DAY_BEGINS + 6 * HOUR
    empty(engine)
    log = [
        (make("session.started", "1", at, None, "clinic", counter="1", employee="ani"), at),
        (make("counter.heartbeat", "2", at + DAY, None, "clinic", counter="1"), at + DAY),
    ]
    store_all(engine, log)
    (row,) = rows_of(engine, employee_days)
    assert (row["flagged"], row["staffed_ms"]) == (1, 18 * HOUR)
    assert results(engine) == ["applied", "applied"]


def test_quantiles_and_kaplan_meier_look_at_first_stretches_and_remember_who_still_waits(engine: Engine) -> None:
    """Rule 28: called after 1, 2 and 4 minutes; one left after 2; one waits since 3; one was early and never waited."""
    at = DAY_BEGINS + 6 * HOUR
    log = [make("ticket.issued", f"i{n}", at, f"A{n}", "clinic", service="general") for n in range(5)]
    log += [
        make("ticket.called", f"c{n}", at + minutes * MINUTE, f"A{n}", "clinic")
        for n, minutes in ((0, 1), (1, 2), (2, 4))
    ]
    log.append(make("ticket.abandoned", "l", at + 2 * MINUTE, "A3", "clinic"))
    log.append(make("ticket.requeued", "r", at + 5 * MINUTE, "A0", "clinic"))
    log.append(make("ticket.called", "again", at + 60 * MINUTE, "A0", "clinic"))
    booked = {"service": "general", "appointment_at": Instant(at + HOUR)}
    log += [
        make("ticket.issued", "e", at, "A9", "clinic", **booked),
        make("ticket.abandoned", "f", at + MINUTE, "A9", "clinic"),
    ]
    empty(engine)
    store_all(engine, [(event, int(event.time)) for event in sorted(log, key=lambda event: event.time)])

    row = next(row for row in figures(engine, at + 3 * MINUTE).units if row.service == "general")
    assert (row.wait_median_s, row.wait_p90_s) == (120, 240)
    # At risk 5: S(1) = 4/5, S(2) = 3/5; then one is lost at 2 and one at 3, so S(4) = 0.
    assert (row.km_median_s, row.km_p90_s) == (240, 240)
    assert (row.km_median_low_s, row.km_median_high_s, row.km_p90_high_s) == (60, None, None)
    assert row.patience_median_s == 120
    later = next(row for row in figures(engine, at + 10 * MINUTE).units if row.service == "general")
    # Who still waits is at risk at 4: S(4) = 3/5 · 1/2.
    assert (later.km_median_s, later.km_p90_s) == (240, None)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_views_say_of_the_past_what_the_figures_say(
    kind: str, engine: Engine, request: pytest.FixtureRequest
) -> None:
    made = engine if kind == "sqlite" else connect(request.getfixturevalue("database"))
    upgrade(made)
    empty(made)
    long_ago = DAY_BEGINS - 400 * 24 * HOUR
    store_all(made, [(event, int(event.time)) for event in visits(120, long_ago)], policy=OFFICES)

    rows = {(row.unit, row.service): row for row in figures(made, long_ago + 48 * HOUR, OFFICES).units if row.service}
    with reading(made) as connection:
        found = connection.execute(text("SELECT * FROM record_days")).mappings().all()
    assert len(found) == len(rows)
    for told in found:
        row = rows[told["unit"], told["service"]]
        assert (told["issued"], told["visits"], told["answered"]) == (row.issued, row.visits, row.answered)
        assert (told["judged"], told["breached"], told["left_waiting"]) == (row.judged, row.breached, row.left)
        closed = (told[outcome] for outcome in ("completed", "no_show", "abandoned", "transferred", "expired"))
        assert Closed(*closed) == row.closed
        assert told["wait_ms"] == 1_000 * row.wait_s_sum
    assert sum(told["breached"] for told in found) > 0
    if made is not engine:
        made.dispose()


def test_the_view_tells_of_the_present_who_waits(engine: Engine) -> None:
    now = SYSTEM_CLOCK.now_ms()
    log = [make("ticket.issued", "1", now - HOUR, "A1", "office", service="general")]
    log.append(make("ticket.issued", "2", now - MINUTE, "A2", "office", service="general"))
    log.append(make("ticket.called", "3", now - MINUTE, "A2", "office"))
    booked = {"service": "general", "appointment_at": Instant(now + HOUR)}
    log.append(make("ticket.issued", "4", now - 2 * MINUTE, "A3", "office", **booked))
    never = UnitPolicy(day_starts_ms=None, services=OFFICES.units["office-0"].services)
    empty(engine)
    store_all(engine, [(event, int(event.time)) for event in log], policy=Policy(units={"office": never}))
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT subject, status, judged, breached FROM legs_now ORDER BY subject")).all()
    assert [tuple(row) for row in rows] == [
        ("A1", "waiting", True, True),
        ("A2", "called", True, False),
        ("A3", "early", False, False),
    ]


OFFICES = Policy(
    units={
        f"office-{number}": UnitPolicy(
            services={name: ServicePolicy(targets=(Target(1, 2 * MINUTE - 1, 0.8),)) for name in ("general", "dental")}
        )
        for number in range(12)
    }
)
"""A target that everybody just misses who is called."""
