"""`loket demo` end to end: it moves, its two ends agree, it finds a port, and nothing is left of it."""

import re
import signal
import socket
import subprocess
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
