"""A worker on the embedded broker, as `loket demo` and `loket try` run it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loket.embedded import EmbeddedBroker
from support.streams import Stream, visits

pytestmark = pytest.mark.embedded

FEBRUARY_1999 = 919_840_000_000


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[Stream]:
    """A stream on an embedded broker of its own."""
    with EmbeddedBroker() as broker, Stream(broker.bootstrap, tmp_path, partitions=2).closing() as stream:
        stream.create_topics()
        yield stream


def test_a_past_log_is_read_to_its_end_and_recovered(stream: Stream) -> None:
    """Tansu names an end offset within its last batch: what lies behind it belongs to the end too."""
    sent = stream.send(visits(300, 20, time_ms=FEBRUARY_1999))
    worker = stream.worker("--until-end", LOKET_CLOCK="event")
    worker.start(ready=True)
    state = worker.state()
    assert state["events"]["applied"] == sent
    assert sum(partition["durable"] for partition in state["partitions"].values()) == sent
    assert state["foreign_writes"] == 0
    units = {unit: told for partition in state["partitions"].values() for unit, told in partition["units"].items()}
    assert sum(told["issued"] for told in units.values()) == 300
    worker.stop()
    worker.start(ready=True)
    again = worker.state()
    assert {
        unit: told for partition in again["partitions"].values() for unit, told in partition["units"].items()
    } == units
    assert again["events"]["applied"] == 0


def test_two_workers_share_it(stream: Stream) -> None:
    first, second = stream.worker(), stream.worker()
    first.start(ready=True)
    stream.send(visits(100, 20))
    second.start(ready=True)
    stream.send(visits(100, 20, first=100))
    units = stream.settled(first, second)
    assert sum(told["issued"] for told in units.values()) == 200
    first.stop()
    stream.send(visits(100, 20, first=200))
    units = stream.settled(second)
    assert sum(told["issued"] for told in units.values()) == 300
