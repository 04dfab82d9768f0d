"""Key panels show what the domain computes for that moment, from the same events and nothing else."""

import math
from collections.abc import Callable

import psycopg
import pytest

from loket.domain.durations import HOUR
from loket.domain.figures import evaluate
from loket.domain.first_waits import DayEstimates, evaluate_estimates
from loket.domain.windows import evaluate_windows
from loket_dashboards.alerts.recording import RECORDED
from loket_dashboards.alerts.rules import ALERTS
from support.boards import boards, panels, queries, with_variables
from support.day import BUSY, QUIET, Lived
from support.prometheus import Sample


def _asked(day: Lived, board: str, title: str, ref: str = "A", unit: str = BUSY) -> list[Sample]:
    (query,) = (q for q in queries("en") if (q.board, q.title, q.ref) == (board, title, ref))
    return day.query(with_variables(query.expression, unit=unit, employee="pgw-1"))


def _value(day: Lived, board: str, title: str, ref: str = "A", unit: str = BUSY) -> float:
    (sample,) = _asked(day, board, title, ref, unit)
    return sample.value


@pytest.mark.parametrize("unit", [BUSY, QUIET])
def test_the_present_of_a_unit(day: Lived, unit: str) -> None:
    figures = day.figures(unit)
    present = figures.present.values()
    waiting = sum(row.waiting for row in present)
    starts = [row.oldest_wait_start for row in present if row.oldest_wait_start is not None]
    assert waiting > 0
    for board in ("hall", "unit"):
        assert _value(day, board, "Waiting", unit=unit) == waiting
        assert _value(day, board, "Longest wait", unit=unit) == pytest.approx((day.moment.now - min(starts)) / 1000)
    assert _value(day, "unit", "Over target", unit=unit) == sum(row.over_target for row in present)
    assert _value(day, "hall", "Counters open", unit=unit) == (6 if unit == BUSY else 3) - _closed(day, unit)


def _closed(day: Lived, unit: str) -> int:
    """Counters that their events closed last, until the moment."""
    last: dict[str, str] = {}
    for event in day.day.events[: day.moment.sent]:
        if type(event).__name__ in ("CounterOpened", "CounterClosed") and event.data.unit == unit:
            last[event.data.counter] = type(event).__name__  # type: ignore[union-attr]
    return sum(kind == "CounterClosed" for kind in last.values())


@pytest.mark.parametrize("unit", [BUSY, QUIET])
def test_the_service_day_of_a_unit(day: Lived, unit: str) -> None:
    rows = day.figures(unit).day.values()
    judged, breached = sum(row.judged for row in rows), sum(row.breached for row in rows)
    counts = {
        figure: sum(row.counts.get(figure, 0) for row in rows)
        for figure in ("served", "waits_answered/yes", "waits_answered/no")
    }
    assert judged > 10
    for board in ("hall", "unit"):
        title = {"hall": "Level today", "unit": "live"}[board]
        assert _value(day, board, title, unit=unit) == pytest.approx(1 - breached / judged)
    answered = counts["waits_answered/yes"] / (counts["waits_answered/yes"] + counts["waits_answered/no"])
    assert _value(day, "unit", "answered", unit=unit) == pytest.approx(answered)
    assert _value(day, "hall", "Served today", unit=unit) == counts["served"]


def test_served_in_the_last_hour_is_in_whole_people(day: Lived) -> None:
    (before,) = day.prometheus.query(
        f'timestamp(loket_day_served{{unit="{BUSY}",service="ktp-el"}})', day.moment.now / 1000 - 3600
    )
    earlier = next(moment for moment in day.day.moments if math.isclose(moment.now / 1000, before.value, abs_tol=0.001))
    figures = evaluate(day.day.units(earlier)[BUSY], earlier.now)
    then = sum(row.counts.get("served", 0) for row in figures.day.values())
    now = sum(row.counts.get("served", 0) for row in day.figures().day.values())
    assert _value(day, "hall", "In the last hour") == now - then > 0


def test_the_city_has_a_row_for_each_unit_and_the_worst_can_be_told(day: Lived) -> None:
    waiting = {sample.labels["unit"]: sample.value for sample in _asked(day, "city", "Units", "C")}
    assert waiting == {
        **{unit: sum(row.waiting for row in day.figures(unit).present.values()) for unit in (BUSY, QUIET)},
        "belum-buka": 0,
    }
    names = {sample.labels["unit"]: sample.labels["name_en"] for sample in _asked(day, "city", "Units", "A")}
    assert names[BUSY] == 'Civil registry: {{ $value }} % of "it"'
    alerts = {sample.labels["unit"]: sample.value for sample in _asked(day, "city", "Units", "I")}
    assert alerts == dict.fromkeys(waiting, 0)
    states = {sample.labels["unit"]: sample.value for sample in _asked(day, "city", "Units", "B")}
    assert states == {BUSY: 0, QUIET: 0, "belum-buka": 1}
    shares = {sample.labels["unit"]: sample.value for sample in _asked(day, "city", "Units", "E")}
    promised = {"ktp-el": 600, "kartu-keluarga": 900, "poli-umum": 600, "farmasi": 600}
    for unit, share in shares.items():
        ages = {
            service: (day.moment.now - row.oldest_wait_start) / 1000
            for service, row in day.figures(unit).present.items()
            if row.oldest_wait_start is not None and service in promised
        }
        assert share == pytest.approx(max(age / promised[service] for service, age in ages.items()))
    assert BUSY in shares


