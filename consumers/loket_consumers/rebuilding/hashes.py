"""Which rows only one of two records has, in memory that does not grow with them: their hashes lie on the disk."""

from __future__ import annotations

import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Final

__all__ = ["Hashes"]

PARTS: Final = 64
_KEPT = 4_096


class Hashes:
    """64-bit hashes of the rows of two records, in files by their last bits: a part of both is in memory at a time."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._files: list[list[IO[bytes]]] = [[self._file() for _ in range(PARTS)] for _ in range(2)]
        self._kept = [[array("Q") for _ in range(PARTS)] for _ in range(2)]

    def _file(self) -> IO[bytes]:
        file: IO[bytes] = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
        return file

    def __enter__(self) -> Hashes:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def add(self, side: int, number: int) -> None:
        """Add the hash of a row of the record before (0) or after (1)."""
        part = number % PARTS
        kept = self._kept[side][part]
        kept.append(number)
        if len(kept) >= _KEPT:
            kept.tofile(self._files[side][part])
            del kept[:]

    def only(self) -> tuple[int, int]:
        """How many rows only the record before has, and how many only the one after."""
        before = after = 0
        for part in range(PARTS):
            counts = Counter(self._of(0, part))
            counts.subtract(self._of(1, part))
            before += sum(number for number in counts.values() if number > 0)
            after -= sum(number for number in counts.values() if number < 0)
        return before, after

    def _of(self, side: int, part: int) -> Iterator[int]:
        file = self._files[side][part]
        file.seek(0)
        while some := file.read(8 * _KEPT):
            yield from array("Q", some)
        yield from self._kept[side][part]
