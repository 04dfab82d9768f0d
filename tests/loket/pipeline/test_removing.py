"""What a run made on a broker that goes on is removed from it, by the run or after it was killed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from loket.broker import BrokerError
from loket.broker.removal import remove_groups
from loket.pipeline.places import Places
from loket.pipeline.removing import Leftovers
from loket.settings import Connection
from support.kafka import KafkaBroker


@pytest.fixture
def admin(kafka: KafkaBroker) -> Iterator[Any]:
    """A client that looks at what is there."""
    client = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    yield client
    client.close()


@pytest.fixture
def leftovers(kafka: KafkaBroker) -> Leftovers:
    """Two topics, one of which does not exist, and a group with an offset."""
    name = Places.unique("test")
    kafka.create_topic(f"{name}-events")
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=f"{name}-group")
    partition = TopicPartition(f"{name}-events", 0)
    consumer.assign([partition])
    consumer.commit({partition: OffsetAndMetadata(0, "", -1)})
    consumer.close()
    connection = Connection(bootstrap=kafka.bootstrap)
    return Leftovers(connection, [f"{name}-events", f"{name}-never-made"], [f"{name}-group", f"{name}-no-group"])


def _left(admin: Any, leftovers: Leftovers) -> list[str]:
    groups = {group["group_id"] for group in admin.list_groups()}
    return [*(set(admin.list_topics()) & {*leftovers.topics}), *(groups & {*leftovers.groups})]


def test_topics_and_groups_are_removed(leftovers: Leftovers, admin: Any) -> None:
    assert len(_left(admin, leftovers)) == 2
    leftovers.remove()
    assert _left(admin, leftovers) == []
    leftovers.remove()


def test_a_group_that_keeps_members_is_named(
    kafka: KafkaBroker, leftovers: Leftovers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loket.broker.removal._TRIES", 2)
    member = KafkaConsumer(leftovers.topics[0], bootstrap_servers=kafka.bootstrap, group_id=leftovers.groups[0])
    member.poll(timeout_ms=5_000)
    try:
        with pytest.raises(BrokerError, match=f"{leftovers.groups[0]}.*NonEmptyGroupError"):
            remove_groups(leftovers.connection, leftovers.groups)
    finally:
        member.close()
    leftovers.remove()


def test_the_caretakers_command_removes_them(leftovers: Leftovers, admin: Any, tmp_path: Path) -> None:
    file = tmp_path / "leftovers.json"
    command = leftovers.write(file)
    assert file.stat().st_mode & 0o077 == 0
    subprocess.run(command, check=True, timeout=120)
    assert _left(admin, leftovers) == []
