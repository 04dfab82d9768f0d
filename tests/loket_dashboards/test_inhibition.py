"""A real Alertmanager: what is held back while one unit is behind, and what is not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.alerting import Alertmanager, Recorder, write_configuration
from support.process import wait_until


@dataclass
class Told:
    """An Alertmanager and who hears of it."""

    alertmanager: Alertmanager
    recorder: Recorder

    def units(self, alert: str) -> set[str]:
        """The units of which an alert was told; '' where it is of none."""
        return {told["labels"].get("unit", "") for told in self.recorder.told(alert)}

    def until(self, alert: str, *units: str) -> None:
        """Wait until an alert was told of some units."""
        wait_until(lambda: self.units(alert) >= set(units), 90, f"{alert} of {units}", every_s=0.1)


@pytest.fixture
def told(alertmanager_program: Path, tmp_path: Path) -> Iterator[Told]:
    """An Alertmanager with the generated configuration."""
    with Recorder() as recorder:
        write_configuration(tmp_path, recorder)
        alertmanager = Alertmanager(tmp_path)
        try:
            alertmanager.start()
            yield Told(alertmanager, recorder)
        finally:
            alertmanager.kill()


def _alert(name: str, scope: str, unit: str = "", **more: str) -> dict[str, Any]:
    labels = {"alertname": name, "scope": scope, "severity": "warning", **more}
    if unit:
        labels["unit"] = unit
    return {"labels": labels, "annotations": {"summary_id": name, "summary_en": name}}


def test_while_one_unit_is_behind_its_own_alerts_are_held_back_and_no_others(told: Told) -> None:
    behind = _alert("LoketUnitBehind", "pipeline", "late")
    told.alertmanager.post([behind])
    told.until("LoketUnitBehind", "late")
    told.alertmanager.post(
        [
            behind,
            _alert("LoketOverTarget", "service", "late", service="s"),
            _alert("LoketOverTarget", "service", "other", service="s"),
            # Neither has a unit: a label that is missing on both sides would count as equal.
            _alert("LoketLabelBudgetReached", "devices", kind="units"),
            _alert("LoketSinkDown", "pipeline"),
        ]
    )
    told.until("LoketOverTarget", "other")
    told.until("LoketLabelBudgetReached", "")
    told.until("LoketSinkDown", "")
    assert told.units("LoketOverTarget") == {"other"}

    told.alertmanager.post([behind | {"endsAt": datetime.now(UTC).isoformat()}])
    told.until("LoketOverTarget", "late")


def test_while_nothing_is_known_of_any_unit_all_of_them_are_held_back(told: Told) -> None:
    away = _alert("LoketPipelineAway", "pipeline", blinds="all")
    told.alertmanager.post([away])
    told.until("LoketPipelineAway", "")
    told.alertmanager.post(
        [
            away,
            _alert("LoketOverTarget", "service", "u", service="s"),
            _alert("LoketCounterSilent", "devices", "u", counter="c"),
            _alert("LoketLabelBudgetReached", "devices", kind="units"),
            _alert("LoketSinkDown", "pipeline"),
        ]
    )
    told.until("LoketSinkDown", "")
    for alert in ("LoketOverTarget", "LoketCounterSilent", "LoketLabelBudgetReached"):
        assert told.units(alert) == set()
