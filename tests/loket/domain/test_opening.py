"""Service time by hand: breaks, midnight, holidays, Ramadan, single days, clocks that change, years of closed days."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from loket.domain.calendar import CLOSED, Calendar, DayHours, Schedule, Week
from loket.domain.durations import DAY, HOUR, MINUTE
from loket.domain.opening import OpeningHours, State

JAKARTA = "Asia/Jakarta"


def hours(*spans: tuple[float, float], breaks: tuple[tuple[float, float], ...] = ()) -> DayHours:
    """The hours of a day, in hours after midnight."""
    return DayHours(
        tuple((int(begin * HOUR), int(end * HOUR)) for begin, end in spans),
        tuple((int(begin * HOUR), int(end * HOUR)) for begin, end in breaks),
    )


def week(day: DayHours, *, friday: DayHours | None = None, saturday: DayHours = CLOSED) -> Week:
    """Monday to Friday."""
    return (day, day, day, day, friday or day, saturday, CLOSED)


OFFICE = week(hours((7.5, 16), breaks=((12, 13),)), friday=hours((7.5, 16.5), breaks=((11.5, 13),)))
"""Perpres 21/2023: 37.5 hours a week without rest."""


def opening(*, zone: str = JAKARTA, of: Week = OFFICE, **more: object) -> OpeningHours:
    """The service time of one schedule that always was."""
    return OpeningHours(zone, Calendar((Schedule(1, of),), **more))  # type: ignore[arg-type]


def at(text: str, zone: str = JAKARTA) -> int:
    """An instant by the clock on the wall."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000


def day(text: str) -> int:
    """The ordinal of a date."""
    return date.fromisoformat(text).toordinal()


def test_a_week_of_perpres_21_2023_has_37_and_a_half_hours() -> None:
    assert opening().between(at("2026-03-02T00:00"), at("2026-03-09T00:00")) == 37.5 * HOUR


def test_a_break_is_no_service_time() -> None:
    assert opening().between(at("2026-03-02T11:30"), at("2026-03-02T13:30")) == HOUR


def test_an_evening_and_a_weekend_are_no_service_time() -> None:
    assert opening().between(at("2026-03-06T16:00"), at("2026-03-09T08:00")) == HOUR


def test_backwards_it_is_negative() -> None:
    assert opening().between(at("2026-03-02T13:30"), at("2026-03-02T11:30")) == -HOUR


def test_four_hours_from_monday_at_ten_are_over_at_three_after_the_break() -> None:
    assert opening().deadline(at("2026-03-02T10:00"), 4 * HOUR) == at("2026-03-02T15:00")


def test_four_hours_from_friday_at_three_are_over_on_monday() -> None:
    assert opening().deadline(at("2026-03-06T15:00"), 4 * HOUR) == at("2026-03-09T10:00")


def test_what_is_used_up_at_closing_is_due_then_and_within_until_the_next_opening() -> None:
    engine = opening()
    assert engine.deadline(at("2026-03-02T15:00"), HOUR) == at("2026-03-02T16:00")
    assert engine.last_within(at("2026-03-02T15:00"), HOUR) == at("2026-03-03T07:30")


def test_no_time_at_all_is_due_at_once_and_within_until_the_opening() -> None:
    engine = opening()
    assert engine.deadline(at("2026-03-02T20:00"), 0) == at("2026-03-02T20:00")
    assert engine.last_within(at("2026-03-02T20:00"), 0) == at("2026-03-03T07:30")


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    night = opening(of=week(hours((22, 30), breaks=((24.5, 25),))), exceptions=((day("2026-03-03"), CLOSED),))
    assert night.between(at("2026-03-02T12:00"), at("2026-03-03T12:00")) == 7.5 * HOUR
    assert night.between(at("2026-03-03T12:00"), at("2026-03-04T12:00")) == 0
    assert night.state(at("2026-03-03T00:45")) is State.BREAK
    assert night.state(at("2026-03-03T05:59")) is State.OPEN
    assert night.state(at("2026-03-03T06:00")) is State.CLOSED


