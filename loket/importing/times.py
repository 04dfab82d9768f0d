"""The times of one row, as the mapping defines them.

```
column: text ─▶ format ─▶ instant | local date and time | time of day + date ─▶ zone ─▶ after midnight? ─▶ ms UTC
first:  the first of some times that the row has
time:   another time ± durations
```
"""

from __future__ import annotations

from collections.abc import Mapping as Cells
from datetime import UTC, datetime, timedelta
from typing import Final

from loket.domain.policy import DAY, HOUR, MINUTE, SECOND
from loket.importing.conditions import holds
from loket.importing.localtime import LocalClock, NoSuchTimeError
from loket.importing.mapping import ColumnTime, DateColumn, Duration, FirstTime, ShiftedTime, Time
from loket.importing.report import RefusedRowError
from loket.importing.timeformat import Moment, TimeFormat, UnreadableTimeError

__all__ = ["RowTimes"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_EARLIEST: Final = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_LATEST: Final = (datetime(2201, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1) - 1
"""The bounds of an event's time."""

_OUTSIDE: Final = "is outside the years 1900 to 2200"
_MAX_DURATION: Final = 366 * DAY


class RowTimes:
    """The times of one row, each worked out when it is first asked for, and once."""

    def __init__(self, times: dict[str, Time], clock: LocalClock, cells: Cells[str, str]) -> None:
        self._times = times
        self._clock = clock
        self._cells = cells
        self._known: dict[str, int | None] = {}

    def of(self, name: str) -> int | None:
        """The instant in ms UTC, or None where the row does not have it. Raises RefusedRowError."""
        if name not in self._known:
            found = self._worked_out(self._times[name])
            if found is not None and not _EARLIEST <= found <= _LATEST:
                raise RefusedRowError("", "", f"the time `{name}` {_OUTSIDE}")
            self._known[name] = found
        return self._known[name]

    def _worked_out(self, time: Time) -> int | None:
        match time:
            case ColumnTime():
                return self._in_column(time)
            case FirstTime():
                return next((at for at in map(self.of, time.times) if at is not None), None)
            case ShiftedTime():
                found = self.of(time.time)
                for sign, durations in ((1, time.plus), (-1, time.minus)):
                    for duration in durations:
                        took = _took(duration, self._cells)
                        found = None if found is None or took is None else found + sign * took
                return found

    def _in_column(self, time: ColumnTime) -> int | None:
        text = self._cells[time.column]
        if not text or (time.absent is not None and holds(time.absent, self._cells)):
            return None
        moment = _read(time.format, time.column, text)
        if moment.instant is not None:
            return moment.instant
        day = moment.day if time.date is None else self._date(time.date, time.column)
        if day is None or moment.time_ms is None:
            raise RefusedRowError(time.column, text, "has no date, or no time of day")
        if moment.offset_ms is not None:
            return (day - _EPOCH_DAY) * DAY + moment.time_ms - moment.offset_ms
        start = None if time.after is None else self.of(time.after)
        try:
            at = self._clock.instant(day, moment.time_ms, start)
            if start is not None and at < start - time.slack_ms:
                at = self._clock.instant(day + 1, moment.time_ms)
        except NoSuchTimeError as error:
            raise RefusedRowError(time.column, text, str(error)) from error
        except OverflowError as error:
            raise RefusedRowError(time.column, text, _OUTSIDE) from error
        return at

    def _date(self, date: DateColumn, of: str) -> int | None:
        text = self._cells[date.column]
        if not text:
            raise RefusedRowError(date.column, "", f"is empty, and {of} has a time of that day")
        return _read(date.format, date.column, text).day


def _read(format: TimeFormat, column: str, text: str) -> Moment:
    try:
        return format.read(text)
    except UnreadableTimeError as error:
        raise RefusedRowError(column, text, str(error)) from error


def _took(duration: Duration, cells: Cells[str, str]) -> int | None:
    text = cells[duration.column]
    if not text:
        return None
    try:
        if duration.unit_ms is not None:
            took = float(text.replace(",", ".")) * duration.unit_ms
        else:
            hours, minutes, seconds = ["0", "0", *text.split(":")][-3:]
            took = int(hours) * HOUR + int(minutes) * MINUTE + float(seconds) * SECOND
        if not 0 <= took <= _MAX_DURATION:
            raise ValueError
        return round(took)
    except ValueError as error:
        raise RefusedRowError(duration.column, text, "is not a duration of 0 or more") from error
