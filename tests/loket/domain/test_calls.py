"""The numbers called last: of today, each once, the newest first, whatever the order in which events came."""

import random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from loket.domain.calls import AHEAD_MS, AT_ONCE, Call, LastCalls
from loket.domain.state import UnitState
from loket.testing.builders import Office, unit_policy
from support.telling import PROMISE, Told, tell

o = Office()


def last_calls(state: UnitState, now: int, most: int) -> list[Call]:
    found = LastCalls().look(state, now, most)
    assert found is not None
    return found


def calls(told: Told, now: str = "12:00", most: int = 5) -> list[tuple[str, str | None]]:
    return [(call.number, call.counter) for call in last_calls(told.state, int(o.at(now)), most)]


def test_the_newest_is_first_and_no_more_than_were_asked_for() -> None:
    told = tell()
    for number in range(8):
        told.tell(
            o.issued(f"A{number}", at="09:00"), o.called(f"A{number}", at=f"09:1{number}", counter=str(number % 3))
        )
    assert calls(told, most=3) == [("A7", "1"), ("A6", "0"), ("A5", "2")]
    assert len(calls(told)) == 5


def test_a_number_called_again_is_there_once_and_at_its_last_counter() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.issued("A2", at="09:01"),
        o.called("A1", at="09:10", counter="1"),
        o.called("A2", at="09:11", counter="2"),
        o.recalled("A1", at="09:12", counter="3"),
    )
    assert calls(told) == [("A1", "3"), ("A2", "2")]


def test_who_is_done_stays_and_who_waits_is_not_there() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="t"),
        o.issued("A2", at="09:00"),
        o.called("A1", at="09:10", counter="1"),
        o.started("A1", at="09:11"),
        o.completed("A1", at="09:20"),
    )
    assert last_calls(told.state, int(o.at("12:00")), 5) == [Call("A1", int(o.at("09:10")), "1", "t")]


def test_a_start_without_a_call_is_one_and_a_call_is_no_later_for_its_start() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:10", counter="4"),
        o.issued("A2", at="09:00"),
        o.called("A2", at="09:05", counter="5"),
        o.started("A2", at="09:30", counter="5"),
    )
    assert [(call.number, call.at) for call in last_calls(told.state, int(o.at("12:00")), 5)] == [
        ("A1", int(o.at("09:10"))),
        ("A2", int(o.at("09:05"))),
    ]


def test_a_void_takes_a_number_away_and_a_correction_moves_it() -> None:
    call = o.called("A2", at="09:11", counter="1")
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:10", counter="1"),
        o.issued("A2", at="09:00"),
        call,
        o.voided("A1", at="09:12"),
    )
    assert calls(told) == [("A2", "1")]
    told.tell(o.corrected("A2", of=call, set={"counter": "7"}, at="09:13"))
    assert calls(told) == [("A2", "7")]


def test_yesterday_and_a_clock_far_ahead_are_not_there() -> None:
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:10"))
    assert calls(told, now="+1 09:00") == []
    ahead = int(o.at("12:00")) + AHEAD_MS
    told.tell(o.issued("A2", at="11:00"), o.called("A2", at=ahead + 1), o.called("A3", at=ahead))
    assert calls(told) == [("A3", None), ("A1", None)]


def test_where_the_day_never_starts_they_are_of_the_day_of_three_in_the_morning() -> None:
    policy = replace(unit_policy({"s": 300}), day_starts_ms=None)
    told = tell(
        o.issued("A1", at="02:00"),
        o.called("A1", at="02:30"),
        o.issued("A2", at="03:10"),
        o.called("A2", at="03:20"),
        policy=policy,
    )
    assert calls(told) == [("A2", None)]


@given(st.randoms(use_true_random=False))
def test_the_order_in_which_events_come_leaves_no_trace(dice: random.Random) -> None:
    events = [
        event
        for number in range(6)
        for event in (
            o.issued(f"A{number}", at="09:00"),
            o.called(f"A{number}", at=f"09:1{number}", counter="1"),
            o.recalled(f"A{number}", at=f"09:2{(number * 3) % 6}", counter="2"),
        )
    ]
    expected = calls(Told(PROMISE).tell(*events))
    dice.shuffle(events)
    assert calls(Told(PROMISE).tell(*events)) == expected


@given(st.randoms(use_true_random=False))
def test_what_is_remembered_of_earlier_looks_changes_nothing(dice: random.Random) -> None:
    """Looks between events, at tickets that close, are called again, voided, corrected, find what a first one does."""
    told, looking, now = Told(PROMISE), LastCalls(), int(o.at("12:00"))
    for _ in range(60):
        number, at = f"A{dice.randrange(8)}", int(o.at("09:00")) + 1_000 * dice.randrange(7_200)
        call = o.called(number, at=at, counter=str(dice.randrange(4)))
        told.tell(
            dice.choice(
                (
                    o.issued(number, at=at),
                    call,
                    o.recalled(number, at=at, counter="9"),
                    o.started(number, at=at, counter="8"),
                    o.completed(number, at=at),
                    o.requeued(number, at=at),
                    o.no_show(number, at=at),
                    o.corrected(number, of=call, set={"counter": "7"}, at=at),
                )
            )
        )
        if dice.random() < 0.05:
            told.tell(o.voided(number, at=at))
        assert looking.look(told.state, now, 5) == last_calls(told.state, now, 5)


def test_a_look_unpacks_a_bounded_number_of_tickets_and_the_next_goes_on() -> None:
    told = tell()
    for number in range(AT_ONCE + 10):
        at = int(o.at("08:00")) + 1_000 * number
        told.tell(
            o.issued(f"A{number}", at=at),
            o.called(f"A{number}", at=at + 1_000),
            o.started(f"A{number}", at=at + 2_000),
            o.completed(f"A{number}", at=at + 3_000),
        )
    looking, now = LastCalls(), int(o.at("12:00"))
    assert looking.look(told.state, now, 1) is None
    found = looking.look(told.state, now, 1)
    assert found is not None
    assert [call.number for call in found] == [f"A{AT_ONCE + 9}"]