@pytest.mark.parametrize(("unit", "state"), [("no-such-unit", 3), ("belum-buka", 1), (BUSY, 0), (QUIET, 0)])
def test_a_dashboard_says_whether_its_data_are_live_and_if_not_why(day: Lived, unit: str, state: int) -> None:
    assert _value(day, "unit", "Data", unit=unit) == state
    assert _value(day, "hall", "Data", unit=unit) == state


def test_the_dashboards_of_employees_say_why_there_is_nothing(day: Lived) -> None:
    for board in ("employees", "employee"):
        assert _value(day, board, "Data") == 0
        assert _value(day, board, "Data", unit="belum-buka") == 3
        (query,) = (q for q in queries("en") if (q.board, q.title) == (board, "Data"))
        later = day.day.moments[-1].now / 1000 + 3600
        (sample,) = day.prometheus.query(with_variables(query.expression, unit=BUSY, employee="pgw-1"), later)
        assert sample.value == 4


def test_a_worker_that_is_away_does_not_show_green(day: Lived) -> None:
    """An hour after the last scrape there are no series: as when the worker is away."""
    later = day.day.moments[-1].now / 1000 + 3600
    for board in ("unit", "hall", "city"):
        (query,) = (q for q in queries("en") if (q.board, q.title, q.ref) == (board, "Data", "A"))
        (sample,) = day.prometheus.query(with_variables(query.expression, unit=BUSY), later)
        assert sample.value == 4
    (state,) = (q for q in queries("en") if (q.board, q.title) == ("hall", "Queue"))
    assert day.prometheus.query(with_variables(state.expression, unit=BUSY), later) == []
    (panel,) = (panel for panel in panels(boards("en")["hall"]) if panel["title"] == "Queue")
    assert panel["fieldConfig"]["defaults"]["noValue"] == "✖ No data"


def test_the_hall_says_how_the_queue_stands(day: Lived) -> None:
    assert _value(day, "hall", "Queue") == 2  # over target: the moment was chosen so
    assert _value(day, "hall", "Queue", unit="belum-buka") == -1


def test_no_distribution_is_shown_of_fewer_than_five_people(day: Lived) -> None:
    title = "Services for each staffed hour"
    assert len(_asked(day, "employees", title)) == 1
    assert _value(day, "employees", "On duty today") == 6
    assert _asked(day, "employees", title, unit=QUIET) == []


def test_every_query_of_the_history_has_an_answer_and_levels_are_those_of_the_record(day: Lived) -> None:
    """Grafana's macros put in by hand: there is no Grafana here."""
    address = day.database.replace("postgresql+psycopg://", "postgresql://")
    annotations = [
        annotation["target"]["rawSql"]
        for annotation in boards("en")["history"]["annotations"]["list"]
        if "rawSql" in annotation["target"]
    ]
    with psycopg.connect(address) as connection:
        connection.read_only = True
        asked = queries("en", "grafana-postgresql-datasource")
        assert len(asked) == 7
        for query in asked:
            rows = connection.execute(_sql(query.expression).encode()).fetchall()
            assert rows, query.name
        (data,) = (query.expression for query in asked if query.title == "Data")
        for statement, state in (
            (_sql(data), 0),
            (_sql(data).replace("2026-02-01' AND '2026-04-01", "2020-02-01' AND '2020-04-01"), 1),
            (_sql(data.replace("$unit", "no-such-unit")), 2),
        ):
            assert connection.execute(statement.encode()).fetchall() == [(state,)]
        (levels,) = (query for query in asked if query.title == "Service level by day")
        found = connection.execute(_sql(levels.expression).encode()).fetchall()
        assert len(annotations) == 1
        connection.execute(_sql(annotations[0]).encode())
        (judged, breached) = connection.execute(
            "SELECT sum(judged), sum(breached) FROM record_days WHERE unit = %s AND day = '2026-03-02'", (BUSY,)
        ).fetchall()[0]
    live = [float(value) for time, metric, value in found if metric == "live"]
    assert live[-1] == pytest.approx(1 - float(breached) / float(judged))


def _sql(statement: str) -> str:
    time_filter = "day::timestamptz BETWEEN '2026-02-01' AND '2026-04-01'"
    return statement.replace("$__timeFilter(day::timestamptz)", time_filter).replace("$unit", BUSY)


