"""The ids that a unit remembers, beside a dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.domain.ids import Ids

numbers = st.integers(0, 3) | st.integers(0, 2**64 - 1) | st.sampled_from([2**64 - 1, 2**63, 256, 2**16])
pairs = st.lists(st.tuples(numbers, numbers), max_size=40)
turns = st.lists(
    st.tuples(st.just("update"), pairs) | st.tuples(st.just("take"), pairs) | st.tuples(st.just("discard"), pairs),
    max_size=8,
)


@given(turns)
def test_ids_are_a_dictionary_in_which_what_came_first_stands(turns: list[tuple[str, list[tuple[int, int]]]]) -> None:
    ids, model = Ids(), dict[int, int]()
    for turn, said in turns:
        if turn == "discard":
            for id_hash, _ in said:
                ids.discard(id_hash)
                model.pop(id_hash, None)
            continue
        if turn == "update":
            ids.update(said)
        else:
            ids.take([number for pair in said for number in pair])
        for id_hash, content in said:
            model.setdefault(id_hash, content)
    assert {id_hash: ids.get(id_hash) for id_hash, _ in [pair for _, said in turns for pair in said]} == {
        id_hash: model.get(id_hash) for id_hash, _ in [pair for _, said in turns for pair in said]
    }
    assert len(ids) == len(model)
    assert dict(ids) == model
    assert ids == Ids(model.items())


def test_a_hash_across_two_numbers_is_not_found() -> None:
    """Bytes that lie across an id and what it said, or what it said, are no id."""
    ids = Ids([(0x0000000000000001, 0x0000000100000000), (0x1111111111111100, 0)])
    assert ids.get(0x0000000100000000) is None
    assert ids.get(0x0000000000000100) is None
    assert ids.get(1) == 0x0000000100000000


def test_thousands_are_told_apart() -> None:
    ids = Ids()
    made = {(number * 0x9E3779B97F4A7C15) % 2**64: number for number in range(5_000)}
    for id_hash, content in made.items():
        assert ids.get(id_hash) is None
        ids.add(id_hash, content)
    assert all(ids.get(id_hash) == content for id_hash, content in made.items())
    assert len(ids) == 5_000


@pytest.mark.parametrize("pair", [(-1, 0), (0, -1), (2**64, 0), (0, 2**64)])
def test_what_is_no_hash_is_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        Ids([pair])
    with pytest.raises(ValueError, match="64 bits"):
        Ids().take(list(pair))
    with pytest.raises(ValueError, match="pairs"):
        Ids().take([1, 2, 3])
