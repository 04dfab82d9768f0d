"""Metrics of opening hours, and of windows of service time: how fast a unit spends its budget of breached waits."""

from __future__ import annotations

from typing import Final

from loket.catalogue.metric import MILLISECONDS, Kind, Metric

__all__ = [
    "BUDGET_LEFT",
    "BUDGET_LEFT_SECONDS",
    "BURN_FACTOR",
    "BURN_METRICS",
    "HOURS_METRICS",
    "STATES",
    "UNIT_OPEN",
    "UNIT_STATE",
    "WINDOW_BREACHED",
    "WINDOW_JUDGED",
]

STATES: Final = ("open", "break", "closed")

UNIT_OPEN: Final = Metric(
    "loket_unit_open",
    Kind.GAUGE,
    "Whether the unit is open by its opening hours, 0 in breaks too; no series where it has none.",
    ("unit",),
)
UNIT_STATE: Final = Metric(
    "loket_unit_state",
    Kind.GAUGE,
    "What the unit is by its opening hours: 1 for that state, 0 for the others; no series where it has none.",
    ("unit", "state"),
    values=STATES,
)
WINDOW_JUDGED: Final = Metric(
    "loket_window_judged",
    Kind.GAUGE,
    "Waits judged while not closed, in the last hours of service time; a window is called like its burn-rate rule, "
    "its short companion with _short behind.",
    ("unit", "service", "window"),
)
WINDOW_BREACHED: Final = Metric(
    "loket_window_breached",
    Kind.GAUGE,
    "Of the judged of a window, those judged by the target passing.",
    ("unit", "service", "window"),
)
BURN_FACTOR: Final = Metric(
    "loket_burn_factor",
    Kind.GAUGE,
    "The burn that a rule waits for, where the objective leaves room for it: breached / judged / (1 - target ratio) "
    "in its window and in the short companion.",
    ("unit", "service", "rule"),
)
BUDGET_LEFT: Final = Metric(
    "loket_budget_left_ratio",
    Kind.GAUGE,
    "What is left of this calendar month's budget of breached waits, below 0 where it is overspent: 1 - burn so far * "
    "service time of the month passed / all of it.",
    ("unit", "service"),
)
BUDGET_LEFT_SECONDS: Final = Metric(
    "loket_budget_left_seconds",
    Kind.GAUGE,
    "The same in service time: the ratio * all service time of the month, so long the rest of the budget lasts at a "
    "burn of 1.",
    ("unit", "service"),
    parts=MILLISECONDS,
)

HOURS_METRICS: Final = (UNIT_OPEN, UNIT_STATE)
BURN_METRICS: Final = (WINDOW_JUDGED, WINDOW_BREACHED, BURN_FACTOR, BUDGET_LEFT, BUDGET_LEFT_SECONDS)
