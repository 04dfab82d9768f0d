"""What an alert is: a condition, whom it concerns, what it says in both languages, and the steps for the shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from loket_dashboards.language import Text

__all__ = ["Alert", "Scope", "Severity", "pipeline_alert"]


class Severity(StrEnum):
    """How soon somebody has to look."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Scope(StrEnum):
    """Whom it concerns: those in the hall, those who care for its devices, or those who run the pipeline."""

    SERVICE = "service"
    DEVICES = "devices"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule. `lasts`: how long its condition has to hold; `keeps`: how long it goes on without it.

    `summary` may hold Prometheus' templates (loket_dashboards.alerts.texts). `global_`: while it fires nothing can be
    said of any unit, so alerts of units are held back.
    """

    name: str
    expression: str
    severity: Severity
    scope: Scope
    summary: Text
    means: Text
    steps: Sequence[Text]
    board: str = "unit"
    lasts: str = ""
    keeps: str = ""
    global_: bool = False

    @property
    def anchor(self) -> str:
        """Where its heading of the runbook is."""
        return f"#{self.name.lower()}"


def pipeline_alert(
    name: str,
    expression: str,
    severity: Severity,
    summary: Text,
    means: Text,
    *steps: Text,
    lasts: str = "",
    keeps: str = "",
    global_: bool = False,
) -> Alert:
    """One of the pipeline: it leads to the dashboard of the pipeline."""
    return Alert(
        name,
        expression,
        severity,
        Scope.PIPELINE,
        summary,
        means,
        steps,
        board="pipeline",
        lasts=lasts,
        keeps=keeps,
        global_=global_,
    )
