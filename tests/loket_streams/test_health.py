"""Health means progress: what a worker says of itself, at which instant its figures are, and how it is served."""

import logging
from typing import Any

import pytest

from loket.broker import BrokerAway
from loket.domain.policy import Policy
from loket.settings import WorkerSettings
from loket.testing.clock import FrozenClock
from loket_streams import health, startup
from loket_streams.fetching import Found
from loket_streams.partitions import Partition, Partitions
from loket_streams.tallies import Tallies
from loket_streams.worker import Worker

NOON = 1_768_453_200_000


class FakeSource:
    """A consumer whose last fetch is what a test says."""

    def __init__(self, clock: FrozenClock) -> None:
        self._clock = clock
        self.ends: dict[int, int] = {}
        self.answers = True
        self._answered = clock.now_ms()

    def end_offset(self, partition: int) -> int | None:
        return self.ends.get(partition)

    def answered_ms(self) -> int | None:
        if self.answers:
            self._answered = self._clock.now_ms()
        return self._answered


class Watched:
    """A worker with partition 0, its clock, and what its consumer knows."""

    def __init__(self, *, event_clock: bool = False, fixed_now_ms: int | None = None, end: int = 10) -> None:
        self.clock = FrozenClock(NOON)
        self.source = FakeSource(self.clock)
        self.source.ends[0] = end
        self.partitions = Partitions("loket.events", Policy())
        self.worker = Worker(
            self.partitions,
            Tallies(),
            self.source,
            self.clock,
            event_clock=event_clock,
            fixed_now_ms=fixed_now_ms,
            checkpoint_interval_s=5,
        )
        self.partitions.assign([0], "member", 1)
        self.partitions.install(0, {}, dirty=(), changelog_next=0)
        self.partitions.seek({0: Found(0, 0, end)})
        self.worker.beat()

    @property
    def partition(self) -> Partition:
        (partition,) = self.partitions
        return partition

    def run(self, seconds: int, *, applies: int = 0, checkpoints: bool = True) -> None:
        """Let the event loop come round for so long, applying so many events in each second."""
        for _ in range(seconds):
            self.clock.advance(seconds=1)
            self.partition.advance((self.partition.next or 0) + applies)
            if checkpoints:
                self.worker.checkpoints.written += 1
            self.worker.beat()

    def page(self, path: str) -> tuple[int, str]:
        page = health.pages(self.worker)[path]()
        return page.status, page.body.decode()


def test_a_worker_that_has_read_to_the_end_is_healthy_and_ready() -> None:
    watched = Watched()
    watched.partition.advance(10)
    watched.run(300)
    assert watched.page("/-/healthy") == (200, "healthy\n")
    assert watched.page("/-/ready") == (200, "ready\n")


def test_one_that_is_behind_and_goes_on_is_healthy_and_not_ready() -> None:
    watched = Watched(end=10_000)
    watched.run(300, applies=10)
    assert watched.page("/-/healthy")[0] == 200
    assert watched.page("/-/ready") == (503, "partition 0 is at offset 3000 of 10000\n")


def test_one_that_stands_still_with_events_to_apply_is_not_healthy() -> None:
    watched = Watched()
    watched.run(60)
    assert watched.page("/-/healthy")[0] == 200
    watched.run(2)
    assert watched.page("/-/healthy") == (503, "partition 0 has stood at offset 0 for 62 s with 10 events to apply\n")


def test_an_event_loop_that_hangs_is_not_healthy() -> None:
    watched = Watched()
    watched.partition.advance(10)
    watched.run(5)
    watched.clock.advance(seconds=11)
    watched.worker.checkpoints.written += 1
    assert watched.page("/-/healthy") == (503, "the event loop has stood still for 11 s\n")


def test_checkpoints_that_do_not_succeed_are_not_healthy() -> None:
    watched = Watched()
    watched.partition.advance(10)
    watched.run(10)
    watched.run(61, checkpoints=False)
    assert watched.page("/-/healthy") == (503, "no checkpoint has succeeded for 61 s\n")


def test_a_recovery_that_does_not_end_is_not_healthy() -> None:
    watched = Watched()
    watched.partition.advance(10)
    watched.partitions.assign([0, 1], "member", 2)
    for _ in range(602):
        watched.clock.advance(seconds=1)
        watched.worker.checkpoints.written += 1
        for partition in watched.partitions:
            if partition.loaded:
                partition.advance(10)
        watched.worker.beat()
    assert watched.page("/-/healthy") == (503, "partition 1 has been in recovery for 601 s\n")
    assert "partition 1 is being recovered" in watched.page("/-/ready")[1]