def test_hours_that_meet_at_midnight_are_one_opening() -> None:
    always = opening(of=(hours((0, 24)),) * 7)
    assert always.between(at("2026-03-02T12:00"), at("2026-03-05T12:00")) == 3 * DAY
    assert always.closing(at("2026-03-02T03:00"), at("2026-03-03T03:00")) is None


def test_a_holiday_is_closed_unless_an_exception_has_hours_for_it() -> None:
    holidays = frozenset({day("2026-08-17"), day("2026-08-18")})
    engine = opening(holidays=holidays, exceptions=((day("2026-08-18"), hours((8, 12))),))
    assert engine.between(at("2026-08-17T00:00"), at("2026-08-18T00:00")) == 0
    assert engine.between(at("2026-08-18T00:00"), at("2026-08-19T00:00")) == 4 * HOUR


def test_ramadan_has_its_own_hours() -> None:
    ramadan = week(hours((8, 15), breaks=((12, 12.5),)), friday=hours((8, 15.5), breaks=((11.5, 12.5),)))
    days = frozenset(range(day("2026-02-19"), day("2026-03-21")))
    engine = OpeningHours(JAKARTA, Calendar((Schedule(1, OFFICE, ramadan),), ramadan=days))
    assert engine.between(at("2026-02-23T00:00"), at("2026-03-02T00:00")) == 32.5 * HOUR
    assert engine.between(at("2026-02-09T00:00"), at("2026-02-16T00:00")) == 37.5 * HOUR


def test_new_hours_hold_from_their_day_on() -> None:
    new = Calendar((Schedule(1, OFFICE), Schedule(day("2026-07-01"), week(hours((8, 12))))))
    engine = OpeningHours(JAKARTA, new)
    assert engine.between(at("2026-06-30T00:00"), at("2026-07-01T00:00")) == 7.5 * HOUR
    assert engine.between(at("2026-07-01T00:00"), at("2026-07-02T00:00")) == 4 * HOUR


def test_without_hours_service_time_is_wall_time() -> None:
    engine = OpeningHours(JAKARTA, Calendar())
    assert engine.between(at("2026-03-01T00:00"), at("2026-03-09T00:00")) == 8 * DAY
    assert engine.state(at("2026-03-01T03:00")) is State.OPEN
    assert engine.deadline(at("2026-03-01T00:00"), DAY) == at("2026-03-02T00:00")


AMSTERDAM = "Europe/Amsterdam"


def test_a_night_in_which_the_clock_goes_forward_is_an_hour_shorter() -> None:
    night = opening(zone=AMSTERDAM, of=(hours((22, 30)),) * 7)
    assert night.between(at("2026-03-28T12:00", AMSTERDAM), at("2026-03-29T12:00", AMSTERDAM)) == 7 * HOUR


def test_a_night_in_which_the_clock_goes_back_is_an_hour_longer() -> None:
    night = opening(zone=AMSTERDAM, of=(hours((22, 30)),) * 7)
    assert night.between(at("2026-10-24T12:00", AMSTERDAM), at("2026-10-25T12:00", AMSTERDAM)) == 9 * HOUR


def test_a_time_that_the_clock_skips_is_the_instant_of_the_skip() -> None:
    early = opening(zone=AMSTERDAM, of=(hours((2.5, 4)),) * 7)
    assert early.between(at("2026-03-29T00:00", AMSTERDAM), at("2026-03-29T12:00", AMSTERDAM)) == HOUR
    skipped = opening(zone=AMSTERDAM, of=(hours((2, 3)),) * 7)
    assert skipped.between(at("2026-03-29T00:00", AMSTERDAM), at("2026-03-29T12:00", AMSTERDAM)) == 0


