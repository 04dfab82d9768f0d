"""The series of opening hours and of windows of service time."""

from __future__ import annotations

from collections.abc import Mapping

from loket.catalogue import hours as names
from loket.domain.halls import hours_of
from loket.domain.opening import State
from loket.domain.policy import UnitPolicy
from loket.domain.windows import ServiceWindows
from loket.exposition import Page, labels

__all__ = ["write_hours", "write_windows"]


def write_hours(page: Page, unit: str, policy: UnitPolicy, now: int) -> None:
    """Whether a unit is open, if it has opening hours at all."""
    if not policy.calendar.has_hours:
        return
    found = hours_of(policy).state(now)
    page.add(names.UNIT_OPEN, labels(unit=unit), int(found is State.OPEN))
    for state in names.STATES:
        page.add(names.UNIT_STATE, labels(unit=unit, state=state), int(found == state))


def write_windows(page: Page, unit: str, found: Mapping[str, ServiceWindows]) -> None:
    """The windows, factors and the budget of each service with a target."""
    for service, windows in found.items():
        for name, judged in windows.judged.items():
            text = labels(unit=unit, service=service, window=name)
            page.add(names.WINDOW_JUDGED, text, judged)
            page.add(names.WINDOW_BREACHED, text, windows.breached[name])
        for rule, factor in windows.factors.items():
            page.add(names.BURN_FACTOR, labels(unit=unit, service=service, rule=rule), factor)
        if windows.budget_left is not None and windows.budget_left_ms is not None:
            text = labels(unit=unit, service=service)
            page.add(names.BUDGET_LEFT, text, windows.budget_left)
            page.add(names.BUDGET_LEFT_SECONDS, text, windows.budget_left_ms)
