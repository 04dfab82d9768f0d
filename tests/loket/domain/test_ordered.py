"""Numbers in order: as a sorted list would have them, whatever comes and goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.domain import ordered
from loket.domain.ordered import Ordered


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=200), st.integers(-1, 31))
def test_it_is_a_sorted_list(changes: list[tuple[bool, int]], limit: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ordered, "_LONGEST", 3)
        numbers, plain = Ordered(), list[int]()
        for add, value in changes:
            if add:
                numbers.add(value)
                plain.append(value)
            elif value in plain:
                numbers.remove(value)
                plain.remove(value)
            else:
                with pytest.raises(ValueError, match="not among them"):
                    numbers.remove(value)
            assert len(numbers) == len(plain)
            assert numbers.first == min(plain, default=None)
            assert numbers.below(limit) == sum(other < limit for other in plain)
