"""Workloads hold what they promise to the tests that use them."""

from __future__ import annotations

from collections import Counter

from loket.domain.events import Event, TicketIssued
from loket.domain.policy import HOUR
from loket.domain.unit import Applied, UnitState, apply
from loket.simulator import workload, workload_targets
from loket.targets.reading import read_targets
from loket.wire.cloudevents import Decoder, WireRecord, encode

MORNING = 1_767_664_800_000  # 2026-01-06, 09:00 in Jakarta


def made(tickets: int = 2_000, seed: int = 1) -> list[Event]:
    return list(workload(seed, units=5, services=3, employees=4, tickets=tickets, start_ms=MORNING))


def test_a_workload_is_in_order_and_of_the_size_that_was_asked_for() -> None:
    events = made()
    times = [event.time for event in events]
    assert times == sorted(times)
    assert MORNING <= times[0] <= times[-1] < MORNING + 9 * HOUR
    assert len({event.subject for event in events}) == 2_000
    assert len({event.data.unit for event in events}) == 5
    services = {event.data.service for event in events if isinstance(event, TicketIssued)}
    assert services == {"service-0", "service-1", "service-2"}
    assert len({event.id for event in events}) == len(events)


def test_every_event_of_a_workload_changes_something_and_contradicts_nothing() -> None:
    policy = read_targets("targets.yaml", workload_targets(5, 3).encode()).policy
    states = {unit: UnitState(unit, policy.unit(unit)) for unit in policy.units}
    events = made()
    applied = Counter(apply(states[event.data.unit], event, event.time) for event in events)
    assert applied == {Applied.APPLIED: len(events)}


def test_tickets_go_every_way() -> None:
    kinds = {type(event).__name__ for event in made()}
    assert kinds == {
        "TicketIssued",
        "TicketCalled",
        "TicketRecalled",
        "ServiceStarted",
        "ServiceHeld",
        "ServiceResumed",
        "ServiceAdded",
        "ServiceCompleted",
        "TicketRequeued",
        "TicketTransferred",
        "TicketNoShow",
        "TicketAbandoned",
        "TicketVoided",
    }
    assert any(event.data.from_unit for event in made() if isinstance(event, TicketIssued))


def test_the_same_seed_gives_the_same_and_another_gives_other_ids() -> None:
    assert made(200) == made(200)
    assert not {event.id for event in made(200)} & {event.id for event in made(200, seed=2)}


def test_every_event_of_a_workload_is_one_of_the_contract() -> None:
    decoder = Decoder(1)
    for offset, event in enumerate(made(300)):
        encoded = encode(event)
        record = WireRecord("loket.events", 0, offset, event.time, encoded.key, encoded.value, tuple(encoded.headers))
        assert decoder.decode(record) == event


def test_the_targets_of_a_workload_know_all_of_its_units() -> None:
    policy = read_targets("targets.yaml", workload_targets(5, 3, seconds=60).encode()).policy
    assert {event.data.unit for event in made()} <= policy.units.keys()
    target = policy.unit("unit-0000").target("service-2", 800_000)
    assert target is not None
    assert target.within_ms == 60_000
