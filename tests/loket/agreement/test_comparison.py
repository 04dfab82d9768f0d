"""Metrics and record are compared by rule 25: what late events explain is listed and is no disagreement."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import pytest

from loket.agreement import compare
from loket.domain import events
from loket.domain.figures import evaluate
from loket.domain.policy import MINUTE, ServicePolicy, Target, UnitPolicy
from loket.domain.summary import EmployeeFigures, Flat, UnitFigures, flat_counts, flat_service, rows_of_state
from loket.domain.tally import ServiceTally
from loket.domain.unit import UnitState, apply
from loket.wire.figures import Difference, LiveFigures, RecordFigures

NINE = 1_767_578_400_000
"""2026-01-05T02:00:00Z, nine o'clock in Jakarta."""

POLICY = UnitPolicy(services={"card": ServicePolicy(targets=(Target(1, 5 * MINUTE, 0.8),))}, known=True)


@dataclass
class Told:
    """Both sides of one unit, from one state: what the metrics and what the record would say."""

    live: LiveFigures
    units: list[UnitFigures]
    employees: list[EmployeeFigures]
    late: int = 0
    now: int = NINE + 60 * MINUTE
    metrics: LiveFigures = field(init=False)
    others: LiveFigures = field(default_factory=lambda: _live())

    def __post_init__(self) -> None:
        self.metrics = msgspec.convert(msgspec.to_builtins(self.live), LiveFigures)

    def differences(self, **more: LiveFigures) -> tuple[bool, list[Difference]]:
        """Of the office, and of `more` units that the metrics tally together as `other`."""
        record = RecordFigures(
            now="2026-01-05T03:00:00.000Z",
            units=self.units,
            employees=self.employees,
            rejected=[],
            duplicates=0,
            contradictions=0,
            late=self.late,
            foreign=0,
            not_yet=0,
            skewed=0,
            unknown_units=[],
            live={"office": self.live} | more,
        )
        metrics = {"office": self.metrics} | ({"other": self.others} if more else {})
        agreement = compare(metrics, record, self.now)
        return agreement.metrics_equal_record, agreement.differences


def _live(**services: Flat) -> LiveFigures:
    return LiveFigures(services=services, judging=[], employees={}, day={})


def _steps() -> Iterator[events.Event]:
    for number in range(3):
        at, subject = NINE + number * MINUTE, f"A{number}"
        issued = events.IssuedData(unit="office", service="card")
        yield events.TicketIssued(
            source="kiosk", id=f"{number}i", subject=subject, time=events.Instant(at), data=issued
        )
        if number < 2:
            called = at + 4 * MINUTE + number * 2 * MINUTE
            by = events.AtCounterData(unit="office", employee=f"E{number}")
            yield events.TicketCalled(
                source="kiosk", id=f"{number}c", subject=subject, time=events.Instant(called), data=by
            )
            done = events.CompletedData(unit="office", employee=f"E{number}")
            yield events.ServiceCompleted(
                source="kiosk", id=f"{number}e", subject=subject, time=events.Instant(called + MINUTE), data=done
            )


def _told() -> Told:
    state = UnitState("office", POLICY)
    for step in _steps():
        apply(state, step, int(step.time))
    figures = evaluate(state, NINE + 60 * MINUTE)
    units, employees = rows_of_state(state, figures)
    live = LiveFigures(
        services={
            label: flat_service(state.tallies.get(label, ServiceTally()), figures, label) for label in figures.present
        },
        judging=[label for label, present in figures.present.items() if present.judges],
        employees={name: flat_counts(counts) for name, counts in state.people.items()},
        day={
            label: dict(day.counts) | {"judged": day.judged, "breached": day.breached}
            for label, day in figures.day.items()
        },
    )
    return Told(live, units, employees)


def test_two_readers_of_one_state_agree() -> None:
    assert _told().differences() == (True, [])


@pytest.mark.parametrize("figure", sorted(_told().live.services["card"]))
def test_every_figure_of_a_service_is_compared(figure: str) -> None:
    told = _told()
    told.metrics.services["card"][figure] += 1_000
    equal, differences = told.differences()
    assert not equal
    assert [(found.table, found.unit, found.service, found.late) for found in differences] == [
        ("units", "office", "card", False)
    ]


@pytest.mark.parametrize("figure", sorted(_told().live.employees["E0"]))
def test_every_figure_of_an_employee_is_compared(figure: str) -> None:
    told = _told()
    told.metrics.employees["E0"][figure] += 1
    equal, differences = told.differences()
    assert not equal
    assert [(found.table, found.employee) for found in differences] == [("employees", "E0")]


@pytest.mark.parametrize("figure", sorted(_told().live.day["card"]))
def test_every_figure_of_the_day_is_compared(figure: str) -> None:
    told = _told()
    told.metrics.day["card"][figure] += 1
    equal, differences = told.differences()
    assert not equal
    assert [(found.table, found.service) for found in differences] == [("day", "card")]


