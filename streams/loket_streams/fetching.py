"""Whole fetches out of aiokafka: what one fetch gave of each partition, and from where to where it read.

Runs in Faust's consumer thread. Private parts of Faust 0.15.3 and aiokafka 0.14.0 that it touches have contract tests
(tests/loket_streams/test_faust_contract.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import ConsumerStoppedError, for_code
from aiokafka.protocol.fetch import FetchRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from loket_streams.fetched import FetchedRecord, fetch_lightly
from loket_streams.header_names import read_any_header_name

__all__ = ["ConsumerThread", "Found", "RecordBatch", "take"]


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """The records of one partition that one fetch gave: `begin` is where it read from, `end` where it reads on.

    Offsets that are missing between the two hold nothing for a reader (transaction markers, aborted or compacted
    records), as the broker said so; there may be no record at all.
    """

    partition: int
    records: tuple[FetchedRecord, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """What the broker knows of one partition: the group's committed offset if any, its first and its end offset."""

    committed: int | None
    begin: int
    end: int


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, with aiokafka's fetch settings in our hands and whole fetches taken at once."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        read_any_header_name()
        fetch_lightly()
        consumer = super()._create_worker_consumer(transport)
        # Faust has no setting for these; the consumer reads them when it starts. An aborted transaction never happened.
        consumer._fetch_min_bytes = self.app.fetch_min_bytes
        consumer._fetch_max_wait_ms = self.app.fetch_max_wait_ms
        consumer._isolation_level = "read_committed"
        return consumer

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 (the signature is Faust's)
        max_records: int | None = None,
    ) -> dict[TP, RecordBatch]:
        fetcher = consumer._fetcher
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (timeout or 0)
        with fetcher._subscriptions.fetch_context():
            while self.consumer.flow_active:
                if consumer._closed or fetcher._closed:
                    raise ConsumerStoppedError
                if fetcher._subscriptions.reassignment_in_progress:
                    await fetcher._subscriptions.wait_for_assignment()
                # No await from here to the return: once the flow is stopped nothing moves a position.
                if not self.consumer.flow_active:
                    break
                if batches := take(fetcher, active_partitions, max_records):
                    return batches
                waiter = fetcher._create_fetch_waiter()
                await asyncio.wait([waiter], timeout=max(0, deadline - loop.time()))
                if not waiter.done():
                    waiter.cancel()
                    break
                waiter.result()  # errors of authorization come this way
        return {}

    async def find(self, partitions: Iterable[TP]) -> dict[TP, Found]:
        """Return what the broker knows of each partition."""
        found: dict[TP, Found] = await self.call_thread(self._find, [TopicPartition(*tp) for tp in partitions])
        return found

    async def _find(self, partitions: list[TopicPartition]) -> dict[TP, Found]:
        consumer = self._ensure_consumer()
        committed = await consumer._coordinator.fetch_committed_offsets(partitions)
        begin = await consumer.beginning_offsets(partitions)
        end = await self._highwaters(partitions)
        offsets = {tp: committed[tp].offset if tp in committed else -1 for tp in partitions}
        return {TP(*tp): Found(offsets[tp] if offsets[tp] >= 0 else None, begin[tp], end[tp]) for tp in partitions}

    async def _highwaters(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The end offsets, without what an open transaction hides.

        Tansu answers ListOffsets with the first offset of the last batch, plus one. What a fetch says is right there
        too, so one is made from the offset that was listed.
        """
        consumer = self._ensure_consumer()
        client = consumer._client
        listed = await consumer.end_offsets([TopicPartition(*tp) for tp in partitions])
        by_leader: dict[int, dict[str, list[tuple[int, int, int]]]] = {}
        for tp, offset in listed.items():
            leader = client.cluster.leader_for_partition(tp)
            by_leader.setdefault(leader, {}).setdefault(tp.topic, []).append((tp.partition, offset, 1 << 20))
        ends = dict(listed)
        for leader, topics in by_leader.items():
            request = FetchRequest(10, 1, 1 << 20, READ_COMMITTED, list(topics.items()), rack_id="")
            response = await client.send(leader, request)
            for topic, answers in response.topics:
                for number, error, highwater, stable, *_ in answers:
                    if error:
                        raise for_code(error)(f"{topic}[{number}]")
                    tp = TopicPartition(topic, number)
                    ends[tp] = max(ends[tp], stable if stable >= 0 else highwater)
        return ends

    async def seat(self, offsets: Mapping[TP, int]) -> None:
        """Read on from these offsets. Runs in the consumer's thread: elsewhere it would race with the fetcher."""
        await self.call_thread(self._seat, offsets)

    async def _seat(self, offsets: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        for tp, offset in offsets.items():
            consumer.seek(TopicPartition(*tp), offset)

    def member(self) -> tuple[str, int]:
        """Return the group's name for this member and the generation of its assignment."""
        coordinator = self._ensure_consumer()._coordinator
        return coordinator.member_id, coordinator.generation

    async def knows(self, member: tuple[str, int] | None) -> bool:
        """Whether the group has this member in this generation still: a heartbeat of our own says it."""
        known: bool = await self.call_thread(self._knows, member)
        return known

    async def _knows(self, member: tuple[str, int] | None) -> bool:
        # While the group is rebalancing it says yes: what is handed over then is still ours.
        return (
            member == self.member() and await self._ensure_consumer()._coordinator._do_heartbeat()
        ) and member == self.member()

    def end_offset(self, tp: TP) -> int | None:
        """Return the end offset that the last fetch named, None before the first. Transactions hide what is beyond."""
        assignment = self._current_assignment()
        partition = TopicPartition(*tp)
        if assignment is None or partition not in assignment.tps:
            return None
        state = assignment.state_value(partition)
        end = state.highwater if state.lso is None or state.lso < 0 else state.lso
        return None if end is None else int(end)

    def answered_ms(self) -> int | None:
        """Return when (wall time) the broker last answered a fetch, or None before the first answer."""
        assignment = self._current_assignment()
        states = [] if assignment is None else [assignment.state_value(tp) for tp in assignment.tps]
        return max((int(state.timestamp) for state in states if state.timestamp), default=None)

    def _current_assignment(self) -> Any:
        subscription = None if self._consumer is None else self._consumer._subscription.subscription
        return None if subscription is None else subscription.assignment


def take(fetcher: Any, active: set[TP], max_records: int | None) -> dict[TP, RecordBatch]:
    """Take what has been fetched of the active partitions, at most `max_records` of each, and move their positions.

    Fetcher.fetched_records of aiokafka, but each result says where it was read from and a fetch that held no record for
    us still moves on.
    """
    batches: dict[TP, RecordBatch] = {}
    for tp in list(fetcher._records):
        if tp not in active:
            if not fetcher._subscriptions.is_assigned(tp):
                del fetcher._records[tp]
            continue
        result = fetcher._records[tp]
        if not isinstance(result, FetchResult):
            if not batches:
                del fetcher._records[tp]
                fetcher._notify(fetcher._wait_consume_future)
                result.check_raise()
            continue
        if result.has_more() and result.check_assignment(tp):
            begin = result._partition_records.next_fetch_offset
            records = result.getall(max_records)
            end = result._assignment.state_value(tp).position
            if end > begin:
                batches[TP(*tp)] = RecordBatch(tp.partition, tuple(records), begin, end)
        if not result.has_more():
            del fetcher._records[tp]
            fetcher._notify(fetcher._wait_consume_future)
    return batches
