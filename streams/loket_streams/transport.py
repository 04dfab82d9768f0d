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
from typing import Any, Protocol

from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from mode.utils.futures import notify

from loket.errors import LoketError
from loket_streams.fetching import ConsumerThread, Found, RecordBatch

__all__ = ["Consumer", "Positions", "Transport"]


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

    async def knows(self, member: tuple[str, int] | None) -> bool:
        """Whether the group has this member in this generation still, asked of Kafka now."""
        known: bool = await self._thread.knows(member)
        return known

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
