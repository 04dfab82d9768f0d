"""A device that invents a name for everything changes the metrics by one label, `other`, and no more."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from loket.catalogue.bounds import of_employee, of_unit_in_all
from loket.domain.events import Event
from loket.domain.policy import DAY
from loket.domain.state import OTHER
from loket.testing.builders import Office
from loket.wire.rejection import Reason
from support.exported import partition_of
from support.hostile import Told, names
from support.inventing import BUDGET, MORNING, inventions


def heartbeats(at: int) -> Iterable[Event]:
    """Of the first devices, which have names within the budget."""
    for number in range(BUDGET.sources):
        office = Office("u", source=f"device-{number}")
        yield office.heartbeat(at=at, counter=f"counter-{number}", pending=1, oldest_pending_at=at)


@pytest.mark.parametrize(
    "visits", [pytest.param(200, id="sample"), pytest.param(10_000, id="long", marks=pytest.mark.long)]
)
@pytest.mark.timeout(900)
def test_a_device_that_invents_names_adds_no_series_beyond_the_budget(visits: int) -> None:
    told = Told()
    told.tell(inventions(20, unit="u"))
    units, people = told.pages()
    told.tell(inventions(visits, first=20, unit="u"))
    assert names(told.pages()[0]) <= names(units)
    # The clock of a source that is silent for ten minutes has no series. The sources that have a name speak again.
    told.tell(heartbeats(MORNING + (visits + 20) * 500 + 90_000))
    more_units, more_people = told.pages()
    assert names(more_units) == names(units)
    assert names(more_people) == names(people)
    of_unit = [sample for sample in more_units if sample.labels.get("unit") == "u"]
    assert len(of_unit) <= of_unit_in_all(BUDGET.services + 1, BUDGET.sources + 1, BUDGET.counters + 1)
    assert len(more_people) == (BUDGET.employees + 1) * of_employee() + 1  # when they were evaluated
    for label in ("service", "source", "counter"):
        found = {sample.labels[label] for sample in of_unit if label in sample.labels}
        assert OTHER in found
        assert len(found - {OTHER, ""}) == getattr(BUDGET, f"{label}s")
    (served,) = [
        sample
        for sample in more_people
        if sample.name == "loket_employee_services_total" and sample.labels["employee"] == OTHER
    ]
    assert served.value == 2 * (visits + 20) - sum(
        sample.value for sample in people if sample.name == served.name and sample.labels["employee"] != OTHER
    )


@pytest.mark.parametrize("in_service", [True, False])
def test_a_device_that_invents_units_has_one_series_for_all_that_are_too_many(in_service: bool) -> None:
    told = Told(unit_budget=3, in_service=in_service)
    told.tell(inventions(20))
    units, people = told.pages()
    told.tell(inventions(200, first=20))
    more_units, more_people = told.pages()
    assert names(more_units) == names(units)
    assert names(more_people) == names(people)
    shown = {sample.labels["unit"] for sample in more_units if "unit" in sample.labels}
    assert shown == {"u", OTHER, "unit-0", "unit-1", "unit-2"}


def test_rejected_records_of_invented_units_are_counted_together() -> None:
    told = Told()
    told.tell((f"unit-{number}".encode(), b"{") for number in range(100))
    units, _ = told.pages()
    rejected = {
        sample.labels["unit"]: sample.value
        for sample in units
        if sample.name == "loket_rejections_total" and sample.labels["reason"] == Reason.NOT_JSON
    }
    assert rejected == {"u": 0, OTHER: 100}


def test_units_services_and_people_called_other_are_among_the_others() -> None:
    told = Told()
    named = list(inventions(3, unit=OTHER))
    told.tell([*named, *inventions(20), *inventions(1, first=40, unit="u")])
    units, _ = told.pages()
    assert len(names(units)) == len(units)  # no series twice
    issued = {
        (sample.labels["unit"], sample.labels["service"]): sample.value
        for sample in units
        if sample.name == "loket_tickets_issued_total"
    }
    assert issued[OTHER, OTHER] == 3 + 20 - 3
    assert sum(issued.values()) == 24


def test_a_day_later_the_invented_names_are_forgotten_but_for_their_tallies() -> None:
    told = Told()
    told.tell(inventions(500, unit="u"))
    state = partition_of(told.worker).units["u"]
    assert len(state.tickets) == 500
    told.tell([next(inventions(1, first=2 * DAY // 500, unit="u"))])
    assert len(state.tickets) == 1
    assert len(state.tallies) <= BUDGET.services + 2