def test_the_budget_and_its_burn_are_those_of_the_domain(day: Lived) -> None:
    rows = day.figures().day
    for service, promised in (("ktp-el", 0.8), ("kartu-keluarga", 0.8)):
        # The whole record of the unit is within five days of service time: two days were lived.
        (left,) = (
            sample for sample in _asked(day, "unit", "Budget and burn", "D") if sample.labels["service"] == service
        )
        judged, breached = (
            day.query(f'loket_window_{which}{{unit="{BUSY}",service="{service}",window="5d"}}')[0].value
            for which in ("judged", "breached")
        )
        assert judged >= rows[service].judged
        assert left.value == pytest.approx((1 - promised) * judged - breached)
        (burn,) = (
            sample for sample in _asked(day, "unit", "Budget and burn", "H") if sample.labels["service"] == service
        )
        assert burn.value == pytest.approx(breached / judged / (1 - promised))


def test_the_rest_of_the_budget_in_service_hours_is_its_share_of_the_month(day: Lived) -> None:
    shares = {s.labels["service"]: s.value for s in _asked(day, "unit", "Budget and burn", "B")}
    hours = {s.labels["service"]: s.value for s in _asked(day, "unit", "Budget and burn", "C")}
    windows = evaluate_windows(day.day.units(day.moment)[BUSY], day.moment.now)
    assert hours == pytest.approx({name: shares[name] * windows[name].month_ms / HOUR for name in shares})
    assert set(hours) >= {"ktp-el", "kartu-keluarga"}


@pytest.mark.parametrize("unit", [BUSY, QUIET])
def test_estimates_of_today_are_those_of_the_domain(day: Lived, unit: str) -> None:
    expected = evaluate_estimates(day.day.units(day.moment)[unit], day.moment.now)

    def shown(ref: str) -> dict[str, float]:
        answers = _asked(day, "unit", "Estimates of today, by service", ref, unit)
        return {sample.labels["service"]: 1000 * sample.value for sample in answers}

    columns: dict[str, Callable[[DayEstimates], float | None]] = {
        "B": lambda told: told.expected_ms,
        "D": lambda told: told.median.value,
        "E": lambda told: told.median.low,
        "F": lambda told: told.median.high,
        "G": lambda told: told.p90.value,
        "H": lambda told: told.p90.low,
        "I": lambda told: told.p90.high,
        "J": lambda told: told.patience_ms,
    }
    for ref, figure in columns.items():
        assert shown(ref) == pytest.approx(
            {service: figure(told) for service, told in expected.items() if figure(told) is not None}
        ), ref
    assert shown("B")
    assert shown("E")
    waits = _asked(day, "hall", "Who comes now waits for about", unit=unit)
    assert {sample.labels["service"]: 1000 * sample.value for sample in waits} == pytest.approx(shown("B"))
    assert all(sample.labels["name_en"] for sample in waits)


def test_every_rule_is_understood_and_the_alert_of_the_hall_tells_whom_the_domain_counts(day: Lived) -> None:
    found = {alert.name: day.query(alert.expression) for alert in ALERTS}
    over = {
        sample.labels["service"]: sample.value for sample in found["LoketOverTarget"] if sample.labels["unit"] == BUSY
    }
    present = day.figures().present
    expected = {
        service: row.over_target
        for service, row in present.items()
        if service in ("ktp-el", "kartu-keluarga") and row.over_target >= 3 and row.over_target > 0.2 * row.waiting
    }
    assert over == expected != {}
    assert found["LoketWatchdog"][0].value == 1
    assert found["LoketPipelineAway"] == found["LoketSinkDown"] == []


def test_the_recorded_figures_are_those_of_the_panels(day: Lived) -> None:
    answers = {name: day.query(expression) for name, expression in RECORDED.items()}
    (level,) = (s for s in answers["unit:loket_day_level:ratio"] if s.labels["unit"] == BUSY)
    assert level.value == pytest.approx(_value(day, "unit", "live"))
    (served,) = (s for s in answers["unit:loket_day_served:1h"] if s.labels["unit"] == BUSY)
    assert served.value == _value(day, "hall", "In the last hour")
    assert all(answers.values())


def test_the_backlog_of_requests_and_how_long_they_take(day: Lived) -> None:
    figures = day.figures().requests["akta"]
    assert _value(day, "requests", "Open") == figures.open > 3
    assert _value(day, "requests", "Over target") == figures.over_target > 0
    # Each is handed over 31 minutes after it was asked for, or stays open.
    shares = [_value(day, "requests", "From days to hours", ref) for ref in "ABCDE"]
    assert shares == pytest.approx([1] * 5)
    assert 1_000 < _value(day, "requests", "Turnaround, by the three clocks") <= 3_600
