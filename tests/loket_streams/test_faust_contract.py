"""The private parts of Faust 0.15.3 and aiokafka 0.14.0 that the stream touches: they are there and mean what we take.

A new version is taken by hand: where one of these fails, read what changed before anything else. What the parts do
together is in test_cures.py and tests/faults, on a real Kafka.
"""

import asyncio
import inspect
from importlib.metadata import version
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState, TopicPartitionState
from aiokafka.producer.message_accumulator import BatchBuilder
from faust._cython import streams as compiled
from faust.app.base import App
from faust.stores import by_url as store_by_url
from faust.tables.recovery import Recovery
from faust.transport import by_url as transport_by_url
from faust.transport import consumer as base
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.utils.queues import FlowControlEvent, FlowControlQueue

from loket.domain.policy import Policy
from loket.settings import Connection
from loket.testing.clock import FrozenClock
from loket_streams.app import Broker, LoketApp, build_app
from loket_streams.changelog import MAX_RECORD_BYTES
from loket_streams.checkpoints import Checkpointer
from loket_streams.fetched import FetchedRecord, PartitionRecords
from loket_streams.fetching import ConsumerThread, take
from loket_streams.partitions import Partitions
from loket_streams.store import UnitStore
from loket_streams.transport import Consumer, Nothing, Transport


def made(**broker: Any) -> LoketApp:
    partitions = Partitions("loket.events", Policy())
    app, _ = build_app(
        "an-app",
        source="loket.events",
        partitions=partitions,
        process=lambda batch: None,
        broker=Broker(Connection(bootstrap="one:9092,two:9093"), **broker),
        checkpointer=lambda changelog: Checkpointer(partitions, changelog, FrozenClock(), interval_s=5),
    )
    app.finalize()
    return app


def source_of(what: Any) -> str:
    return inspect.getsource(what)


def in_order(source: str, *parts: str) -> bool:
    places = [source.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


def test_the_versions_are_those_that_were_read() -> None:
    assert (version("faust-streaming"), version("aiokafka"), version("mode-streaming")) == ("0.15.3", "0.14.0", "0.7.1")


# What the app sets


def test_the_scheme_selects_the_record_batch_transport() -> None:
    assert transport_by_url("loket://127.0.0.1:9092") is Transport
    app = made()
    assert isinstance(app.transport, Transport)
    assert driver.server_list(app.transport.url, 9092) == ["one:9092", "two:9093"]


def test_the_store_has_its_host_and_is_ours() -> None:
    """Without a host the URL is falsy (yarl) and Faust takes memory:// for it without a word."""
    assert store_by_url("units://local") is UnitStore
    app = made()
    assert str(app.conf.store) == "units://local"
    assert isinstance(app.tables["units"].data, UnitStore)
    assert app.tables["units"].changelog_topic.get_topic_name() == "an-app-units-changelog"


def test_what_bites_in_faust_is_off() -> None:
    conf = made(member_id="worker-1").conf
    assert conf.web_enabled is False
    assert conf.topic_disable_leader is True
    assert conf.topic_allow_declare is False
    assert conf.table_standby_replicas == 0
    assert conf.consumer_auto_offset_reset == "earliest"
    assert conf.cython_optimizations is True
    assert conf.processing_guarantee.value == "at_least_once"
    assert conf.consumer_group_instance_id == "worker-1"
    assert conf.producer_acks == -1
    assert conf.producer_compression_type is None
    assert conf.producer_max_batch_size == conf.producer_max_request_size == MAX_RECORD_BYTES


def test_its_one_agent_is_not_concurrent_and_nothing_is_decoded_by_faust() -> None:
    app = made()
    (agent,) = app.agents.values()
    assert agent.concurrency == 1

    async def decoded() -> Any:
        class Message:
            key, value, headers = None, object(), ()

        event = await agent.channel.decode(Message())
        return event.value is Message.value

    assert asyncio.run(decoded())


def test_no_folder_is_made(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made()._create_directories()
    assert list(tmp_path.iterdir()) == []


def test_a_consumer_fetches_as_it_is_told_and_reads_what_is_committed() -> None:
    app = made(fetch_min_bytes=1_234, fetch_max_wait_ms=56, session_timeout_s=6)

    async def consumer() -> AIOKafkaConsumer:
        thread = object.__new__(ConsumerThread)
        thread.consumer = app.consumer
        thread.app = app
        thread._assignor = None
        return thread._create_worker_consumer(app.transport)

    async def check() -> None:
        made_consumer = await consumer()
        assert made_consumer._fetch_min_bytes == 1_234
        assert made_consumer._fetch_max_wait_ms == 56
        assert made_consumer._isolation_level == "read_committed"
        assert made_consumer._session_timeout_ms == 6_000
        assert made_consumer._enable_auto_commit is False
        start = source_of(AIOKafkaConsumer.start)
        for name in ("_fetch_min_bytes", "_fetch_max_wait_ms", "_isolation_level"):
            assert f"self.{name}" in start  # it is read there, after we set it

    asyncio.run(check())


# Recovery


def test_the_guard_runs_before_anything_of_the_source_is_fetched_and_recovery_resumes_what_it_holds() -> None:
    assert in_order(
        source_of(Recovery.on_recovery_completed),
        "on_rebalance_complete.send()",
        "table.on_recovery_completed(",
        "consumer_generation_id != generation_id",
        "consumer.resume_partitions(",
        "consumer.perform_seek()",
        "flow_control.resume()",
        "consumer.resume_flow()",
    )


def test_what_is_in_the_queues_is_thrown_away_when_the_flow_resumes() -> None:
    """The fault itself: what the guard keeps from being fetched would be in such a queue."""

    async def left() -> int:
        flow = FlowControlEvent(initially_suspended=False)
        queue: FlowControlQueue[int] = FlowControlQueue(maxsize=10, flow_control=flow, clear_on_resume=True)
        queue.put_nowait(1)
        flow.resume()
        return int(queue.qsize())

    assert asyncio.run(left()) == 0


def test_the_store_is_told_of_an_assignment_before_it_is_asked_from_where_to_read() -> None:
    from faust.tables.manager import TableManager

    assert in_order(source_of(TableManager.on_rebalance), "table.on_rebalance", "self.recovery.on_rebalance")
    assert "persisted_offset(tp)" in source_of(Recovery._add)
    assert "max(last_value, new_value)" in source_of(Recovery._build_offsets)


def test_one_fetch_in_the_buffer_of_recovery_would_be_a_case_of_its_own() -> None:
    assert "recovery_buffer_size == 1" in source_of(Recovery)
    assert made().tables["units"].recovery_buffer_size > 1


def test_revocation_holds_the_flow_and_waits_for_the_agent_before_it_tells_us() -> None:
    assert in_order(
        source_of(App._on_partitions_revoked),
        "T(consumer.stop_flow)()",
        "T(self.flow_control.suspend)()",
        "_consumer_wait_empty",
        "self.on_partitions_revoked.send",
    )


def test_once_the_app_stops_no_revocation_is_told() -> None:
    assert in_order(source_of(App._on_partitions_revoked), "if self.should_stop:", "return")


# The consumer


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (
            base.Consumer,
            ["_wait_next_records", "_new_offset", "_filter_tps_with_pending_acks", "perform_seek", "ack", "getmany"],
        ),
        (
            driver.AIOKafkaConsumerThread,
            ["_create_worker_consumer", "_fetch_records", "_highwaters", "_ensure_consumer"],
        ),
        (Fetcher, ["_create_fetch_waiter", "_notify"]),
        (FetchResult, ["check_assignment", "getall", "has_more"]),
        (SubscriptionState, ["fetch_context", "wait_for_assignment", "is_assigned"]),
        (AIOKafkaProducer, ["create_batch", "send_batch"]),
        (BatchBuilder, ["append", "record_count", "size"]),
        (App, ["_create_directories", "_on_partitions_revoked"]),
    ],
)
def test_what_is_called_or_replaced_exists(owner: type, names: list[str]) -> None:
    for name in names:
        assert callable(getattr(owner, name)), name


