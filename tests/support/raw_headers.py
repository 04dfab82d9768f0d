"""Batches whose headers have names that no client of Python would send: bytes that are not UTF-8."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

__all__ = ["MARK", "NAME", "make_raw", "send_raw"]

MARK: Final = "x-mark"
NAME: Final = b"\xff\xfe\x80xyz"
"""What a header that is called MARK is called in the end: as long, and not UTF-8."""

_CRC: Final = 17
_AFTER_CRC: Final = 21


def make_raw(batch: bytes) -> bytes:
    """An uncompressed batch with its marks replaced, and a checksum that fits."""
    made = bytearray(batch.replace(MARK.encode(), NAME))
    made[_CRC:_AFTER_CRC] = struct.pack(">I", calc_crc32c(bytes(made[_AFTER_CRC:])))
    return bytes(made)


def send_raw(
    bootstrap: str, topic: str, partition: int, records: Sequence[tuple[bytes, bytes, Sequence[tuple[str, bytes]]]]
) -> None:
    """Send one batch of records (key, value, headers)."""
    asyncio.run(_send(bootstrap, topic, partition, records))


async def _send(bootstrap: str, topic: str, partition: int, records: Sequence[Any]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        batch = producer.create_batch()
        for key, value, headers in records:
            batch.append(key=key, value=value, timestamp=None, headers=headers)
        batch.close()
        batch._buffer = make_raw(bytes(batch._build()))
        await (await producer.send_batch(batch, topic, partition=partition))
