"""`loket targets`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loket import cli
from loket.targets.presets import PRESETS, preset_text
from loket.targets.schema import schema_text


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["targets", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "targets.yaml"
    path.write_text(preset_text("civil-registry"))
    return path


def test_check_says_what_is_in_a_right_file(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "check", str(written)) == (0, f"{written} is right: 1 units, 7 services\n", "")


def test_check_tells_every_fault_with_its_line_and_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "targets.yaml"
    path.write_text("units:\n  u:\n    zone: WIB\n    hours: 16:00-08:00\n")
    status, _, errors = run(capsys, "check", str(path))
    assert status == 2
    assert f"{path}, line 3, column 11: units.u.zone: `WIB` is not a zone" in errors
    assert f"{path}, line 4, column 12: units.u.hours: `16:00-08:00` ends before it begins" in errors


def test_show_has_hours_holidays_and_targets_of_a_day(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "show", str(written), "disdukcapil", "--day", "2026-08-14")
    assert status == 0
    assert "fri 2026-08-14  07:30-16:30, break 11:30-13:00\n" in out
    assert "mon 2026-08-17  closed  (holiday)\n" in out
    assert "ktp-el 95 % completed within 24h of the acceptance, from 2026-01-01\n" in out
    assert run(capsys, "show", str(written), "nobody")[0] == 2
    assert run(capsys, "show", str(written), "--day", "tomorrow")[0] == 2


def test_diff_shows_what_changes_and_whether_a_running_process_takes_it(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(preset_text("civil-registry").replace("within: 24h", "within: 12h", 1))
    status, out, errors = run(capsys, "diff", str(written), str(new))
    assert status == 1
    assert "- kartu-keluarga 95 % completed within 24h of the acceptance, from 2026-01-01\n" in out
    assert "+ kartu-keluarga 95 % completed within 12h of the acceptance, from 2026-01-01\n" in out
    assert "by which people were judged" in errors.replace("\n", " ")
    assert run(capsys, "diff", str(written), str(written)) == (0, "nothing changes\n", "")


@pytest.mark.parametrize("name", PRESETS)
def test_init_prints_a_preset_or_writes_it_once(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "init", name) == (0, preset_text(name), "")
    path = tmp_path / "targets.yaml"
    assert run(capsys, "init", name, "--file", str(path))[0] == 0
    assert path.read_text() == preset_text(name)
    path.write_text("mine")
    status, _, errors = run(capsys, "init", name, "--file", str(path))
    assert (status, path.read_text()) == (2, "mine")
    assert "is there already" in errors


def test_init_without_a_name_lists_the_presets(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "init")
    assert status == 0
    assert all(name in out for name in PRESETS)
    assert run(capsys, "init", "bank")[0] == 2


def test_schema_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "schema")
    assert (status, out) == (0, schema_text())
    assert json.loads(out)["title"] == "targets.yaml"
