"""Prometheus and Alertmanager beside the demo, with the rules of the project, and the receiver of alerts.

```
worker, sink ◀─ Prometheus (real rules, a minute is a second) ─▶ Alertmanager ─▶ loket alerts receive ─▶ the screen
```

```
UsageError
└── MonitoringMissing   exit status 2: a program is not on this machine
```
"""

from __future__ import annotations

import http.client
import re
import secrets
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml
from msgspec import Struct

from loket.companions import Companion, Run
from loket.companions.ports import free_port
from loket.companions.run import child_environment
from loket.errors import UsageError
from loket.pipeline.places import HOST, Places
from loket.wire.alerts import AlertShown
from loket.wire.instant import parse_instant

__all__ = ["MonitoringMissing", "Programs", "Watching", "find_programs", "token"]

PROMETHEUS_PORT: Final = 9090
ALERTMANAGER_PORT: Final = 9093
KEEP: Final = "10s"
"""What `keep_firing_for` says, long enough that an alert can be seen."""

TIMEOUT_S: Final = 2.0

_NAMES: Final = {"prometheus": ("prometheus",), "alertmanager": ("alertmanager", "prometheus-alertmanager")}


class MonitoringMissing(UsageError):
    """Some of the `programs` that the alerts need are not on this machine."""

    def __init__(self, programs: Sequence[str]) -> None:
        self.programs = list(programs)
        are = "is" if len(programs) == 1 else "are"
        super().__init__(
            f"{' and '.join(programs)} {are} not on this machine's PATH, and --monitoring shows alerts with Prometheus "
            "and Alertmanager: install them (Debian: apt install prometheus prometheus-alertmanager), or start the "
            "demo without --monitoring"
        )


class Programs(Struct, frozen=True):
    """Where the programs are."""

    prometheus: str
    alertmanager: str


def find_programs() -> Programs:
    """Raises MonitoringMissing."""
    found = {whose: next(filter(None, map(shutil.which, names)), None) for whose, names in _NAMES.items()}
    prometheus, alertmanager = found["prometheus"], found["alertmanager"]
    if prometheus is None or alertmanager is None:
        raise MonitoringMissing([whose for whose, path in found.items() if path is None])
    return Programs(prometheus, alertmanager)


def token() -> str:
    """Something new by which an alert can be taken on the demo's pages."""
    return secrets.token_hex(8)


_ALERTS: Final = msgspec.json.Decoder(list[AlertShown])


