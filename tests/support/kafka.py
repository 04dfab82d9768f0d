"""A real Apache Kafka 4: one broker in KRaft mode with its own ports and data, made for being hurt.

Topics are not created by themselves, records keep their producer's time unless the topic says otherwise, and a group's
first rebalance waits for nobody.
"""

import base64
import shutil
import signal
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from support import programs
from support.process import Process, ServerFailed, free_port, wait_until

__all__ = ["KafkaBroker"]

HERE = Path(__file__).parent / "kafka_home"

# Quick to start and small: what the tests need is right, not fast.
JVM = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
)


class KafkaBroker:
    """A broker in `folder`; port and data stay the same over stop, kill and start."""

    def __init__(self, folder: Path, properties: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self._controller_port = free_port()
        self._properties = dict(properties or {})
        self.process = Process("Apache Kafka", folder / "log")

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it (for the first time, or again on the same port and data) and return when it serves."""
        configuration = self.folder / "server.properties"
        if not configuration.exists():
            settings = self._settings() | self._properties
            configuration.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
            self._format()
        self.process.run(
            [*self._java(), "kafka.Kafka", configuration],
            ready=lambda: "Kafka Server started" in self.process.output(),
        )

    def stop(self) -> None:
        """Shut it down in order."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL: what it had not written is lost, as in a crash."""
        self.process.kill()

    def restart(self) -> None:
        """Stop it in order if it runs, and start it again."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay, nothing answers."""
        self.process.pause()

    def resume(self) -> None:
        """SIGCONT."""
        self.process.resume()

    def create_topic(self, name: str = "", partitions: int = 1, **configuration: str | int) -> str:
        """Create a topic and return its name, by default a new one; `max_message_bytes` is `max.message.bytes`."""
        from kafka.admin import KafkaAdminClient, NewTopic  # slow, and most tests never come here

        name = name or f"topic-{uuid.uuid4().hex[:12]}"
        configs = {key.replace("_", "."): str(value) for key, value in configuration.items()}
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
        finally:
            admin.close()
        return name

    def configure(self, topic: str, configs: Mapping[str, str | int | float]) -> None:
        """Change the configuration of a topic."""
        from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

        told = {name: str(value) for name, value in configs.items()}
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=told)])
        finally:
            admin.close()

    def contents(self) -> set[str]:
        """The names of all topics but Kafka's own, and of all groups, now."""
        from kafka.admin import KafkaAdminClient
        from kafka.errors import CoordinatorLoadInProgressError

        groups: list[str] = []

        def listed() -> bool:
            # The first group makes Kafka load its topic of groups, during which it lists none.
            try:
                groups[:] = (group["group_id"] for group in admin.list_groups())
            except CoordinatorLoadInProgressError:
                return False
            return True

        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            topics = {f"topic {name}" for name in admin.list_topics() if not name.startswith("__")}
            wait_until(listed, 120, "Kafka to know its groups", every_s=0.1)
            return topics | {f"group {group}" for group in groups}
        finally:
            admin.close()

    def _java(self) -> list[str]:
        return [str(programs.java()), *JVM, "-cp", f"{programs.kafka_libraries()}/*"]

    def _settings(self) -> dict[str, str]:
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.folder / "data"),
            "num.partitions": "1",
            "auto.create.topics.enable": "false",
            # After a kill the broker may register again only when its old session is over: 9 s by default.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            "offsets.topic.num.partitions": "1",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "log.cleaner.dedupe.buffer.size": "4194304",
            "log.cleaner.backoff.ms": "500",
            "log.index.size.max.bytes": "1048576",
            "num.network.threads": "2",
            "num.io.threads": "4",
            "controlled.shutdown.max.retries": "1",
        }

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = ["kafka.tools.StorageTool", "format", f"--config={self.folder / 'server.properties'}"]
        done = subprocess.run(
            [*self._java(), *command, f"--cluster-id={cluster}"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerFailed(f"Kafka's storage could not be formatted\n{done.stdout}{done.stderr}")

    def remove(self) -> None:
        """End it and delete what it kept."""
        self.process.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
