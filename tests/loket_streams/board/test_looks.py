"""What the board's pages are told: the domain's figures, of the present or plainly not."""

import msgspec
import pytest
from msgspec.structs import replace

from loket.domain.calendar import Calendar, DayHours, Schedule
from loket.domain.durations import HOUR
from loket.domain.opening import State
from loket.domain.policy import Names, UnitPolicy
from loket.domain.unit import UnitState
from loket.testing.builders import Office, unit_policy
from loket_streams.board.freshness import GRACE_S, LATE_S, Freshness
from loket_streams.board.looks import CALLS, ROWS, Looks
from loket_streams.board.told import DataState, Queue
from loket_streams.worker import ANSWER_S, Worker
from support.exported import StandingClock, partition_of, worker_of
from support.telling import Told

MINUTE = 60_000
OFFICE = Calendar((Schedule(1, (DayHours(((8 * HOUR, 16 * HOUR),), ((12 * HOUR, 13 * HOUR),)),) * 7),))
o = Office()
NOON = int(o.at("11:00"))
NASTY = Names('Loket "A" <b>&', "</script><img src=x onerror=alert(1)>")


class TurnedClock(StandingClock):
    """Both its readings are turned by hand."""

    def __init__(self, now_ms: int) -> None:
        super().__init__(now_ms)
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


def told(policy: UnitPolicy | None = None, unit: str = "u") -> Told:
    return Told(policy or unit_policy({"s": 300, "t": 600}), Office(unit))


def looking(*states: UnitState, now: int = NOON, left: int = 0, count: int = 1) -> tuple[Worker, Looks]:
    worker = worker_of(states, now, left=left, partition_count=count, answered=now)
    worker.clock = TurnedClock(now)
    return worker, Looks(worker)


def turn(worker: Worker, seconds: float) -> None:
    assert isinstance(worker.clock, TurnedClock)
    worker.clock.seconds += seconds
    worker.clock.ms += int(1000 * seconds)


def busy() -> Told:
    office = told()
    office.tell(
        o.counter_opened(at="08:00", counter="1"),
        o.issued("A1", at="10:00"),
        o.called("A1", at="10:01", counter="1", employee="sari"),
        o.started("A1", at="10:02", counter="1", employee="sari"),
        o.completed("A1", at="10:05", counter="1", employee="sari"),
        o.issued("A2", at="10:50"),
        o.issued("A3", at="10:58"),
        o.issued("B1", at="10:53", service="t"),
    )
    return office


# What is told


def test_a_unit_is_told_as_the_domain_computes_it() -> None:
    _, looks = looking(busy().state)
    unit = looks.unit("u")
    assert unit.data.state is DataState.LIVE
    assert unit.data.as_of == NOON
    assert unit.data.last_event == int(o.at("10:58"))
    assert (unit.queue.state, unit.queue.waiting, unit.queue.over_target) == (Queue.OVER, 3, 1)
    assert (unit.queue.start, unit.queue.target_ms) == (int(o.at("10:50")), 300_000)
    assert [(told.service, told.queue.state, told.queue.waiting) for told in unit.services] == [
        ("s", Queue.OVER, 2),
        ("t", Queue.WITHIN, 1),
    ]
    assert (unit.counters_open, unit.served, unit.level) == (1, 1, 0.5)
    assert [(call.number, call.counter) for call in unit.calls] == [("A1", "1")]
    assert unit.hours is None


@pytest.mark.parametrize(
    ("minutes", "state"), [(0, Queue.WITHIN), (3.9, Queue.WITHIN), (4, Queue.NEAR), (5, Queue.NEAR), (5.01, Queue.OVER)]
)
def test_the_longest_wait_stands_to_its_own_target(minutes: float, state: Queue) -> None:
    office = told().tell(o.issued("A1", at="10:00"))
    _, looks = looking(office.state, now=int(o.at("10:00")) + int(minutes * MINUTE))
    assert looks.unit("u").queue.state is state


