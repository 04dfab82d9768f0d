"""Whatever ends a run, nothing of it is left: no process, no folder, no deed undone."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from loket.companions import CompanionFailed, Interrupted, Run, interruptible
from loket.companions.interruption import uninterrupted
from loket.companions.run import child_environment
from support.process import gone, wait_until

A_RUN = """
import subprocess, sys, time
from loket.companions import Run, interruptible

with interruptible(), Run("test") as run:
    child = subprocess.Popen(["sleep", "300"], start_new_session=True)
    run.watch(child.pid)
    run.stack.callback(child.wait)
    run.stack.callback(child.terminate)
    run.undo([sys.executable, "-c", "open(%r, 'w').write('undone')"])
    print(run.folder, child.pid, flush=True)
    time.sleep(300)
"""


def _started(tmp_path: Path) -> tuple[subprocess.Popen[str], Path, int]:
    process = subprocess.Popen(
        [sys.executable, "-c", A_RUN % str(tmp_path / "undone")],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    folder, child = process.stdout.readline().split()
    assert Path(folder).is_dir()
    assert not gone(int(child))
    return process, Path(folder), int(child)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_asked_to_end_leaves_nothing(how: signal.Signals, tmp_path: Path) -> None:
    process, folder, child = _started(tmp_path)
    os.kill(process.pid, how)
    assert process.wait(90) != 0
    process.communicate()
    assert not folder.exists()
    assert gone(child)


def test_a_run_that_is_killed_is_cleared_up_by_its_caretaker(tmp_path: Path) -> None:
    process, folder, child = _started(tmp_path)
    process.kill()
    process.wait(90)
    process.communicate()
    wait_until(lambda: not folder.exists(), 90, "the folder to go")
    assert gone(child)
    assert (tmp_path / "undone").read_text() == "undone"


def test_a_run_that_ends_well_leaves_nothing_and_undoes_nothing_twice(tmp_path: Path) -> None:
    with Run("test") as run:
        folder = run.folder
        run.undo([sys.executable, "-c", f"open({str(tmp_path / 'undone')!r}, 'w')"])
        told = run.start("version", ["--version"], child_environment({}))
        wait_until(told.finished, 90, "the version")
        assert "loket 0." in told.tail()
    assert not folder.exists()
    time.sleep(0.2)
    assert not (tmp_path / "undone").exists()


def test_a_process_that_fails_is_told_with_the_end_of_its_log() -> None:
    with Run("test") as run:
        failed = run.start("wrong", ["no-such-command"], child_environment({}))
        with pytest.raises(
            CompanionFailed, match=r"wrong ended with exit status 2; its log ends with:\n[\s\S]*no-such"
        ) as error:
            wait_until(failed.finished, 90, "the failure")
        assert error.value.exit_status == 3


def test_the_settings_of_our_environment_do_not_reach_a_companion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKET_TOPIC", "mine")
    assert "LOKET_TOPIC" not in child_environment({})
    assert child_environment({"LOKET_TOPIC": "theirs"})["LOKET_TOPIC"] == "theirs"


def test_a_signal_to_end_is_an_interruption_and_no_error_that_could_be_handled() -> None:
    with pytest.raises(Interrupted) as ended, interruptible():
        signal.raise_signal(signal.SIGTERM)
    assert not isinstance(ended.value, Exception)
    assert ended.value.exit_status == 143


def _two_steps(done: list[str]) -> None:
    with interruptible(), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        done.append("the second step")


def test_steps_that_belong_together_are_not_torn_apart() -> None:
    done: list[str] = []
    with pytest.raises(Interrupted):
        _two_steps(done)
    assert done == ["the second step"]


class _Destroyed:
    """Is signalled in its destructor, where Python drops every exception."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def _destroyed_then(rest_s: float) -> None:
    with interruptible():
        _Destroyed()
        time.sleep(rest_s)


def test_a_signal_in_a_destructor_ends_the_steps_after_it() -> None:
    with pytest.raises(Interrupted):
        _destroyed_then(60)


def test_a_signal_in_a_destructor_is_not_lost_where_a_thread_takes_long_to_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = threading.Thread.start

    def slow(thread: threading.Thread) -> None:
        start(thread)
        time.sleep(0.2)

    monkeypatch.setattr(threading.Thread, "start", slow)
    with pytest.raises(Interrupted):
        _destroyed_then(5)


def test_a_signal_in_the_last_destructor_is_an_interruption_too() -> None:
    with pytest.raises(Interrupted) as ended:
        _destroyed_then(0)
    assert ended.value.exit_status == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


STUCK = """
import threading, time
from loket.companions import interruptible

with interruptible(patience_s=0.5):
    try:
        print("here", flush=True)
        time.sleep(300)
    finally:
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()  # as where a library held it when the signal came
"""


def test_what_cannot_end_in_order_is_ended_at_once() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.terminate()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 143
    assert told == "ended by SIGTERM; it could not end in order within 0.5 s, and ended at once\n"


def _caught_by_a_library() -> None:
    with interruptible():
        for _ in range(2):
            with suppress(BaseException):  # as an event loop does with what its tasks raise
                signal.raise_signal(signal.SIGTERM)
        time.sleep(60)


def test_a_signal_that_a_library_catches_is_an_interruption_all_the_same() -> None:
    with pytest.raises(Interrupted):
        _caught_by_a_library()
