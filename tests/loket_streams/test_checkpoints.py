"""Checkpoints: what Kafka has before an offset may be committed, whoever else writes and whatever fails."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from loket.clock import SYSTEM_CLOCK
from loket.domain.policy import Policy
from loket.domain.records import split_key
from loket.domain.state import UnitState
from loket.domain.unit import apply
from loket.testing.builders import Office
from loket.testing.clock import FrozenClock
from loket_streams.changelog import Reading, decode_unit, offset_of
from loket_streams.checkpoints import UNITS_AT_A_TIME, Checkpointer
from loket_streams.errors import CheckpointError
from loket_streams.fetching import Found
from loket_streams.partitions import Partition, Partitions
from support.changelogs import FakeChangelog
from support.streams import as_told


class Worker:
    """One worker with partition 0, writing to a changelog that it may share with others."""

    def __init__(self, changelog: FakeChangelog, *, interval_s: float = 5) -> None:
        self.changelog = changelog
        self.partitions = Partitions("loket.events", Policy())
        self.partitions.assign([0], "member", 1)
        reading = changelog.read()
        units = {unit: decode_unit(unit, head, pages, Policy().unit) for unit, (head, pages) in reading.keys().items()}
        self.partitions.install(0, units, dirty=reading.regressed, changelog_next=reading.end or 0)
        self.partitions.seek({0: Found(None, 0, 1_000)})
        self.checkpointer = Checkpointer(self.partitions, changelog, FrozenClock(), interval_s=interval_s)
        self.offices: dict[str, Office] = {}

    @property
    def partition(self) -> Partition:
        (partition,) = self.partitions
        return partition

    def tell(self, *units: str, visits: int = 1) -> None:
        """Have something happen in each of these units."""
        for name in units:
            office = self.offices.setdefault(name, Office(name))
            state = self.partition.units.setdefault(name, UnitState(name, Policy().unit(name)))
            for _ in range(visits):
                offset = self.partition.next or 0
                event = office.issued(f"A{offset}", at="09:00")
                apply(state, event, int(event.time))
                state.offset = offset
                self.partition.dirty.add(name)
                self.partition.advance(offset + 1)

    def checkpoint(self, deadline_s: float = 60) -> None:
        run(self.checkpointer.checkpoint(deadline_s))


def run(work: Coroutine[Any, Any, Any]) -> None:
    asyncio.run(work)


def units_in(changelog: FakeChangelog) -> dict[str, Any]:
    """What a worker that starts now would have."""
    found = changelog.read()
    return {
        unit: as_told(decode_unit(unit, head, pages, Policy().unit)) for unit, (head, pages) in found.keys().items()
    }


def units_of(worker: Worker) -> dict[str, Any]:
    return {unit: as_told(state) for unit, state in worker.partition.units.items()}


def test_what_is_applied_is_written_and_only_then_durable() -> None:
    changelog = FakeChangelog()
    worker = Worker(changelog)
    worker.tell("u", "v", "u")
    assert worker.partition.durable == 0
    worker.checkpoint()
    assert worker.partition.durable == 3
    assert worker.partition.dirty == set()
    assert units_in(changelog) == units_of(worker)


def test_only_units_that_changed_are_written() -> None:
    changelog = FakeChangelog()
    worker = Worker(changelog)
    worker.tell("u", "v")
    worker.checkpoint()
    before = len(changelog.log)
    worker.tell("v")
    worker.checkpoint()
    assert [split_key(record.key)[0] for record in changelog.log[before:]] == ["v"]


def test_every_record_carries_the_offset_that_its_unit_contains() -> None:
    changelog = FakeChangelog()
    worker = Worker(changelog)
    worker.tell("u", "v", "v")
    worker.checkpoint()
    offsets = {split_key(record.key)[0]: offset_of(record) for record in changelog.log}
    assert offsets == {"u": 0, "v": 2}


def test_with_nothing_to_write_what_was_skipped_or_refused_becomes_durable_too() -> None:
    worker = Worker(FakeChangelog())
    worker.partition.advance(7)
    worker.checkpoint()
    assert worker.partition.durable == 7


def test_many_units_are_several_batches_and_none_is_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka appends a batch whole: a head without its pages would be a state that cannot be read."""
    monkeypatch.setattr("loket_streams.checkpoints.MAX_RECORD_BYTES", 4_000)
    changelog = FakeChangelog(room=6_000)
    worker = Worker(changelog)
    worker.tell(*(f"unit-{number}" for number in range(40)))
    worker.checkpoint()
    assert len(changelog.batches) > 2
    assert units_in(changelog) == units_of(worker)
    assert worker.checkpointer.figures.foreign_writes == 0
    beginning = 0
    seen: set[str] = set()
    for count in changelog.batches:
        units = {split_key(record.key)[0] for record in changelog.log[beginning : beginning + count]}
        assert not units & seen
        seen |= units
        beginning += count