def test_the_worst_queue_is_that_of_the_unit_and_not_the_longest_wait() -> None:
    office = told().tell(o.issued("B1", at="10:50", service="t"), o.issued("A1", at="10:54"))
    _, looks = looking(office.state)
    queue = looks.unit("u").queue
    assert (queue.state, queue.start, queue.target_ms) == (Queue.OVER, int(o.at("10:54")), 300_000)


def test_without_a_target_there_is_no_judgement_and_nobody_waiting_is_said() -> None:
    office = told(unit_policy({})).tell(o.issued("A1", at="10:00", service="free"))
    assert looking(office.state)[1].unit("u").queue.state is Queue.NO_TARGET
    assert looking(told().state)[1].unit("u").queue.state is Queue.NOBODY


def test_services_stand_in_the_order_of_the_targets_and_those_of_requests_are_not_there() -> None:
    policy = unit_policy({"z": 300, "a": 300})
    office = told(policy).tell(o.issued("A1", at="10:00", service="b"))
    assert [service.service for service in looking(office.state)[1].unit("u").services] == ["z", "a", "b"]


@pytest.mark.parametrize(("at", "state"), [("09:00", State.OPEN), ("12:30", State.BREAK), ("20:00", State.CLOSED)])
def test_a_unit_with_hours_is_open_in_a_break_or_closed(at: str, state: State) -> None:
    office = told(replace(unit_policy({"s": 300}), calendar=OFFICE))
    _, looks = looking(office.state, now=int(o.at(at)))
    assert looks.unit("u").hours is state
    assert looks.hall("u").hours is state


def test_the_hall_is_told_numbers_people_and_estimates_and_nothing_else() -> None:
    office = busy()
    for number in range(CALLS + 3):
        at = int(o.at("08:00")) + 10 * number * MINUTE
        office.tell(
            o.issued(f"C{number}", at=at),
            o.called(f"C{number}", at=at + MINUTE, counter="2", employee="budi"),
            o.started(f"C{number}", at=at + 2 * MINUTE, counter="2", employee="budi"),
        )
    hall = looking(office.state)[1].hall("u")
    assert hall.waiting == 3
    assert [(service.waiting, service.expected_ms) for service in hall.services] == [(2, MINUTE), (1, None)]
    assert [call.number for call in hall.calls] == ["A1", "C7", "C6", "C5", "C4"]
    text = msgspec.json.encode(hall).decode()
    for word in ("sari", "budi", "alert", "over_target", "level", "start", "served", 'last_event":1'):
        assert word not in text


def test_a_pseudonym_is_no_number_and_what_makes_a_number_unique_is_not_shown() -> None:
    office = told()
    for minute, subject in enumerate(("pabcdefghijklmnopqrstuvwxyz", "A-012", "A012.6b06ff16", "a/deadbeefcafe", "12")):
        office.tell(o.issued(subject, at="10:00"), o.called(subject, at=f"10:0{minute}"))
    assert [call.number for call in looking(office.state)[1].unit("u").calls] == ["12", "a", "A012", "A-012", None]


def test_a_name_is_told_as_it_is_whatever_is_in_it() -> None:
    policy = replace(unit_policy({"s": 300}), names=NASTY)
    unit = looking(told(policy).state)[1].unit("u")
    assert unit.name == NASTY
    assert msgspec.json.decode(msgspec.json.encode(unit))["name"]["en"] == NASTY.en


def test_the_overview_has_the_worst_first_and_says_how_many_it_leaves_out() -> None:
    bad = told(unit="bad").tell(Office("bad").issued("A1", at="10:00"))
    fine = told(unit="fine").tell(Office("fine").issued("A1", at="10:58"))
    worse = told(unit="worse").tell(Office("worse").issued("A1", at="09:00"))
    calm = [told(unit=f"calm-{number:03d}").state for number in range(ROWS)]
    overview = looking(bad.state, fine.state, worse.state, *calm)[1].overview()
    assert [row.unit for row in overview.units[:4]] == ["worse", "bad", "fine", "calm-000"]
    assert (len(overview.units), overview.left_out) == (ROWS, 3)
    assert (overview.partitions, overview.of, overview.data.state) == (1, 1, DataState.LIVE)


