"""A stream of its own for each test that wants one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.kafka import KafkaBroker
from support.streams import Stream


@pytest.fixture
def make_stream(kafka: KafkaBroker, tmp_path: Path) -> Iterator[Callable[..., Stream]]:
    """Make a stream with topics of its own on the shared broker; its workers end with the test."""
    with ExitStack() as stack:

        def make(*, topics: bool = True, partitions: int = 4, session_s: float = 6) -> Stream:
            stream = stack.enter_context(
                Stream(kafka.bootstrap, tmp_path, partitions=partitions, session_s=session_s).closing()
            )
            if topics:
                stream.create_topics()
            return stream

        yield make
