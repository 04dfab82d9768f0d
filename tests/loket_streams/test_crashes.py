"""Whatever happens to workers, their units are in the end what the domain makes of the log, each event once."""

import threading
import time
from collections.abc import Callable

import pytest

from support.process import wait_until
from support.streams import Stream, visits

MakeStream = Callable[..., Stream]


def test_first_start_on_an_empty_broker(make_stream: MakeStream) -> None:
    stream = make_stream()
    worker = stream.worker()
    worker.start(ready=True)
    stream.send(visits(50, 7))
    units = stream.settled(worker)
    assert units == stream.expected()
    assert sum(unit["issued"] for unit in units.values()) == 50


@pytest.mark.parametrize("repeat", [0, pytest.param(1, marks=pytest.mark.long)])
def test_killed_under_load(make_stream: MakeStream, repeat: int) -> None:
    stream = make_stream()
    worker = stream.worker()
    sender = threading.Thread(target=stream.send, args=(visits(5_000, 60),), kwargs={"per_s": 2_500})
    worker.start()
    sender.start()
    for _ in range(2):
        time.sleep(2.2 + 0.7 * repeat)
        worker.kill()
        worker.start()
    sender.join()
    units = stream.settled(worker)
    assert units == stream.expected()
    assert sum(unit["issued"] for unit in units.values()) == 5_000


def test_workers_join_and_leave_under_load(make_stream: MakeStream) -> None:
    stream = make_stream()
    first, second = stream.worker(), stream.worker()
    sender = threading.Thread(target=stream.send, args=(visits(8_000, 60),), kwargs={"per_s": 1_600})
    first.start(ready=True)
    sender.start()
    second.start(ready=True)
    time.sleep(1.5)
    assert "committed" in second.stop()
    second.start(ready=True)
    time.sleep(1.5)
    second.kill()
    sender.join()
    units = stream.settled(first)
    assert units == stream.expected()
    assert sum(unit["issued"] for unit in units.values()) == 8_000


def paused_past_its_session(stream: Stream, *without: str) -> bool:
    """Pause a worker with changes that are not written until another has gone past them, let it write, kill both.

    Whether a worker that starts then has all events once.
    """
    arguments = [argument for cure in without for argument in ("--without", cure)]
    away = stream.worker(*arguments, LOKET_CHECKPOINT_INTERVAL_S="120")
    present = stream.worker(*arguments)
    away.start(ready=True)
    present.start(ready=True)
    sender = threading.Thread(target=stream.send, args=(visits(4_000, 60),), kwargs={"per_s": 2_000})
    sender.start()
    wait_until(lambda: any(told["dirty"] for told in away.state()["partitions"].values()), 20, "changes")
    assert away.state()["written"] == 0
    away.process.pause()
    sender.join()
    stream.send(visits(2_000, 60, first=4_000))
    stream.settled(present, timeout_s=60)
    time.sleep(2)  # the last checkpoint, and its commit
    away.process.resume()
    wait_until(lambda: away.state().get("written", 0) > 0, 20, "the old writer to write")
    present.kill()
    away.kill()
    after = stream.worker(*arguments)
    after.start()
    return stream.settled(after) == stream.expected()


@pytest.mark.parametrize("repeat", [0, pytest.param(1, marks=pytest.mark.long)])
def test_paused_past_its_session_and_back(make_stream: MakeStream, repeat: int) -> None:
    assert paused_past_its_session(make_stream())


def test_without_its_cures_an_old_writer_takes_events_away(make_stream: MakeStream) -> None:
    assert not paused_past_its_session(make_stream(), "highest-offset-wins", "foreign-write-check")
