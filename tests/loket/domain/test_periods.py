"""The periods of reports: days, ISO weeks, months, and hours of a unit's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.domain.periods import PERIODS, local_hour

days = st.dates(date(1970, 1, 1), date(2200, 12, 31)).map(date.toordinal)


@given(day=days, by=st.sampled_from(sorted(PERIODS)))
def test_each_day_is_in_one_period_and_periods_follow_each_other(day: int, by: str) -> None:
    period = PERIODS[by](day)
    assert period.first <= day <= period.last
    assert PERIODS[by](period.first) == PERIODS[by](period.last) == period
    following = PERIODS[by](period.last + 1)
    assert following.first == period.last + 1
    assert following.label > period.label


@pytest.mark.parametrize(
    ("day", "label"), [("2026-01-01", "2026-W01"), ("2027-01-03", "2026-W53"), ("2024-12-30", "2025-W01")]
)
def test_a_week_is_of_the_year_that_has_its_thursday(day: str, label: str) -> None:
    week = PERIODS["week"](date.fromisoformat(day).toordinal())
    assert week.label == label
    assert date.fromordinal(week.first).isoweekday() == 1


@given(
    instant=st.integers(0, 7_000_000_000_000),
    zone=st.sampled_from(["Asia/Jakarta", "Asia/Kathmandu", "Europe/Berlin", "America/St_Johns", "UTC"]),
)
def test_an_hour_is_what_the_clock_on_the_wall_shows(instant: int, zone: str) -> None:
    shown = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant)
    assert local_hour(instant, zone) == shown.astimezone(ZoneInfo(zone)).hour