# Whether it is the present


def test_a_unit_of_another_worker_is_elsewhere_and_one_that_nobody_knows_is_unknown() -> None:
    _, looks = looking(told().state, count=7)
    states = {looks.unit(f"unit-{number}").data.state for number in range(40)}
    assert states == {DataState.ELSEWHERE, DataState.UNKNOWN}
    assert {looks.hall(f"unit-{number}").data.state for number in range(40)} == states


def test_the_unit_of_all_others_has_no_page() -> None:
    assert looking(told(unit="other").state)[1].unit("other").data.state is DataState.UNKNOWN
    assert looking(told(unit="other").state)[1].overview().units == ()


def test_before_everything_is_read_nothing_is_shown() -> None:
    worker, looks = looking(busy().state)
    partition_of(worker).ready = False
    unit = looks.unit("u")
    assert (unit.data.state, unit.data.as_of, unit.services) == (DataState.STARTING, None, ())
    assert looks.overview().units == ()
    worker.partition_count = None
    assert looks.unit("u").data.state is DataState.STARTING


def test_a_worker_that_the_broker_never_answered_shows_nothing() -> None:
    worker = worker_of([busy().state], NOON)
    assert Looks(worker).unit("u").data.state is DataState.STARTING


def test_figures_that_wait_for_events_are_late_and_judge_nothing() -> None:
    worker, looks = looking(busy().state, left=5)
    partition_of(worker).record_ms = NOON - int(1000 * (LATE_S + 1))
    assert looks.unit("u").data.state is DataState.LIVE  # the first event after a quiet time
    turn(worker, GRACE_S)
    unit, hall = looks.unit("u"), looks.hall("u")
    assert (unit.data.state, unit.data.as_of) == (DataState.LATE, partition_of(worker).received)
    assert unit.queue.waiting == 3
    assert unit.queue.state is None
    assert {service.queue.state for service in unit.services} == {None}
    assert (hall.data.state, hall.waiting, hall.calls, hall.services) == (DataState.LATE, None, (), ())
    overview = looks.overview()
    assert overview.data.state is DataState.LATE
    assert overview.units[0].queue.state is None


def test_what_waited_for_a_moment_only_is_not_late() -> None:
    worker, _ = looking(busy().state, left=5)
    freshness = Freshness(worker)
    partition = partition_of(worker)
    partition.record_ms = NOON - int(1000 * (LATE_S + 1))
    freshness.of_unit("u")
    partition.record_ms = NOON
    freshness.of_unit("u")
    turn(worker, GRACE_S + 1)
    partition.record_ms = NOON - int(1000 * (LATE_S + 1))
    assert freshness.of_unit("u")[0].state is DataState.LIVE


def test_a_silent_broker_and_a_loop_that_stands_still_are_said_as_of_when_they_were() -> None:
    worker, looks = looking(busy().state)
    worker.beat()
    turn(worker, ANSWER_S + 1)
    unit = looks.unit("u")
    assert unit.data.state is DataState.AWAY
    assert unit.data.as_of == NOON
    assert unit.queue.state is None
    assert looks.hall("u").waiting is None
    worker.source.answered = NOON + int(1000 * (ANSWER_S + 1))  # type: ignore[attr-defined]  # of the test's source
    assert looks.unit("u").data.state is DataState.AWAY  # the broker answers, and the loop has not come round
    worker.beat()
    assert looks.unit("u").data.state is DataState.LIVE


def test_a_replay_is_as_of_its_newest_event() -> None:
    worker, looks = looking(busy().state)
    worker.event_clock = True
    worker.tallies.newest_event_ms = int(o.at("10:58"))
    unit = looks.unit("u")
    assert (unit.data.state, unit.data.as_of) == (DataState.REPLAY, int(o.at("10:58")))
    assert unit.queue.state is Queue.OVER