def test_the_event_loop_gets_its_turn_between_chunks() -> None:
    worker = Worker(FakeChangelog())
    worker.tell(*(f"unit-{number}" for number in range(5 * UNITS_AT_A_TIME)))
    turns = 0

    async def both() -> None:
        nonlocal turns
        writing = asyncio.ensure_future(worker.checkpointer.checkpoint(5))
        while not writing.done():
            turns += 1
            await asyncio.sleep(0)
        await writing

    run(both())
    assert turns >= 5


def test_a_unit_that_changes_while_others_are_written_is_due_again() -> None:
    changelog = FakeChangelog()
    worker = Worker(changelog)
    worker.tell(*(f"unit-{number}" for number in range(2 * UNITS_AT_A_TIME)))

    async def both() -> None:
        writing = asyncio.ensure_future(worker.checkpointer.checkpoint(5))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        worker.tell("unit-0")
        await writing

    run(both())
    assert worker.partition.durable == 2 * UNITS_AT_A_TIME  # not what was applied meanwhile
    assert worker.partition.dirty == {"unit-0"}


def test_a_checkpoint_that_is_not_acknowledged_gives_the_units_back() -> None:
    changelog = FakeChangelog()
    worker = Worker(changelog)
    worker.tell("u", "v")
    changelog.silent = True
    with pytest.raises(CheckpointError, match="within"):
        worker.checkpoint(0.05)
    assert worker.partition.durable == 0
    assert worker.partition.dirty == {"u", "v"}
    assert worker.checkpointer.figures.failed == 1
    changelog.silent = False
    worker.checkpoint()
    assert worker.partition.durable == 2
    assert units_in(changelog) == units_of(worker)


def test_a_broker_that_is_away_is_an_error_that_says_so_and_gives_the_units_back() -> None:
    changelog = FakeChangelog()
    worker = Worker(changelog)
    worker.tell("u")
    changelog.away = True
    with pytest.raises(CheckpointError, match="nobody there"):
        worker.checkpoint()
    assert worker.partition.dirty == {"u"}
    assert worker.partition.durable == 0


def test_a_cancelled_checkpoint_gives_the_units_back() -> None:
    changelog = FakeChangelog()
    changelog.silent = True
    worker = Worker(changelog)
    worker.tell("u")

    async def cancelled() -> None:
        writing = asyncio.ensure_future(worker.checkpointer.checkpoint(5))
        await asyncio.sleep(0.02)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    run(cancelled())
    assert worker.partition.dirty == {"u"}


def test_a_unit_too_large_for_a_record_is_named_and_nothing_is_committed() -> None:
    worker = Worker(FakeChangelog(room=100))
    worker.tell("u")
    with pytest.raises(CheckpointError, match="the state of unit u is larger"):
        worker.checkpoint()
    assert worker.partition.durable == 0


def test_an_old_writer_that_comes_back_is_undone_by_the_next_checkpoint() -> None:
    """Between the two the highest offset wins; the check is for the day when compaction has taken that record away."""
    changelog = FakeChangelog()
    old = Worker(changelog)
    old.tell("u", "v", "w")
    old.checkpoint()
    old.tell("u")  # not written when it is paused
    owner = Worker(changelog)
    owner.offices = {name: Office(name, source="later") for name in "uvw"}
    owner.partition.next = 4
    owner.tell("u", "u", "v")
    owner.checkpoint()
    expected = units_of(owner)
    old.checkpoint()  # the old one is back
    assert units_in(changelog) == expected
    owner.checkpoint()  # nothing of its own to write
    assert owner.checkpointer.figures.foreign_writes == 1
    owner.checkpoint()
    changelog.compact()
    assert units_in(changelog) == expected


