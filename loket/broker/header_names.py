"""Names of record headers that are not UTF-8.

Kafka's protocol says that they are, no broker checks it, and kafka-python 3.0 takes a record with another name for a
damaged one: whoever may write to the topic would stop every reader at it for good. Here such a name is read with its
bytes escaped, and the record goes its way.
"""

from typing import Any, Final

from kafka.consumer import fetcher
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatch

__all__ = ["read_any_header_name"]


class _Name(bytes):
    """A part of a record that may be a header's name."""

    __slots__ = ()

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return bytes(self).decode(encoding, errors)


class Lenient(bytes):
    """The bytes of a batch, of which every part can be decoded."""

    __slots__ = ()

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Name(found) if isinstance(found, bytes) else found


class _Batch(DefaultRecordBatch):  # type: ignore[misc]  # kafka-python is untyped
    __slots__ = ()
    _buffer: Any

    def _read_msg(self, *args: Any) -> Any:
        try:
            return super()._read_msg(*args)
        except UnicodeDecodeError:
            # The position moves at the end of a record: this one is read once more, and so are those after it.
            self._buffer = Lenient(self._buffer)
            return super()._read_msg(*args)


class _Records(MemoryRecords):  # type: ignore[misc]  # kafka-python is untyped
    def next_batch(self, *args: Any) -> Any:
        batch = super().next_batch(*args)
        if type(batch) is not DefaultRecordBatch:
            return batch
        return _Batch(batch._buffer)  # noqa: SLF001 (of kafka-python, pinned to its minor version)


_PLACE: Final = "MemoryRecords"


def read_any_header_name() -> None:
    """Have the consumers of this process do so; once is enough, and more does nothing."""
    setattr(fetcher, _PLACE, _Records)