def test_a_heartbeat_says_whether_the_group_knows_the_member_and_a_rebalance_is_no_refusal() -> None:
    """Who asks between revocation and joining again is the owner still; a refusal resets name and generation."""
    heartbeat = source_of(GroupCoordinator._do_heartbeat)
    assert "HeartbeatRequest(self.group_id, self.generation, self.member_id)" in heartbeat
    rebalancing = heartbeat.partition("Errors.RebalanceInProgressError")[2]
    assert in_order(rebalancing, "return True", "Errors.IllegalGenerationError", "reset_generation()", "return False")
    assert "reset_generation()" in heartbeat.partition("Errors.UnknownMemberIdError")[2]


def test_what_is_committed_is_what_new_offset_says() -> None:
    assert "self._new_offset(tp)" in source_of(base.Consumer._filter_committable_offsets)
    assert "_filter_tps_with_pending_acks" in source_of(base.Consumer.force_commit)


def test_the_compiled_iterator_acknowledges_past_our_ack_into_lists_that_forget() -> None:
    """It writes into `_acked` and `_acked_index` itself; ours give a new, empty one each time."""
    assert hasattr(compiled, "StreamIterator")
    acked = Nothing(list)
    acked["a"].append(1)
    assert acked["a"] == []
    assert "a" not in acked
    assert acked.pop("a", None) is None


def test_a_gap_between_messages_is_measured_from_the_read_offset() -> None:
    """Ours is set before the message is given to Faust, so that it never sees one."""
    drain = source_of(base.Consumer._drain_messages)
    assert in_order(
        drain, "r_offset = get_read_offset(tp)", "gap = offset - (r_offset or 0)", "if gap > 1 and r_offset"
    )
    assert in_order(source_of(Consumer.getmany), "self._read_offset[tp] = batch.end - 1", "yield tp")


def test_a_failed_commit_is_recorded_as_done() -> None:
    """Hence nothing may rely on the commit: state is idempotent, and a start reads on from what Kafka has."""
    assert in_order(
        source_of(base.Consumer._commit_offsets), "did_commit = await self._commit(", "_committed_offset.update"
    )


