"""A clock that jumps is measured and reported, a clock that nobody set is refused, and nothing is corrected."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.emitter.clockwatch import ClockRecord, ClockWatch, Jump, Reading, named
from loket.emitter.drafting import Drafting
from loket.emitter.errors import CLOCK_SET_MS, ClockNotSet
from loket.emitter.status import read_status
from loket.emitter.telling import told
from support.emitting import START_MS, Bench, FakeBroker

HOUR_MS = 3_600_000


@given(st.lists(st.tuples(st.integers(0, 100_000_000), st.integers(-400, 400)), max_size=20))
def test_time_that_passes_is_no_jump_not_even_when_the_clock_is_steered(passing: list[tuple[int, int]]) -> None:
    watch = ClockWatch(Reading(START_MS, 0, 7))
    wall, up = START_MS, 0
    for passed, drift_ppm in passing:
        wall += passed + passed * drift_ppm // 1_000_000
        up += passed
        assert watch.see(Reading(wall, up, 7)) is None


@given(st.integers(0, 100_000), st.integers(1_200, 10**10), st.booleans())
def test_a_jump_is_measured_exactly(passed: int, size: int, backward: bool) -> None:
    by = -size if backward else size
    watch = ClockWatch(Reading(START_MS, 0, 7))
    jump = watch.see(Reading(START_MS + passed + by, passed, 7))
    assert jump == Jump(START_MS + passed + by, by)
    assert watch.see(Reading(START_MS + passed + by + 5, passed + 5, 7)) is None


def test_across_a_restart_of_the_machine_only_a_clock_that_went_back_is_seen() -> None:
    before = Reading(START_MS, 900_000, 7)
    assert ClockWatch(before).see(Reading(START_MS + 10 * HOUR_MS, 5, 8)) is None
    assert ClockWatch(before).see(Reading(START_MS - HOUR_MS, 5, 8)) == Jump(
        START_MS - HOUR_MS, -HOUR_MS, at_least=True
    )


@pytest.mark.parametrize(
    ("by_ms", "said"),
    [
        (
            -HOUR_MS - 700,
            "3,601 s backward (whole hours: daylight saving or a zone was set by hand: set the zone instead)",
        ),
        (
            7 * HOUR_MS,
            "25,200 s forward (whole hours: daylight saving or a zone was set by hand: set the zone instead)",
        ),
        (24 * HOUR_MS, "86,400 s forward (whole days: the date was set by hand)"),
        (-90_000, "90 s backward"),
    ],
)
def test_a_jump_is_named_for_what_it_looks_like(by_ms: int, said: str) -> None:
    assert named(Jump(START_MS, by_ms)) == said


def test_the_record_keeps_the_sums_of_all_and_the_last_twenty() -> None:
    record = ClockRecord()
    for number in range(1, 31):
        record = record.with_jump(Jump(number, 1_000 * number * (-1) ** number))
    assert (record.count, len(record.last), record.last[-1].at_ms) == (30, 20, 30)
    assert record.forward_ms - record.backward_ms == 15_000


@pytest.mark.parametrize("by_ms", [-5_000, HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS])
def test_a_jump_is_in_the_status_and_events_keep_the_time_that_the_device_showed(tmp_path: Path, by_ms: int) -> None:
    bench = Bench(tmp_path, FakeBroker())
    bench.put("before")
    bench.clock.pass_s(20)
    bench.clock.wall_ms += by_ms
    bench.put("after")
    bench.send()

    first, second = (Bench.time_of(event) for event in bench.broker.received)
    assert second - first == 20_000 + by_ms
    clock = read_status(bench.path).clock
    assert (clock.count, clock.last[0].by_ms, clock.last[0].at_least) == (1, by_ms, False)
    assert any("the clock jumped 1 times" in line for line in told(read_status(bench.path)))


@pytest.mark.parametrize("sent_before", [False, True])
def test_a_jump_while_no_process_ran_is_measured_if_the_machine_stayed_up(tmp_path: Path, sent_before: bool) -> None:
    bench = Bench(tmp_path, FakeBroker())
    bench.put("a")
    if sent_before:
        bench.send()
    bench.crash()
    bench.clock.pass_s(5_000)
    bench.clock.wall_ms -= HOUR_MS
    bench.start()
    assert [jump.by_ms for jump in read_status(bench.path).clock.last] == [-HOUR_MS]
    bench.restart()
    assert read_status(bench.path).clock.count == 1  # it is not found again


def test_a_change_to_or_from_daylight_saving_is_no_jump_where_the_zone_is_set(tmp_path: Path) -> None:
    """Both sides of the change in Berlin, by the clock that the emitter reads: it knows no zones."""
    program = """
import time
from loket.clock import DEVICE_CLOCK
from loket.emitter.clockwatch import ClockWatch, Reading
read = lambda: Reading(DEVICE_CLOCK.now_ms(), int(DEVICE_CLOCK.monotonic() * 1000), 7)
watch = ClockWatch(read())
for zone in ("CET-1", "CEST-2", "WIB-7", "CET-1"):
    import os
    os.environ["TZ"] = zone
    time.tzset()
    print(watch.see(read()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ | {"TZ": "CET-1"}
    )
    assert done.stdout.split() == ["None"] * 4


def _event(**said: object) -> dict[str, object]:
    return {"type": "loket.ticket.issued", "subject": "A-1", "data": {"unit": "u", "service": "s"}, **said}


@pytest.mark.parametrize("now_ms", [0, 946_684_800_000, CLOCK_SET_MS - 1])
def test_before_2020_the_clock_is_not_set_and_the_event_is_refused(now_ms: int) -> None:
    with pytest.raises(ClockNotSet, match="set the clock"):
        Drafting("d").draft(_event(), now_ms)
    with pytest.raises(ClockNotSet):
        Drafting("d").draft(_event(time="2019-12-31T23:59:59Z"), START_MS)


def test_a_time_from_a_clock_that_is_right_is_taken_though_the_devices_own_is_not_set() -> None:
    assert Drafting("d").draft(_event(time="2026-01-31T09:00:00+07:00"), 0).value


def test_what_is_imported_may_tell_of_any_time() -> None:
    assert Drafting("d").draft(_event(time="2011-10-01T00:38:44+02:00", imported=True), START_MS).value
