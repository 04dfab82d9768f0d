"""Before a worker joins its group: the broker answers, and the topics are what they must be.

A worker never creates a topic: one that did at its first start on a fresh broker consumed nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from loket.broker import BrokerAway, Difference, changelog_topic, check_topics, events_topic, partition_count
from loket.clock import Clock
from loket.settings import WorkerSettings
from loket_streams.errors import StreamError

__all__ = ["TopicsError", "prepare"]

logger = logging.getLogger("loket.streams")

RETRY_S: Final = 2.0

SHORTEST_RETENTION_DAYS: Final = 7.0
"""Of the events, as the contract says."""

DECISIVE: Final = frozenset({"", "partitions", "cleanup.policy", "message.timestamp.type", "max.message.bytes"})
"""What of a topic makes figures wrong or the worker fail; "" is a missing topic. The rest costs time or space."""


class TopicsError(StreamError):
    """The topics are not what the worker needs; `differences` says how, each with what to do."""

    def __init__(self, differences: list[Difference]) -> None:
        self.differences = differences
        super().__init__("\n".join(str(difference) for difference in differences))


def prepare(settings: WorkerSettings, clock: Clock, wait: Callable[[float], None], *, patience_s: float) -> int:
    """Return the number of partitions of the events, once broker and topics are found right.

    While no broker answers it says so and tries again, and raises BrokerAway after `patience_s`. Raises TopicMissing or
    TopicsError at once, as only a person can mend those.
    """
    logger.info("looking for Kafka at %s", settings.bootstrap)
    deadline = clock.monotonic() + patience_s
    while True:
        try:
            return _check(settings)
        except BrokerAway as away:
            left = deadline - clock.monotonic()
            if left <= 0:
                raise
            logger.warning("%s; trying again for %.0f s", away, left)
            wait(min(RETRY_S, left))


def _check(settings: WorkerSettings) -> int:
    partitions = partition_count(settings.connection, settings.topic)
    wanted = [
        events_topic(settings.topic, partitions, retention_days=SHORTEST_RETENTION_DAYS),
        changelog_topic(settings.app_id, partitions, checkpoint_interval_s=settings.checkpoint_interval_s),
    ]
    differences = check_topics(settings.connection, wanted)
    if decisive := [difference for difference in differences if difference.setting in DECISIVE]:
        raise TopicsError(decisive)
    for difference in differences:
        logger.warning("%s", difference)
    return partitions
