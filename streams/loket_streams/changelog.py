"""The changelog: how the records of units are written to Kafka, and how units are read back from it.

A record is a head or a page of a unit (`loket.domain.records`), compressed by itself, with a header `offset`: the last
event that the unit contained when the record was made. Who writes may have been away for long, and Kafka refuses its
commit but never its write: for each key *the highest offset wins*, whatever the order in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import zstandard

from loket.domain.policy import UnitPolicy
from loket.domain.records import RecordError, load, split_key
from loket.domain.state import UnitState
from loket_streams.fetched import FetchedRecord

__all__ = ["MAX_RECORD_BYTES", "OFFSET_HEADER", "Packer", "Reading", "offset_of", "unpack"]

OFFSET_HEADER: Final = "offset"
MAX_RECORD_BYTES: Final = 8 * 1024 * 1024
"""Of a batch and so of a record; the changelog's `max.message.bytes` is as large."""

MAX_UNPACKED_BYTES: Final = 256 * 1024 * 1024


class Packer:
    """Compresses the values of records. Each by itself: a producer would do it on the event loop, all at once."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=1)

    def pack(self, value: bytes) -> bytes:
        """Return the value as it is written."""
        return self._compressor.compress(value)


def unpack(value: bytes) -> bytes:
    """Return what `Packer.pack` was given. Raises ValueError for anything else."""
    try:
        return zstandard.ZstdDecompressor().decompress(value, max_output_size=MAX_UNPACKED_BYTES)
    except zstandard.ZstdError as error:
        raise ValueError(f"not a compressed record: {error}") from error


def offset_of(record: FetchedRecord) -> int:
    """Return the offset that a record's unit contained. Raises ValueError where the record does not say it."""
    for name, value in record.headers:
        if name == OFFSET_HEADER:
            return int(value)
    raise ValueError(f"the record at offset {record.offset} has no header `{OFFSET_HEADER}`: it is not of this worker")


class Reading:
    """One reading of the changelog of one partition, from its beginning: `add` what comes, then `units`."""

    def __init__(self) -> None:
        self._newest: dict[bytes, tuple[int, bytes | None]] = {}
        self._regressed: set[str] = set()
        self.end: int | None = None
        """Where the reading has come to; None before the first batch."""

        self.records = 0

    def add(self, records: Iterable[FetchedRecord], begin: int, end: int) -> None:
        """Take the records of one fetch. Raises ValueError where records before it are missing, or one is not ours."""
        if self.end is not None and begin > self.end:
            raise ValueError(f"offset {self.end} should have come and {begin} came")
        for record in records:
            if record.key is None:
                raise ValueError(f"the record at offset {record.offset} has no key: it is not of this worker")
            offset = offset_of(record)
            known = self._newest.get(record.key)
            if known is not None and offset < known[0]:
                # An old writer came back. The higher one would be compacted away some day: it is written again on top.
                self._regressed.add(split_key(record.key)[0])
            else:
                self._newest[record.key] = (offset, record.value)
            self.records += 1
        self.end = end

    def keys(self) -> dict[str, tuple[bytes, dict[str, bytes]]]:
        """Return for each unit the head and the pages as they were written, without those that were deleted."""
        heads: dict[str, bytes] = {}
        pages: dict[str, dict[str, bytes]] = {}
        for key, (_, value) in self._newest.items():
            unit, page = split_key(key)
            if value is None:
                continue
            if page is None:
                heads[unit] = value
            else:
                pages.setdefault(unit, {})[page] = value
        return {unit: (head, pages.get(unit, {})) for unit, head in heads.items()}

    @property
    def regressed(self) -> frozenset[str]:
        """Units of which an older record lies on top of a newer one."""
        return frozenset(self._regressed)


def decode_unit(unit: str, head: bytes, pages: Mapping[str, bytes], policy: Callable[[str], UnitPolicy]) -> UnitState:
    """Return a unit from its records as they were written. Raises ValueError where they cannot be read."""
    try:
        state = load(unpack(head), pages, policy(unit), unpack)
    except RecordError as error:
        raise ValueError(str(error)) from error
    if state.unit != unit:
        raise ValueError(f"under the key of unit {unit!r} lies the state of {state.unit!r}")
    return state
