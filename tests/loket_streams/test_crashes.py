"""Whatever happens to workers, their units are in the end what the domain makes of the log, each event once."""

import threading
import time
from collections.abc import Callable

import pytest

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


@pytest.mark.parametrize("repeat", range(2))
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
