"""The rules as YAML for Prometheus 2.42 and newer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from loket_dashboards.alerts.alert import Alert, Scope
from loket_dashboards.alerts.burn import BURN
from loket_dashboards.alerts.devices import DEVICES
from loket_dashboards.alerts.pipeline import PIPELINE
from loket_dashboards.alerts.queues import QUEUES
from loket_dashboards.alerts.recording import RECORDED
from loket_dashboards.language import LANGUAGES

__all__ = ["ALERTS", "OF_UNITS", "alerting_rules", "as_yaml", "recording_rules"]

ALERTS: Final = (*QUEUES, *BURN, *DEVICES, *PIPELINE)
"""All of them, in the order of the runbook."""

OF_UNITS: Final = frozenset({"unit", "requests"})
"""Dashboards of one unit."""

_HEAD: Final = "# Made by `make dashboards`; change dashboards/loket_dashboards instead.\n"


def as_yaml(content: Mapping[str, Any]) -> str:
    """A document with our head, keys in the order given and texts as they are."""
    text: str = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=10_000)
    return _HEAD + text


def alerting_rules(alerts: Sequence[Alert] = ALERTS) -> str:
    """The alerts, a group for each scope."""
    groups = [
        {
            "name": f"loket-{scope}",
            "interval": "15s",
            "rules": [_rule(alert) for alert in alerts if alert.scope is scope],
        }
        for scope in Scope
    ]
    return as_yaml({"groups": groups})


def recording_rules() -> str:
    """The recorded figures."""
    rules = [{"record": name, "expr": expression} for name, expression in RECORDED.items()]
    return as_yaml({"groups": [{"name": "loket-units", "interval": "30s", "rules": rules}]})


def _rule(alert: Alert) -> Mapping[str, Any]:
    rule: dict[str, Any] = {"alert": alert.name, "expr": alert.expression}
    if alert.lasts:
        rule["for"] = alert.lasts
    if alert.keeps:
        rule["keep_firing_for"] = alert.keeps
    rule["labels"] = {"severity": str(alert.severity), "scope": str(alert.scope)}
    if alert.global_:
        rule["labels"]["blinds"] = "all"
    rule["annotations"] = {
        **{f"summary_{language}": alert.summary.said(language) for language in LANGUAGES},
        **{f"dashboard_{language}": _dashboard(alert, str(language)) for language in LANGUAGES},
        "runbook": alert.anchor,
    }
    return rule


def _dashboard(alert: Alert, language: str) -> str:
    """The path of the dashboard; Alertmanager's template puts Grafana's address before it."""
    path = f"/d/loket-{alert.board}-{language}"
    return f"{path}?var-unit={{{{ $labels.unit | urlquery }}}}" if alert.board in OF_UNITS else path
