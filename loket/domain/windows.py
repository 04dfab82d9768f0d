"""People judged and breached in the last hours of service time, and what is left of the month's budget.

A window ends at `now` and begins at the full minute before its service time does. Judged while the unit is closed is in
none (rule 11); judged in a break counts where service time stood then.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from datetime import date, timedelta

from msgspec import Struct, field

from loket.domain.burn import SHORT_SUFFIX, BurnRule
from loket.domain.durations import MINUTE
from loket.domain.figures import brought_by_time
from loket.domain.halls import hours_of, service_days
from loket.domain.judged import Minutes, is_counted, note, unpack
from loket.domain.opening import OpeningHours
from loket.domain.policy import UnitPolicy
from loket.domain.state import UnitState, open_legs

__all__ = ["ServiceWindows", "budget_left", "evaluate_windows", "rules_of"]


class ServiceWindows(Struct):
    """Of one service with a target: by window judged and breached, by rule the burn that it waits for.

    `budget_left`: the share of the month's budget, negative where more was spent than there is; None where nobody may
    be breached yet, as the month has no service time so far.
    """

    judged: dict[str, int] = field(default_factory=dict)
    breached: dict[str, int] = field(default_factory=dict)
    factors: dict[str, float] = field(default_factory=dict)
    budget_left: float | None = None


def rules_of(policy: UnitPolicy, objective: float) -> list[BurnRule]:
    """The rules that can fire under an objective: those that nobody wrote are left out where they cannot."""
    return [rule for rule in policy.burn.rules if rule.can_fire(objective)]


def evaluate_windows(state: UnitState, now: int) -> dict[str, ServiceWindows]:
    """The windows of each service that has a target on the service day of `now`, evaluated at `now` (ms)."""
    policy = state.policy
    hours, days = hours_of(policy), service_days(policy)
    today = days.day(now)
    promised = {label: target for label in policy.services if (target := policy.target(label, today)) is not None}
    if not promised:
        return {}
    begins = {length: hours.before(now, length) // MINUTE for length in _lengths(policy)}
    first = days.day(min(begins.values(), default=now // MINUTE) * MINUTE)
    past = {day: unpack(packed) for day, packed in state.judged_past.items() if day >= first}
    by_time = _by_time(state, now)
    month = _Month(policy, today)
    found: dict[str, ServiceWindows] = {}
    for label, target in promised.items():
        minutes: Minutes = {}
        for judged in (past, state.judged, by_time):
            for day, services in judged.items():
                if day >= first and label in services:
                    for key, number in services[label].items():
                        minutes[key] = minutes.get(key, 0) + number
        windows = found[label] = ServiceWindows()
        sums = _Sums(hours, minutes, now // MINUTE)
        for rule in rules_of(policy, target.objective):
            windows.factors[rule.name] = rule.factor
            for name, length in ((rule.name, rule.window_ms), (rule.name + SHORT_SUFFIX, rule.short_ms)):
                windows.judged[name], windows.breached[name] = sums.since(begins[length])
        spent = month.spent(label, state.judged_days)
        for judged in (state.judged, by_time):
            spent = month.more(label, judged, hours, now // MINUTE, spent)
        windows.budget_left = budget_left(*spent, *month.passed(now))
    return found


def budget_left(breached: int, allowed: float, passed_ms: int, month_ms: int) -> float | None:
    """What is left of a month's budget: 1 less burn · passed / month, where burn = breached / allowed so far.

    `allowed`: the sum of 1 - objective over everybody judged. Nobody judged has spent nothing.
    """
    if month_ms <= 0:
        return None
    return 1 - (breached / allowed) * passed_ms / month_ms if allowed > 0 else 1.0


def _lengths(policy: UnitPolicy) -> set[int]:
    return {length for rule in policy.burn.rules for length in (rule.window_ms, rule.short_ms)}


class _Sums:
    """Judged and breached from a minute on, up to the present one."""

    def __init__(self, hours: OpeningHours, minutes: Minutes, last: int) -> None:
        counted = sorted(
            (key, number) for key, number in minutes.items() if key // 2 <= last and is_counted(hours, key)
        )
        self._keys = [key for key, _ in counted]
        self._after: list[tuple[int, int]] = [(0, 0)]
        for key, number in reversed(counted):
            judged, breached = self._after[-1]
            self._after.append((judged + number, breached + (number if key & 1 else 0)))

    def since(self, minute: int) -> tuple[int, int]:
        return self._after[len(self._keys) - bisect_left(self._keys, 2 * minute)]


def _by_time(state: UnitState, now: int) -> dict[int, dict[str, Minutes]]:
    """What time alone has brought open legs by `now`, beyond what is counted already."""
    found: dict[int, dict[str, Minutes]] = {}
    for label, leg, ends_at in open_legs(state):
        for _, key, change in brought_by_time(leg, ends_at, now):
            note(found, leg.day, label, key, change)
    return found


class _Month:
    """The calendar month of a service day: its days, and how much service time it has."""

    def __init__(self, policy: UnitPolicy, today: int) -> None:
        first = date.fromordinal(today).replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
        self._policy = policy
        self._days = range(first.toordinal(), after.toordinal())

    def spent(self, label: str, sums: Mapping[int, Mapping[str, tuple[int, int]]]) -> tuple[int, float]:
        """Breached and allowed on the days that are closed."""
        breached, allowed = 0, 0.0
        for day, services in sums.items():
            if day in self._days and label in services:
                breached += services[label][1]
                allowed += services[label][0] * self._allowed(label, day)
        return breached, allowed

    def more(
        self,
        label: str,
        judged: Mapping[int, Mapping[str, Minutes]],
        hours: OpeningHours,
        last: int,
        spent: tuple[int, float],
    ) -> tuple[int, float]:
        """With what was judged by the minute."""
        breached, allowed = spent
        for day, services in judged.items():
            if day not in self._days or label not in services:
                continue
            share = self._allowed(label, day)
            for key, number in services[label].items():
                if key // 2 <= last and is_counted(hours, key):
                    breached += number if key & 1 else 0
                    allowed += number * share
        return breached, allowed

    def passed(self, now: int) -> tuple[int, int]:
        """Service time (ms) of the month up to `now`, and of all of it."""
        days, hours = service_days(self._policy), hours_of(self._policy)
        begin, end = days.start(self._days[0]), days.start(self._days[-1] + 1)
        return hours.between(begin, max(begin, min(now, end))), hours.between(begin, end)

    def _allowed(self, label: str, day: int) -> float:
        target = self._policy.target(label, day)
        return 0.0 if target is None else 1 - target.objective
