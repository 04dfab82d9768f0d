"""Alertmanager's configuration (0.25 and newer) and its templates in both languages.

```
watchdog ─▶ dead man's switch            pipeline, devices ─▶ operators
alerts of a unit ─▶ the unit's people    all others of halls ─▶ the city's supervisors
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from loket_dashboards.alerts.rules import as_yaml
from loket_dashboards.language import LANGUAGES, Language, Text

__all__ = ["EXAMPLE_UNITS", "LINKS", "configuration", "templates"]

EXAMPLE_UNITS: Final = ("dukcapil", "puskesmas")
"""The units of the demo: `--targets targets.yaml` takes those of a city."""

OPERATORS, SUPERVISORS, SWITCH = "loket-operators", "loket-supervisors", "loket-dead-mans-switch"

LINKS: Final = """{{/* Where people reach Grafana and the runbook: write your own addresses here. */}}
{{ define "loket.grafana" }}http://127.0.0.1:3000{{ end }}
{{ define "loket.runbook" }}http://127.0.0.1:8000/docs/runbook.md{{ end }}
"""


def configuration(units: Sequence[str] = EXAMPLE_UNITS) -> str:
    """The whole configuration for some units; addresses, numbers and tokens are to be written by who installs it."""
    return as_yaml(
        {
            "global": {
                "resolve_timeout": "5m",
                "smtp_smarthost": "127.0.0.1:25",
                "smtp_from": "loket@example.invalid",
                "smtp_require_tls": False,
            },
            "templates": ["loket-links.tmpl", "loket.tmpl"],
            "route": _routes(units),
            "inhibit_rules": _inhibitions(),
            "receivers": [
                _receiver(OPERATORS, "operators@example.invalid", Language.EN),
                _receiver(SUPERVISORS, "supervisors@example.invalid", Language.ID),
                *(_receiver(_named(unit), f"{_local(unit)}@example.invalid", Language.ID) for unit in units),
                {
                    "name": SWITCH,
                    "webhook_configs": [
                        {"url": "https://dead-mans-switch.example.invalid/write-yours-here", "send_resolved": False}
                    ],
                },
            ],
        }
    )


def templates() -> str:
    """The templates: for each language a subject and a text."""
    parts = ["{{/* Made by `make dashboards`; change dashboards/loket_dashboards instead. */}}"]
    parts += [_template(language) for language in LANGUAGES]
    return "\n".join(parts)


def _routes(units: Sequence[str]) -> Mapping[str, Any]:
    of_halls = 'scope="service"'
    return {
        "receiver": OPERATORS,
        "group_by": ["alertname", "unit"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
        "routes": [
            {
                "matchers": ['alertname="LoketWatchdog"'],
                "receiver": SWITCH,
                "group_wait": "0s",
                "group_interval": "1m",
                "repeat_interval": "1m",
            },
            *(
                {"matchers": [of_halls, f'unit="{unit}"'], "receiver": _named(unit), "repeat_interval": "1h"}
                for unit in units
            ),
            {"matchers": [of_halls], "receiver": SUPERVISORS, "repeat_interval": "1h"},
        ],
    }


def _inhibitions() -> Sequence[Mapping[str, Any]]:
    """Two forms, as a label that is missing on both sides counts as equal.

    While nothing is known of any unit, nothing is said of any; while one unit is behind, nothing of this one.
    """
    of_units = 'scope=~"service|devices"'
    return [
        {"source_matchers": ['blinds="all"'], "target_matchers": [of_units]},
        {
            "source_matchers": ['alertname="LoketUnitBehind"', 'unit=~".+"'],
            "target_matchers": [of_units, 'unit=~".+"'],
            "equal": ["unit"],
        },
    ]


def _receiver(name: str, address: str, language: Language) -> Mapping[str, Any]:
    first, second = (language, *(other for other in LANGUAGES if other is not language))
    text = f'{{{{ template "loket.{first}.text" . }}}}\n\n{{{{ template "loket.{second}.text" . }}}}'
    return {
        "name": name,
        "email_configs": [
            {
                "to": address,
                "send_resolved": True,
                "headers": {"Subject": f'{{{{ template "loket.{first}.subject" . }}}}'},
                "html": "",
                "text": text,
            }
        ],
        "telegram_configs": [
            {
                "bot_token": "write-the-token-of-your-bot-here",
                "chat_id": -1,
                "send_resolved": True,
                "parse_mode": "",  # names of units and services may hold any character
                "message": f'{{{{ template "loket.{first}.text" . }}}}',
            }
        ],
        "webhook_configs": [{"url": "http://127.0.0.1:9103/alerts", "send_resolved": True}],
    }


def _named(unit: str) -> str:
    return f"loket-unit-{unit}"


def _local(unit: str) -> str:
    """The id of a unit as the part of an address before the @."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in unit).strip(".")


_WORDS: Final = {
    "firing": Text("PERINGATAN", "ALERT"),
    "over": Text("SELESAI", "RESOLVED"),
    "after": Text("sesudah", "after"),
    "minutes": Text("menit", "min"),
    "dashboard": Text("Papan", "Dashboard"),
    "steps": Text("Langkah", "Steps"),
}

_TEMPLATE: Final = """
{{ define "loket.<language>.subject" -}}
{{ if .Alerts.Firing }}▲ <firing>{{ else }}● <over>{{ end }}: {{ (index .Alerts 0).Annotations.summary_<language> }}
{{- if gt (len .Alerts) 1 }} (+{{ len (slice .Alerts 1) }}){{ end }}
{{- end }}

{{ define "loket.<language>.text" -}}
{{ range .Alerts.Firing -}}
▲ <firing>: {{ .Annotations.summary_<language> }}
<dashboard>: {{ template "loket.grafana" }}{{ .Annotations.dashboard_<language> }}
<steps>: {{ template "loket.runbook" }}{{ .Annotations.runbook }}
{{ end -}}
{{ range .Alerts.Resolved -}}
● <over> <after> {{ printf "%.0f" (.EndsAt.Sub .StartsAt).Minutes }} <minutes>: {{ .Annotations.summary_<language> }}
{{ end -}}
{{ end }}
"""


def _template(language: Language) -> str:
    """Say what fires, with where to look and what to do, and then what is over."""
    text = _TEMPLATE.replace("<language>", language)
    for name, word in _WORDS.items():
        text = text.replace(f"<{name}>", word.said(language))
    return text
