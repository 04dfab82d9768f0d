"""Takes back what a run made on a broker that goes on: its topics and its groups."""

from collections.abc import Sequence
from time import sleep
from typing import Final

from kafka import TopicPartition, errors
from kafka.admin import OffsetSpec

from loket.broker.connection import BrokerError, admin_client
from loket.settings import Connection

__all__ = ["end_offsets", "remove_groups", "remove_topics"]

_TRIES: Final = 80
_PAUSE_S: Final = 0.5
"""Together longer than a session of a run's members, after which the broker knows that one that was killed is gone."""

_GONE: Final = ("OK", errors.GroupIdNotFoundError.__name__)
"""What kafka-python answers, as text, for a group that is no more."""


def remove_topics(connection: Connection, topics: Sequence[str]) -> None:
    """Delete topics with everything in them; one that does not exist is as good as deleted."""
    with admin_client(connection, "deleting topics") as admin:
        existing = set(admin.list_topics())
        doomed = [topic for topic in topics if topic in existing]
        if doomed:
            for found in admin.delete_topics(doomed, raise_errors=False)["topics"]:
                error = errors.for_code(found["error_code"])
                if error not in (errors.NoError, errors.UnknownTopicOrPartitionError):
                    raise error(found["name"])


def remove_groups(connection: Connection, groups: Sequence[str]) -> None:
    """Delete consumer groups with their offsets, once their members are gone; the broker notices that a little late.

    One that does not exist is as good as deleted. Raises BrokerError for those that keep members.
    """
    with admin_client(connection, "deleting groups") as admin:
        left = list(groups)
        results: dict[str, str] = {}
        for _ in range(_TRIES):
            results = admin.delete_groups(left)
            left = [group for group in left if results.get(group) not in _GONE]
            if not left:
                return
            sleep(_PAUSE_S)
    reasons = ", ".join(sorted({str(results.get(group)) for group in left}))
    raise BrokerError(
        connection.bootstrap,
        f"{' and '.join(left)} at {connection.bootstrap} could not be deleted ({reasons}): end their members, and "
        "delete them with kafka-consumer-groups.sh --delete --group …",
    )


def end_offsets(connection: Connection, topic: str, partitions: int) -> dict[int, int]:
    """The offset after the last record of each partition that has any, as Kafka tells it now."""
    asked = {TopicPartition(topic, number): OffsetSpec.LATEST for number in range(partitions)}
    with admin_client(connection, "asking for end offsets") as admin:
        found = admin.list_partition_offsets(asked)
    return {partition.partition: entry.offset for partition, entry in found.items() if entry.offset > 0}