def test_an_old_writer_that_the_group_does_not_know_any_more_writes_nothing() -> None:
    """The next checkpoint of the owner may come too late: all may be killed before it, and then compaction comes."""
    changelog = FakeChangelog()
    old = Worker(changelog)
    old.tell("u")
    owner = Worker(changelog)
    owner.offices = {"u": Office("u", source="later")}
    owner.tell("u", "u")
    owner.checkpoint()
    expected = units_of(owner)
    changelog.is_member = False
    for _ in range(2):
        with pytest.raises(CheckpointError, match="no member of the group any more"):
            old.checkpoint()
    changelog.compact()
    assert units_in(changelog) == expected
    assert old.partition.dirty == {"u"}
    assert old.partition.durable == 0


def test_without_the_check_compaction_lets_the_old_writer_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpointer, "_expect", lambda *_: None)
    changelog = FakeChangelog()
    old = Worker(changelog)
    old.tell("u")
    owner = Worker(changelog)
    owner.offices = {"u": Office("u", source="later")}
    owner.tell("u", "u", "u")
    owner.checkpoint()
    expected = units_of(owner)
    old.checkpoint()
    owner.checkpoint()
    assert units_in(changelog) == expected
    changelog.compact()
    assert units_in(changelog) != expected


def test_a_start_writes_again_what_an_old_writer_lies_on() -> None:
    changelog = FakeChangelog()
    old = Worker(changelog)
    old.tell("u")
    owner = Worker(changelog)
    owner.offices = {"u": Office("u", source="later")}
    owner.tell("u", "u")
    owner.checkpoint()
    expected = units_of(owner)
    old.checkpoint()
    after = Worker(changelog)
    assert after.partition.dirty == {"u"}
    after.checkpoint()
    changelog.compact()
    assert units_in(changelog) == expected


def test_a_partition_that_went_to_another_worker_meanwhile_is_written_no_further() -> None:
    changelog = FakeChangelog()
    worker = Worker(changelog)
    worker.tell(*(f"unit-{number}" for number in range(3 * UNITS_AT_A_TIME)))
    partition = worker.partition

    async def both() -> None:
        writing = asyncio.ensure_future(worker.checkpointer.checkpoint(5))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        worker.partitions.assign([], "member", 2)
        await writing

    run(both())
    assert changelog.log == []
    assert partition.durable == 0


@pytest.mark.parametrize(("written", "interval_s"), [(1_000, 5), (50_000_000, 10), (900_000_000, 30)])
def test_the_interval_is_stretched_so_that_checkpoints_stay_under_5_mb_a_second(
    written: int, interval_s: float
) -> None:
    worker = Worker(FakeChangelog())
    worker.tell("u")

    class Large(FakeChangelog):
        def create_batch(self) -> Any:
            batch = super().create_batch()
            batch.size = lambda: written if batch.record_count() else 0  # type: ignore[method-assign]
            return batch

    worker.checkpointer = Checkpointer(worker.partitions, Large(), SYSTEM_CLOCK, interval_s=5)
    worker.checkpoint()
    assert worker.checkpointer.interval_s == interval_s


def test_a_reading_with_a_hole_or_with_a_record_of_somebody_else_is_refused() -> None:
    changelog = FakeChangelog()
    worker = Worker(changelog)
    worker.tell("u", "v", "w")
    worker.checkpoint()
    reading = Reading()
    reading.add(changelog.log[:1], 0, 1)
    with pytest.raises(ValueError, match="offset 1 should have come and 2 came"):
        reading.add(changelog.log[2:], 2, 3)
    changelog.write(b"u", b"x", [])
    with pytest.raises(ValueError, match="header"):
        changelog.read()
