"""Names of record headers that are not UTF-8, as `loket.broker` reads them: with their bytes escaped.

Kafka's protocol says that they are UTF-8 and no broker checks it. aiokafka 0.14.0 raises UnicodeDecodeError in the
middle of a fetch, which would end the worker at the same record at every start. Its own reader in C stays; a batch that
it cannot read is read once more by its reader in Python.

```
fetch ──▶ Records ──▶ Batch ──▶ aiokafka's records ──▶ …
                        └─ UnicodeDecodeError ──▶ the same batch in Python, from the same record on
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from loket.broker.header_names import Lenient

__all__ = ["Records", "read_any_header_name"]

_PREFIX: Final = 12
"""Bytes before what a batch says of its own length: its base offset and the length."""


class _Python(_DefaultRecordBatchPy):
    _buffer: Any

    def _read_msg(self, *args: Any) -> Any:
        if not isinstance(self._buffer, Lenient):
            self._buffer = Lenient(self._buffer)
        return super()._read_msg(*args)


class Batch:
    """A batch of aiokafka's that can be iterated whatever its headers are called."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        given = 0
        try:
            for record in self._batch:
                given += 1
                yield record
        except UnicodeDecodeError:
            for number, record in enumerate(_Python(bytearray(self._data))):
                if number >= given:
                    yield record


class Records:
    """What one fetch brought of one partition, batch by batch."""

    def __init__(self, data: bytes) -> None:
        self._records = MemoryRecords(data)
        self._data = data
        self._at = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def next_batch(self) -> Batch | None:
        """Return the next batch, None where there is none."""
        batch = self._records.next_batch()
        if batch is None:
            return None
        start = self._at
        self._at += _PREFIX + int.from_bytes(self._data[start + 8 : start + _PREFIX], "big")
        return Batch(batch, memoryview(self._data)[start : self._at])


def read_any_header_name() -> None:
    """Have the consumers of this process do so; once is enough, and more does nothing."""
    fetcher.MemoryRecords = Records
