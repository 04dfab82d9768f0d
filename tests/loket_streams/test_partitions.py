"""Partitions: where each is read on from, what of it is safe, and what is kept over a rebalance."""

import pytest

from loket.domain.policy import Policy, UnitPolicy
from loket.domain.unit import UnitState
from loket_streams.errors import GapError, RecoveryError, RetentionError, TruncatedError
from loket_streams.fetching import Found
from loket_streams.partitions import Partition, Partitions


def unit(name: str, offset: int) -> UnitState:
    state = UnitState(name, UnitPolicy())
    state.offset = offset
    return state


def assigned(*units: UnitState, **options: bool) -> Partitions:
    """Partition 0 begun anew, its changelog holding these units."""
    partitions = Partitions("loket.events", Policy(), **options)
    partitions.assign([0], "member", 1)
    partitions.install(0, {state.unit: state for state in units}, dirty=(), changelog_next=0)
    return partitions


def only(partitions: Partitions) -> Partition:
    (partition,) = partitions
    return partition


def test_a_first_start_reads_from_the_beginning_and_may_commit_there() -> None:
    partitions = assigned()
    assert partitions.seek({0: Found(None, 0, 12)}) == {0: 0}
    assert partitions.durable(0) == 0
    assert not only(partitions).ready


def test_a_first_start_on_a_topic_that_lost_its_oldest_events_begins_with_what_is_there() -> None:
    partitions = assigned()
    assert partitions.seek({0: Found(None, 40, 60)}) == {0: 40}


def test_it_is_read_on_from_the_commit_and_ready_when_the_end_found_then_is_applied() -> None:
    partitions = assigned(unit("u", 9))
    assert partitions.seek({0: Found(7, 0, 12)}) == {0: 7}
    only(partitions).advance(11)
    assert not only(partitions).ready
    assert not partitions.ready
    only(partitions).advance(12)
    assert only(partitions).ready
    assert partitions.ready


def test_an_empty_partition_is_ready_at_once() -> None:
    partitions = assigned()
    partitions.seek({0: Found(None, 0, 0)})
    assert partitions.ready


def test_without_an_assignment_nothing_is_ready() -> None:
    assert not Partitions("loket.events", Policy()).ready


def test_a_start_that_never_committed_reads_all_that_its_state_contains_again() -> None:
    assert assigned(unit("u", 9)).seek({0: Found(None, 0, 12)}) == {0: 0}


@pytest.mark.parametrize("committed", [7, None])
def test_events_removed_unread_stop_the_worker(committed: int | None) -> None:
    partitions = assigned(unit("u", 6))
    with pytest.raises(RetentionError, match="7 to 9 were removed by retention") as caught:
        partitions.seek({0: Found(committed, 10, 12)})
    assert (caught.value.expected, caught.value.found) == (7, 10)


def test_unless_they_are_given_up() -> None:
    partitions = assigned(unit("u", 6), accept_lost_events=True)
    assert partitions.seek({0: Found(7, 10, 12)}) == {0: 10}


@pytest.mark.parametrize("committed", [5, 15])
def test_a_log_that_ends_before_what_the_state_contains_stops_the_worker(committed: int) -> None:
    with pytest.raises(TruncatedError, match="ends at offset 12"):
        assigned(unit("u", 14)).seek({0: Found(committed, 0, 12)})


def test_what_was_not_recovered_is_not_read() -> None:
    partitions = Partitions("loket.events", Policy())
    partitions.assign([0], "member", 1)
    assert partitions.durable(0) is None
    with pytest.raises(RecoveryError):
        partitions.seek({0: Found(None, 0, 0)})


def reading(partitions: Partitions) -> Partition:
    partitions.seek({0: Found(None, 0, 5)})
    only(partitions).advance(5)
    return only(partitions)


def test_in_the_next_generation_a_partition_is_kept_and_read_on_from_what_is_applied() -> None:
    partitions = assigned(unit("u", 4))
    before = reading(partitions)
    partitions.assign([0, 1], "member", 2)
    assert partitions.get(0) is before
    assert before.ready
    assert not partitions.ready  # the other is not
    partitions.install(1, {}, dirty=(), changelog_next=0)
    assert partitions.seek({0: Found(2, 0, 9), 1: Found(None, 0, 0)}) == {0: 5, 1: 0}


@pytest.mark.parametrize(("member", "generation"), [("member", 3), ("other", 2), ("member", 1)])
def test_where_another_may_have_had_it_in_between_it_is_begun_anew(member: str, generation: int) -> None:
    partitions = assigned(unit("u", 4))
    before = reading(partitions)
    partitions.assign([0], member, generation)
    partition = only(partitions)
    assert partition is not before
    assert not partition.loaded
    assert partition.units == {}


def test_a_partition_that_is_being_recovered_is_begun_anew_in_the_next_generation() -> None:
    partitions = Partitions("loket.events", Policy())
    partitions.assign([0], "member", 1)
    before = only(partitions)
    partitions.assign([0], "member", 2)
    assert only(partitions) is not before


def test_what_is_not_assigned_is_forgotten() -> None:
    partitions = assigned(unit("u", 4))
    reading(partitions)
    partitions.assign([1], "member", 2)
    assert partitions.get(0) is None
    assert partitions.durable(0) is None


def test_a_commit_of_somebody_else_past_a_kept_partition_is_a_gap() -> None:
    partitions = assigned(unit("u", 4))
    reading(partitions)
    partitions.assign([0], "member", 2)
    with pytest.raises(GapError):
        partitions.seek({0: Found(8, 0, 9)})


def test_units_follow_targets_that_are_read_anew() -> None:
    partitions = assigned(unit("u", 4), unit("v", 3))
    known = UnitPolicy(known=True)
    partitions.follow(Policy(units={"u": known}))
    states = only(partitions).units
    assert states["u"].policy is known
    assert not states["v"].policy.known
