"""The fakes that ship: a clock that keeps the contract of the real one, and events that are valid on the wire."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from loket.clock import SYSTEM_CLOCK, Clock
from loket.domain.events import Event, Instant
from loket.testing.builders import Office, again
from loket.testing.clock import FrozenClock
from loket.testing.strategies import conflicting, logs


@pytest.mark.parametrize("clock", [SYSTEM_CLOCK, FrozenClock(1_768_438_800_000)], ids=["system", "frozen"])
def test_every_clock_tells_whole_milliseconds_and_never_goes_back_in_the_other_reading(clock: Clock) -> None:
    assert isinstance(clock.now_ms(), int)
    assert clock.now_ms() > 1_700_000_000_000
    readings = [clock.monotonic() for _ in range(100)]
    assert readings == sorted(readings)


def test_a_frozen_clock_stands_still_until_it_is_told_to_go_on() -> None:
    clock = FrozenClock(1_000)
    assert (clock.now_ms(), clock.monotonic()) == (1_000, 0.0)
    clock.advance(seconds=1.5, ms=2)
    assert (clock.now_ms(), clock.monotonic()) == (2_502, 1.502)


def test_a_jump_of_the_wall_clock_leaves_the_other_reading() -> None:
    clock = FrozenClock(1_000)
    clock.advance(seconds=1)
    clock.set(500)
    assert (clock.now_ms(), clock.monotonic()) == (500, 1.0)


def test_a_frozen_clock_does_not_advance_backwards() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        FrozenClock().advance(ms=-1)


def test_local_times_are_instants() -> None:
    office = Office(zone="Asia/Jakarta")
    assert office.at("09:00") == 1_768_442_400_000  # 2026-01-15T02:00:00Z
    assert office.at("09:00:30.250") == 1_768_442_430_250
    assert office.at("+1 00:30") == 1_768_442_400_000 + (15 * 60 + 30) * 60_000
    assert office.at(5) == Instant(5)
    # Clocks go on at 02:00 on 2026-03-29 in Amsterdam: 09:00 is 07:00Z.
    assert Office(day="2026-03-28", zone="Europe/Amsterdam").at("+1 09:00") == 1_774_767_600_000


def test_two_runs_build_the_same_events() -> None:
    def build() -> list[Event]:
        office = Office()
        return [office.issued("A1", at="09:00"), office.called("A1", at="09:01", employee="e", id="own")]

    assert build() == build()
    assert [event.id for event in build()] == ["1", "own"]


def test_the_same_fact_again_differs_by_its_id_alone() -> None:
    event = Office().called("A1", at="09:01", employee="e")
    other = again(event, id="other")
    assert other.id == "other"
    assert msgspec.structs.replace(other, id=event.id) == event


def _is_valid(event: Event) -> bool:
    return msgspec.convert(msgspec.to_builtins(event, enc_hook=int), type(event), dec_hook=_instant) == event


def _instant(kind: type, value: object) -> object:
    return kind(value) if isinstance(value, int) else value


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs())
def test_every_event_of_a_generated_log_is_valid_and_ids_do_not_conflict(log: list[Event]) -> None:
    assert all(_is_valid(event) for event in log)
    assert [int(event.time) for event in log] == sorted(int(event.time) for event in log)
    assert len({(event.source, event.id) for event in log}) == len(log)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs().flatmap(conflicting))
def test_a_conflicting_log_tells_some_id_twice(log: list[Event]) -> None:
    assert not log or len({(event.source, event.id) for event in log}) < len(log)
