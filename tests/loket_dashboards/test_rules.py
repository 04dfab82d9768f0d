"""promtool on the committed rules: they are well formed, and each alert has its not yet, now, resolved and silent."""

import subprocess
from pathlib import Path

import pytest

from loket_dashboards.alerts.rules import ALERTS
from support.boards import GENERATED
from support.scenarios import SCENARIOS, Scenario, as_json, promtool_test

RULES = sorted((GENERATED / "prometheus").glob("*.yml"))


def _promtool(promtool: Path, *arguments: str | Path) -> str:
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_promtool_finds_the_rules_well_formed(promtool: Path) -> None:
    assert len(RULES) == 2
    assert _promtool(promtool, "check", "rules", "--lint-fatal", *RULES) == ""


def test_each_alert_has_a_scenario() -> None:
    assert {scenario.alert for scenario in SCENARIOS} == {alert.name for alert in ALERTS}


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
