"""Sets of instants as sorted, disjoint, half-open intervals of milliseconds: union, intersection, difference."""

from __future__ import annotations

from collections.abc import Iterable

Interval = tuple[int, int]
"""From (inclusive) and to (exclusive), ms; empty where to <= from."""


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """All instants that any of the intervals holds."""
    merged: list[Interval] = []
    for begin, end in sorted(intervals):
        if end <= begin:
            continue
        if merged and begin <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((begin, end))
    return merged


def intersection(left: list[Interval], right: list[Interval]) -> list[Interval]:
    """The instants that both sets hold."""
    common: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        begin, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if begin < end:
            common.append((begin, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return common


def difference(whole: list[Interval], taken: list[Interval]) -> list[Interval]:
    """The instants of `whole` that `taken` does not hold."""
    left: list[Interval] = []
    j = 0
    for begin, end in whole:
        while j < len(taken) and taken[j][1] <= begin:
            j += 1
        k = j
        while k < len(taken) and taken[k][0] < end:
            if taken[k][0] > begin:
                left.append((begin, taken[k][0]))
            begin = max(begin, taken[k][1])
            k += 1
        if begin < end:
            left.append((begin, end))
    return left


def length(intervals: Iterable[Interval]) -> int:
    """How many milliseconds a set holds."""
    return sum(end - begin for begin, end in intervals)
