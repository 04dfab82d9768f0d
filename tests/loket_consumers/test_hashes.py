"""Rows of two records that differ are counted one by one, however many lie on the disk."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from loket_consumers.rebuilding import hashes
from loket_consumers.rebuilding.hashes import Hashes

NUMBERS = st.lists(st.integers(0, 300) | st.integers(0, (1 << 64) - 1), max_size=60)


@settings(max_examples=30, deadline=None)
@given(before=NUMBERS, after=NUMBERS)
def test_what_only_one_record_has_is_counted_as_often_as_it_is_there(before: list[int], after: list[int]) -> None:
    kept = hashes._KEPT
    hashes._KEPT = 3  # so that most of them are written
    try:
        with Hashes() as both:
            for side, numbers in enumerate((before, after)):
                for number in numbers:
                    both.add(side, number)
            assert both.only() == (
                (Counter(before) - Counter(after)).total(),
                (Counter(after) - Counter(before)).total(),
            )
    finally:
        hashes._KEPT = kept
