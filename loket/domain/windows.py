"""People judged and breached in the last hours of service time, and what is left of the month's budget.

A window ends at `now` and begins at the full minute before its service time does. Judged while the unit is closed is in
none (rule 11); judged in a break counts where service time stood then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from msgspec import Struct, field

from loket.domain.burn import SHORT_SUFFIX, BurnRule, longest_ms
from loket.domain.durations import MINUTE
from loket.domain.figures import brought_by_time
from loket.domain.halls import hours_of, service_days
from loket.domain.judged import Counted, Judged, Minutes, counted, note, unpack
from loket.domain.opening import OpeningHours
from loket.domain.policy import UnitPolicy
from loket.domain.state import UnitState, open_legs

__all__ = ["ServiceWindows", "budget_left", "evaluate_windows", "reached_from", "rules_of", "windows_of"]


class ServiceWindows(Struct):
    """Of one service with a target: by window judged and breached, by rule the burn that it waits for.

    `budget_left`: the share of the month's budget, negative where more was spent than there is; None where nobody may
    be breached yet, as the month has no service time so far. `month_ms`: the service time of the whole month.
    """

    judged: dict[str, int] = field(default_factory=dict)
    breached: dict[str, int] = field(default_factory=dict)
    factors: dict[str, float] = field(default_factory=dict)
    budget_left: float | None = None
    month_ms: int = 0

    @property
    def budget_left_ms(self) -> float | None:
        """What is left in service time: how long it lasts at a burn of 1, negative where that much is overspent."""
        return None if self.budget_left is None else self.budget_left * self.month_ms


def rules_of(policy: UnitPolicy, objective: float) -> list[BurnRule]:
    """The rules that can fire under an objective: those that nobody wrote are left out where they cannot."""
    return [rule for rule in policy.burn.rules if rule.can_fire(objective)]


def evaluate_windows(state: UnitState, now: int) -> dict[str, ServiceWindows]:
    """The windows of each service that has a target on the service day of `now`, evaluated at `now` (ms)."""
    past = list(_past(state, hours_of(state.policy)).items())
    present = [*state.judged.items(), *_by_time(state, now).items()]
    return _windows(state.policy, now, past, present, state.judged_days)


def windows_of(policy: UnitPolicy, now: int, judged: Mapping[int, Judged]) -> dict[str, ServiceWindows]:
    """As `evaluate_windows`, of judgements by service day: those of the month, and as far back as a window reaches."""
    return _windows(policy, now, [], list(judged.items()), {})


def reached_from(policy: UnitPolicy, now: int) -> int:
    """The first service day that a window or the month's budget at `now` (ms) reaches."""
    days = service_days(policy)
    longest = hours_of(policy).before(now, longest_ms(policy.burn))
    return min(days.day(longest), date.fromordinal(days.day(now)).replace(day=1).toordinal())


def _windows(
    policy: UnitPolicy,
    now: int,
    past: list[tuple[int, dict[str, Counted]]],
    present: list[tuple[int, Judged]],
    sums: Mapping[int, Mapping[str, tuple[int, int]]],
) -> dict[str, ServiceWindows]:
    """From closed days, of which `sums` has the sums, and from days whose judgements still change."""
    hours, days = hours_of(policy), service_days(policy)
    today = days.day(now)
    promised = {label: target for label in policy.services if (target := policy.target(label, today)) is not None}
    if not promised:
        return {}
    begins = {length: hours.before(now, length) // MINUTE for length in _lengths(policy)}
    first, last = days.day(min(begins.values(), default=now // MINUTE) * MINUTE), now // MINUTE
    reached = [judged for day, judged in past if day >= first]
    month = _Month(policy, today)
    passed = month.passed(now)
    found: dict[str, ServiceWindows] = {}
    for label, target in promised.items():
        windows = found[label] = ServiceWindows()
        breached, allowed = month.spent(label, sums)
        parts = [judged[label] for judged in reached if label in judged]
        for day, judged in present:
            if label in judged:
                part = counted(hours, judged[label], last)
                parts.append(part)
                if month.has(day):
                    breached += part.after[0][1]
                    allowed += part.after[0][0] * month.allowed(label, day)
        for rule in rules_of(policy, target.objective):
            windows.factors[rule.name] = rule.factor
            for name, length in ((rule.name, rule.window_ms), (rule.name + SHORT_SUFFIX, rule.short_ms)):
                since = [part.since(begins[length]) for part in parts]
                windows.judged[name] = sum(judged for judged, _ in since)
                windows.breached[name] = sum(breaches for _, breaches in since)
        windows.budget_left = budget_left(breached, allowed, *passed)
        windows.month_ms = passed[1]
    return found


def _past(state: UnitState, hours: OpeningHours) -> dict[int, dict[str, Counted]]:
    """What is in burn of closed days: unpacked once, as long as their records and the calendar are the same."""
    known = state.counted_past
    found: dict[int, tuple[bytes, OpeningHours, dict[str, Counted]]] = {}
    for day, packed in state.judged_past.items():
        kept = known.get(day)
        if kept is None or kept[0] is not packed or kept[1] is not hours:
            kept = packed, hours, {label: counted(hours, minutes) for label, minutes in unpack(packed).items()}
        found[day] = kept
    state.counted_past = found
    return {day: judged for day, (_, _, judged) in found.items()}


def budget_left(breached: int, allowed: float, passed_ms: int, month_ms: int) -> float | None:
    """What is left of a month's budget: 1 less burn · passed / month, where burn = breached / allowed so far.

    `allowed`: the sum of 1 - objective over everybody judged. Nobody judged has spent nothing.
    """
    if month_ms <= 0:
        return None
    return 1 - (breached / allowed) * passed_ms / month_ms if allowed > 0 else 1.0


def _lengths(policy: UnitPolicy) -> set[int]:
    return {length for rule in policy.burn.rules for length in (rule.window_ms, rule.short_ms)}


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
                allowed += services[label][0] * self.allowed(label, day)
        return breached, allowed

    def has(self, day: int) -> bool:
        """Whether a service day is of the month."""
        return day in self._days

    def passed(self, now: int) -> tuple[int, int]:
        """Service time (ms) of the month up to `now`, and of all of it."""
        days, hours = service_days(self._policy), hours_of(self._policy)
        begin, end = days.start(self._days[0]), days.start(self._days[-1] + 1)
        return hours.between(begin, max(begin, min(now, end))), hours.between(begin, end)

    def allowed(self, label: str, day: int) -> float:
        """The share of people who may be breached on a day."""
        target = self._policy.target(label, day)
        return 0.0 if target is None else 1 - target.objective
