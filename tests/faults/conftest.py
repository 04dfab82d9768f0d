"""A stream with its record for each test that wants to hurt one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.kafka import KafkaBroker
from support.streams import Stream
from support.whole import Whole

MakeWhole = Callable[..., Whole]


@pytest.fixture
def make_whole(tmp_path: Path) -> Iterator[MakeWhole]:
    """Make a stream with topics and a record (in SQLite where no other is named) of its own on a broker."""
    with ExitStack() as stack:

        def make(
            broker: KafkaBroker,
            *,
            database: str = "",
            partitions: int = 4,
            session_s: float = 4,
            event_clock: bool = False,
        ) -> Whole:
            stream = stack.enter_context(
                Stream(broker.bootstrap, tmp_path, partitions=partitions, session_s=session_s).closing()
            )
            stream.create_topics()
            url = database or f"sqlite:///{tmp_path / f'{stream.app_id}.db'}"
            return stack.enter_context(Whole(stream, url, tmp_path, event_clock=event_clock).closing())

        yield make
