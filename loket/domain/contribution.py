"""What one leg brings to the figures of its unit and of the employees who worked on it.

Three kinds, by who may change them (rules 23 and 24): `counts` and `observed` are what events brought, so they become
counters and histograms; `settled` is what the passing of time decided and no event can leave open any more.
Keys are figure names; the part after "/" is the value of the figure's own label (`waits_answered/yes`).
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from loket.domain.leg import ABANDONED, COMPLETED, EXPIRED, NO_SHOW, TRANSFERRED, Leg, Stretch

HISTOGRAMS = ("wait_seconds", "patience_seconds", "way_seconds", "service_seconds", "hold_seconds", "lost_seconds")
"""Durations observed for each unit and service, in ms."""

EMPLOYEE_DURATIONS = ("service", "way", "hold", "served_wait")
"""Durations of which an employee has a sum (`…_ms`) and a count (`…_count`)."""


class Contribution(Struct):
    """Of one service day: (service, figure) → amount, (service, histogram) → durations, (employee, figure) → amount."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    observed: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    settled: dict[tuple[str, str], int] = field(default_factory=dict)
    people: dict[tuple[str, str], int] = field(default_factory=dict)

    def count(self, service: str, figure: str, amount: int = 1) -> None:
        if amount:
            self.counts[(service, figure)] = self.counts.get((service, figure), 0) + amount

    def observe(self, service: str, histogram: str, ms: int) -> None:
        self.observed.setdefault((service, histogram), []).append(ms)

    def settle(self, service: str, figure: str, amount: int = 1) -> None:
        self.settled[(service, figure)] = self.settled.get((service, figure), 0) + amount

    def credit(self, employee: str | None, figure: str, amount: int = 1) -> None:
        if employee is not None:
            self.people[(employee, figure)] = self.people.get((employee, figure), 0) + amount


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
        to.count(service, "visits", int(leg.visit))
        _first_stretch(leg, to)
        if leg.outcome is not None:
            to.count(service, "early_ms", leg.early_ms)
    for stretch in leg.stretches:
        _stretch(leg, stretch, to)
    if leg.outcome is not None:
        to.count(service, f"tickets_closed/{leg.outcome}")
        to.count(service, "tickets_incomplete", int(leg.incomplete))
    if leg.outcome == COMPLETED:
        _completion(leg, to)
    settle(leg, None, to)


def settle(leg: Leg, ended_at: int | None, to: Contribution) -> None:
    """What no event can leave open any more: the judgement, once the leg was called or has ended, and the expiry.

    `ended_at`: the instant at which time alone ended an open leg, or None.
    """
    breach_at = leg.breach_at
    over = leg.ended_at if leg.outcome is not None else ended_at
    if breach_at is not None:
        if leg.first_called_at is not None:
            to.settle(leg.service, "judged")
            to.settle(leg.service, "breached", int(leg.first_called_at > breach_at))
        elif over is not None and over > breach_at:
            to.settle(leg.service, "judged")
            to.settle(leg.service, "breached")
    if leg.outcome is None and ended_at is not None:
        to.settle(leg.service, EXPIRED)


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
    if judged == "yes" and left_at - leg.wait_from < leg.short_ms:
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
    called_at, target_ms = leg.stretches[0].called_at, leg.target_ms
    if called_at is None or target_ms is None:
        return None
    wait_ms = called_at - leg.wait_from
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
