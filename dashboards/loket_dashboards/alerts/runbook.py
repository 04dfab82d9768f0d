"""docs/runbook.md: a heading for each alert, with what it means and the steps for the shift, in both languages."""

from __future__ import annotations

import json
from typing import Final

from loket_dashboards.alerts.alert import Alert, Scope
from loket_dashboards.alerts.rules import ALERTS
from loket_dashboards.language import LANGUAGES, Language

__all__ = ["runbook", "steps"]

_HEAD: Final = """# Runbook

<!-- Made by `make dashboards`. Change dashboards/loket_dashboards/alerts instead. -->

What each alert means and what the shift does, in Indonesian and English. Alerts of halls end with the unit's opening
hours; those of the pipeline do not, as a sink that dies at night is told before opening. While no worker can be
reached, or Kafka does not answer, alerts of units are held back; while one unit is behind, its own.
"""

_SCOPES: Final = {
    Scope.SERVICE: "Ruang tunggu · Halls",
    Scope.DEVICES: "Perangkat · Devices",
    Scope.PIPELINE: "Jalur data · Pipeline",
}


def runbook() -> str:
    """The whole document."""
    parts = [_HEAD]
    for scope, title in _SCOPES.items():
        parts.append(f"# {title}\n")
        parts += [_section(alert) for alert in ALERTS if alert.scope is scope]
    return "\n".join(parts)


def steps() -> str:
    """The steps of each alert by its name and language, as JSON: what the worker's own page shows beside an alert."""
    told = {
        alert.name: {str(language): [step.said(language) for step in alert.steps] for language in LANGUAGES}
        for alert in ALERTS
    }
    return json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _section(alert: Alert) -> str:
    lasts = f", for {alert.lasts}" if alert.lasts else ""
    lines = [f"## {alert.name}", "", f"Severity {alert.severity}{lasts}.", ""]
    for language in (Language.ID, Language.EN):
        lines += [f"**{language.upper()}** {alert.means.said(language)}", ""]
        lines += [f"{number}. {step.said(language)}" for number, step in enumerate(alert.steps, 1)]
        lines.append("")
    return "\n".join(lines)
