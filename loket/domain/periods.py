"""Days, weeks, months and hours of the day in which reports count what arrived (rule 11).

A service day is a proleptic Gregorian ordinal, as everywhere; a week is ISO 8601's, from Monday to Sunday; an hour is
the one that the clock on the unit's wall shows, so that a day on which clocks change has one twice or not at all.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

__all__ = ["PERIODS", "Period", "local_hour", "period_of_day", "period_of_month", "period_of_week"]


class Period(Struct, frozen=True, order=True):
    """Service days from a first to a last one (both included), and how a report calls them."""

    first: int
    last: int
    label: str


def local_hour(instant: int, zone: str) -> int:
    """The hour, 0 to 23, that the clock shows in a zone at an instant (ms)."""
    return datetime.fromtimestamp(instant // 1000, _zone(zone)).hour


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def period_of_day(day: int) -> Period:
    """A day by itself: `2026-01-31`."""
    return Period(day, day, date.fromordinal(day).isoformat())


def period_of_week(day: int) -> Period:
    """The ISO week of a day: `2026-W05`, which begins on Monday, in the year that has its Thursday."""
    told = date.fromordinal(day)
    year, week, weekday = told.isocalendar()
    return Period(day - weekday + 1, day - weekday + 7, f"{year:04}-W{week:02}")


def period_of_month(day: int) -> Period:
    """The month of a day: `2026-01`."""
    told = date.fromordinal(day)
    first = told.replace(day=1).toordinal()
    return Period(first, first + monthrange(told.year, told.month)[1] - 1, f"{told.year:04}-{told.month:02}")


PERIODS: Final[dict[str, Callable[[int], Period]]] = {
    "day": period_of_day,
    "week": period_of_week,
    "month": period_of_month,
}
"""By what a report may be told, with the period of a day."""
