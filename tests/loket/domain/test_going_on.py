"""What is derived step by step is what is derived of all the steps at once, and its changes are the difference."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loket.domain.contribution import Contribution, Fact, changes, summed
from loket.domain.events import Event
from loket.domain.policy import UnitPolicy
from loket.domain.state import UnitState, derive
from loket.domain.unit import apply
from loket.testing.builders import Office, unit_policy
from loket.testing.strategies import arrivals, logs
from support.laws import law

BY_DAY = unit_policy({"s": 300, "t": 600})
NEVER = unit_policy({"s": 300, "t": 600}, day_starts="never")
OPENS = int(Office().at("08:00"))

facts = st.lists(st.tuples(st.sampled_from("st"), st.sampled_from(("served", "visits")), st.integers(0, 3)), max_size=6)


@law(st.one_of(logs(), logs().flatmap(arrivals)), st.sampled_from([BY_DAY, NEVER]))
def test_law_a_fold_that_goes_on_is_the_fold_of_all_steps(log: list[Event], policy: UnitPolicy) -> None:
    state = UnitState("u", policy)
    for event in log:
        apply(state, event, OPENS)
        for key, live in state.live.items():
            ticket = state.ticket(key)
            assert ticket is not None
            if live is None:
                continue  # it is derived when somebody asks
            anew = derive(ticket, policy)
            assert live.folded.legs == anew.folded.legs
            assert live.folded.contradictions == anew.folded.contradictions
            assert live.folded.skewed == anew.folded.skewed
            assert live.folded.voided == anew.folded.voided
            assert live.by_day == anew.by_day


@given(facts, facts)
def test_changes_lead_from_the_old_sums_to_the_new(old: list[Fact], new: list[Fact]) -> None:
    after = summed([*old, *changes(old, new)])
    assert {pair: amount for pair, amount in after.items() if amount} == {
        pair: amount for pair, amount in summed(new).items() if amount
    }


@given(facts, facts)
def test_changes_of_more_facts_are_those_facts(old: list[Fact], more: list[Fact]) -> None:
    assert changes(old, [*old, *more]) == more


@given(facts.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_contributions_that_sum_up_to_the_same_are_equal(pair: tuple[list[Fact], list[Fact]]) -> None:
    told, shuffled = pair
    assert Contribution(told, told, told, told) == Contribution(shuffled, shuffled, shuffled, shuffled)
    assert Contribution([*told, ("s", "served", 1)]) != Contribution(shuffled)
