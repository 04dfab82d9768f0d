"""When a unit is open by what a city decided: weeks, breaks, holidays, Ramadan, single days, as frozen values.

Times of day are milliseconds after local midnight of the day on which the hours begin; they may end on the next day.
Which of several rules holds on a day, the first that there is:

    an exception for the date ──▶ a holiday: closed ──▶ Ramadan's week ──▶ the week of the schedule in force
"""

from __future__ import annotations

from msgspec import Struct

from loket.domain.durations import DAY

Span = tuple[int, int]
"""From (inclusive) and to (exclusive), ms after local midnight."""


class DayHours(Struct, frozen=True):
    """The hours of one day, in order and disjoint, and the breaks within them, when nobody serves."""

    hours: tuple[Span, ...] = ()
    breaks: tuple[Span, ...] = ()

    @property
    def served_ms(self) -> int:
        """How long a day is served by the clock on the wall, breaks left out."""
        return sum(end - begin for begin, end in self.hours) - sum(end - begin for begin, end in self.breaks)


ALWAYS_VALID = 1
"""The first day that there is: of a schedule that no date was written for."""

CLOSED = DayHours()
ALWAYS = DayHours(((0, DAY),))

Week = tuple[DayHours, DayHours, DayHours, DayHours, DayHours, DayHours, DayHours]
"""Monday first."""


class Schedule(Struct, frozen=True):
    """The hours of a week from a day (a proleptic ordinal) on; `ramadan` None: Ramadan has no hours of its own."""

    valid_from: int
    week: Week
    ramadan: Week | None = None


class Calendar(Struct, frozen=True, cache_hash=True):
    """All that decides when a unit is open. Without a schedule, and before the first, it is open always.

    `holidays` and `ramadan` are days; `exceptions` are days with hours of their own, in order.
    """

    schedules: tuple[Schedule, ...] = ()
    holidays: frozenset[int] = frozenset()
    ramadan: frozenset[int] = frozenset()
    exceptions: tuple[tuple[int, DayHours], ...] = ()

    @property
    def has_hours(self) -> bool:
        """Whether opening hours are known at all, if only of single days."""
        return bool(self.schedules or self.exceptions)

    def schedule(self, day: int) -> Schedule | None:
        """The schedule in force on a day, if any."""
        in_force = None
        for schedule in self.schedules:
            if schedule.valid_from <= day:
                in_force = schedule
        return in_force

    def usual(self, day: int) -> DayHours:
        """The hours of a day, exceptions left out."""
        schedule = self.schedule(day)
        if schedule is None:
            return ALWAYS
        if day in self.holidays:
            return CLOSED
        week = schedule.ramadan if schedule.ramadan is not None and day in self.ramadan else schedule.week
        return week[(day + 6) % 7]
