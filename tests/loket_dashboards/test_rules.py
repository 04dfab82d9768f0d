"""promtool on the committed rules: they are well formed, and each alert has its not yet, now, resolved and silent."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from loket_dashboards.alerts.alert import Alert, Scope
from loket_dashboards.alerts.rules import ALERTS
from support import programs
from support.boards import GENERATED
from support.scenarios import SCENARIOS, Scenario, as_json, promtool_test

RUNBOOK = (GENERATED.parents[1] / "docs" / "runbook.md").read_text(encoding="utf-8")
DEPLOY = GENERATED.parents[1] / "deploy" / "prometheus"
RULES = sorted((GENERATED / "prometheus").glob("*.yml"))


def _promtool(promtool: Path, *arguments: str | Path) -> str:
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_promtool_finds_the_rules_well_formed(promtool: Path) -> None:
    assert len(RULES) == 2
    assert _promtool(promtool, "check", "rules", "--lint-fatal", *RULES) == ""


def test_each_alert_has_a_scenario() -> None:
    assert {scenario.alert for scenario in SCENARIOS} == {alert.name for alert in ALERTS}


ALWAYS_ON = {"LoketWatchdog"}
WHILE_CLOSED = {"LoketClosedWithWaiting"}
"""What it tells is that the unit has closed."""


def _whole(scenario: Scenario) -> bool:
    """Not yet, now, resolved."""
    firing = [bool(scenario.then[minute]) for minute in sorted(scenario.then)]
    return not firing[0] and any(firing) and not firing[-1]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_some_story_of_each_alert_tells_of_not_yet_now_resolved_and_of_halls_that_are_closed(alert: Alert) -> None:
    whole = [scenario for scenario in SCENARIOS if scenario.alert == alert.name and _whole(scenario)]
    assert whole or alert.name in ALWAYS_ON
    if alert.scope is Scope.SERVICE:
        # The same figures in a unit that is closed: any alert of it would be one too many.
        assert any(scenario.halls for scenario in whole)
        ends_with_the_hours = re.search(r"unless on \(unit\) \(.*loket_unit_(?:open|state)", alert.expression)
        assert ends_with_the_hours or alert.name in WHILE_CLOSED


NO_GAP = {
    "LoketPipelineAway": "no data is its condition",
    "LoketSinkDown": "no data is its condition",
    "LoketWorkerDown": "`up` is written at every scrape, whether it succeeds or not",
    "LoketRulesFail": "of ten minutes",
    "LoketNotificationsFail": "of ten minutes",
    "LoketWatchdog": "of no data",
}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_gap_in_the_data_resolves_no_alert(alert: Alert) -> None:
    assert bool(alert.keeps) != (alert.name in NO_GAP)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_what_an_alert_says_of_a_hall_is_of_people_and_leads_somewhere(alert: Alert) -> None:
    (rule,) = (
        rule
        for path in RULES
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if rule.get("alert") == alert.name
    )
    told = rule["annotations"]
    assert set(told) == {"summary_id", "summary_en", "dashboard_id", "dashboard_en", "runbook"}
    assert f"\n## {told['runbook'].removeprefix('#')}\n".casefold() in RUNBOOK.casefold()
    assert told["dashboard_id"].startswith("/d/loket-")
    if alert.scope is Scope.SERVICE:
        people = re.compile(r"people|somebody|requests", re.IGNORECASE)
        assert people.search(told["summary_en"]), told["summary_en"]
        assert re.search(r"orang|permohonan", told["summary_id"], re.IGNORECASE), told["summary_id"]
        assert "loket_unit_info" in told["summary_id"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: f"{scenario.alert} {scenario.about}".strip())
def test_an_alert_fires_when_it_should(promtool: Path, tmp_path: Path, scenario: Scenario) -> None:
    test = tmp_path / "test.yml"
    test.write_text(
        as_json(
            {
                "rule_files": [str(path) for path in RULES],
                "evaluation_interval": "1m",
                "tests": [promtool_test(scenario)],
            }
        ),
        encoding="utf-8",
    )
    assert _promtool(promtool, "test", "rules", test) == ""


@pytest.mark.long  # no package brings it: `make test`, which skips nothing where all is installed, does without
def test_prometheus_3_understands_rules_configuration_and_every_story(tmp_path: Path) -> None:
    """Where its promtool is installed as `promtool-3` (docs/dashboards.md): Debian has none."""
    try:
        promtool_3 = programs.promtool_3()
    except programs.Unavailable as missing:
        pytest.skip(str(missing))
    assert _promtool(promtool_3, "check", "rules", "--lint-fatal", *RULES) == ""
    (tmp_path / "prometheus.yml").write_bytes((DEPLOY / "prometheus.yml").read_bytes())
    (tmp_path / "rules").symlink_to(GENERATED / "prometheus")
    assert _promtool(promtool_3, "check", "config", tmp_path / "prometheus.yml") == ""
    told = {
        "rule_files": [str(path) for path in RULES],
        "evaluation_interval": "1m",
        "tests": [promtool_test(scenario) for scenario in SCENARIOS],
    }
    (tmp_path / "test.yml").write_text(as_json(told), encoding="utf-8")
    assert _promtool(promtool_3, "test", "rules", tmp_path / "test.yml") == ""
