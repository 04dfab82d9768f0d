"""What one leg brings to the figures of its unit and of the employees who worked on it.

Three kinds, by who may change them (rules 23 and 24): `counts` and `observed` are what events brought, so they become
counters and histograms; `settled` is what the passing of time decided and no event can leave open any more.
Keys are figure names; the part after "/" is the value of the figure's own label (`waits_answered/yes`).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from typing import TypeVar

from msgspec import Struct, field

from loket.domain.judged import judged_at, key_of
from loket.domain.leg import ABANDONED, COMPLETED, EXPIRED, NO_SHOW, TRANSFERRED, Leg, Stretch

HISTOGRAMS = ("wait_seconds", "patience_seconds", "way_seconds", "service_seconds", "hold_seconds", "lost_seconds")
"""Durations observed for each unit and service, in ms."""

EMPLOYEE_DURATIONS = ("service", "way", "hold", "served_wait")
"""Durations of which an employee has a sum (`…_ms`) and a count (`…_count`)."""


UNSERVED = "unserved"
"""Those of the expired who still waited to be called."""

Fact = tuple[str, str, int]
"""Service or employee, figure or histogram, and an amount or a duration (ms)."""

DatedFact = tuple[str, int, int]
"""Service, when somebody was judged (`loket.domain.judged.key_of`), and how many."""

_Figure = TypeVar("_Figure", str, int)


class Contribution(Struct, eq=False):
    """Of one service day, as facts in the order of the lifecycle, so that an event mostly adds to their end.

    Two are equal that sum up to the same.
    """

    counted: list[Fact] = field(default_factory=list)
    measured: list[Fact] = field(default_factory=list)
    decided: list[Fact] = field(default_factory=list)
    credited: list[Fact] = field(default_factory=list)
    dated: list[DatedFact] = field(default_factory=list)

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """(service, figure) → amount."""
        return summed(self.counted)

    @property
    def observed(self) -> dict[tuple[str, str], list[int]]:
        """(service, histogram) → durations, in order of size."""
        return listed(self.measured)

    @property
    def settled(self) -> dict[tuple[str, str], int]:
        """(service, figure) → amount."""
        return summed(self.decided)

    @property
    def people(self) -> dict[tuple[str, str], int]:
        """(employee, figure) → amount."""
        return summed(self.credited)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Contribution)
            and all(
                one == another or sum_of(one) == sum_of(another)
                for one, another, sum_of in (
                    (self.counted, other.counted, summed),
                    (self.measured, other.measured, listed),
                    (self.decided, other.decided, summed),
                    (self.credited, other.credited, summed),
                )
            )
            and (self.dated == other.dated or summed(self.dated) == summed(other.dated))
        )

    def count(self, service: str, figure: str, amount: int = 1) -> None:
        if amount:
            self.counted.append((service, figure, amount))

    def observe(self, service: str, histogram: str, ms: int) -> None:
        self.measured.append((service, histogram, ms))

    def settle(self, service: str, figure: str, amount: int = 1) -> None:
        self.decided.append((service, figure, amount))

    def judge(self, service: str, at: int, *, breached: bool) -> None:
        self.decided.append((service, "judged", 1))
        self.decided.append((service, "breached", int(breached)))
        self.dated.append((service, key_of(at, breached=breached), 1))

    def credit(self, employee: str | None, figure: str, amount: int = 1) -> None:
        if employee is not None:
            self.credited.append((employee, figure, amount))


def summed(facts: list[tuple[str, _Figure, int]]) -> dict[tuple[str, _Figure], int]:
    """The amounts of facts, by what they are about."""
    sums: dict[tuple[str, _Figure], int] = {}
    for whose, figure, amount in facts:
        sums[whose, figure] = sums.get((whose, figure), 0) + amount
    return sums


def listed(facts: list[Fact]) -> dict[tuple[str, str], list[int]]:
    """The durations of facts, in order of size, by what they are about."""
    lists: dict[tuple[str, str], list[int]] = {}
    for whose, histogram, ms in facts:
        insort(lists.setdefault((whose, histogram), []), ms)
    return lists


def changes(old: list[tuple[str, _Figure, int]], new: list[tuple[str, _Figure, int]]) -> list[tuple[str, _Figure, int]]:
    """What is to be added to get from some amounts to others: mostly the facts that have come behind."""
    if new[: len(old)] == old:
        return new[len(old) :]
    before, after = summed(old), summed(new)
    gone = [(whose, figure, -amount) for (whose, figure), amount in before.items() if (whose, figure) not in after]
    more = [(whose, figure, amount - before.get((whose, figure), 0)) for (whose, figure), amount in after.items()]
    return gone + more


def contributions(legs: Iterable[Leg]) -> dict[int, Contribution]:
    """What the legs of one ticket bring, by service day."""
    by_day: dict[int, Contribution] = {}
    for leg in legs:
        contribution = by_day.get(leg.day)
        if contribution is None:
            contribution = by_day[leg.day] = Contribution()
        contribute(leg, contribution)
    return by_day


def contribute(leg: Leg, to: Contribution) -> None:
    """Add what one leg brings."""
    service = leg.service
    if leg.issued_at is not None:
        to.count(service, "tickets_issued")
        if leg.visit:
            to.count(service, "visits")
        _first_stretch(leg, to)
        if leg.outcome is not None and leg.early_ms:
            to.count(service, "early_ms", leg.early_ms)
    for stretch in leg.stretches:
        _stretch(leg, stretch, to)
    if leg.outcome is not None:
        to.count(service, f"tickets_closed/{leg.outcome}")
        if leg.incomplete:
            to.count(service, "tickets_incomplete")
    if leg.outcome == COMPLETED:
        _completion(leg, to)
    settle(leg, None, to)


def settle(leg: Leg, ended_at: int | None, to: Contribution) -> None:
    """What no event can leave open any more: the judgement, once the leg was called or has ended, and the expiry.

    `ended_at`: the instant at which time alone ended an open leg, or None.
    """
    judged = judged_at(leg, leg.ended_at if leg.outcome is not None else ended_at)
    if judged is not None:
        to.judge(leg.service, judged[0], breached=judged[1])
    if leg.outcome is None and ended_at is not None:
        to.settle(leg.service, EXPIRED)
        if leg.waits:
            to.settle(leg.service, UNSERVED)


def within(leg: Leg, instant: int) -> str:
    """Whether an instant is within the leg's target: yes (exactly at it too), no, or none where there is no target."""
    breach_at = leg.breach_at
    if breach_at is None:
        return "none"
    return "yes" if instant <= breach_at else "no"


