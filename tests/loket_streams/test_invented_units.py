"""Units that no target names, beyond the budget of units: the state tallies them as `other` (events.md)."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable

import pytest

from loket.domain.events import Event
from loket.domain.policy import DAY, HOUR, MAX_OPEN_TICKETS, Policy
from loket.domain.records import head_bytes, page_bytes, take_records
from loket.domain.state import OTHER
from loket.scrape import Sample
from loket.testing.builders import Office
from loket_streams.changelog import Packer, decode_unit, unpack
from support.exported import partition_of
from support.hostile import POLICY, Told, names
from support.inventing import MORNING, inventions

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def figures(page: Iterable[Sample]) -> Figures:
    """What a page says of units, services and employees: all but the clocks of sources and desks."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for sample in page
        if "unit" in sample.labels and not {"source", "counter"} & sample.labels.keys()
    }


def morning_of(office: Office, begins_at: int) -> list[Event]:
    """Two people and an employee, under the same numbers and names in all units, with a repeat and a contradiction."""
    at = begins_at
    completed = office.completed("A1", at=at + 900_000, counter="1", employee="sari")
    return [
        office.session_started("sari", at=at, counter="1"),
        office.issued("A1", at=at, service="s"),
        office.issued("A2", at=at + 1_000, service="t"),
        office.issued("A3", at=at + 1_000, service="t"),
        office.called("A1", at=at + 600_000, counter="1", employee="sari"),
        office.started("A1", at=at + 610_000, counter="1", employee="sari"),
        office.issued("A1", at=at + 620_000, service="s"),
        office.abandoned("A3", at=at + 700_000),
        completed,
        completed,
        office.counter_opened(at=at, counter="1"),
    ]


def test_units_that_share_a_state_have_the_figures_that_they_have_apart() -> None:
    told = [
        event
        for number in range(12)
        for event in morning_of(Office(f"unit-{number}", source="one-device"), MORNING + number * 60_000)
    ]
    told.sort(key=lambda event: int(event.time))
    pages = []
    for in_service in (True, False):
        worker = Told(unit_budget=3, in_service=in_service)
        worker.tell(told)
        pages.append([figures(page) for page in worker.pages()])
        assert len(partition_of(worker.worker).units) == (4 if in_service else 12)
    (units, people), apart = pages[0], pages[1]
    desks = ("loket_counters_open", (("unit", OTHER),))  # of the desks that have no label only one is known
    assert units.pop(desks) == 1
    assert apart[0].pop(desks) == 9
    assert [units, people] == apart
    assert units["loket_tickets_issued_total", (("service", OTHER), ("unit", OTHER))] == 9 * 3
    assert units["loket_contradictions_total", (("unit", OTHER),)] == 9
    assert people["loket_employee_services_total", (("employee", OTHER), ("unit", OTHER))] == 9
    assert people["loket_employee_call_gap_seconds", (("employee", OTHER), ("unit", OTHER))] > 0


def test_units_of_the_targets_and_those_that_came_first_keep_their_state() -> None:
    told = Told(unit_budget=2, in_service=True)
    told.tell(inventions(1, first=7))
    told.tell(inventions(50, first=100))
    told.tell([*inventions(1, unit="u"), *inventions(1, first=8, unit="unit-7")])
    units = partition_of(told.worker).units
    assert units.keys() == {"unit-7", "unit-100", OTHER, "u"}
    assert len(units["unit-7"].tickets) == 2
    assert len(units["u"].tickets) == 1
    # A unit that the targets name from now on has its own state from its next event on.
    named = Policy(units=POLICY.units | {"unit-120": POLICY.units["u"]}, defaults=POLICY.defaults)
    told.worker.partitions.follow(named)
    told.tell(inventions(1, first=9, unit="unit-120"))
    assert len(units["unit-120"].tickets) == 1
    assert units["unit-120"].policy.known
    told.tell(inventions(1, first=200))
    assert "unit-200" not in units


def test_a_state_of_others_that_is_read_back_goes_on_as_it_was() -> None:
    told = Told(unit_budget=1, in_service=True)
    told.tell(inventions(5))
    partitions = told.worker.partitions
    before = [figures(page) for page in told.pages()]
    packer, units = Packer(), {}
    for name, state in partition_of(told.worker).units.items():
        (_, head), *pages = take_records(state, packer.pack, unpack)
        packed = {key.partition(b"\0")[2].decode(): value or b"" for key, value in pages}
        units[name] = decode_unit(name, head or b"", packed, partitions.policy_of)
    partitions.install(0, units, dirty=(), changelog_next=0)
    assert [figures(page) for page in told.pages()] == before
    told.tell(inventions(5))
    told.tell(inventions(5, first=5))
    assert partition_of(told.worker).units.keys() == {"unit-0", OTHER}
    (issued,) = [
        value
        for (name, labels), value in figures(told.pages()[0]).items()
        if name == "loket_tickets_issued_total" and ("service", OTHER) in labels and ("unit", OTHER) in labels
    ]
    assert issued == 9


def test_who_closes_a_hall_among_the_others_closes_none_of_theirs() -> None:
    told = Told(unit_budget=0, in_service=True)
    told.tell(
        [
            Office("unit-1").issued("A1", at=MORNING, service="s"),
            Office("unit-2").queue_closed(at=MORNING + HOUR),
            Office(OTHER).queue_closed(at=MORNING + HOUR),
        ]
    )
    units = figures(told.pages()[0])
    assert units["loket_tickets_waiting", (("service", OTHER), ("unit", OTHER))] == 1
    assert units["loket_late_events_total", (("unit", OTHER),)] == 2


@pytest.mark.parametrize(
    ("units", "budget"),
    [pytest.param(1_000, 20, id="sample"), pytest.param(25_000, 500, id="long", marks=pytest.mark.long)],
)
@pytest.mark.timeout(1_800)
def test_invented_units_fill_neither_memory_nor_changelog_nor_metrics(units: int, budget: int) -> None:
    told = Told(unit_budget=budget, in_service=True)
    told.tell(inventions(3, unit="u"))
    partition = partition_of(told.worker)
    keys: set[bytes] = set()
    held: list[dict[str, int]] = []
    blocks: list[int] = []
    for day in (2, 4):
        # Of the days before only tallies are left. The numbers in names are as long on both days.
        first = day * DAY // 500
        for begin in range(first, first + units, 1_000):
            told.tell(inventions(1_000, first=begin))
        assert partition.units.keys() >= {"u", OTHER}
        others = partition.units[OTHER]
        assert len(others.tickets) == min(units - (budget if day == 2 else 0), MAX_OPEN_TICKETS)
        assert len(partition.units) == budget + 2
        for state in partition.units.values():
            keys |= {key for key, value in take_records(state) if value is not None}
        pages = told.pages()
        held.append(
            {
                "units with sources": len(told.worker.tallies.sources),
                "series of units": len(names(pages[0])),
                "series of employees": len(names(pages[1])),
                "bytes": len(head_bytes(others)) + sum(len(page_bytes(others, page)) for page in others.pages),
            }
        )
        gc.collect()
        blocks.append(sys.getallocatedblocks())
    assert all(held[1][name] <= 1.1 * amount for name, amount in held[0].items()), held
    assert len({key.partition(b"\0")[0] for key in keys}) == budget + 2
    assert blocks[1] < 1.1 * blocks[0], blocks
