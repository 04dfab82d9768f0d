"""What a unit's state holds has a bound: over a month of days, and whatever a broken device invents."""

from __future__ import annotations

import gc
import sys

import pytest

from loket.domain.events import Event
from loket.domain.figures import evaluate
from loket.domain.first_waits import evaluate_estimates
from loket.domain.policy import DAY, HOUR, Budget, UnitPolicy
from loket.domain.records import all_pages, head_bytes, page_bytes, take_records
from loket.domain.sessions import MAX_SESSION_STEPS, evaluate_staff
from loket.domain.state import OTHER, UnitState
from loket.domain.summary import Flat, add_up, flat_counts, flat_service
from loket.domain.tally import ServiceTally
from loket.domain.unit import apply
from loket.simulator.workload import workload
from loket.testing.builders import Office, unit_policy
from support.inventing import BUDGET, MORNING, inventions

o = Office()
SERVICES = 5


def open_day(state: UnitState, number: int, tickets: int) -> None:
    """One day of a busy office: all that its counters tell between eight and four."""
    start = MORNING + number * DAY
    for counter in range(4):
        employee = f"unit-0000.emp-{counter:03}"
        desk = str(counter)
        told: list[Event] = [
            o.session_started(employee, at=start, counter=desk),
            o.session_paused(employee, at=start + 4 * HOUR, counter=desk),
            o.session_resumed(employee, at=start + 5 * HOUR, counter=desk),
            o.heartbeat(at=start, counter=desk, pending=number),
        ]
        for event in told:
            apply(state, event, int(event.time))
    for event in workload(number, 1, SERVICES, 12, tickets, start_ms=start):
        apply(state, event, int(event.time) + 2_000)


def month_policy(day_starts: str) -> UnitPolicy:
    return unit_policy({f"service-{number}": 300 for number in range(SERVICES)}, day_starts=day_starts)


def packed_size(state: UnitState) -> int:
    """Bytes of the state as records: the head and all pages."""
    return len(head_bytes(state)) + sum(len(page_bytes(state, page)) for page in all_pages(state))


def entries(state: UnitState) -> dict[str, int]:
    """How many things each part of the state holds."""
    return {
        "tickets": len(state.tickets),
        "live": len(state.live),
        "ids": sum(map(len, state.ids.values())),
        "days of ids": len(state.ids),
        "days": len(state.days),
        "pages": len(state.pages),
        "closings": sum(map(len, state.closings.values())),
        "admission": len(state.admission.tickets),
        "services": len(state.services),
        "employees": len(state.employees),
        "tallies": len(state.tallies),
        "people": len(state.people),
        "sessions": sum(len(told.steps) + len(told.ids) for told in state.sessions.values()),
        "staff": len(state.staff),
        "firsts": len(state.firsts),
        "spans": sum(map(len, state.spans.values())),
        "carried": sum(len(spans.work) + len(spans.waiting) for spans in state.carried.values()),
        "counters": len(state.counters),
        "judged": sum(len(minutes) for services in state.judged.values() for minutes in services.values()),
        "judged past": sum(map(len, state.judged_past.values())),
        "dirty": len(state.dirty_pages) + len(state.gone_pages),
    }


@pytest.mark.parametrize("day_starts", ["03:00", "never"])
@pytest.mark.parametrize(
    ("days", "tickets"),
    [pytest.param(6, 60, id="days"), pytest.param(31, 1_000, id="month", marks=pytest.mark.long)],
)
@pytest.mark.timeout(1800)
def test_memory_is_flat_over_a_month(day_starts: str, days: int, tickets: int) -> None:
    state = UnitState("unit-0000", month_policy(day_starts))
    held: list[dict[str, int]] = []
    sizes: list[int] = []
    blocks: list[int] = []
    for number in range(days):
        open_day(state, number, tickets)
        apply(state, o.queue_closed(at=MORNING + number * DAY + 9 * HOUR), MORNING + number * DAY + 9 * HOUR)
        evaluate(state, MORNING + number * DAY + 10 * HOUR)
        evaluate_staff(state, MORNING + number * DAY + 10 * HOUR)
        evaluate_estimates(state, MORNING + number * DAY + 10 * HOUR)
        held.append(entries(state))
        sizes.append(packed_size(state))
        take_records(state)
        gc.collect()
        blocks.append(sys.getallocatedblocks())
    # What two days hold, as an event may be late by some hours: the days before the third say how much that is.
    assert state.admission.closed_day > 0
    for name, amount in held[-1].items():
        most = max(day[name] for day in held[:4])
        assert amount <= 1.2 * most + 3, (name, [day[name] for day in held])
    assert sizes[-1] < 1.2 * max(sizes[:4]), sizes
    # A day's tickets are a dozen objects each, with their work and waits: a day that stayed would show.
    assert blocks[-1] - blocks[3] < 8 * tickets, blocks


