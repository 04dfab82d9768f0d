"""Clocks of the sources: errors and delays over the last ten minutes of the broker's time."""

from loket_streams.tallies import SourceClock

MINUTE = 60_000
NOON = 1_768_453_200_000


def test_a_source_that_says_when_it_sent_has_an_error_and_a_delay() -> None:
    clock = SourceClock()
    clock.note(NOON, NOON - 30_000, NOON - 2_000)
    clock.note(NOON + 1, NOON - 90_000, NOON - 1_500)
    assert clock.error_ms(NOON) == 1_501  # the smallest: a slow network only adds
    assert clock.delay_ms(NOON) == 88_500  # the largest


def test_without_it_the_error_is_the_smallest_difference_to_the_events_time() -> None:
    clock = SourceClock()
    for behind in (9_000, 4_000, 6_000):
        clock.note(NOON, NOON - behind, None)
    assert clock.error_ms(NOON) == 4_000
    assert clock.delay_ms(NOON) is None


def test_a_clock_that_is_ahead_has_an_error_below_zero() -> None:
    clock = SourceClock()
    clock.note(NOON, NOON + 5_000, NOON + 5_000)
    assert clock.error_ms(NOON) == -5_000


def test_what_is_older_than_ten_minutes_counts_no_more() -> None:
    clock = SourceClock()
    clock.note(NOON, NOON - 1_000, None)
    clock.note(NOON + 9 * MINUTE, NOON + 9 * MINUTE - 3_000, None)
    assert clock.error_ms(NOON + 9 * MINUTE) == 1_000
    assert clock.error_ms(NOON + 10 * MINUTE) == 3_000
    assert clock.error_ms(NOON + 30 * MINUTE) is None


def test_it_remembers_ten_minutes_and_no_more() -> None:
    clock = SourceClock()
    for minute in range(100):
        clock.note(NOON + minute * MINUTE, NOON + minute * MINUTE, NOON + minute * MINUTE)
    assert len(clock._errors) <= 10
