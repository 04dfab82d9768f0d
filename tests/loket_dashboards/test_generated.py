"""What is committed is what the code makes; every name in a query is of the catalogue; both languages say the same."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from loket.catalogue import METRICS, Kind
from loket_dashboards.alerts.alertmanager import configuration
from loket_dashboards.alerts.rules import ALERTS
from loket_dashboards.alerts.runbook import runbook, steps
from loket_dashboards.output import RESTRICTED, generated
from loket_dashboards.promql import UnknownName, metric_of, select
from support.boards import GENERATED, boards, panels, queries

ROOT = GENERATED.parents[1]
OF_OTHERS = {
    "ALERTS",
    "alertmanager_notifications_failed_total",
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "probe_ssl_earliest_cert_expiry",
    "prometheus_rule_evaluation_failures_total",
    "up",
}
"""Series of Prometheus, Alertmanager and the usual exporters."""

WORDS = frozenset(
    re.findall(
        r"\w+",
        "abs absent and avg bool by count delta group_left histogram_quantile ignoring increase label_replace "
        "last_over_time max min min_over_time offset on or quantile rate sum time topk unless vector without",
    )
)
"""Of PromQL itself."""


def test_the_committed_output_is_what_the_code_makes() -> None:
    committed = {
        str(path.relative_to(GENERATED)): path.read_text(encoding="utf-8")
        for path in GENERATED.rglob("*")
        if path.is_file()
    }
    assert dict(generated()) == committed, "run `make dashboards`"
    assert (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8") == runbook(), "run `make dashboards`"
    board = ROOT / "streams" / "loket_streams" / "board" / "runbook.json"
    assert board.read_text(encoding="utf-8") == steps(), "run `make dashboards`"


def _rules() -> Iterator[tuple[str, str]]:
    for path in sorted((GENERATED / "prometheus").glob("*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                yield rule.get("alert") or rule["record"], rule["expr"]
                for text in rule.get("annotations", {}).values():
                    for query in re.findall(r"printf `([^`]*)`", text):
                        yield rule["alert"], query


def _expressions() -> list[tuple[str, str]]:
    found = [(asked.name, asked.expression) for language in ("id", "en") for asked in queries(language)]
    for language in ("id", "en"):
        for slug, board in boards(language).items():
            for variable in board["templating"]["list"]:
                query = variable.get("query")
                if isinstance(query, dict):
                    inner = re.fullmatch(r"query_result\((.*)\)|label_values\((.*), \w+\)", query["query"])
                    assert inner is not None
                    found.append((f"{slug} ${variable['name']}", inner[1] or inner[2]))
    return found + list(_rules())


_SELECTOR = re.compile(r"\b([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^{}]*\})?")


def _names(expression: str) -> Iterator[tuple[str, set[str]]]:
    """The series that an expression names, each with the labels of its matchers; texts are taken out first."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression).replace("%q", '""')
    bare = re.sub(r"\b(by|without|on|ignoring|group_left)\s*\([^)]*\)", r"\1 ", bare)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    bare = re.sub(r"offset [0-9$_a-z]+", "", bare)
    for name, matchers in _SELECTOR.findall(bare):
        if name in WORDS or name.startswith("__"):
            continue
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))


def _exported() -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for metric in METRICS:
        parts = {Kind.HISTOGRAM: ("_bucket", "_sum", "_count"), Kind.SUMMARY: ("_sum", "_count")}.get(
            metric.kind, ("",)
        )
        for part in parts:
            found[metric.name + part] = {*metric.labels, "job", "instance"} | ({"le"} if part == "_bucket" else set())
    return found


def test_every_metric_and_label_of_every_query_and_rule_is_in_the_catalogue() -> None:
    exported = _exported()
    wrong = []
    for where, expression in _expressions():
        for name, labels in _names(expression):
            if name in OF_OTHERS:
                continue
            if name not in exported:
                wrong.append(f"{where}: {name}")
            elif not labels <= exported[name]:
                wrong.append(f"{where}: {name} {labels - exported[name]}")
    assert wrong == []


def test_every_label_that_a_query_groups_by_is_of_some_metric() -> None:
    known = {label for metric in METRICS for label in metric.labels} | {"le", "instance", "job"}
    for where, expression in _expressions():
        for labels in re.findall(r"\b(?:by|without|on|ignoring|group_left)\s*\(([^)]*)\)", expression):
            for label in filter(None, (part.strip() for part in labels.split(","))):
                assert label in known, f"{where}: {label}"


def test_a_name_that_the_catalogue_lacks_cannot_be_written() -> None:
    with pytest.raises(UnknownName):
        select("loket_no_such_total")
    with pytest.raises(UnknownName):
        select("loket_tickets_waiting", 'employee="e"')
    assert metric_of("loket_wait_seconds_bucket").name == "loket_wait_seconds"


def _shape(node: Any) -> Any:
    """A dashboard without what is said in a language."""
    if isinstance(node, dict):
        said = {"title", "description", "label", "text", "noValue", "legendFormat", "content", "tooltip", "name"}
        return {key: _shape(value) for key, value in node.items() if key not in said}
    if isinstance(node, list):
        return [_shape(value) for value in node]
    return re.sub(r"\b(name|loket-[a-z]+)([_-])(id|en)\b", r"\1\2LANGUAGE", node) if isinstance(node, str) else node


