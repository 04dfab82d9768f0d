"""The topics that Loket needs: what they must be like, making them, and saying how those that exist differ."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from kafka import errors
from kafka.admin import ConfigResource, ConfigResourceType
from msgspec import Struct

from loket.broker.connection import BrokerError, admin_client
from loket.settings import Connection, TopicsSettings

__all__ = [
    "Applied",
    "Difference",
    "TopicMissing",
    "TopicSpec",
    "answers",
    "apply_topics",
    "changelog_topic",
    "check_topics",
    "events_topic",
    "partition_count",
    "topics_of",
]

_DAY_MS: Final = 24 * 3_600_000
_MIB: Final = 1024 * 1024

Rule = Literal["is", "at least", "at most"]

_RULES: Final[dict[str, Rule]] = {
    "retention.ms": "at least",
    "retention.bytes": "at least",
    "max.message.bytes": "at least",
    "min.compaction.lag.ms": "at least",
    "segment.bytes": "at most",
    "segment.ms": "at most",
    "min.cleanable.dirty.ratio": "at most",
}
"""What an operator may choose more generously; anything else has to be as it is here."""

_WHY: Final[dict[str, str]] = {
    "message.timestamp.type": "with CreateTime the broker's time is the producer's: skew is always 0, days close by "
    "devices' clocks, and retention deletes imports of the past",
    "cleanup.policy": "compaction would delete events, and a changelog without it grows for ever",
    "retention.ms": "events have to outlive a reader that is down for days",
    "retention.bytes": "a limit in bytes deletes events before their days are over",
    "max.message.bytes": "larger records would be refused, and be lost or stop their writer",
    "segment.bytes": "Kafka never compacts the segment in use, and what is not compacted makes a start slow",
    "segment.ms": "Kafka never compacts the segment in use, and what is not compacted makes a start slow",
    "min.cleanable.dirty.ratio": "what is not compacted makes a start slow",
    "min.compaction.lag.ms": "a worker that comes back late must still find what it wrote",
}


class TopicMissing(BrokerError):
    """A topic does not exist. `topic` is its name."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.topic = topic
        super().__init__(
            bootstrap, f"the topic {topic} does not exist at {bootstrap}: create it with `loket topics apply`"
        )


class TopicSpec(Struct, frozen=True, kw_only=True):
    """A topic as Loket needs it. Without a replication factor the cluster's own default is taken."""

    name: str
    partitions: int
    configs: Mapping[str, str]
    replication_factor: int | None = None


class Difference(Struct, frozen=True):
    """One way in which a topic is not what it must be; `setting` is empty where the topic is missing."""

    topic: str
    setting: str
    expected: str
    found: str

    def __str__(self) -> str:
        if not self.setting:
            return f"{self.topic} does not exist: create it with `loket topics apply`"
        if self.setting == "partitions":
            return (
                f"{self.topic} has {self.found} partitions, expected {self.expected}: it cannot be changed, as "
                "the key decides the partition in which a unit's events and state are. Set LOKET_PARTITIONS to "
                f"{self.found}, or choose another LOKET_TOPIC and LOKET_APP_ID"
            )
        rule = _RULES.get(self.setting, "is")
        expected = self.expected if rule == "is" else f"{rule} {self.expected}"
        change = f"kafka-configs.sh --alter --topic {self.topic} --add-config {self.setting}={self.expected}"
        return f"{self.topic} has {self.setting}={self.found}, expected {expected}: {_WHY[self.setting]}. Run {change}"


class Applied(Struct, frozen=True):
    """What `apply_topics` did: the topics that it created, and what still differs."""

    created: tuple[str, ...]
    differences: tuple[Difference, ...]


def events_topic(
    name: str, partitions: int, *, retention_days: float = 14, replication_factor: int | None = None
) -> TopicSpec:
    """The topic of the events: kept by time alone, and timed by the broker."""
    configs = {
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(int(retention_days * _DAY_MS)),
        "retention.bytes": "-1",
        "max.message.bytes": str(_MIB),
    }
    return TopicSpec(name=name, partitions=partitions, configs=configs, replication_factor=replication_factor)


def changelog_topic(
    app_id: str, partitions: int, *, checkpoint_interval_s: float = 5, replication_factor: int | None = None
) -> TopicSpec:
    """The topic of the units' states: compacted soon, as a start reads all of it, but not under a writer's hands."""
    configs = {
        "cleanup.policy": "compact",
        "segment.bytes": str(16 * _MIB),
        "segment.ms": "10000",
        "min.cleanable.dirty.ratio": "0.1",
        "min.compaction.lag.ms": str(int(6 * checkpoint_interval_s * 1000)),
        "max.message.bytes": str(8 * _MIB),
    }
    name = f"{app_id}-units-changelog"
    return TopicSpec(name=name, partitions=partitions, configs=configs, replication_factor=replication_factor)