def test_while_the_broker_is_away_it_is_not_ready_and_a_restart_would_not_help() -> None:
    watched = Watched()
    watched.partition.advance(10)
    watched.run(10)
    watched.source.answers = False
    watched.run(120, checkpoints=False)
    assert watched.page("/-/healthy")[0] == 200
    assert watched.page("/-/ready") == (503, "the broker has not answered a fetch lately\n")


def test_one_more_worker_than_partitions_is_ready_with_nothing_to_do() -> None:
    watched = Watched()
    watched.partitions.assign([], "member", 2)
    watched.source.answers = False
    watched.clock.advance(seconds=100)
    watched.worker.beat()
    assert watched.page("/-/ready")[0] == 200


def test_until_the_end_it_is_ready_when_that_is_durable_too() -> None:
    watched = Watched()
    watched.worker.until_end = True
    watched.partition.advance(10)
    watched.worker.beat()
    assert watched.page("/-/ready") == (503, "the end of the topic is not applied and durable yet\n")
    watched.worker.at_end = True
    assert watched.page("/-/ready")[0] == 200


def test_a_stopping_worker_is_not_ready() -> None:
    watched = Watched()
    watched.partition.advance(10)
    watched.worker.stopping = True
    assert watched.page("/-/ready") == (503, "the worker is stopping\n")


# The present (rule 4)


def test_now_is_the_wall_clock_where_the_last_fetch_left_nothing_rule_4() -> None:
    watched = Watched()
    watched.partition.received = NOON - 90_000
    watched.partition.advance(10)
    assert watched.worker.now_ms(watched.partition) == NOON
    assert watched.worker.lag(watched.partition) == 0
    assert watched.worker.seconds_behind(watched.partition) == 0


def test_else_it_is_when_the_last_applied_record_was_received_rule_4() -> None:
    watched = Watched()
    watched.partition.received = NOON - 90_000
    watched.partition.record_ms = NOON - 90_000
    watched.partition.advance(4)
    assert watched.worker.now_ms(watched.partition) == NOON - 90_000
    assert watched.worker.lag(watched.partition) == 6
    assert watched.worker.seconds_behind(watched.partition) == 90


def test_with_the_events_clock_it_is_the_newest_event_of_the_process_rule_4() -> None:
    watched = Watched(event_clock=True)
    assert watched.worker.now_ms(watched.partition) is None
    watched.worker.tallies.newest_event_ms = 920_000_000_000
    watched.partition.advance(10)
    assert watched.worker.now_ms(watched.partition) == 920_000_000_000


def test_or_what_it_is_told_rule_4() -> None:
    watched = Watched(event_clock=True, fixed_now_ms=930_000_000_000)
    watched.worker.tallies.newest_event_ms = 920_000_000_000
    assert watched.worker.now_ms(watched.partition) == 930_000_000_000


def test_units_are_exported_once_the_ends_found_at_the_assignment_are_applied_rule_4() -> None:
    watched = Watched()
    watched.partition.advance(9)
    assert list(watched.worker.exported()) == []
    watched.partition.advance(10)
    assert list(watched.worker.exported()) == [watched.partition]
    watched.source.ends[0] = 50  # more came: it stays
    assert list(watched.worker.exported()) == [watched.partition]


# The start


def test_while_no_broker_answers_it_is_looked_for_until_patience_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    clock = FrozenClock(NOON)
    tries = []

    def away(settings: WorkerSettings) -> int:
        tries.append(clock.monotonic())
        raise BrokerAway(settings.bootstrap, ConnectionRefusedError())

    monkeypatch.setattr(startup, "_check", away)
    caplog.set_level(logging.INFO)
    with pytest.raises(BrokerAway):
        startup.prepare(WorkerSettings(), clock, lambda seconds: clock.advance(seconds=seconds), patience_s=5)
    assert tries == [0, 2, 4, 5]
    assert "trying again for 5 s" in caplog.text


def test_a_broker_that_comes_in_time_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FrozenClock(NOON)

    def late(settings: WorkerSettings) -> int:
        if clock.monotonic() < 3:
            raise BrokerAway(settings.bootstrap, ConnectionRefusedError())
        return 4

    monkeypatch.setattr(startup, "_check", late)
    found = startup.prepare(WorkerSettings(), clock, lambda seconds: clock.advance(seconds=seconds), patience_s=60)
    assert found == 4
