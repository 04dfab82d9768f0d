"""A real Prometheus that scrapes what the tests serve, and promtool's opinion of a page of metrics."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import programs
from support.process import Process, free_port, wait_until

__all__ = ["Prometheus", "Sample", "check_metrics"]


@dataclass(frozen=True)
class Sample:
    """One series of an instant query's answer."""

    labels: Mapping[str, str]
    value: float


def check_metrics(page: str | bytes) -> list[str]:
    """Return what `promtool check metrics` has to say of a page in the text format: nothing if all is well."""
    done = subprocess.run(
        [programs.promtool(), "check", "metrics"],
        input=page.encode() if isinstance(page, str) else page,
        capture_output=True,
        check=False,
    )
    said = [line for line in (done.stdout + done.stderr).decode().splitlines() if line.strip()]
    return said or ([f"promtool ended with status {done.returncode}"] if done.returncode else [])


class Prometheus:
    """A server in `folder` that scrapes `targets` (HOST:PORT or HOST:PORT/PATH) and evaluates `rules` every second.

    Its first scrape comes 5 s after its start: that is fixed in Prometheus.

    `configuration` replaces what is written by itself: a whole prometheus.yml.
    """

    def __init__(
        self,
        folder: Path,
        targets: Sequence[str] = (),
        *,
        rules: Sequence[Path] = (),
        interval: str = "1s",
        configuration: str = "",
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.process = Process("Prometheus", folder / "log")
        self._configuration = configuration or json.dumps(_scrape(targets, rules, interval), indent=1)  # JSON is YAML

    @property
    def address(self) -> str:
        """The base of its HTTP interface."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it (again, on the same port and data) and return when it is ready."""
        configuration = self.folder / "prometheus.yml"
        configuration.write_text(self._configuration, encoding="utf-8")
        self.process.run(
            [
                programs.prometheus(),
                f"--config.file={configuration}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                "--storage.tsdb.retention.time=100y",  # days of the past are told too
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ],
            ready=self._ready,
        )

    def stop(self) -> None:
        """Shut it down in order."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()

    def remove(self) -> None:
        """End it and delete what it kept."""
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def query(self, expression: str, at_s: float | None = None) -> list[Sample]:
        """Evaluate PromQL at an instant (now by default) and return the vector, or a scalar as a single sample."""
        answer = self._get("/api/v1/query", {"query": expression} | ({} if at_s is None else {"time": str(at_s)}))
        if answer["data"]["resultType"] == "scalar":
            return [Sample({}, float(answer["data"]["result"][1]))]
        return [Sample(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]

    def range(
        self, expression: str, begin_s: float, end_s: float, step_s: float
    ) -> list[tuple[Mapping[str, str], list[tuple[float, float]]]]:
        """Evaluate PromQL at each step: the series, each with its instants and values."""
        wanted = {"query": expression, "start": str(begin_s), "end": str(end_s), "step": str(step_s)}
        answer = self._get("/api/v1/query_range", wanted)
        return [
            (series["metric"], [(float(at), float(value)) for at, value in series["values"]])
            for series in answer["data"]["result"]
        ]

    def value(self, expression: str) -> float:
        """Evaluate PromQL that has exactly one series."""
        (sample,) = self.query(expression)
        return sample.value

    def wait_for(self, expression: str, timeout_s: float = 90) -> list[Sample]:
        """Return the answer as soon as it has any series."""
        wait_until(lambda: bool(self.query(expression)), timeout_s, f"Prometheus to answer {expression}", every_s=0.1)
        return self.query(expression)

    def _get(self, path: str, parameters: Mapping[str, str]) -> Any:
        url = f"{self.address}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise ValueError(refusal.read().decode()) from None

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as answer:
            answer.close()
            return False
        except OSError:
            return False


def _scrape(targets: Sequence[str], rules: Sequence[Path], interval: str) -> Mapping[str, object]:
    paths: dict[str, list[str]] = {}
    for target in targets:
        host, _, path = target.partition("/")
        paths.setdefault(f"/{path or 'metrics'}", []).append(host)
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": [str(rule) for rule in rules],
        "scrape_configs": [
            {"job_name": f"loket{path}", "metrics_path": path, "static_configs": [{"targets": hosts}]}
            for path, hosts in paths.items()
        ],
    }