def topics_of(settings: TopicsSettings) -> list[TopicSpec]:
    """The topics of one installation."""
    return [
        events_topic(
            settings.topic,
            settings.partitions,
            retention_days=settings.retention_days,
            replication_factor=settings.replication_factor,
        ),
        changelog_topic(
            settings.app_id,
            settings.partitions,
            checkpoint_interval_s=settings.checkpoint_interval_s,
            replication_factor=settings.replication_factor,
        ),
    ]


def apply_topics(connection: Connection, specs: Sequence[TopicSpec]) -> Applied:
    """Create the topics that are missing and check those that exist, which are never changed.

    Nothing is created while an existing one has another number of partitions, as all must have the same.
    """
    with admin_client(connection, "creating topics") as admin:
        before = list(_differences(admin, specs))
        missing = {difference.topic for difference in before if not difference.setting}
        if any(difference.setting == "partitions" for difference in before):
            return Applied((), tuple(before))
        created = tuple(spec.name for spec in specs if spec.name in missing and _create(admin, spec, connection))
        if missing:
            admin.wait_for_topics(sorted(missing))
        return Applied(created, tuple(_differences(admin, specs)))


def check_topics(connection: Connection, specs: Sequence[TopicSpec]) -> list[Difference]:
    """How the topics differ from what they must be; nothing is changed."""
    with admin_client(connection, "looking at topics") as admin:
        return list(_differences(admin, specs))


def answers(connection: Connection) -> str:
    """Ask Kafka who it is, and return the id of its cluster. Raises BrokerAway, or what else it answers."""
    with admin_client(connection, "asking for its cluster") as admin:
        return str(admin.describe_cluster()["cluster_id"])


def partition_count(connection: Connection, topic: str) -> int:
    """The number of partitions of a topic. Raises TopicMissing, never creates it."""
    with admin_client(connection, "looking at topics") as admin:
        count = _counts(admin, [topic]).get(topic)
    if count is None:
        raise TopicMissing(connection.bootstrap, topic)
    return count


def _create(admin: Any, spec: TopicSpec, connection: Connection) -> bool:
    """Create a topic; False where somebody else was faster."""
    wanted = {
        "num_partitions": spec.partitions,
        "replication_factor": spec.replication_factor or -1,
        "configs": dict(spec.configs),
    }
    try:
        admin.create_topics({spec.name: wanted})
    except errors.TopicAlreadyExistsError:
        return False
    except errors.InvalidReplicationFactorError as error:
        raise BrokerError(
            connection.bootstrap,
            f"{spec.name} cannot be created with {spec.replication_factor or 'the default number of'} replicas: the "
            "cluster has too few brokers; set LOKET_REPLICATION_FACTOR to at most their number",
        ) from error
    return True


def _counts(admin: Any, topics: Sequence[str]) -> dict[str, int]:
    found = {}
    for topic in admin.describe_topics(list(topics)):
        error = errors.for_code(topic["error_code"])
        if error is errors.NoError:
            found[topic["name"]] = len(topic["partitions"])
        elif error is not errors.UnknownTopicOrPartitionError:
            raise error(topic["name"])
    return found


def _differences(admin: Any, specs: Sequence[TopicSpec]) -> Iterator[Difference]:
    counts = _counts(admin, [spec.name for spec in specs])
    present = [spec for spec in specs if spec.name in counts]
    configs = _configs(admin, [spec.name for spec in present])
    for spec in specs:
        if spec.name not in counts:
            yield Difference(spec.name, "", "", "")
            continue
        if counts[spec.name] != spec.partitions:
            yield Difference(spec.name, "partitions", str(spec.partitions), str(counts[spec.name]))
        for setting, expected in spec.configs.items():
            found = configs[spec.name].get(setting, "unknown")
            if not _satisfies(_RULES.get(setting, "is"), found, expected):
                yield Difference(spec.name, setting, expected, found)


def _configs(admin: Any, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
    if not resources:
        return {}
    described = admin.describe_configs(resources, config_filter="all")["topic"]
    return {topic: {name: str(entry["value"]) for name, entry in found.items()} for topic, found in described.items()}


def _satisfies(rule: Rule, found: str, expected: str) -> bool:
    if rule == "is":
        return found == expected
    try:
        has, needs = (float("inf") if text == "-1" else float(text) for text in (found, expected))
    except ValueError:
        return False
    return has >= needs if rule == "at least" else has <= needs
