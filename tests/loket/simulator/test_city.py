"""The demo's city shows within a minute what an office goes through, and is the same for the same seed."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile

import pytest

from loket.domain import events as facts
from loket.domain.events import Event, TicketEvent
from loket.domain.figures import evaluate
from loket.domain.policy import SECOND
from loket.domain.sessions import evaluate_staff
from loket.domain.summary import UnitFigures, rows_of_state
from loket.domain.unit import Applied, UnitState, apply
from loket.simulator import OFFICES, demo_targets, events
from loket.targets import load_targets
from loket.wire.cloudevents import Decoder, WireRecord, encode

MORNING = 1_767_664_800_000  # 2026-01-06, 09:00 in Jakarta
SEEDS = range(12)


def minute(seed: int, seconds: int = 60) -> list[tuple[int, Event]]:
    return list(takewhile(lambda sent: sent[0] < MORNING + seconds * SECOND, events(seed, MORNING)))


def figures(sent: list[tuple[int, Event]], now: int) -> dict[tuple[str, str | None], UnitFigures]:
    policy = load_targets(demo_targets())
    states: dict[str, UnitState] = {}
    for at, event in sent:
        unit = event.data.unit
        apply(states.setdefault(unit, UnitState(unit, policy.unit(unit))), event, at)
    rows = [row for state in states.values() for row in rows_of_state(state, evaluate(state, now))[0]]
    return {(row.unit, row.service): row for row in rows}


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_that_an_office_goes_through_is_seen_in_the_first_minute(seed: int) -> None:
    kinds = Counter(type(event) for _, event in minute(seed))
    for kind in (
        facts.CounterOpened,
        facts.SessionStarted,
        facts.SessionPaused,
        facts.SessionResumed,
        facts.TicketIssued,
        facts.TicketCalled,
        facts.TicketRecalled,
        facts.TicketNoShow,
        facts.ServiceStarted,
        facts.ServiceHeld,
        facts.ServiceResumed,
        facts.ServiceCompleted,
        facts.TicketRequeued,
        facts.TicketTransferred,
    ):
        assert kinds[kind], kind


@pytest.mark.parametrize("seed", SEEDS)
def test_a_queue_builds_up_and_targets_are_missed_in_the_first_minute(seed: int) -> None:
    rows = figures(minute(seed), MORNING + 60 * SECOND)
    judged, breached = rows["dukcapil", None].judged, rows["dukcapil", None].breached
    assert isinstance(judged, int)
    assert isinstance(breached, int)
    assert 0 < breached < judged
    waiting = [figures(minute(seed, at), MORNING + at * SECOND)["dukcapil", None].waiting for at in (5, 10, 20, 30)]
    assert max(waiting) >= 5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_counter_is_offline_and_tells_afterwards_all_at_once_what_happened(seed: int) -> None:
    sent = [(at - MORNING, event) for at, event in minute(seed) if event.source == "dukcapil/loket-3"]
    assert not [at for at, _ in sent if 15.3 * SECOND < at < 35 * SECOND]
    late = [event for at, event in sent if at >= 35 * SECOND and event.time - MORNING < 35 * SECOND]
    assert len(late) >= 2
    first = [at for at, event in sent if event in late]
    assert min(first) < 35.3 * SECOND


def test_a_device_sends_in_order_but_for_what_it_sends_again() -> None:
    latest: dict[str, int] = {}
    known: set[tuple[str, str]] = set()
    for _, event in minute(1, 300):
        if (event.source, event.id) not in known:
            assert event.time >= latest.get(event.source, 0)
            latest[event.source] = event.time
        known.add((event.source, event.id))


def test_some_events_come_twice_and_change_nothing() -> None:
    policy = load_targets(demo_targets())
    states = {plan.unit: UnitState(plan.unit, policy.unit(plan.unit)) for plan in OFFICES}
    applied = Counter(apply(states[event.data.unit], event, at) for at, event in minute(2, 300))
    assert applied[Applied.DUPLICATE] >= 5
    assert set(applied) == {Applied.APPLIED, Applied.DUPLICATE}


def test_shifts_end_and_begin_again_and_devices_beat() -> None:
    kinds = Counter(type(event) for _, event in minute(2, 300))
    assert kinds[facts.SessionEnded] >= 6
    assert kinds[facts.CounterClosed] >= 6
    assert kinds[facts.SessionStarted] >= 12
    assert kinds[facts.CounterHeartbeat] >= 20


def test_everybody_is_in_session_serves_and_lets_somebody_wait_now_and_then() -> None:
    policy = load_targets(demo_targets())
    states = {plan.unit: UnitState(plan.unit, policy.unit(plan.unit)) for plan in OFFICES}
    for at, event in minute(2, 300):
        apply(states[event.data.unit], event, at)
    for plan in OFFICES:
        staff = evaluate_staff(states[plan.unit], MORNING + 300 * SECOND)
        assert set(staff) == {counter.employee for counter in plan.counters}
        for of_one in staff.values():
            assert 0 < of_one.total.serving_ms < of_one.total.staffed_ms < 300 * SECOND
            assert of_one.total.call_gap_ms > 0


def test_the_same_seed_and_start_give_the_same_and_another_start_other_ids() -> None:
    assert minute(3) == minute(3)
    assert minute(3) != minute(4)
    later = [event for _, event in takewhile(lambda sent: sent[0] < MORNING + 90_000, events(3, MORNING + 30_000))]
    assert not {event.id for event in later} & {event.id for _, event in minute(3)}
    tickets = {event.subject for _, event in minute(3) if isinstance(event, TicketEvent)}
    assert not {event.subject for event in later if isinstance(event, TicketEvent)} & tickets


def test_events_are_sent_in_order_after_they_happened_and_say_when() -> None:
    last = 0
    for at, event in minute(5, 300):
        assert at >= last
        assert event.time < at == event.sent
        last = at


def test_every_event_of_the_city_is_one_of_the_contract() -> None:
    decoder = Decoder(1)
    for offset, (at, event) in enumerate(minute(6, 200)):
        encoded = encode(event)
        record = WireRecord("loket.events", 0, offset, at, encoded.key, encoded.value, tuple(encoded.headers))
        assert decoder.decode(record) == event


def test_the_targets_name_every_office_and_service_in_both_languages() -> None:
    policy = load_targets(demo_targets())
    for plan in OFFICES:
        unit = policy.units[plan.unit]
        assert unit.names.id
        assert unit.names.en
        assert list(unit.services) == [
            *(service.service for service in plan.services),
            *sorted(service.document for service in plan.services if service.document is not None),
        ]
        for service in unit.services.values():
            assert service.names.id
            assert service.names.en
            assert service.targets or service.turnarounds


@pytest.mark.parametrize("seed", SEEDS)
def test_documents_are_asked_for_and_within_minutes_everything_that_becomes_of_them_is_seen(seed: int) -> None:
    sent = [event for _, event in minute(seed, 240) if isinstance(event, facts.RequestEvent | facts.FeedbackGiven)]
    kinds = Counter(type(event) for event in sent)
    for kind in (
        facts.RequestSubmitted,
        facts.RequestAccepted,
        facts.RequestWorked,
        facts.RequestSuspended,
        facts.RequestResumed,
        facts.RequestCompleted,
        facts.RequestReopened,
        facts.RequestCancelled,
        facts.FeedbackGiven,
    ):
        assert kinds[kind], kind
    policy = load_targets(demo_targets()).unit("dukcapil")
    state = UnitState("dukcapil", policy)
    for event in sent:
        apply(state, event, int(event.time))
    figures = evaluate(state, MORNING + 240 * SECOND).requests
    assert set(figures) == {"cetak-kk", "kutipan-akta"}
    assert sum(present.judged for present in figures.values()) > 0
