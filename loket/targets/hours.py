"""Opening hours as they are written, at the organisation or at a unit, and the calendar that they come to.

Each key is inherited by itself: a unit with hours of its own keeps the organisation's breaks where they fall into
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from loket.documents import Node
from loket.domain.calendar import ALWAYS_VALID, Calendar, DayHours, Schedule, Week
from loket.domain.intervals import difference, union
from loket.targets.dates import day_of
from loket.targets.days_off import countries, days_off, ramadan
from loket.targets.exceptions import days_of, exceptions_of
from loket.targets.weeks import DAYS, Seven, day_hours, seven_of

__all__ = ["HOURS_KEYS", "WrittenHours", "calendar_of", "read_hours"]

HOURS_KEYS: Final = ("hours", "breaks", "ramadan", "schedules", "holidays", "exceptions")

_NONE: Final[Seven] = ((),) * 7


class WrittenWeek(Struct, frozen=True):
    """Hours and breaks of a week, None where nothing was written."""

    hours: Seven | None = None
    breaks: Seven | None = None


class WrittenSchedule(Struct, frozen=True):
    """Weeks from a day on; in Ramadan what is not written is as in the rest of the year."""

    valid_from: int = ALWAYS_VALID
    week: WrittenWeek = WrittenWeek()
    ramadan: WrittenWeek = WrittenWeek()


class WrittenHours(Struct, frozen=True):
    """All that was written of hours, inherited parts included; `fasting` None: Ramadan as computed for Indonesia."""

    always: WrittenSchedule = WrittenSchedule()
    schedules: tuple[WrittenSchedule, ...] = ()
    fasting: frozenset[int] | None = None
    country: str | None = None
    joint_leave: bool = True
    exceptions: tuple[tuple[int, DayHours], ...] = ()


def read_hours(found: Mapping[str, Node], inherited: WrittenHours) -> WrittenHours:
    """What the keys of HOURS_KEYS say, over what is inherited."""
    written = inherited
    if (node := found.get("schedules")) is not None:
        for key in ("hours", "breaks"):
            if key in found:
                found[key].fault(f"`{key}` and `schedules` exclude each other: put the {key} into the schedules")
        written = replace(written, schedules=node.once("schedules", _schedules))
    elif "hours" in found:
        written = replace(written, schedules=())  # a unit's own week goes before an organisation's schedules
    always = _week(found, written.always)
    if (node := found.get("ramadan")) is not None:
        if _is_none(node):
            always = replace(always, ramadan=WrittenWeek())
        else:
            inner = node.mapping(("hours", "breaks", "dates"), what="`hours: …`, `breaks: …` and `dates: …`")
            always = replace(always, ramadan=_two(inner, always.ramadan))
            if (dates := inner.get("dates")) is not None:
                written = replace(written, fasting=dates.once("dates", days_of))
    if (node := found.get("holidays")) is not None:
        written = _holidays(node, written)
    if (node := found.get("exceptions")) is not None:
        own = node.once("exceptions", exceptions_of)
        written = replace(written, exceptions=tuple(sorted((dict(written.exceptions) | own).items())))
    return replace(written, always=always)


@lru_cache(maxsize=4_096)
def calendar_of(written: WrittenHours) -> Calendar:
    """The calendar; where no hours are written the unit is open always, and holidays close nothing."""
    weeks = written.schedules or ((written.always,) if written.always.week.hours is not None else ())
    schedules = tuple(_schedule(week, written.always) for week in weeks)
    if not schedules and not written.exceptions:
        return Calendar()
    holidays: frozenset[int] = frozenset()
    if schedules and written.country is not None:
        holidays = days_off(written.country, joint_leave=written.joint_leave)
    fasting: frozenset[int] = frozenset()
    if any(schedule.ramadan is not None for schedule in schedules):
        fasting = ramadan() if written.fasting is None else written.fasting
    return Calendar(schedules, holidays, fasting, written.exceptions)


def _schedule(written: WrittenSchedule, inherited: WrittenSchedule) -> Schedule:
    week = written.week
    breaks = week.breaks if week.breaks is not None else inherited.week.breaks
    fasts = written.ramadan if written.ramadan != WrittenWeek() else inherited.ramadan
    usual = _joined(week.hours or _NONE, breaks or _NONE)
    if fasts == WrittenWeek():
        return Schedule(written.valid_from, usual)
    fasting_breaks = fasts.breaks if fasts.breaks is not None else breaks
    return Schedule(written.valid_from, usual, _joined(fasts.hours or week.hours or _NONE, fasting_breaks or _NONE))


def _joined(hours: Seven, breaks: Seven) -> Week:
    mon, tue, wed, thu, fri, sat, sun = (day_hours(*day) for day in zip(hours, breaks, strict=True))
    return mon, tue, wed, thu, fri, sat, sun


def _week(found: Mapping[str, Node], inherited: WrittenSchedule) -> WrittenSchedule:
    return replace(inherited, week=_two(found, inherited.week))


def _two(found: Mapping[str, Node], inherited: WrittenWeek) -> WrittenWeek:
    hours, breaks = found.get("hours"), found.get("breaks")
    week = inherited
    if hours is not None:
        week = replace(week, hours=seven_of(hours, "hours", "closed"))
    if breaks is not None:
        week = replace(week, breaks=seven_of(breaks, "breaks", "none"))
        if hours is not None and week.hours is not None and week.breaks is not None:
            for name, opened, pauses in zip(DAYS, week.hours, week.breaks, strict=True):
                if opened and difference(union(pauses), union(opened)):
                    breaks.fault(f"the break on {name} is not within the hours of {name}: breaks are inside of hours")
                    break
    return week


def _is_none(node: Node) -> bool:
    return node.kind == "scalar" and node.value == "none"


def _schedules(node: Node) -> tuple[WrittenSchedule, ...]:
    schedules: dict[int, WrittenSchedule] = {}
    for item in node.sequence("schedules"):
        found = item.mapping(
            ("valid_from", "hours", "breaks", "ramadan"), required=("valid_from", "hours"), what="a schedule"
        )
        day = day_of(found["valid_from"]) if "valid_from" in found else None
        schedule = _week(found, WrittenSchedule())
        if (fasts := found.get("ramadan")) is not None:
            schedule = replace(schedule, ramadan=_two(fasts.mapping(("hours", "breaks")), WrittenWeek()))
        if day is None:
            continue
        if day in schedules:
            item.fault("another schedule has the same `valid_from`: leave one of the two out")
        schedules.setdefault(day, replace(schedule, valid_from=day))
    return tuple(schedules[day] for day in sorted(schedules))


def _holidays(node: Node, written: WrittenHours) -> WrittenHours:
    if _is_none(node):
        return replace(written, country=None)
    found = node.mapping(("country", "joint_leave"), required=("country",), what="`{country: ID, joint_leave: true}`")
    if (item := found.get("country")) is not None:
        country = item.text("a country's two letters, such as ID")
        if country is not None and country not in countries():
            item.fault(f"`{country[:20]}` is no country whose holidays are known: write its two letters, such as ID")
            country = None
        written = replace(written, country=country)
    if (item := found.get("joint_leave")) is not None:
        closed = item.boolean("whether joint leave closes the unit")
        written = replace(written, joint_leave=closed is not False)
    return written
