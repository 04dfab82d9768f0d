"""Service time: how much of a time a unit is open, and when so much will have passed, in UTC milliseconds.

```
local days ──zone──▶ open spans in UTC ──clip──▶ blocks of 32 days, each with running sums
                                                   │
        served(t) = sums of the blocks before + the sum within t's block      (never falls, rises while open)
        between(a, b) = served(b) − served(a);   deadline(a, n) = where served reaches served(a) + n
```

A local time that the zone skips is the instant of the skip; one that comes twice is the first: so spans stay in order.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from loket.domain.calendar import Calendar, DayHours, Span
from loket.domain.durations import DAY, MINUTE, SECOND
from loket.domain.intervals import Interval, difference, union

BLOCK_MS: Final = 32 * DAY
FIRST_BLOCK: Final = 0
LAST_BLOCK: Final = 2_624
"""Service time runs from 1970 up to late in 2199; before and after it stands still."""

HORIZON_BLOCKS: Final = 571
"""How far a deadline or an opening is looked for: 50 years."""

MAX_BLOCKS: Final = 64
"""Blocks whose spans are kept: some five years of one calendar."""

MAX_MINUTES: Final = 8_192
"""Minutes of which it is known whether they are closed."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_MS: Final = timedelta(milliseconds=1)
_LONGEST_DAYS: Final = 2
"""Local days that may begin before a block and reach into it: hours end on the next day, and zones are ahead of UTC."""


class State(StrEnum):
    """What a unit is at an instant. A break is one by the calendar; between two hours of a day it is closed."""

    OPEN = "open"
    BREAK = "break"
    CLOSED = "closed"


class _Block:
    """The open spans and breaks of 32 days, clipped to them, and the service time before each span."""

    __slots__ = ("begins", "breaks", "ends", "served", "total")

    def __init__(self, spans: list[Interval], breaks: list[Interval]) -> None:
        self.begins = array("q", (begin for begin, _ in spans))
        self.ends = array("q", (end for _, end in spans))
        self.served = array("q")
        self.total = 0
        for begin, end in spans:
            self.served.append(self.total)
            self.total += end - begin
        self.breaks = breaks

    def served_at(self, instant: int) -> int:
        """Service time from the block's begin to an instant within it."""
        index = bisect_right(self.begins, instant) - 1
        if index < 0:
            return 0
        return self.served[index] + min(instant, self.ends[index]) - self.begins[index]


