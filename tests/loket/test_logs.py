"""What worker and sink say on standard error."""

import logging
from collections.abc import Iterator

import pytest

from loket.logs import LIBRARIES, Rarely, set_up_logs


def test_a_library_that_repeats_itself_is_heard_once_in_30_s() -> None:
    rarely = Rarely()

    def heard(name: str, seconds: float, message: str = "Unable to connect %s") -> bool:
        record = logging.LogRecord(name, logging.ERROR, "", 0, message, ("x",), None)
        record.created = seconds
        return rarely.filter(record)

    assert [heard("aiokafka.conn", second) for second in (0, 1, 29, 30, 31)] == [True, False, False, True, False]
    assert heard("aiokafka.conn", 31, "another")
    assert heard("loket.streams", 31)
    assert heard("loket.streams", 31)


@pytest.fixture
def levels_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(), *map(logging.getLogger, LIBRARIES)]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.mark.usefixtures("levels_as_before")
def test_kafka_python_is_heard_with_verbose_only() -> None:
    client, ours = logging.getLogger("kafka.net.transport"), logging.getLogger("loket.sink")
    set_up_logs(verbose=False)
    assert not client.isEnabledFor(logging.ERROR)
    assert ours.isEnabledFor(logging.INFO)
    set_up_logs(verbose=True)
    assert client.isEnabledFor(logging.INFO)
