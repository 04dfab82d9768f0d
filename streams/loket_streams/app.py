"""The composition root of the stream: `build_app` puts Faust, the transport, the units and the checkpoints together.

Faust carries: the group, assignments, recovery, one agent of a few lines. What a record does to a unit is the domain's,
what is durable is the checkpoints', and where the two meet Faust is `LoketApp`. Nothing happens on import, and nothing
here reads the time or the environment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import faust
from faust.types import TP
from yarl import URL

from loket.settings import Connection
from loket_streams.changelog import MAX_RECORD_BYTES
from loket_streams.checkpoints import Batch, Checkpointer
from loket_streams.fetching import RecordBatch
from loket_streams.partitions import Partitions
from loket_streams.security import credentials

__all__ = ["Broker", "LoketApp", "build_app"]

logger = logging.getLogger("loket.streams")

RECORDS_AT_A_TIME: Final = 4_000
"""Applied before the event loop gets its turn: some 40 ms."""

TABLE: Final = "units"


@dataclass(frozen=True, slots=True)
class Broker:
    """How this worker speaks with the brokers. Times in seconds; see the settings of the same names."""

    connection: Connection
    session_timeout_s: float = 45.0
    heartbeat_interval_s: float = 3.0
    rebalance_timeout_s: float = 60.0
    request_timeout_s: float = 90.0
    fetch_min_bytes: int = 64 * 1024
    fetch_max_wait_ms: int = 50
    member_id: str | None = None
    """Static membership: a worker that comes back under this name within the session timeout keeps its partitions."""


class Raw(faust.Schema):
    """Faust decodes nothing: an undecodable message inside its streams would end an agent without a word."""

    def compile(self, app: Any, **_options: Any) -> Callable[..., Awaitable[Any]]:
        """Return what makes an event of a message."""
        create_event = app.create_event

        async def decode(message: Any, **_options: Any) -> Any:
            return create_event(message.key, message.value, message.headers, message)

        return decode


class LoketApp(faust.App):
    """Faust's app, with what the transport and the store need to know."""

    def __init__(self, id: str, *, source: str, partitions: Partitions, broker: Broker) -> None:
        self.source_topic = source
        self.changelog_topic = f"{id}-{TABLE}-changelog"
        self.partitions = partitions
        self.positions = partitions
        self.fetch_min_bytes = broker.fetch_min_bytes
        self.fetch_max_wait_ms = broker.fetch_max_wait_ms
        self.failure: asyncio.Future[Exception] | None = None
        super().__init__(
            id,
            broker=[URL(f"loket://{address.strip()}") for address in broker.connection.bootstrap.split(",")],
            broker_credentials=credentials(broker.connection),
            store=URL("units://local"),
            autodiscover=False,
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=0,
            cython_optimizations=True,
            stream_recovery_delay=0.0,
            consumer_auto_offset_reset="earliest",
            consumer_group_instance_id=broker.member_id,
            broker_commit_interval=1.0,
            broker_max_poll_records=RECORDS_AT_A_TIME,
            broker_session_timeout=broker.session_timeout_s,
            broker_heartbeat_interval=broker.heartbeat_interval_s,
            broker_rebalance_timeout=broker.rebalance_timeout_s,
            broker_request_timeout=max(broker.request_timeout_s, broker.session_timeout_s),
            producer_acks=-1,
            producer_linger=0.0,
            producer_max_batch_size=MAX_RECORD_BYTES,
            producer_max_request_size=MAX_RECORD_BYTES,
            producer_request_timeout=30.0,
        )

    def end_offset(self, partition: int) -> int | None:
        """Return the end offset of a partition of the source that its last fetch named, or None before the first."""
        end: int | None = None
        if self._consumer is not None:
            end = self.consumer.end_offset(TP(self.source_topic, partition))
        return end

    def answered_ms(self) -> int | None:
        """Return when (wall time) the broker last answered a fetch, or None before the first answer."""
        answered: int | None = None if self._consumer is None else self.consumer.answered_ms()
        return answered

    def _create_directories(self) -> None:
        """Make none: nothing of this worker is kept on disk."""

    async def guard_recovery(self) -> None:
        """Let nothing be fetched while recovery ends: it would be thrown away (faust-streaming 596).

        Recovery resumes what is held here.
        """
        self.hold()
        await asyncio.sleep(0)

    def fail(self, error: Exception) -> None:
        """End the process with this error: nothing is applied or acknowledged from here on."""
        self.hold()
        if self.failure is not None and not self.failure.done():
            self.failure.set_result(error)

    def hold(self) -> None:
        """Have nothing more fetched or applied."""
        if self._consumer is not None:
            self._consumer.stop_flow()
        self.flow_control.suspend()


class KafkaChangelog:
    """The changelog in Kafka, by the producer that Faust starts. Not touched before the app has started: Faust would
    then bind it to no loop and hang."""

    def __init__(self, app: LoketApp) -> None:
        self._app = app

    def create_batch(self) -> Batch:
        batch: Batch = self._app.producer._ensure_producer().create_batch()
        return batch

    async def send_batch(self, batch: Any, partition: int) -> Awaitable[Any]:
        producer = self._app.producer._ensure_producer()
        sent: Awaitable[Any] = await producer.send_batch(batch, self._app.changelog_topic, partition=partition)
        return sent

    async def ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        if not partitions:
            return {}
        ends = await self._app.consumer.highwaters(*[TP(self._app.changelog_topic, number) for number in partitions])
        return {tp.partition: end for tp, end in ends.items()}

    async def knows(self, member: tuple[str, int] | None) -> bool:
        known: bool = await self._app.consumer.knows(member)
        return known


def build_app(
    app_id: str,
    *,
    source: str,
    partitions: Partitions,
    process: Callable[[RecordBatch], None],
    broker: Broker,
    checkpointer: Callable[[KafkaChangelog], Checkpointer],
) -> tuple[LoketApp, Checkpointer]:
    """Return the app that has each record batch of `source` processed, and the checkpoints that it makes.

    `process` runs without a pause of the event loop; whatever it raises ends the process before anything is committed.
    """
    app = LoketApp(app_id, source=source, partitions=partitions, broker=broker)
    checkpoints = checkpointer(KafkaChangelog(app))
    events = app.topic(source, schema=Raw(), allow_empty=True)
    # The table serves recovery alone. More than one fetch in its buffer, as Faust treats one as a case of its own.
    app.Table(
        TABLE,
        partitions=1,
        recovery_buffer_size=2,
        changelog_topic=app.topic(app.changelog_topic, schema=Raw(), acks=False, internal=True, allow_empty=True),
    )

    @app.agent(events, name="loket.aggregate", concurrency=1)
    async def aggregate(batches: Any) -> None:
        async for batch in batches:
            try:
                process(batch)
            except Exception as error:
                app.fail(error)
                raise

    @app.on_rebalance_complete.connect(weak=False)
    async def end_recovery(_app: Any, **_: Any) -> None:
        await app.guard_recovery()

    @app.on_partitions_revoked.connect(weak=False)
    async def hand_over(_app: Any, _revoked: Any, **_: Any) -> None:
        if not any(partition.loaded for partition in partitions):
            return
        try:
            await checkpoints.checkpoint(min(10.0, broker.rebalance_timeout_s / 2))
            await asyncio.wait_for(app.consumer.commit(), min(5.0, broker.rebalance_timeout_s / 4))
        except Exception as error:  # noqa: BLE001 (harmless: the next owner reads again what is not committed)
            logger.warning("partitions go to another worker without a last checkpoint: %s", error)

    return app, checkpoints
