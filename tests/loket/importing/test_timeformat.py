"""Formats of times: strictly the figures that they name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.importing.localtime import LocalClock, NoSuchTimeError
from loket.importing.timeformat import FormatError, Moment, TimeFormat, UnreadableTimeError

DAY = date(2026, 1, 5).toordinal()
TIME = ((7 * 60 + 2) * 60 + 9) * 1_000


@pytest.mark.parametrize(
    ("written", "text", "moment"),
    [
        ("%Y-%m-%d %H:%M:%S", "2026-01-05 07:02:09", Moment(DAY, TIME)),
        ("%d/%m/%y %H.%M.%S", "5/1/26 7.02.09", Moment(DAY, TIME)),
        ("%y%m%d", "260105", Moment(DAY)),
        ("%y%m%d", "690105", Moment(date(1969, 1, 5).toordinal())),
        ("%y%m%d", "680105", Moment(date(2068, 1, 5).toordinal())),
        ("%H:%M:%S", "7:02:09", Moment(None, TIME)),
        ("%H:%M:%S.%f", "07:02:09.9999", Moment(None, TIME + 999)),
        ("%I:%M %p", "12:30 am", Moment(None, 30 * 60_000)),
        ("%I:%M %p", "12:30 P.M.", Moment(None, (12 * 60 + 30) * 60_000)),
        ("%H%%%M", "07%02", Moment(None, (7 * 60 + 2) * 60_000)),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-01-05T07:02:09+0700", Moment(DAY, TIME, 7 * 3_600_000)),
        ("iso", "2026-01-05T07:02:09Z", Moment(DAY, TIME, 0)),
        ("iso", "2026-01-05 07:02:09,5-03:30", Moment(DAY, TIME + 500, -12_600_000)),
        ("iso", "2026-01-05 07:02", Moment(DAY, TIME - 9_000)),
        ("epoch", "1767571200.25", Moment(instant=1_767_571_200_250)),
        ("epoch_ms", "1767571200250", Moment(instant=1_767_571_200_250)),
    ],
)
def test_a_text_of_the_format_is_read(written: str, text: str, moment: Moment) -> None:
    assert TimeFormat.compile(written).read(text) == moment


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("%H:%M:%S", "24:00:00"),
        ("%H:%M:%S", "7:60:00"),
        ("%H:%M:%S", "7:00:60"),
        ("%H:%M:%S", " 7:00:00"),
        ("%H:%M:%S", "7:00:00 "),
        ("%H:%M:%S", "٧:00:00"),
        ("%I:%M %p", "0:30 am"),
        ("%I:%M %p", "13:30 pm"),
        ("%y%m%d", "260230"),
        ("%Y-%m-%d", "26-01-05"),
        ("%Y-%m-%d", "0000-01-05"),
        ("iso", "2026-01-05"),
        ("iso", "2026-01-05T07:02:09+25:00"),
        ("epoch", "-1"),
    ],
)
def test_a_text_that_is_no_such_time_is_refused(written: str, text: str) -> None:
    with pytest.raises(UnreadableTimeError):
        TimeFormat.compile(written).read(text)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("%Y-%m", "a date needs"),
        ("%M:%S", "need the hour"),
        ("%H.%f", "need the hour"),
        ("%I:%M", "go together"),
        ("%H:%M %p", "go together"),
        ("%H:%M %H", "two directives for the hour"),
        ("%b %d %Y", "`%b` is no directive"),
        ("%", "`%` is no directive"),
        ("hh:mm", "neither a date nor a time"),
    ],
)
def test_a_format_that_says_too_little_is_refused_with_what_to_write(written: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        TimeFormat.compile(written)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2199, 12, 31)))  # noqa: DTZ001 - local times
def test_what_strptime_reads_is_read_alike(moment: datetime) -> None:
    text = moment.strftime("%Y-%m-%d %H:%M:%S.%f")
    read = TimeFormat.compile("%Y-%m-%d %H:%M:%S.%f").read(text)
    since_midnight = moment - datetime.combine(moment.date(), datetime.min.time())
    assert read == Moment(moment.toordinal(), since_midnight // timedelta(milliseconds=1))


ZONES = ["Asia/Jakarta", "Asia/Jerusalem", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Asia/Beirut"]


@given(st.sampled_from(ZONES), st.integers(0, 86_399_999), st.dates(date(1990, 1, 1), date(2037, 12, 31)))
def test_a_local_time_is_an_instant_at_which_the_clock_shows_it(zone: str, time_ms: int, day: date) -> None:
    try:
        instant = LocalClock(zone).instant(day.toordinal(), time_ms)
    except NoSuchTimeError:
        wanted = datetime.combine(day, datetime.min.time()) + timedelta(milliseconds=time_ms)
        there = wanted.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))
        assert there.replace(tzinfo=None) != wanted
        return
    shown = datetime.fromtimestamp(instant // 1_000, ZoneInfo(zone))
    assert shown.date() == day
    assert ((shown.hour * 60 + shown.minute) * 60 + shown.second) * 1_000 + instant % 1_000 == time_ms


def test_days_beyond_the_calendar_are_said_to_be() -> None:
    with pytest.raises(OverflowError):
        LocalClock("UTC").instant(date.max.toordinal() + 1, 0)
