"""Topics exist before the workers: created as they must be, checked, never changed."""

import socket
import uuid

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from loket.broker import (
    BrokerAway,
    BrokerError,
    Difference,
    TopicMissing,
    TopicSpec,
    apply_topics,
    changelog_topic,
    check_topics,
    events_topic,
    partition_count,
    topics_of,
)
from loket.broker.topics import _satisfies
from loket.embedded import EmbeddedBroker
from loket.settings import Connection, TopicsSettings
from support.kafka import KafkaBroker


@pytest.fixture
def specs() -> list[TopicSpec]:
    name = uuid.uuid4().hex[:8]
    return [events_topic(f"events-{name}", 3), changelog_topic(f"worker-{name}", 3)]


class AnyBroker:
    """What both brokers do."""

    @pytest.fixture
    def connection(self) -> Connection:
        raise NotImplementedError

    def test_missing_topics_are_told_then_created_once(self, connection: Connection, specs: list[TopicSpec]) -> None:
        assert [(found.topic, found.setting) for found in check_topics(connection, specs)] == [
            (spec.name, "") for spec in specs
        ]
        first = apply_topics(connection, specs)
        assert first.created == tuple(spec.name for spec in specs)
        assert first.differences == ()
        again = apply_topics(connection, specs)
        assert not again.created
        assert not again.differences
        assert check_topics(connection, specs) == []

    def test_another_number_of_partitions_is_told_and_nothing_is_created(
        self, connection: Connection, specs: list[TopicSpec]
    ) -> None:
        apply_topics(connection, specs[:1])
        more = [events_topic(specs[0].name, 4), specs[1]]
        done = apply_topics(connection, more)
        assert done.created == ()
        assert Difference(specs[0].name, "partitions", "4", "3") in done.differences
        assert partition_count(connection, specs[0].name) == 3
        with pytest.raises(TopicMissing) as caught:
            partition_count(connection, specs[1].name)
        assert caught.value.topic == specs[1].name
        assert "loket topics apply" in str(caught.value)


class TestEmbedded(AnyBroker):
    @pytest.fixture
    def connection(self, embedded: EmbeddedBroker) -> Connection:
        return embedded.connection


class TestKafka(AnyBroker):
    @pytest.fixture
    def connection(self, kafka: KafkaBroker) -> Connection:
        return Connection(bootstrap=kafka.bootstrap)

    def test_what_is_created_is_what_the_design_asks_for(self, connection: Connection, specs: list[TopicSpec]) -> None:
        apply_topics(connection, specs)
        admin = KafkaAdminClient(bootstrap_servers=connection.bootstrap)
        try:
            resources = [ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in specs]
            found = admin.describe_configs(resources, config_filter="all")["topic"]
        finally:
            admin.close()
        events, changelog = (found[spec.name] for spec in specs)
        assert events["message.timestamp.type"]["value"] == "LogAppendTime"
        assert events["cleanup.policy"]["value"] == "delete"
        assert int(events["retention.ms"]["value"]) >= 7 * 86_400_000
        assert changelog["cleanup.policy"]["value"] == "compact"
        assert changelog["segment.bytes"]["value"] == str(16 * 1024 * 1024)
        assert changelog["segment.ms"]["value"] == "10000"
        assert changelog["min.cleanable.dirty.ratio"]["value"] == "0.1"
        assert changelog["min.compaction.lag.ms"]["value"] == "30000"
        assert changelog["max.message.bytes"]["value"] == str(8 * 1024 * 1024)

    @pytest.mark.parametrize(
        ("setting", "value", "word"),
        [
            ("message_timestamp_type", "CreateTime", "skew is always 0"),
            ("cleanup_policy", "compact", "delete events"),
            ("retention_ms", "3600000", "outlive"),
            ("retention_bytes", "1000000", "before their days are over"),
            ("max_message_bytes", "1000", "refused"),
        ],
    )
    def test_a_setting_that_loses_events_or_their_time_is_told_with_why(
        self, kafka: KafkaBroker, connection: Connection, setting: str, value: str, word: str
    ) -> None:
        wanted = events_topic("", 1).configs
        given = {key.replace(".", "_"): text for key, text in wanted.items()} | {setting: value}
        topic = kafka.create_topic("", 1, **given)
        (difference,) = check_topics(connection, [events_topic(topic, 1)])
        assert difference == Difference(topic, setting.replace("_", "."), wanted[setting.replace("_", ".")], value)
        assert word in str(difference)
        assert f"--add-config {setting.replace('_', '.')}=" in str(difference)

    def test_more_generous_settings_are_no_difference(self, kafka: KafkaBroker, connection: Connection) -> None:
        topic = kafka.create_topic(
            "", 1, message_timestamp_type="LogAppendTime", retention_ms="-1", max_message_bytes="9000000"
        )
        assert check_topics(connection, [events_topic(topic, 1)]) == []

    def test_more_replicas_than_brokers_are_explained(self, connection: Connection) -> None:
        with pytest.raises(BrokerError, match="LOKET_REPLICATION_FACTOR"):
            apply_topics(connection, [events_topic(f"events-{uuid.uuid4().hex[:8]}", 1, replication_factor=3)])


@pytest.mark.parametrize("address", ["127.0.0.1:9", "no-such-host.invalid:9092", "[::1]:9,127.0.0.1:9"])
def test_nobody_at_the_address_is_told_with_the_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loket.broker.connection._KNOCKS", 2)
    monkeypatch.setattr("loket.broker.connection._KNOCK_S", 0.1)
    for ask in (check_topics, apply_topics):
        with pytest.raises(BrokerAway) as caught:
            ask(Connection(bootstrap=address), [events_topic("x", 1)])
        assert address in str(caught.value)
        assert "LOKET_BOOTSTRAP" in str(caught.value)


def test_a_port_where_something_else_listens_is_no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loket.broker.connection._BOOTSTRAP_MS", 500)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BrokerAway, match=str(port)):
            check_topics(Connection(bootstrap=f"127.0.0.1:{port}"), [events_topic("x", 1)])


def test_the_topics_of_an_installation_follow_its_settings() -> None:
    settings = TopicsSettings(topic="e", app_id="w", partitions=5, retention_days=30, checkpoint_interval_s=2)
    events, changelog = topics_of(settings)
    assert (events.name, changelog.name) == ("e", "w-units-changelog")
    assert events.partitions == changelog.partitions == 5
    assert events.configs["retention.ms"] == str(30 * 86_400_000)
    assert changelog.configs["min.compaction.lag.ms"] == "12000"


@pytest.mark.parametrize(
    ("rule", "found", "expected", "fine"),
    [
        ("is", "delete", "delete", True),
        ("is", "compact,delete", "delete", False),
        ("at least", "-1", "1000", True),
        ("at least", "1000", "-1", False),
        ("at least", "999", "1000", False),
        ("at most", "0.05", "0.1", True),
        ("at most", "-1", "0.1", False),
        ("at most", "unknown", "0.1", False),
    ],
)
def test_minus_one_is_without_a_limit(rule: str, found: str, expected: str, fine: bool) -> None:
    assert _satisfies(rule, found, expected) is fine  # type: ignore[arg-type]
