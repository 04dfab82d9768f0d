"""Where `loket status` looks, and how `loket try` ends when nobody reads on."""

import os
import sys
from pathlib import Path

import pytest

from loket import cli
from loket.wire.figures import Agreement, TryReport
from support.process import free_port


def status_of(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]")]
)
def test_status_looks_where_the_settings_say_that_the_worker_serves(
    host: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    monkeypatch.setenv("LOKET_WORKER_METRICS_HOST", host)
    monkeypatch.setenv("LOKET_WORKER_METRICS_PORT", str(port))
    assert status_of(["status"]) == 1
    assert capsys.readouterr().err.startswith(f"http://{shown}:{port}/metrics: no metrics there")


def test_status_refuses_a_setting_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOKET_WORKER_METRICS_PORT", "http")
    assert status_of(["status"]) == 2
    assert "LOKET_WORKER_METRICS_PORT=http is not valid" in capsys.readouterr().err


@pytest.mark.parametrize("how", [[], ["--json"]])
@pytest.mark.parametrize("agrees", [True, False])
def test_a_reader_that_has_seen_enough_changes_no_verdict(
    how: list[str], agrees: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = TryReport(
        now="2026-01-05T02:00:00.000Z", units=[], employees=[], rejected=[], unknown_units=[], duplicates=0,
        contradictions=0, late=0, foreign=0, not_yet=0, skewed=0, agreement=Agreement(agrees, []),
    )  # fmt: skip
    monkeypatch.setattr("loket.tryout.run_try", lambda asked, clock, progress: report)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert status_of(["try", str(tmp_path / "log.jsonl"), *how]) == (0 if agrees else 1)
