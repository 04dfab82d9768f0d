"""The record-batch transport: Faust gets one message for each partition and fetch, its value the fetched records.

Selected by the broker URL's scheme (`loket://host:port`, entry-point group `faust.transports`). Faust as documented
spends a dozen steps of the event loop on each record; here it spends them on each fetch.

```
aiokafka fetcher ──take (consumer thread)──▶ RecordBatch ──getmany──▶ Faust's conductor ──▶ agent ──▶ Partition.next
                                                                                                          │
            Kafka ◀──commit── Faust's commit timer ◀──_new_offset── Partition.durable ◀──checkpoint───────┘
```

What Faust commits is `Positions.durable`, never what was acknowledged: an acknowledgement only says that the agent is
not inside a message. Positions are set by `perform_seek` alone, in the consumer's thread and with the flow stopped, and
each batch says from where to where it was fetched, so that a hole is seen and never applied.

Private parts of Faust 0.15.3 and aiokafka 0.14.0 that this module touches have contract tests
(tests/loket_streams/test_faust_contract.py); both are pinned exactly.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import ConsumerStoppedError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from mode.utils.futures import notify

from loket.errors import LoketError

__all__ = ["Consumer", "Found", "Positions", "RecordBatch", "Transport"]


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """The records of one partition that one fetch gave: `begin` is where it read from, `end` where it reads on.

    Offsets that are missing between the two hold nothing for a reader (transaction markers, aborted or compacted
    records), as the broker said so; there may be no record at all.
    """

    partition: int
    records: tuple[ConsumerRecord, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """What the broker knows of one partition: the group's committed offset if any, its first and its end offset."""

    committed: int | None
    begin: int
    end: int


class Positions(Protocol):
    """Where to read on from and what may be committed; kept by the owner of the units."""

    def seek(self, found: Mapping[int, Found]) -> Mapping[int, int]:
        """Return for each partition of the source topic the offset to read on from.

        Called at the end of every rebalance, before anything is read, with all partitions assigned. An error of Loket's
        tree ends the process.
        """
        ...

    def durable(self, partition: int) -> int | None:
        """Return the offset that may be committed, or None while there is none."""
        ...


class Nothing(dict[Any, Any]):
    """A mapping that forgets: each look-up of a key gives a new, empty value. Faust's lists of acknowledged offsets."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, key: Any) -> Any:
        return self._kind()


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, with aiokafka's fetch settings in our hands and whole fetches taken at once."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
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


class Consumer(driver.Consumer):
    """Faust's consumer, giving one message for each partition and fetch."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._acked = Nothing(list)
        self._acked_index = Nothing(set)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109 (Faust's too)
        """Yield what one fetch gave, one message a partition; nothing while the flow is stopped."""
        batches, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        for tp, batch in (batches or {}).items():
            # What is thrown away here is read again: every start of the flow is preceded by a seek.
            if not self.flow_active or self.should_stop or generation != self.app.consumer_generation_id:
                return
            if active is None or tp in active or tp in self._buffered_partitions:
                # Set before the yield, so that Faust sees no gap between this message and the one before.
                self._read_offset[tp] = batch.end - 1
                yield tp, self._batch_message(tp, batch, generation)

    def _batch_message(self, tp: TP, batch: RecordBatch, generation: int) -> Message:
        last = batch.records[-1] if batch.records else None
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            batch.end - 1,
            last.timestamp / 1000 if last is not None else 0.0,
            last.timestamp_type if last is not None else 0,
            (),
            None,
            batch,
            None,
            0,
            0,
            tp,
            generation_id=generation,
        )

    async def perform_seek(self) -> None:
        """Read on from where the units say, and not from the committed offset, which may be far behind them."""
        source = self.app.source_topic
        partitions = [tp for tp in self.assignment() if tp.topic == source]
        if not partitions:
            return
        found = await self._thread.find(partitions)
        try:
            wanted = self.app.positions.seek({tp.partition: found[tp] for tp in partitions})
        except LoketError as error:
            self.app.fail(error)
            await asyncio.Event().wait()  # Faust would go on: nothing more may happen until the process has ended
            raise
        await self._thread.seat({tp: wanted[tp.partition] for tp in partitions})
        for tp in partitions:
            self._committed_offset[tp] = found[tp].committed
            self._read_offset[tp] = None

    def ack(self, message: Message) -> bool:
        """Note that the agent is done with a message; it says nothing about what may be committed."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        notify(self._waiting_for_ack)
        return True

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        for tp in self.assignment():
            if (
                tp.topic == self.app.source_topic
                and self.app.positions.durable(tp.partition) is not None
                and (topics is None or tp in topics or tp.topic in topics)
            ):
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        durable: int | None = self.app.positions.durable(tp.partition)
        return durable

    async def find(self, partitions: Iterable[TP]) -> dict[TP, Found]:
        """Return what the broker knows of each partition."""
        found: dict[TP, Found] = await self._thread.find(partitions)
        return found

    def member(self) -> tuple[str, int]:
        """Return the group's name for this member and the generation of its assignment."""
        member: tuple[str, int] = self._thread.member()
        return member

    def end_offset(self, tp: TP) -> int | None:
        """Return the end offset that the last fetch named, or None before the first."""
        end: int | None = self._thread.end_offset(tp)
        return end

    def answered_ms(self) -> int | None:
        """Return when (wall time) the broker last answered a fetch, or None before the first answer."""
        answered: int | None = self._thread.answered_ms()
        return answered


class Transport(driver.Transport):
    """`loket://host:port`: Kafka by aiokafka, read in record batches."""

    Consumer = Consumer
