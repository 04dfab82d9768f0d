"""What is unusual in a unit's week and worth a question: it proves nothing, and each kind has honest reasons.

**Bunching.** Around a target T waits are counted in tenths of it: 0.8 T, 0.9 T, T, 1.1 T, 1.2 T. Where nobody looks at
the target their number changes smoothly, so of those between 0.9 T and 1.1 T the expected share below T follows from
the outer two tenths: with a log-linear density it is r / (1 + r), r³ their ratio, of which the upper 95 % bound is
taken. People wait one after another, so an hour is full of waits of one kind, and a binomial test over people alone
finds too much. Both have to say so: the test over people, and one over hours, in which more were below or fewer.

**Far too short.** Services under a tenth of the median of their service. Even of exponential times, which are spread
more than services are, 7 % are so short: a binomial test against that share, for each employee.

**Two counters.** One id at work at a second counter while a ticket of it goes on at the first, from its first to its
last act there: for longer than clocks of devices may differ, and more often than a slip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp, lgamma, log, log1p, sqrt
from typing import Final

from msgspec import Struct

from loket.domain.durations import MINUTE
from loket.domain.estimates import quantile

__all__ = ["Bunching", "Overlaps", "Short", "Work", "at_two_counters", "binomial_tail", "bunching", "far_too_short"]

FEWEST_NEAR: Final = 30
FEWEST_HOURS: Final = 10
RARE: Final = 0.001
"""The chance of the people counted, below which they are unusual: one in a thousand of what is looked at."""

RARE_HOURS: Final = 0.01
LEAST_SLOPE: Final = 0.2
"""Waits thin out towards a target that is mostly kept: at least e^0.2 below for each above are expected."""

MOST_SLOPE: Final = 1.4
"""And at most 4: where a cheat left nobody above, the outer tenths alone would excuse everything."""

FEWEST_SERVICES: Final = 30
SHORT_PART: Final = 10
SHORT_SHARE: Final = 0.07
"""1 - 2 ** -0.1, of exponential times."""

LEAST_OVERLAP_MS: Final = MINUTE
FEWEST_OVERLAPS: Final = 3


class Bunching(Struct, frozen=True):
    """Calls just below and just above a target; `expected`: the share of them that is expected below.

    `hours_below` of `hours` had more below than above. `chance`: of so many people or more below, were all as expected.
    """

    below: int
    above: int
    expected: float
    hours_below: int
    hours: int
    chance: float


class Short(Struct, frozen=True):
    """Services of one employee under `limit_ms`, a tenth of the service's median, of all of `services`."""

    short: int
    services: int
    limit_ms: int
    median_ms: int
    chance: float


class Work(Struct, frozen=True):
    """A ticket in the hands of an employee at a counter, from the first to the last act there (ms)."""

    employee: str
    counter: str
    begin: int
    end: int


class Overlaps(Struct, frozen=True):
    """How often one id was at work at two counters at once, for how long in all (ms), and at which counters."""

    times: int
    overlap_ms: int
    counters: tuple[str, ...]


def binomial_tail(hits: int, cases: int, share: float) -> float:
    """The chance of so many hits or more in independent cases of a share between 0 and 1."""
    if hits <= 0:
        return 1.0
    whole, yes, no = lgamma(cases + 1), log(share), log1p(-share)
    told = sum(
        exp(whole - lgamma(hit + 1) - lgamma(cases - hit + 1) + hit * yes + (cases - hit) * no)
        for hit in range(hits, cases + 1)
    )
    return min(1.0, told)


def bunching(calls: Iterable[tuple[int, int, int]]) -> Bunching | None:
    """What is unusual in calls near their targets, each an hour (any number for it), the judged wait and the target.

    None: nothing, or fewer than 30 people or 10 hours, of which nothing can be said.
    """
    tenths = [0, 0, 0, 0]
    hours: dict[int, int] = {}
    for hour, wait_ms, target_ms in calls:
        tenth = -(-10 * wait_ms // target_ms) - 9  # over 0.8 T up to 0.9 T is 0, and so on
        if 0 <= tenth < len(tenths):
            tenths[tenth] += 1
            if tenth in (1, 2):
                hours[hour] = hours.get(hour, 0) + (1 if tenth == 1 else -1)
    before, below, above, after = tenths
    told = [balance > 0 for balance in hours.values() if balance]
    if below + above < FEWEST_NEAR or len(told) < FEWEST_HOURS:
        return None
    expected = _expected(before, after)
    chance = binomial_tail(below, below + above, expected)
    if chance > RARE or binomial_tail(sum(told), len(told), expected) > RARE_HOURS:
        return None
    return Bunching(below, above, expected, sum(told), len(told), chance)


def _expected(before: int, after: int) -> float:
    """The share below T, by the tenths before and after; half a person more in each, so that none may be empty."""
    first, last = before + 0.5, after + 0.5
    slope = (log(first / last) + 1.645 * sqrt(1 / first + 1 / last)) / 3
    return 1 / (1 + exp(-min(max(slope, LEAST_SLOPE), MOST_SLOPE)))


def far_too_short(services: Mapping[str, Sequence[int]]) -> dict[str, Short]:
    """Employees with unusually many services far too short, from the durations (ms) of one service by employee.

    Of fewer than 30 services of somebody nothing is said. With more people looked at, each has to be rarer.
    """
    everyone = sorted(ms for mine in services.values() for ms in mine)
    asked = {employee: mine for employee, mine in services.items() if len(mine) >= FEWEST_SERVICES}
    median = quantile(everyone, 0.5) if everyone else None
    found = {}
    for employee, mine in asked.items():
        if median is None:
            break
        short = sum(SHORT_PART * ms < median for ms in mine)
        chance = binomial_tail(short, len(mine), SHORT_SHARE)
        if chance * len(asked) <= RARE:
            found[employee] = Short(short, len(mine), median // SHORT_PART, median, chance)
    return found


def at_two_counters(work: Iterable[Work]) -> dict[str, Overlaps]:
    """Employees who were at work at two counters at once at least three times, each for over a minute."""
    by_employee: dict[str, list[Work]] = {}
    for each in work:
        by_employee.setdefault(each.employee, []).append(each)
    found = {}
    for employee, mine in by_employee.items():
        times, overlap_ms, counters = 0, 0, set()
        going_on: list[Work] = []
        for each in sorted(mine, key=lambda each: (each.begin, each.end, each.counter)):
            going_on = [other for other in going_on if other.end > each.begin]
            overlaps = [
                (min(other.end, each.end) - each.begin, other.counter)
                for other in going_on
                if other.counter != each.counter
            ]
            longest = max(overlaps, default=(0, ""))
            if longest[0] > LEAST_OVERLAP_MS:
                times += 1
                overlap_ms += longest[0]
                counters |= {each.counter, longest[1]}
            going_on.append(each)
        if times >= FEWEST_OVERLAPS:
            found[employee] = Overlaps(times, overlap_ms, tuple(sorted(counters)))
    return found
