"""Records of fetches with what is read of them and no more: aiokafka's own take four times as long to make.

```
fetch ──▶ aiokafka's batches ──▶ aiokafka's PartitionRecords (transactions, compaction) ──▶ FetchedRecord
```
"""

from __future__ import annotations

from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from msgspec import Struct

__all__ = ["FetchedRecord", "PartitionRecords", "fetch_lightly"]


class FetchedRecord(Struct, frozen=True, gc=False):
    """A record as the wire reads it (`loket.wire.record.Record`), its time in ms and whose time that is."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class PartitionRecords(fetcher.PartitionRecords):
    """aiokafka's, which decides which records there are to read; only what it makes of each is ours."""

    def _consumer_record(self, tp: TopicPartition, record: Any) -> FetchedRecord:
        return FetchedRecord(
            tp.topic,
            tp.partition,
            record.offset,
            record.timestamp,
            record.timestamp_type,
            record.key,
            record.value,
            tuple(record.headers),
        )


def fetch_lightly() -> None:
    """Have the consumers of this process do so; once is enough, and more does nothing."""
    fetcher.PartitionRecords = PartitionRecords
