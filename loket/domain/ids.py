"""The ids that a unit remembers of a day: the hash of each, and the hash of what its event said (rule 17).

A country remembers millions of them. In a dictionary of numbers one takes some 130 bytes, here some 20: pairs of eight
bytes each lie end to end in buckets of up to sixteen, found by the lowest bits of the id's hash.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

__all__ = ["Ids"]

_PAIR = struct.Struct(">QQ")
_PACK = _PAIR.pack
_FULL = 16
"""Pairs in a bucket, on average, before there are four times as many buckets."""


class Ids:
    """A mapping of 64-bit numbers to 64-bit numbers. Looking one up and adding one takes the same time however many."""

    __slots__ = ("_buckets", "_later", "_mask", "_number")

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._buckets = [b""]
        self._mask = 0
        self._number = 0
        self._later: list[bytes] = []
        self.update(pairs)

    def __len__(self) -> int:
        self._settle()
        return self._number

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """All pairs, in no order."""
        self._settle()
        for bucket in self._buckets:
            yield from _PAIR.iter_unpack(bucket)

    def __eq__(self, other: object) -> bool:
        return set(self) == set(other) if isinstance(other, Ids) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def get(self, id_hash: int) -> int | None:
        """What was said under an id; None if it is not known."""
        if self._later:
            self._settle()
        bucket = self._buckets[id_hash & self._mask]
        sought = id_hash.to_bytes(8, "big")
        if sought not in bucket:  # nearly always
            return None
        at = bucket.find(sought)
        while at >= 0:
            if not at & 15:
                return int.from_bytes(bucket[at + 8 : at + 16], "big")
            at = bucket.find(sought, at + 1)  # across two numbers, or what was said
        return None

    def add(self, id_hash: int, content: int) -> None:
        """Remember an id that is not known, as `get` has told."""
        self._buckets[id_hash & self._mask] += _PACK(id_hash, content)
        self._number += 1
        if self._number > _FULL * len(self._buckets):
            self._spread()

    def update(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Remember ids; what is known of one already stands. Raises ValueError for numbers that are of no 64 bits."""
        try:
            for id_hash, content in pairs:
                if self.get(id_hash) is None:
                    self.add(id_hash, content)
        except (OverflowError, struct.error) as error:
            raise ValueError("an id has another hash than one of 64 bits") from error

    def take(self, numbers: list[int]) -> None:
        """As `update`, of hashes and contents by turns: they are put in their places when somebody asks for an id."""
        try:
            self._later.append(struct.pack(f">{len(numbers) // 2 * 2}Q", *numbers))
        except struct.error as error:
            raise ValueError("ids come in pairs of 64 bits") from error

    def discard(self, id_hash: int) -> None:
        """Forget an id, if it is known."""
        self._settle()
        index = id_hash & self._mask
        kept = [pair for pair in _PAIR.iter_unpack(self._buckets[index]) if pair[0] != id_hash]
        self._number -= len(self._buckets[index]) // _PAIR.size - len(kept)
        self._buckets[index] = b"".join(_PACK(*pair) for pair in kept)

    def _settle(self) -> None:
        later, self._later = self._later, []
        for packed in later:
            self.update(_PAIR.iter_unpack(packed))

    def _spread(self) -> None:
        before = self._buckets
        self._mask = mask = 4 * len(before) - 1
        self._buckets = buckets = [b""] * (mask + 1)
        for bucket in before:
            for id_hash, content in _PAIR.iter_unpack(bucket):
                buckets[id_hash & mask] += _PACK(id_hash, content)
