"""`loket demo` end to end: it moves, its two ends agree, it finds a port, and nothing is left of it."""

import json
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from loket.serving import Server, text
from support.trying import left_by, loket_process, run_loket

pytestmark = pytest.mark.embedded


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where the commands of a test put what is temporary."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_the_demo_moves_and_its_metrics_and_record_agree(scratch: Path) -> None:
    ended = run_loket("demo", "--seconds", "20", scratch=scratch)
    assert ended.status == 0, ended.err + ended.out
    assert "Metrics and record agree." in ended.out
    served = [sum(map(int, re.findall(r"served (\d+)", line))) for line in ended.out.splitlines() if "lag" in line]
    assert served[0] < served[-1]
    assert "Metrics: http://127.0.0.1:" in ended.out
    assert left_by(scratch) == []


@pytest.mark.long
def test_alerts_fire_and_resolve_where_prometheus_and_alertmanager_are(
    prometheus_program: Path, alertmanager_program: Path, scratch: Path
) -> None:
    with loket_process(["demo", "--monitoring"], scratch) as process:
        told = _until(process, "the token is")
        (page,) = (line.split()[-1] for line in told if line.startswith("In a browser:"))
        token = told[-1].split()[-1]
        told += _until(process, "▲ ALERT LoketOverTarget")
        while True:
            with urllib.request.urlopen(f"{page}api/unit?unit=dukcapil", timeout=60) as answer:
                alerts = json.load(answer)["alerts"]["shown"]
            if alerts:
                break
            time.sleep(0.5)
        taken = urllib.request.Request(
            f"{page}api/alerts/{alerts[0]['id']}/acknowledgement",
            data=json.dumps({"unit": "dukcapil", "by": "Ani", "note": ""}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(taken, timeout=60) as answer:
            assert answer.status == 201
        _until(process, "Ani takes care of it")
        _until(process, "● RESOLVED after")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert left_by(scratch) == []


def test_without_the_programs_it_says_what_is_missing_and_starts_nothing(scratch: Path) -> None:
    ended = run_loket("demo", "--monitoring", scratch=scratch, environment={"PATH": str(scratch)})
    assert ended.status == 2
    assert ended.out == ""
    assert "prometheus and alertmanager are not on this machine's PATH" in ended.err
    assert "apt install" in ended.err
    assert left_by(scratch) == []


def _until(process: subprocess.Popen[str], pattern: str) -> list[str]:
    """What a process says, up to the line that is waited for."""
    assert process.stdout is not None
    told: list[str] = []
    while not told or not re.search(pattern, told[-1]):
        line = process.stdout.readline()
        assert line, told
        told.append(line)
    return told


def test_a_port_in_use_is_named_and_another_one_taken_and_status_reads_it(scratch: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 9101))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        with loket_process(["demo"], scratch) as process:
            told = _until(process, "loket status")
            assert any("Port 9101 is in use" in line for line in told), told
            url = re.findall(r"--url (\S+)", told[-1])[0]
            assert not url.endswith(":9101")
            _until(process, r"served [1-9]")
            status = run_loket("status", "--url", url, "--employees", scratch=scratch)
            assert status.status == 0, status.err
            for expected in ("Civil registry", "waiting", "pgw-101", "lag"):
                assert expected in status.out
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "nothing is left behind" in out
    assert left_by(scratch) == []


def test_status_says_clearly_that_it_is_not_a_worker_that_answers(scratch: Path) -> None:
    page = Server("127.0.0.1", 0, {"/metrics": lambda: text(200, "another_metric 1\n")}, setting="none")
    page.start()
    try:
        status = run_loket("status", "--url", page.url, scratch=scratch)
    finally:
        page.stop()
    assert status.status == 1
    assert "name the address of a worker" in status.err


def test_status_says_clearly_that_nobody_answers(scratch: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        status = run_loket("status", "--url", f"http://127.0.0.1:{closed.getsockname()[1]}", scratch=scratch)
    assert status.status == 1
    assert "start the worker" in status.err
