"""Random sequences of faults in seconds: the product's own code for states, checkpoints, recovery and the record,
around a broker in memory. Whatever happened, who starts then has what the domain alone makes of the log.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as Flag
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, event

from loket.domain.policy import DAY, HOUR, Policy
from loket.errors import LoketError
from loket.targets import TargetsFile
from loket.testing.clock import FrozenClock
from loket.wire.cloudevents import Decoder, encode
from loket.wire.partition import partition_of
from loket_consumers.engines import connect
from loket_consumers.migrating import upgrade
from loket_consumers.reading import ServiceTime
from loket_consumers.sink import Options, Sink
from loket_consumers.status import Status
from loket_streams import changelog, checkpoints, partitions
from support import recorded
from support.fake_consumer import FakeConsumer
from support.logs import DAY_BEGINS
from support.modelled import PARTITIONS, ModelBroker, ModelWorker
from support.recorded import TOPIC
from support.rounds import LONG_ROUNDS, dice_of
from support.sinks import visits
from support.whole import Judged

POOL: Final = visits(40, DAY_BEGINS + 5 * HOUR, seed=3)
WORKERS: Final = 3

workers = st.integers(0, WORKERS - 1)
few = st.integers(1, 6)


class Crash(BaseException):
    """The end of a sink's process."""