class Watching:
    """The processes of one demo that watch it; `start` begins it, the run ends them."""

    def __init__(self, run: Run, places: Places, programs: Programs) -> None:
        self._run = run
        self._places = places
        self._programs = programs
        self._running: list[Companion] = []
        self._told: dict[str, tuple[bool, str]] = {}
        self.prometheus_port = free_port(PROMETHEUS_PORT)
        self.alertmanager_port = free_port(ALERTMANAGER_PORT)

    def start(self) -> None:
        """Start everything; the tables of the record have to be there. Raises CompanionFailed."""
        folder, environment = self._run.folder, child_environment(self._places.environment())
        written = self._run.start("rules", [str(folder)], environment, program=_RULES)
        self._running.append(self._run.start("alerts", ["alerts", "receive"], environment))
        while not written.finished():
            self.check()
        _shorten(folder / "prometheus" / "loket-alerts.yml")
        _tell_us_alone(folder / "alertmanager" / "alertmanager.yml", self._receiver)
        configuration = folder / "prometheus.yml"
        configuration.write_text(yaml.safe_dump(self._scrapes(), sort_keys=False), encoding="utf-8")
        alertmanager = [
            f"--config.file={folder / 'alertmanager' / 'alertmanager.yml'}",
            f"--storage.path={folder / 'alertmanager-data'}",
            f"--web.listen-address={HOST}:{self.alertmanager_port}",
            "--cluster.listen-address=",
        ]
        prometheus = [
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'prometheus-data'}",
            f"--web.listen-address={HOST}:{self.prometheus_port}",
        ]
        for name, program, arguments in (
            ("alertmanager", self._programs.alertmanager, alertmanager),
            ("prometheus", self._programs.prometheus, prometheus),
        ):
            started = self._run.start(name, [*arguments, "--log.level=warn"], child_environment({}), program=(program,))
            self._running.append(started)

    def check(self) -> None:
        """Raise CompanionFailed if one of the processes has ended."""
        for companion in self._running:
            companion.check()

    def news(self) -> list[str]:
        """What has happened to alerts since it was asked last, a line each. Raises CompanionFailed."""
        self.check()
        try:
            with _OPENER.open(f"{self._receiver}/alerts", timeout=TIMEOUT_S) as answer:
                alerts = _ALERTS.decode(answer.read())
        except (OSError, http.client.HTTPException, msgspec.MsgspecError):
            return []  # it has not started, or its database is being written to: told the next time
        return [line for alert in reversed(alerts) for line in self._news_of(alert)]

    def _news_of(self, alert: AlertShown) -> list[str]:
        known = self._told.get(str(alert.id))
        over, taker = alert.ended is not None, "" if alert.acknowledged is None else alert.acknowledged.by
        self._told[str(alert.id)] = (over, taker)
        said = alert.summary.en or alert.name
        lines = []
        if known is None or (known[0] and not over):
            lines.append(f"▲ ALERT {alert.name}: {said}")
        if taker and (known is None or known[1] != taker):
            lines.append(f"  {taker} takes care of it: {said}")
        if alert.ended is not None and (known is None or not known[0]):
            lasted = (parse_instant(alert.ended) - parse_instant(alert.started)) / 1000
            lines.append(f"● RESOLVED after {lasted:.0f} s: {said}")
        return lines

    @property
    def _receiver(self) -> str:
        return f"http://{HOST}:{self._places.alerts_port}"

    def _scrapes(self) -> Mapping[str, Any]:
        """The jobs of deploy/prometheus, whose names the rules know, on the ports of this demo."""
        ports = {
            "loket-worker": self._places.worker_port,
            "loket-sink": self._places.sink_port,
            "loket-alerts": self._places.alerts_port,
            "prometheus": self.prometheus_port,
            "alertmanager": self.alertmanager_port,
        }
        return {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(self._run.folder / "prometheus" / "*.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{HOST}:{self.alertmanager_port}"]}]}]},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [f"{HOST}:{port}"]}]} for job, port in ports.items()
            ],
        }


# No proxy of the environment: it would be asked for what runs on this machine.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_RULES: Final = (sys.executable, "-m", "loket_dashboards.alerts")
"""A component, which is run and not imported."""


def _shorten(rules: Path) -> None:
    """Services of the demo take seconds in place of minutes, and so does how long a condition has to last."""
    text = rules.read_text(encoding="utf-8")
    text = re.sub(r"^( +for: \d+)m$", r"\1s", text, flags=re.MULTILINE)
    text = re.sub(r"^( +keep_firing_for: )\d+m$", rf"\g<1>{KEEP}", text, flags=re.MULTILINE)
    rules.write_text(re.sub(r"^( +interval: )\d+s$", r"\g<1>1s", text, flags=re.MULTILINE), encoding="utf-8")


def _tell_us_alone(configuration: Path, receiver: str) -> None:
    """Routes and inhibitions stay; mail, Telegram and the dead man's switch of a demo would reach nobody."""
    content = yaml.safe_load(configuration.read_text(encoding="utf-8"))
    content["route"] |= {"group_wait": "1s", "group_interval": "2s"}
    ours = {f"http://{HOST}:9103/alerts"}
    content["receivers"] = [
        {
            "name": each["name"],
            "webhook_configs": [
                hook | {"url": f"{receiver}/alerts"} for hook in each["webhook_configs"] if hook["url"] in ours
            ],
        }
        for each in content["receivers"]
    ]
    configuration.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