def test_a_day_that_a_country_skipped_has_no_hours() -> None:
    apia = opening(zone="Pacific/Apia", of=(hours((8, 16)),) * 7)
    begin, end = at("2011-12-29T00:00", "Pacific/Apia"), at("2012-01-01T00:00", "Pacific/Apia")
    assert end - begin == 2 * DAY
    assert apia.between(begin, end) == 16 * HOUR


def test_a_leap_day_is_a_day() -> None:
    engine = opening()
    assert engine.between(at("2028-02-29T00:00"), at("2028-03-01T00:00")) == 7.5 * HOUR
    assert engine.deadline(at("2028-02-28T16:00"), 7 * HOUR + 30 * MINUTE) == at("2028-02-29T16:00")


def test_over_years_of_closed_days_the_deadline_is_behind_them() -> None:
    closed = frozenset(range(day("2020-03-01"), day("2027-03-01")))
    engine = opening(holidays=closed)
    assert engine.between(at("2020-03-01T00:00"), at("2027-03-01T00:00")) == 0
    assert engine.deadline(at("2020-02-28T16:30"), HOUR) == at("2027-03-01T08:30")
    assert engine.before(at("2027-03-01T08:30"), 2 * HOUR) == at("2020-02-28T15:30")


def test_who_never_opens_has_no_deadline_and_a_window_of_fifty_years() -> None:
    never = opening(of=(CLOSED,) * 7)
    assert never.deadline(at("2026-03-02T10:00"), 1) is None
    assert never.next_opening(at("2026-03-02T10:00")) is None
    assert never.first_opening(at("2026-03-02T03:00"), at("2026-03-03T03:00")) is None
    assert never.before(at("2026-03-02T10:00"), HOUR) < at("1977-01-01T00:00")


def test_a_window_of_service_time_reaches_back_over_the_weekend() -> None:
    engine = opening()
    assert engine.before(at("2026-03-09T08:30"), 3 * HOUR) == at("2026-03-06T14:30")
    assert engine.before(at("2026-03-09T08:30"), HOUR) == at("2026-03-09T07:30")
    assert engine.before(at("2026-03-09T03:00"), 0) == at("2026-03-09T03:00")


@pytest.mark.parametrize(
    ("when", "state"),
    [
        ("2026-03-02T07:29", State.CLOSED),
        ("2026-03-02T07:30", State.OPEN),
        ("2026-03-02T12:00", State.BREAK),
        ("2026-03-02T13:00", State.OPEN),
        ("2026-03-02T16:00", State.CLOSED),
        ("2026-03-07T10:00", State.CLOSED),
    ],
)
def test_open_from_the_opening_on_until_the_closing_but_not_in_a_break(when: str, state: State) -> None:
    assert opening().state(at(when)) is state


def test_between_two_hours_of_a_day_it_is_closed_and_the_last_closing_is_the_day_s() -> None:
    engine = opening(of=week(hours((8, 12), (14, 17))))
    begin, end = at("2026-03-02T03:00"), at("2026-03-03T03:00")
    assert engine.state(at("2026-03-02T13:00")) is State.CLOSED
    assert engine.first_opening(begin, end) == at("2026-03-02T08:00")
    assert engine.closing(begin, end) == at("2026-03-02T17:00")
    assert engine.next_opening(at("2026-03-02T13:00")) == at("2026-03-02T14:00")


def test_a_day_off_has_neither_opening_nor_closing() -> None:
    begin, end = at("2026-03-07T03:00"), at("2026-03-08T03:00")
    assert opening().first_opening(begin, end) is None
    assert opening().closing(begin, end) is None


def test_hours_that_began_on_the_day_before_close_on_this_one() -> None:
    night = opening(of=week(hours((22, 28))))
    assert night.closing(at("2026-03-03T03:00"), at("2026-03-03T12:00")) == at("2026-03-03T04:00")
    assert night.first_opening(at("2026-03-03T03:00"), at("2026-03-03T12:00")) == at("2026-03-03T03:00")