def test_a_difference_has_the_name_and_the_unit_of_the_rows() -> None:
    told = _told()
    told.metrics.services["card"]["wait_seconds_ms"] += 500
    told.metrics.services["card"]["tickets_closed/completed"] -= 1
    told.metrics.services["card"]["waits_answered/no"] -= 1
    _, differences = told.differences()
    assert [(found.figure, found.metrics, found.record) for found in differences] == [
        ("closed.completed", 1, 2),
        ("wait_s_sum", 600.5, 600.0),
        ("waits_answered/no", 0, 1),
    ]


def test_a_queue_that_only_one_side_sees_is_a_difference() -> None:
    told = _told()
    del told.metrics.services["card"]["oldest_wait_start"]
    equal, (difference,) = told.differences()
    assert not equal
    assert difference.metrics is None
    assert difference.record == (NINE + 2 * MINUTE) / 1000


def test_a_service_that_only_one_side_judges_is_a_difference() -> None:
    told = _told()
    told.metrics.judging.remove("card")
    told.metrics.services["card"] |= {"judged": told.live.services["card"]["judged"]}
    equal, differences = told.differences()
    assert not equal
    assert [(found.figure, found.metrics, found.record) for found in differences] == [("judged", None, 3)]


def test_a_service_of_which_nothing_happened_may_be_on_one_side_only() -> None:
    told = _told()
    told.metrics.services["birth"] = {"tickets_issued": 0, "judged": 0}
    told.metrics.judging.append("birth")
    assert told.differences() == (True, [])


def test_a_unit_that_only_one_side_knows_is_a_disagreement() -> None:
    told = _told()
    told.metrics = LiveFigures(services={}, judging=[], employees={}, day={})
    equal, differences = told.differences()
    assert not equal
    assert {found.table for found in differences} == {"units", "employees", "day"}


def test_windows_of_service_time_are_compared() -> None:
    told = _told()
    told.metrics.windows["card"] = {"window_judged/1h": 3, "window_breached/1h": 1}
    told.live.windows["card"] = {"window_judged/1h": 3, "window_breached/1h": 1}
    assert told.differences() == (True, [])
    told.live.windows["card"]["window_breached/1h"] = 2
    equal, (found,) = told.differences()
    assert not equal
    assert (found.table, found.unit, found.service, found.figure) == ("windows", "office", "card", "window_breached/1h")
    assert (found.metrics, found.record) == (1, 2)


def test_names_beyond_the_budget_are_compared_as_other() -> None:
    told = _told()
    people = told.metrics.employees
    people["other"] = people.pop("E1")
    told.metrics.services["other"] = {}
    told.live.services["birth"] = {"tickets_issued": 2}
    told.live.services["death"] = {"tickets_issued": 3}
    told.metrics.services["other"] = {"tickets_issued": 5}
    told.units[-1] = msgspec.structs.replace(told.units[-1], issued=told.units[-1].issued + 5)
    equal, _ = told.differences()
    assert equal
    told.metrics.services["other"] = {"tickets_issued": 4}
    equal, differences = told.differences()
    assert not equal
    assert [(found.service, found.metrics, found.record) for found in differences] == [("other", 4, 5)]


def test_what_late_events_explain_is_listed_and_is_no_disagreement() -> None:
    told = _told()
    told.late = 1
    told.units = [msgspec.structs.replace(row, served=row.served + 1) for row in told.units]
    equal, differences = told.differences()
    assert equal
    assert [(found.service, found.figure, found.metrics, found.record, found.late) for found in differences] == [
        ("card", "served", 2, 3, True),
        (None, "served", 2, 3, True),
    ]


def test_a_record_that_contradicts_itself_without_late_events_is_a_disagreement() -> None:
    told = _told()
    told.employees = [msgspec.structs.replace(row, served=row.served + 1) for row in told.employees]
    equal, differences = told.differences()
    assert not equal
    assert {found.employee for found in differences} == {"E0", "E1"}


def test_a_unit_of_late_events_alone_is_explained() -> None:
    told = _told()
    told.late = 5
    told.units += [
        msgspec.structs.replace(told.units[0], unit="attic"),
        msgspec.structs.replace(told.units[1], unit="attic"),
    ]
    equal, differences = told.differences()
    assert equal
    assert {(found.unit, found.late) for found in differences} == {("attic", True)}


def test_units_beyond_the_budget_are_compared_as_other() -> None:
    told = _told()
    attic = _live(card={"tickets_issued": 2, "oldest_wait_start": 7_000}, birth={"tickets_issued": 1})
    cellar = LiveFigures(
        services={"card": {"tickets_issued": 4, "oldest_wait_start": 5_000}, "": {"served": 1}},
        judging=[],
        employees={"E7": {"served": 1}, "E8": {"served": 2}},
        day={"card": {"tickets_issued": 3}},
    )
    told.others = LiveFigures(
        services={"other": {"tickets_issued": 7, "oldest_wait_start": 5_000}, "": {"served": 1}},
        judging=[],
        employees={"other": {"served": 3}},
        day={"other": {"tickets_issued": 3}},
    )
    assert told.differences(attic=attic, cellar=cellar) == (True, [])
    cellar.employees["E8"]["served"] += 1
    equal, differences = told.differences(attic=attic, cellar=cellar)
    assert not equal
    assert [(found.unit, found.employee, found.metrics, found.record) for found in differences] == [
        ("other", "other", 3, 4)
    ]