class Faults(RuleBasedStateMachine):
    """Up to three workers and any number of sinks on one log."""

    engine: Engine
    judges_figures = True

    @initialize()
    def begin(self) -> None:
        recorded.empty(self.engine, PARTITIONS)
        self.now_ms = DAY_BEGINS + 6 * HOUR
        self.broker = ModelBroker()
        self.started = 0
        self.workers: list[ModelWorker | None] = [None] * WORKERS
        self.start(0)
        self.rebalance([0] * PARTITIONS, interrupted=False, last=True)

    # What producers do

    @rule(begin=st.integers(0, len(POOL) - 1), number=st.integers(1, 12), shuffled=st.none() | st.randoms())
    def produce(self, begin: int, number: int, shuffled: random.Random | None) -> None:
        """Events in any order; what was sent before comes again."""
        some = POOL[begin : begin + number]
        if shuffled is not None:
            shuffled.shuffle(some)
        for told in some:
            sent = encode(told)
            place = partition_of(sent.key, PARTITIONS)
            self.broker.append(place, self.now_ms, sent.key, sent.value, sent.headers)

    @rule(partition=st.integers(0, PARTITIONS - 1), marked=st.booleans())
    def produce_nothing(self, partition: int, marked: bool) -> None:
        """The marker of a transaction, or bytes that are no event."""
        if marked:
            self.broker.mark(partition)
        else:
            self.broker.append(partition, self.now_ms, b"office-1", b"\xff{")

    @rule(hours=st.sampled_from([1, 9, 26]))
    def time_passes(self, hours: int) -> None:
        """Until days close."""
        self.now_ms = min(self.now_ms + hours * HOUR, DAY_BEGINS + 20 * DAY)

    # What workers do, and what happens to them

    def start(self, number: int) -> ModelWorker:
        self.started += 1
        made = self.workers[number] = ModelWorker(self.broker, f"member-{self.started}")
        return made

    def alive(self, number: int) -> ModelWorker | None:
        worker = self.workers[number]
        return None if worker is None or worker.is_paused else worker

    def some(self, number: int) -> int:
        """One of those that are alive, if any is."""
        alive = [n for n in range(WORKERS) if self.alive(n)]
        return alive[number % len(alive)] if alive else number

    @rule(number=workers, most=few, commits=st.booleans())
    def somebody_reads(self, number: int, most: int, commits: bool) -> None:
        self.read(self.some(number), most)
        if commits:
            self.commit(self.some(number))

    def read(self, number: int, most: int) -> None:
        if worker := self.alive(number):
            worker.read(most)

    @rule(number=workers, outcome=st.sampled_from(["ok", "ok", "ok", "away", "lost answer", "partly written"]))
    def somebody_makes_a_checkpoint(self, number: int, outcome: str) -> None:
        """A worker that was away too long may make one too, before it learns of that."""
        self.checkpoint(self.some(number), outcome)

    def checkpoint(self, number: int, outcome: str) -> None:
        worker = self.alive(number)
        if worker is None:
            return
        logs = self.broker.changelogs.values()
        for log in logs:
            log.away, log.silent = outcome == "away", outcome == "lost answer"
            log.takes = 1 if outcome == "partly written" else None
        written = worker.checkpoint()
        for log in logs:
            log.away, log.silent, log.takes = False, False, None
        if outcome == "ok" and worker.generation == self.broker.generation:
            assert written

    @rule(number=workers)
    def somebody_commits(self, number: int) -> None:
        self.commit(self.some(number))

    def commit(self, number: int) -> None:
        if worker := self.alive(number):
            worker.commit()

    @rule(number=workers)
    def crash(self, number: int) -> None:
        """SIGKILL."""
        self.workers[number] = None
        self.who_starts_now_has_everything()

    @rule(number=workers)
    def somebody_is_paused(self, number: int) -> None:
        """SIGSTOP."""
        self.pause(self.some(number))

    def pause(self, number: int) -> None:
        if worker := self.alive(number):
            worker.is_paused = True

    @rule(number=workers)
    def resume(self, number: int) -> None:
        """It goes on with what it thinks is its own, until a rebalance takes it in again."""
        if worker := self.workers[number]:
            worker.is_paused = False

    @rule(number=workers)
    def events_are_lost_on_the_way(self, number: int) -> None:
        """What follows is refused, and the process ends."""
        number = self.some(number)
        if worker := self.alive(number):
            assert worker.misses()
            self.workers[number] = None

    @rule(
        owners=st.lists(workers, min_size=PARTITIONS, max_size=PARTITIONS),
        interrupted=st.booleans(),
        last=st.booleans(),
    )
    def rebalance(self, owners: list[int], interrupted: bool, last: bool) -> None:
        """Partitions go to workers, new ones where there was none; who is paused is left out of it.

        `last`: those who have partitions get to their last checkpoint and its commit.
        """
        for number in set(owners):
            if self.workers[number] is None:
                self.start(number)
        members = [number for number in range(WORKERS) if self.alive(number) is not None]
        if not members:
            return
        for number in members:
            worker = self.workers[number]
            if last and worker is not None and worker.generation == self.broker.generation and worker.checkpoint():
                worker.commit()
        self.broker.generation += 1
        given = [owner if owner in members else members[0] for owner in owners]
        generation = self.broker.generation
        for number in members:
            worker = self.workers[number]
            if worker is not None:
                mine = [partition for partition, owner in enumerate(given) if owner == number]
                worker.assigned(mine, generation=generation, interrupted=False)
        if interrupted:
            self.broker.generation += 1
            for number in members:
                worker = self.workers[number]
                if worker is not None:
                    mine = [partition for partition, owner in enumerate(given) if owner == number]
                    worker.assigned(mine, generation=self.broker.generation, interrupted=len(members) == 1)

    @rule(
        partition=st.integers(0, PARTITIONS - 1),
        heir=workers,
        most=few,
        then=st.sampled_from(["", "the new owner writes", "both are killed"]),
        in_the_window=st.booleans(),
    )
    def is_away_too_long(self, partition: int, heir: int, most: int, then: str, in_the_window: bool) -> None:
        """The owner of a partition is paused, another goes past it, and it comes back and writes what it has.

        Kafka tells it first that it is no member any more, or it was paused after it had asked. `then`: the new owner,
        or who comes after both, makes one more checkpoint, and Kafka compacts the changelog.
        """
        old = next((n for n in range(WORKERS) if (w := self.alive(n)) and partition in w.positions and n != heir), None)
        if old is None:
            return
        self.produce(partition, 12, None)
        self.read(old, most)
        self.pause(old)
        self.resume(heir)
        self.rebalance([heir] * PARTITIONS, interrupted=False, last=False)
        self.read(heir, 1_000)
        self.checkpoint(heir, "ok")
        self.commit(heir)
        self.resume(old)
        self.broker.is_in_the_window = in_the_window
        self.checkpoint(old, "ok")
        self.broker.is_in_the_window = False
        if then == "both are killed":
            self.crash(old)
            self.crash(heir)
            self.rebalance([heir] * PARTITIONS, interrupted=False, last=False)
        if then:
            self.checkpoint(heir, "ok")
            self.broker.compact(partition, waited=True)
        self.who_starts_now_has_everything()

    # What happens to the broker

    @rule()
    def offsets_are_lost(self) -> None:
        """The group's offsets have expired, or were deleted."""
        self.broker.committed.clear()

    @rule(partition=st.integers(0, PARTITIONS - 1))
    def compact(self, partition: int) -> None:
        self.broker.compact(partition)

    # What sinks do

    @rule(
        polls=st.integers(1, 4),
        most=few,
        fault=st.sampled_from(["", "", "crash before a commit", "crash after a commit", "another sink"]),
        when=st.integers(1, 3),
    )
    def sink(self, polls: int, most: int, fault: str, when: int) -> None:
        then: list[Callable[[], None]] = [lambda: None] * polls
        if fault == "another sink":
            then[min(when, polls) - 1] = lambda: self.run_sink([lambda: None] * 2, most + 1)
            self.run_sink(then, most)
        elif fault:
            with self.dying(fault, when):
                self.run_sink(then, most)
        else:
            self.run_sink(then, most)

    def run_sink(self, then: list[Callable[[], None]], most: int, *, until_end: bool = False) -> None:
        """A sink that begins, polls as often as there is something to happen, and stops."""
        clock, stop = FrozenClock(self.now_ms), Flag()
        consumer = FakeConsumer(self.broker.log, clock, [*then, *([] if until_end else [stop.set])])
        Sink(
            consumer,
            self.engine,
            Decoder(PARTITIONS),
            ServiceTime(),
            TargetsFile(None),
            clock,
            Status(clock, consumer.highwater),
            Options(TOPIC, PARTITIONS, until_end=until_end, records=most),
        ).run(stop)

    @contextmanager
    def dying(self, fault: str, when: int) -> Iterator[None]:
        """Have the process end at its `when`th COMMIT, before or after the database has it."""
        passed = 0

        def commit(connection: Any) -> None:
            nonlocal passed
            passed += 1
            if passed == when:
                if fault == "crash after a commit":
                    connection.connection.driver_connection.execute("COMMIT")
                raise Crash

        event.listen(self.engine, "commit", commit)
        try:
            yield
        except Crash:
            pass
        finally:
            event.remove(self.engine, "commit", commit)

    # What always holds

    def judged(self) -> Judged:
        return Judged(self.broker.log.records, Policy())

    @precondition(lambda self: self.broker.log.records)
    @rule()
    def who_starts_now_has_everything(self) -> None:
        """A worker that reads the changelog and goes on from the commit."""
        worker = ModelWorker(self.broker, "who looks")
        worker.assigned(range(PARTITIONS), generation=0)
        while any(position < self.broker.log.end(number) for number, position in worker.positions.items()):
            worker.read(50)
        assert worker.told() == self.judged().units()

    def teardown(self) -> None:
        if not hasattr(self, "broker"):
            return
        self.who_starts_now_has_everything()
        for number in range(WORKERS):
            self.resume(number)
        self.rebalance([0, 1], interrupted=False, last=True)
        for _ in range(2):
            for number in range(WORKERS):
                self.read(number, 1_000)
                self.checkpoint(number, "ok")
                self.commit(number)
        judged = self.judged()
        told = [worker.told() for worker in self.workers if worker is not None]
        assert {unit: state for units in told for unit, state in units.items()} == judged.units()
        for partition in range(PARTITIONS):
            self.compact(partition)
        self.who_starts_now_has_everything()
        self.run_sink([], 50, until_end=True)
        assert recorded.places(self.engine) == judged.results
        if self.judges_figures:
            judged.assert_figures(self.engine, Policy())


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database for all examples, emptied at the begin of each."""
    made = connect(f"sqlite:///{tmp_path_factory.mktemp('model') / 'record.db'}")
    upgrade(made)
    yield made
    made.dispose()


def examples(number: int, steps: int = 30) -> settings:
    return settings(
        max_examples=number,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # a sequence that fails is told as it is: making it shorter takes minutes
    )


def run(engine: Engine, how: settings, begin: int, *, judges_figures: bool = True) -> None:
    """Run the machine with a seed."""
    machine = seed(begin)(type("Seeded", (Faults,), {"engine": engine, "judges_figures": judges_figures}))
    run_state_machine_as_test(machine, settings=how)


@pytest.mark.parametrize(
    ("number", "fault_round"),
    [
        pytest.param(40, 0, id="sample"),
        *(pytest.param(300, n, id=f"round-{n}", marks=pytest.mark.long) for n in range(1, LONG_ROUNDS)),
    ],
)
def test_after_any_sequence_of_faults_metrics_and_record_are_what_the_domain_says(
    engine: Engine, number: int, fault_round: int
) -> None:
    run(engine, examples(number), dice_of("model", fault_round).randrange(1 << 32))


def _commits_what_is_applied(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(partitions.Partitions, "durable", lambda self, number: self.assigned[number].next)


def _the_last_record_wins(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(changelog, "offset_of", lambda record: record.offset)


def _nobody_looks_for_foreign_writes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checkpoints.Checkpointer, "_expect", lambda *_: None)


def _what_an_old_record_lies_on_is_not_written_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(changelog.Reading, "regressed", frozenset())


def _what_was_not_written_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(partitions.Partition, "mark", lambda *_: None)


def _partitions_are_kept_over_generations_that_were_missed(patch: pytest.MonkeyPatch) -> None:
    assign = partitions.Partitions.assign

    def always(self: Any, numbers: Any, member: str, generation: int) -> None:
        if self._member is not None:
            self._member = (member, generation - 1)
        assign(self, numbers, member, generation)

    patch.setattr(partitions.Partitions, "assign", always)


@pytest.mark.parametrize(
    "without",
    [
        _commits_what_is_applied,
        _the_last_record_wins,
        _nobody_looks_for_foreign_writes,
        _what_an_old_record_lies_on_is_not_written_again,
        _what_was_not_written_is_forgotten,
        _partitions_are_kept_over_generations_that_were_missed,
    ],
    ids=lambda cure: cure.__name__.strip("_"),
)
def test_without_a_cure_the_same_sequences_find_the_fault(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, without: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """What the test above is worth."""
    without(monkeypatch)
    with pytest.raises((AssertionError, LoketError)):
        run(engine, examples(400), 1, judges_figures=False)