# Taking whole fetches


class Records:
    """MemoryRecords with batches of plain records, a control batch among them."""

    def __init__(self, *batches: Any) -> None:
        self._batches = list(batches)

    def has_next(self) -> bool:
        return bool(self._batches)

    def next_batch(self) -> Any:
        return self._batches.pop(0)


class Batch(list[Any]):
    producer_id = None
    is_transactional = False

    def __init__(self, first: int, number: int, *, control: bool = False) -> None:
        class Record:
            key = value = checksum = None
            timestamp, timestamp_type, headers = 0, 1, ()

            def __init__(self, offset: int) -> None:
                self.offset = offset

        super().__init__(Record(offset) for offset in range(first, first + number))
        self.base_offset, self.next_offset = first, first + number
        self.is_control_batch = control


class FakeFetcher:
    """As much of a fetcher as `take` touches, around real FetchResults."""

    _wait_consume_future = None

    def __init__(self, **partitions: tuple[int, tuple[Batch, ...]]) -> None:
        self.states: dict[TopicPartition, TopicPartitionState] = {}
        self._records: dict[TopicPartition, Any] = {}
        self._subscriptions = self
        self.active = True
        for name, (offset, batches) in partitions.items():
            tp = TopicPartition(name, 0)
            state = TopicPartitionState(self)
            state.reset_to(offset)
            self.states[tp] = state
            records = PartitionRecords(tp, Records(*batches), None, offset, None, None, False, 1)
            self._records[tp] = FetchResult(tp, assignment=self, partition_records=records, backoff=0)

    def state_value(self, tp: TopicPartition) -> TopicPartitionState:
        return self.states[tp]

    def is_assigned(self, tp: TopicPartition) -> bool:
        return tp in self.states

    def _notify(self, future: Any) -> None:
        pass


def taken(fetcher: FakeFetcher, *topics: str, max_records: int | None = None) -> dict[str, tuple[int, list[int], int]]:
    found = take(fetcher, {TP(topic, 0) for topic in topics}, max_records)
    return {tp.topic: (b.begin, [record.offset for record in b.records], b.end) for tp, b in found.items()}


def test_a_light_record_says_what_aiokafkas_own_says() -> None:
    tp = TopicPartition("t", 0)

    def read(kind: Any) -> list[Any]:
        return list(kind(tp, Records(Batch(5, 3)), None, 6, None, None, False, 1))

    (aiokafkas,) = PartitionRecords.__bases__
    assert aiokafkas.__module__.startswith("aiokafka")
    light, own = read(PartitionRecords), read(aiokafkas)
    assert len(light) == len(own) > 0
    for one, other in zip(light, own, strict=True):
        for name in FetchedRecord.__struct_fields__:
            assert getattr(one, name) == getattr(other, name)


def in_loop(test: Any) -> Any:
    def run() -> None:
        async def inner() -> None:
            test()

        asyncio.run(inner())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


@in_loop
def test_a_fetch_is_taken_whole_and_moves_the_position() -> None:
    fetcher = FakeFetcher(a=(5, (Batch(5, 3), Batch(8, 2))))
    assert taken(fetcher, "a") == {"a": (5, [5, 6, 7, 8, 9], 10)}
    assert fetcher.states[TopicPartition("a", 0)].position == 10
    assert taken(fetcher, "a") == {}


@in_loop
def test_it_is_taken_in_pieces_where_it_is_large() -> None:
    fetcher = FakeFetcher(a=(0, (Batch(0, 5),)))
    assert taken(fetcher, "a", max_records=3) == {"a": (0, [0, 1, 2], 3)}
    assert taken(fetcher, "a", max_records=3) == {"a": (3, [3, 4], 5)}


@in_loop
def test_markers_of_transactions_are_between_begin_and_end() -> None:
    fetcher = FakeFetcher(a=(0, (Batch(0, 2), Batch(2, 1, control=True), Batch(3, 1))))
    assert taken(fetcher, "a") == {"a": (0, [0, 1, 3], 4)}


@in_loop
def test_a_fetch_with_nothing_but_markers_still_moves_on() -> None:
    fetcher = FakeFetcher(a=(7, (Batch(7, 2, control=True),)))
    assert taken(fetcher, "a") == {"a": (7, [], 9)}


@in_loop
def test_what_was_fetched_before_a_seek_is_not_taken() -> None:
    fetcher = FakeFetcher(a=(5, (Batch(5, 3),)))
    fetcher.states[TopicPartition("a", 0)].seek(2)
    assert taken(fetcher, "a") == {}
    assert fetcher._records == {}


@in_loop
def test_partitions_that_are_not_active_keep_what_was_fetched() -> None:
    fetcher = FakeFetcher(a=(0, (Batch(0, 1),)), b=(0, (Batch(0, 1),)))
    assert set(taken(fetcher, "a")) == {"a"}
    assert set(taken(fetcher, "b")) == {"b"}