def left_within(leg: Leg) -> str | None:
    """For who left in the first stretch while waiting: short, yes, no or none; None if this leg is no such leaver."""
    if leg.outcome != ABANDONED or len(leg.stretches) > 1 or leg.issued_at is None:
        return None
    left_at = leg.ended_at
    if left_at is None or (left_at < leg.wait_from and leg.wait_from > leg.issued_at):
        return None  # left before the appointment: early, never waiting (rule 15)
    judged = within(leg, left_at)
    if judged == "yes" and left_at - leg.judged_from < leg.short_ms:
        return "short"
    return judged


def _first_stretch(leg: Leg, to: Contribution) -> None:
    """Levels look at the first stretch only (rule 26)."""
    service, first = leg.service, leg.stretches[0]
    if first.called_at is not None:
        answered = within(leg, first.called_at)
        to.count(service, f"waits_answered/{answered}")
        if leg.outcome == NO_SHOW:
            to.count(service, f"calls_nobody_came/{answered}")
        side = near_target(leg)
        if side is not None:
            to.count(service, f"waits_near_target/{side}")
        return
    left = left_within(leg)
    if left is not None:
        to.count(service, f"waits_left/{left}")
        to.observe(service, "patience_seconds", first.wait_ms)


def near_target(leg: Leg) -> str | None:
    """On which side of its target a call in the first stretch just is: over 0.9 T up to T, or above up to 1.1 T."""
    called_at = leg.stretches[0].called_at
    return None if called_at is None else side_of_target(called_at - leg.judged_from, leg.target_ms)


def side_of_target(wait_ms: int, target_ms: int | None) -> str | None:
    """`near_target` of a wait that a call ended."""
    if target_ms is None:
        return None
    if 9 * target_ms < 10 * wait_ms <= 10 * target_ms:
        return "below"
    if 10 * target_ms < 10 * wait_ms <= 11 * target_ms:
        return "above"
    return None


def _stretch(leg: Leg, stretch: Stretch, to: Contribution) -> None:
    if leg.issued_at is not None and stretch.called_at is not None:
        to.observe(leg.service, "wait_seconds", stretch.wait_ms)
    if stretch.ended_by == "requeued" and stretch.called_at is not None and leg.issued_at is not None:
        to.count(leg.service, "calls_again")
    if stretch.way_ms is not None:
        to.observe(stretch.service, "way_seconds", stretch.way_ms)
    if stretch.service_ms is not None:
        to.observe(stretch.service, "service_seconds", stretch.service_ms)
    for ms in stretch.hold_ms:
        to.observe(stretch.service, "hold_seconds", ms)
    if stretch.lost_ms is not None:
        to.observe(leg.service, "lost_seconds", stretch.lost_ms)
    for credit in stretch.credits:
        to.credit(credit.employee, f"{credit.stage}_ms", credit.ms)
        to.credit(credit.employee, f"{credit.stage}_count")
    if stretch.ended_by in ("requeued", TRANSFERRED):
        to.credit(stretch.ender, "handed_on")
    for service, employee in stretch.added:
        to.count(service, "services")
        to.credit(employee, "services")


def _completion(leg: Leg, to: Contribution) -> None:
    last = leg.stretches[-1]
    to.count(last.service, "served")
    to.count(last.service, "services", leg.quantity)
    to.credit(leg.completer, "served")
    to.credit(leg.completer, "services", leg.quantity)
    if leg.issued_at is not None and leg.first_called_at is not None:
        to.credit(leg.completer, "served_wait_ms", leg.observed_wait_ms)
        to.credit(leg.completer, "served_wait_count")