class OpeningHours:
    """The service time of one zone and calendar. What was asked for is remembered, within bounds; not thread-safe."""

    def __init__(self, zone: str, calendar: Calendar) -> None:
        self._zone = ZoneInfo(zone)
        self._calendar = calendar
        self._exceptions = dict(calendar.exceptions)
        self._blocks: dict[int, _Block] = {}
        self._closed_minutes: dict[int, bool] = {}
        self._low = 0
        self._sums: list[int] = []
        """Service time before block `_low`, `_low + 1`, … up to the end of the last known, from some instant on."""

    def hours(self, day: int) -> DayHours:
        """The hours of a local day (a proleptic ordinal)."""
        found = self._exceptions.get(day)
        return self._calendar.usual(day) if found is None else found

    def between(self, begin: int, end: int) -> int:
        """Service time (ms) from one instant to another: additive, at most wall time, negative where `end` is first."""
        return self._served(end) - self._served(begin)

    def deadline(self, begin: int, served_ms: int) -> int | None:
        """The first instant at which `served_ms` of service time have passed; None if not within 50 years."""
        if served_ms <= 0:
            return begin
        goal = self._served(begin) + served_ms
        number = self._block_with(goal, self._number(begin), past=False)
        return None if number is None else self._reach(number, goal, past=False)

    def last_within(self, begin: int, served_ms: int) -> int | None:
        """The last instant at which no more than `served_ms` have passed: past it, more have. None as for `deadline`.

        It is the deadline, or where that is a closing the next opening. With 0 it is the next opening at or after
        `begin`, and `begin` itself where the unit is open.
        """
        goal = self._served(begin) + max(0, served_ms)
        number = self._block_with(goal, self._number(begin), past=True)
        return None if number is None else self._reach(number, goal, past=True)

    def next_opening(self, instant: int) -> int | None:
        """The first open instant at or after another; None if there is none within 50 years."""
        return self.last_within(instant, 0)

    def before(self, end: int, served_ms: int) -> int:
        """The last instant from which to `end` at least `served_ms` pass: where a window of service time begins.

        Where the calendar has not so much within 50 years: the begin of those.
        """
        if served_ms <= 0:
            return end
        goal = self._served(end) - served_ms
        number = self._number(end)
        lowest = max(FIRST_BLOCK, number - HORIZON_BLOCKS)
        while self._sums[0] > goal and self._low > lowest:
            self._know(self._low - 1)
        if self._sums[0] > goal:
            return self._low * BLOCK_MS
        found = bisect_right(self._sums, goal) - 1 + self._low
        return self._reach(found, goal, past=True)

    def state(self, instant: int) -> State:
        """Whether the unit is open, in a break or closed at an instant."""
        block = self._block(self._number(instant))
        index = bisect_right(block.begins, instant) - 1
        if index >= 0 and instant < block.ends[index]:
            return State.OPEN
        index = bisect_right(block.breaks, (instant, 1 << 62)) - 1
        if index >= 0 and instant < block.breaks[index][1]:
            return State.BREAK
        return State.CLOSED

    def is_closed_minute(self, minute: int) -> bool:
        """Whether the unit is closed, and not in a break, when a minute since 1970 begins: asked again and again."""
        known = self._closed_minutes.get(minute)
        if known is None:
            if len(self._closed_minutes) >= MAX_MINUTES:
                self._closed_minutes.clear()
            known = self._closed_minutes[minute] = self.state(minute * MINUTE) is State.CLOSED
        return known

    def first_opening(self, begin: int, end: int) -> int | None:
        """The first open instant of [begin, end), such as a service day; None where it is closed throughout."""
        number, last = self._number(begin), self._number(end - 1)
        while number <= last:
            block = self._block(number)
            index = bisect_right(block.ends, begin)
            if index < len(block.begins):
                opens = max(begin, block.begins[index])
                return opens if opens < end else None
            number += 1
        return None

    def closing(self, begin: int, end: int) -> int | None:
        """When the last hours of [begin, end), such as a service day, are over.

        None where it is closed throughout, or still open at its end.
        """
        number, first = self._number(end - 1), self._number(begin)
        while number >= first:
            block = self._block(number)
            index = bisect_left(block.begins, end) - 1
            if index >= 0:
                closes = block.ends[index]
                if closes <= begin:
                    return None
                return closes if closes <= end and self.state(closes) is not State.OPEN else None
            number -= 1
        return None

    def _served(self, instant: int) -> int:
        number = self._number(instant)
        self._know(number)
        return self._sums[number - self._low] + self._block(number).served_at(instant)

    @staticmethod
    def _number(instant: int) -> int:
        return min(LAST_BLOCK, max(FIRST_BLOCK, instant // BLOCK_MS))

    def _know(self, number: int) -> None:
        """Have the running sums reach up to the end of a block."""
        sums = self._sums
        if not sums:
            self._low = number
            sums += (0, self._block(number).total)
        while self._low + len(sums) - 1 <= number:
            sums.append(sums[-1] + self._block(self._low + len(sums) - 1).total)
        if number < self._low:
            before = []
            total = sums[0]
            for block in range(self._low - 1, number - 1, -1):
                total -= self._block(block).total
                before.append(total)
            self._sums = before[::-1] + sums
            self._low = number

    def _block_with(self, goal: int, start: int, *, past: bool) -> int | None:
        """The first block from `start` on at whose end service time has reached a goal, or is past it."""
        for number in range(start, min(LAST_BLOCK, start + HORIZON_BLOCKS) + 1):
            self._know(number)
            served = self._sums[number + 1 - self._low]
            if served > goal or (served == goal and not past):
                return number
        return None

    def _reach(self, number: int, goal: int, *, past: bool) -> int:
        """Where in a block service time reaches a goal; with `past` where it goes on from there."""
        block = self._block(number)
        served_ms = goal - self._sums[number - self._low]
        index = (bisect_right if past else bisect_left)(block.served, served_ms) - 1
        return block.begins[index] + served_ms - block.served[index]

    def _block(self, number: int) -> _Block:
        found = self._blocks.get(number)
        if found is None:
            if len(self._blocks) >= MAX_BLOCKS:
                self._blocks.clear()
            found = self._blocks[number] = self._build(number * BLOCK_MS)
        return found

    def _build(self, begin: int) -> _Block:
        """The spans of the local days that may reach into a block, clipped to it."""
        end = begin + BLOCK_MS
        if not self._calendar.has_hours:
            return _Block([(begin, end)], [])
        first = begin // DAY + _EPOCH_DAY - _LONGEST_DAYS
        last = end // DAY + _EPOCH_DAY + 1
        offsets = [
            _offset_ms(datetime.fromordinal(day).replace(tzinfo=self._zone))
            for day in range(first, last + 1 + _LONGEST_DAYS)
        ]
        opened: list[Interval] = []
        breaks: list[Interval] = []
        for day in range(first, last + 1):
            hours = self.hours(day)
            if not hours.hours:
                continue
            # The clock never changes and changes back within two days.
            offset = offsets[day - first]
            steady = offset if offset == offsets[day - first + _LONGEST_DAYS] else None
            spans = self._in_utc(day, hours.hours, steady)
            pauses = self._in_utc(day, hours.breaks, steady)
            breaks += pauses
            opened += difference(spans, pauses) if pauses else spans
        spans = union(opened)
        return _Block(_clipped(spans, begin, end), _clipped(difference(union(breaks), spans), begin, end))

    def _in_utc(self, day: int, spans: tuple[Span, ...], offset: int | None) -> list[Interval]:
        """The spans of a local day that are not empty in UTC; `offset`: of its zone, if it does not change."""
        if offset is not None:
            midnight = (day - _EPOCH_DAY) * DAY - offset
            return [(midnight + begin, midnight + end) for begin, end in spans]
        found = [(self._instant(day, begin), self._instant(day, end)) for begin, end in spans]
        return [(begin, end) for begin, end in found if begin < end]

    def _instant(self, day: int, time_ms: int) -> int:
        """The first instant at which the clock on the wall shows a time of a day, or a later one if it skips that."""
        wall_ms = (day - _EPOCH_DAY) * DAY + time_ms
        local = (_EPOCH + wall_ms * _MS).replace(tzinfo=self._zone)
        earlier = wall_ms - _offset_ms(local)
        later = wall_ms - _offset_ms(local.replace(fold=1))
        if later >= earlier:  # `later` is the second time that the wall shows it
            return earlier
        low, high = later // SECOND, earlier // SECOND  # skipped: the clock changes between these two
        before = _offset_ms(datetime.fromtimestamp(low, self._zone))
        while low + 1 < high:
            middle = (low + high) // 2
            if _offset_ms(datetime.fromtimestamp(middle, self._zone)) == before:
                low = middle
            else:
                high = middle
        return high * SECOND


def _offset_ms(local: datetime) -> int:
    offset = local.utcoffset()
    return 0 if offset is None else offset // _MS


def _clipped(intervals: list[Interval], begin: int, end: int) -> list[Interval]:
    return [(max(begin, a), min(end, b)) for a, b in intervals if a < end and b > begin]


@lru_cache(maxsize=16_384)
def opening_hours(zone: str, calendar: Calendar) -> OpeningHours:
    """The service time of a zone and calendar: units that share them share what was computed."""
    return OpeningHours(zone, calendar)