@pytest.mark.parametrize("slug", sorted(boards()))
def test_both_languages_have_the_same_panels_of_the_same_shape(slug: str) -> None:
    indonesian, english = (
        [
            (panel["type"], panel["gridPos"], [target.get("expr") for target in _shape(panel.get("targets", []))])
            for panel in panels(boards(language)[slug])
        ]
        for language in ("id", "en")
    )
    assert indonesian == english


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_panel_has_a_title_a_description_and_a_unit(language: str) -> None:
    for slug, board in boards(language).items():
        assert board["uid"] == f"loket-{slug}-{language}"
        assert board["refresh"] is not None
        for panel in panels(board):
            if panel["type"] == "text":
                assert len(panel["options"]["content"]) > 50
                continue
            assert panel["title"], slug
            assert len(panel["description"]) > 10, (slug, panel["title"])
            if panel["type"] in ("stat", "timeseries"):
                assert panel["fieldConfig"]["defaults"]["unit"], (slug, panel["title"])
            assert panel["fieldConfig"]["defaults"].get("noValue"), (slug, panel["title"])


def test_states_are_said_in_words_and_shapes_not_only_in_colours() -> None:
    for language in ("id", "en"):
        for board in boards(language).values():
            for panel in panels(board):
                for mapping in panel.get("fieldConfig", {}).get("defaults", {}).get("mappings", ()):
                    for result in mapping["options"].values():
                        assert result["text"][0] in "●◼▲✖○■◆", result
                        assert len(result["text"]) > 3


def test_links_lead_to_dashboards_that_exist() -> None:
    for language in ("id", "en"):
        known = {board["uid"] for board in boards(language).values()}
        for board in boards(language).values():
            for link in board.get("links", ()):
                assert link["url"].removeprefix("/d/") in known
        for alert in ALERTS:
            assert f"loket-{alert.board}-{language}" in known


def test_single_employees_are_in_a_folder_of_their_own_and_nowhere_else() -> None:
    assert {"employee"} == RESTRICTED
    for language in ("id", "en"):
        for slug, board in boards(language).items():
            for panel in panels(board):
                for target in panel.get("targets", ()):
                    assert ("employee=" in target.get("expr", "")) == (slug == "employee"), panel["title"]
                    shows_each = re.search(r"\{\{employee\}\}", target.get("legendFormat", ""))
                    assert shows_each is None or slug == "employee"


def test_the_variable_of_units_takes_any_name_that_grafana_shows_unescaped() -> None:
    """Grafana shows a series with its labels in order and nothing escaped."""
    for language in ("id", "en"):
        (variable,) = (v for v in boards(language)["unit"]["templating"]["list"] if v["name"] == "unit")
        pattern = variable["regex"].strip("/").replace("(?<", "(?P<")
        for name in ('Dinas "Dukcapil", unit="x" / é 漢 \\', "Kota", '",unit="y'):
            shown = f'{{name_{language}="{name}",unit="pkm/1:a.b-c"}} 1 1772416800000'
            found = re.search(pattern, shown)
            assert found is not None
            assert (found["text"], found["value"]) == (name, "pkm/1:a.b-c")


def test_every_alert_has_both_languages_and_a_heading_with_steps() -> None:
    document = runbook()
    for alert in ALERTS:
        assert f"\n## {alert.name}\n" in document
        assert alert.anchor == f"#{alert.name.lower()}"
        assert alert.steps
        for text in (alert.summary, alert.means, *alert.steps):
            assert text.id
            assert text.en


def test_amtool_finds_the_configuration_well_formed_for_any_unit(alertmanager_program: Path, tmp_path: Path) -> None:
    for name in ("loket.tmpl", "loket-links.tmpl"):
        (tmp_path / name).write_bytes((GENERATED / "alertmanager" / name).read_bytes())
    path = tmp_path / "alertmanager.yml"
    for units in ((), ("dukcapil", "pkm/1:a.b-c"), tuple(f"u{number}" for number in range(300))):
        path.write_text(configuration(units), encoding="utf-8")
        done = subprocess.run(["amtool", "check-config", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def _routed(path: Path, **labels: str) -> str:
    command = ["amtool", "config", "routes", "test", f"--config.file={path}"]
    done = subprocess.run(
        [*command, *(f"{key}={value}" for key, value in labels.items())], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_alerts_go_to_those_whom_they_concern(alertmanager_program: Path) -> None:
    path = GENERATED / "alertmanager" / "alertmanager.yml"
    assert _routed(path, alertname="LoketOverTarget", scope="service", unit="dukcapil") == "loket-unit-dukcapil"
    assert _routed(path, alertname="LoketOverTarget", scope="service", unit="elsewhere") == "loket-supervisors"
    assert _routed(path, alertname="LoketClockError", scope="devices", unit="dukcapil") == "loket-operators"
    assert _routed(path, alertname="LoketSinkDown", scope="pipeline") == "loket-operators"
    assert _routed(path, alertname="LoketWatchdog", scope="pipeline") == "loket-dead-mans-switch"
