"""Local times of one zone to instants, through the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from loket.domain.policy import DAY

__all__ = ["LocalClock", "NoSuchTimeError"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class NoSuchTimeError(ValueError):
    """A local time that was left out, as clocks went forward over it."""


class LocalClock:
    """The clock on the wall of one zone.

    A time that clocks showed twice is the first of the two, or the second where the first would be before what it
    follows.
    """

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._midnights: dict[int, int | None] = {}

    def instant(self, day: int, time_ms: int, not_before: int | None = None) -> int:
        """The instant (ms UTC) of a time of a day (proleptic ordinal). Raises NoSuchTimeError, and OverflowError for
        days beyond the calendar."""
        try:
            midnight = self._midnights[day]
        except KeyError:
            midnight = self._midnights[day] = self._plain_midnight(day)
        return self._on_a_day_of_change(day, time_ms, not_before) if midnight is None else midnight + time_ms

    def _plain_midnight(self, day: int) -> int | None:
        """The instant of midnight, or None for a day on which clocks change."""
        this, following = (datetime.combine(_date(day + more), datetime.min.time(), self._zone) for more in (0, 1))
        start = (this - _EPOCH) // _MILLISECOND
        return start if (following - _EPOCH) // _MILLISECOND - start == DAY else None

    def _on_a_day_of_change(self, day: int, time_ms: int, not_before: int | None) -> int:
        naive = datetime.combine(_date(day), datetime.min.time()) + timedelta(milliseconds=time_ms)
        first, second = ((naive.replace(tzinfo=self._zone, fold=fold) - _EPOCH) // _MILLISECOND for fold in (0, 1))
        if first > second:
            raise NoSuchTimeError(f"clocks in {self._zone.key} went forward over this time")
        return second if not_before is not None and first < not_before <= second else first


def _date(day: int) -> date:
    if not date.min.toordinal() <= day <= date.max.toordinal():
        raise OverflowError("beyond the calendar")
    return date.fromordinal(day)
