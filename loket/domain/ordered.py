"""Whole numbers in order, of which many come and go: each costs the same, however many there are."""

from __future__ import annotations

from bisect import bisect_left, insort

__all__ = ["Ordered"]

_LONGEST = 1_024
"""Of a block: it is halved beyond that."""


class Ordered:
    """Numbers in order, each as often as it was added, in blocks that are short enough to be moved about."""

    __slots__ = ("_blocks", "_lasts", "_number")

    def __init__(self) -> None:
        self._blocks: list[list[int]] = []
        self._lasts: list[int] = []
        """The largest of each block."""
        self._number = 0

    def __len__(self) -> int:
        return self._number

    @property
    def first(self) -> int | None:
        """The smallest, if there is any."""
        return self._blocks[0][0] if self._blocks else None

    def add(self, value: int) -> None:
        """Put a number in its place."""
        self._number += 1
        if not self._blocks:
            self._blocks.append([value])
            self._lasts.append(value)
            return
        place = min(bisect_left(self._lasts, value), len(self._blocks) - 1)
        block = self._blocks[place]
        insort(block, value)
        self._lasts[place] = block[-1]
        if len(block) > _LONGEST:
            half = len(block) // 2
            self._blocks[place : place + 1] = [block[:half], block[half:]]
            self._lasts[place : place + 1] = [block[half - 1], block[-1]]

    def remove(self, value: int) -> None:
        """Take a number out once. Raises ValueError where it is not there."""
        place = bisect_left(self._lasts, value)
        block = self._blocks[place] if place < len(self._blocks) else []
        index = bisect_left(block, value)
        if index == len(block) or block[index] != value:
            raise ValueError(f"{value} is not among them")
        del block[index]
        self._number -= 1
        if block:
            self._lasts[place] = block[-1]
        else:
            del self._blocks[place], self._lasts[place]

    def below(self, limit: int) -> int:
        """How many are smaller than a limit."""
        place = bisect_left(self._lasts, limit)
        whole = sum(map(len, self._blocks[:place]))
        return whole if place == len(self._blocks) else whole + bisect_left(self._blocks[place], limit)
