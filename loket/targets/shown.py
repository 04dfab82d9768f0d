"""What a policy comes to on one day, as lines for people: hours, services and the targets in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from loket.domain.calendar import DayHours
from loket.domain.durations import HOUR, MINUTE, SECOND
from loket.domain.halls import hours_of
from loket.domain.policy import Clock, Policy, Since, Target, Turnaround, UnitPolicy
from loket.targets.durations import told_span
from loket.targets.weeks import DAYS

__all__ = ["differences", "shown", "told_ms"]


def shown(policy: Policy, day: int, units: tuple[str, ...] = ()) -> Iterator[str]:
    """The lines of some units, or of all, as they are on a service day (a proleptic ordinal) and the days after it."""
    for name, unit in policy.units.items():
        if not units or name in units:
            yield name if not unit.names.id else f"{name}  {unit.names.id}"
            for line in _lines(unit, day):
                yield f"  {line}"


def differences(before: Policy, after: Policy, day: int) -> Iterator[str]:
    """What is otherwise on a service day and the days after it: lines that go (`-`) and lines that come (`+`)."""
    for name in dict.fromkeys((*before.units, *after.units)):
        old = list(shown(before, day, (name,))) if name in before.units else []
        new = list(shown(after, day, (name,))) if name in after.units else []
        if old != new:
            yield name
            yield from (f"- {line.strip()}" for line in old if line not in new)
            yield from (f"+ {line.strip()}" for line in new if line not in old)


def _lines(unit: UnitPolicy, day: int) -> Iterator[str]:
    yield f"zone {unit.zone}, day starts {_time(unit.day_starts_ms)}, waits judged from {_judged(unit)}"
    if unit.close_after_ms is not None:
        yield f"who still waits is not called any more {told_ms(unit.close_after_ms)} after closing"
    if unit.calendar.has_hours:
        hours = hours_of(unit)
        for other in range(day, day + 7):
            name = f"{DAYS[(other + 6) % 7]} {date.fromordinal(other)}"
            yield f"{name}  {_hours(hours.hours(other))}{_reason(unit, other)}"
    else:
        yield "no opening hours: service time is wall time"
    for rule in unit.burn.rules:
        yield f"burn {rule.name}: {rule.factor:g} in {told_ms(rule.window_ms)} and in {told_ms(rule.short_ms)}"
    for service, policy in unit.services.items():
        names = " / ".join(name for name in (policy.names.id, policy.names.en) if name)
        yield f"{service}{f' ({names})' if names else ''}: {policy.produces}"
        target, turnaround = policy.target(day), policy.turnaround(day)
        if target is not None:
            told = f"{_share(target.objective)} called within {told_ms(target.within_ms)}"
            yield f"  {service} {told}, from {date.fromordinal(target.valid_from)}"
        if turnaround is not None:
            yield f"  {service} {_turnaround(turnaround)}, from {date.fromordinal(turnaround.valid_from)}"
        promises: list[Target | Turnaround] = [*policy.targets, *policy.turnarounds]
        for promise in promises:
            if promise.valid_from > day:
                within = f"{_share(promise.objective)} within {told_ms(promise.within_ms)}"
                yield f"  {service} to come: {within}, from {date.fromordinal(promise.valid_from)}"


def _turnaround(promise: Turnaround) -> str:
    clock = "of service time " if promise.clock is Clock.SERVICE else ""
    since = "submission" if promise.since is Since.SUBMISSION else "acceptance"
    return f"{_share(promise.objective)} completed within {told_ms(promise.within_ms)} {clock}of the {since}"


def _reason(unit: UnitPolicy, day: int) -> str:
    if any(day == other for other, _ in unit.calendar.exceptions):
        return "  (exception)"
    if day in unit.calendar.holidays:
        return "  (holiday)"
    return "  (Ramadan)" if day in unit.calendar.ramadan else ""


def _hours(day: DayHours) -> str:
    if not day.hours:
        return "closed"
    breaks = f", break {' '.join(map(told_span, day.breaks))}" if day.breaks else ""
    return " ".join(map(told_span, day.hours)) + breaks


def _judged(unit: UnitPolicy) -> str:
    return "the opening" if unit.waits_from_opening else "the issue"


def _time(ms: int | None) -> str:
    return "never" if ms is None else told_span((ms, ms))[:5]


def _share(objective: float) -> str:
    return f"{objective * 100:g} %"


def told_ms(ms: int) -> str:
    """A duration as it is written."""
    parts = [
        f"{ms // unit % most}{name}"
        for unit, most, name in ((HOUR, 1 << 40, "h"), (MINUTE, 60, "m"), (SECOND, 60, "s"))
        if ms // unit % most
    ]
    return "".join(parts) or f"{ms / SECOND:g}s"