@pytest.mark.parametrize(
    "visits", [pytest.param(600, id="sample"), pytest.param(19_000, id="long", marks=pytest.mark.long)]
)
@pytest.mark.timeout(1800)
def test_a_device_that_invents_every_name_does_not_blow_up_the_state(visits: int) -> None:
    state = UnitState("u", unit_policy({"s": 300}, budget=BUDGET))
    for event in inventions(visits, unit="u"):
        apply(state, event, int(event.time))
    assert len(state.services) == BUDGET.services - 1  # one is planned, and keeps its place
    assert len(state.employees) == BUDGET.employees
    assert state.tallies.keys() == {*state.services, OTHER, ""}
    assert state.people.keys() == {*state.employees, OTHER}
    assert state.last_call.keys() <= {*state.services, OTHER}
    assert all(tally.counts.keys() <= state.tallies.keys() for tally in state.days.values())
    assert len(state.counters) == BUDGET.counters + 1
    staff = evaluate_staff(state, MORNING + 8 * HOUR)
    assert staff.keys() == {*state.employees, OTHER}
    in_time = min(2 * visits, MAX_SESSION_STEPS)
    assert sum(of_one.total.active for of_one in staff.values()) == in_time
    figures = evaluate(state, MORNING + 8 * HOUR)
    assert figures.present.keys() == {"s", *state.tallies}
    # Nothing is lost: what has no name of its own is in `other`.
    everything = add_up(
        flat_service(state.tallies.get(label, ServiceTally()), figures, label) for label in figures.present
    )
    assert (everything["tickets_issued"], everything["served"], everything["services"]) == (visits, visits, 2 * visits)
    assert sum(flat_counts(counts)["services"] for counts in state.people.values()) == 2 * visits
    # The next day only the tallies are left.
    apply(state, o.issued("A1", at="+1 12:00"), int(o.at("+1 12:00")))
    assert entries(state)["tickets"] == 1
    assert len(head_bytes(state)) < 16_000


# A name that is the label of the others


def flats(state: UnitState, now: int) -> tuple[dict[str, Flat], dict[str, Flat]]:
    figures = evaluate(state, now)
    services = {
        label: flat_service(state.tallies.get(label, ServiceTally()), figures, label) for label in figures.present
    }
    return services, {name: flat_counts(counts) for name, counts in state.people.items()}


def served(figures: dict[str, Flat]) -> int:
    return sum(flat.get("served", 0) for flat in figures.values())


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
def test_who_calls_itself_other_shares_the_label_of_the_others(first: bool) -> None:
    state = UnitState("u", unit_policy(budget=Budget(services=2, employees=2)))
    names = ["a", "b", "c", "d"]
    names.insert(0 if first else 4, OTHER)
    for number, name in enumerate(names):
        at = MORNING + number * 60_000
        for event in (
            o.issued(name, at=at, service=name),
            o.started(name, at=at + 1_000, employee=name),
            o.completed(name, at=at + 3_000, employee=name),
        ):
            apply(state, event, int(event.time))
    services, people = flats(state, MORNING + HOUR)
    named = 1 if first else 2  # the name takes one place of the budget if it comes in time
    assert services[OTHER]["served"] == people[OTHER]["served"] == 5 - named
    assert served(services) == served(people) == 5
    assert services.keys() - {""} == people.keys() == {OTHER, *"ab"[:named]}
    # A correction finds what it takes back.
    apply(state, o.voided("d", at=MORNING + HOUR), MORNING + HOUR)
    apply(state, o.voided(OTHER, at=MORNING + HOUR), MORNING + HOUR)
    services, people = flats(state, MORNING + HOUR)
    assert served(services) == served(people) == 3
    assert services[OTHER]["served"] == people[OTHER]["served"] == 3 - named
