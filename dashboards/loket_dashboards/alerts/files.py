"""The files of rules and alerts: by path in the folder of the output, with their text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loket_dashboards.alerts.alertmanager import EXAMPLE_UNITS, LINKS, configuration, templates
from loket_dashboards.alerts.rules import alerting_rules, recording_rules

__all__ = ["alert_files"]


def alert_files(units: Sequence[str] = EXAMPLE_UNITS) -> Mapping[str, str]:
    """What Prometheus and Alertmanager read; `units` have routes of their own."""
    return {
        "prometheus/loket-alerts.yml": alerting_rules(),
        "prometheus/loket-recording.yml": recording_rules(),
        "alertmanager/alertmanager.yml": configuration(units),
        "alertmanager/loket.tmpl": templates(),
        "alertmanager/loket-links.tmpl": LINKS,
    }
