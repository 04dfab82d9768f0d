"""The straight way is a shorter way to the same state: every byte of the records, every figure and every answer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import strategies as st
from msgspec.structs import replace

from loket.domain import unit
from loket.domain.calendar import Calendar, DayHours, Schedule
from loket.domain.events import Event
from loket.domain.figures import evaluate
from loket.domain.policy import HOUR, MINUTE, SECOND, Budget, UnitPolicy
from loket.domain.records import all_pages, head_bytes, load, mark_all, page_bytes, split_key, take_records
from loket.domain.sessions import evaluate_staff
from loket.domain.state import UnitState, derive
from loket.domain.straight import go_straight
from loket.domain.straight_leg import open_leg
from loket.domain.unit import apply
from loket.testing.builders import Desk, Office, again, unit_policy
from loket.testing.strategies import arrivals, conflicting, logs
from support.laws import law

TARGETS = {"s": 300, "t": 600}
BY_DAY = unit_policy(TARGETS, wrap_up_seconds=90)
NEVER = unit_policy(TARGETS, day_starts="never")
TIGHT = unit_policy({"s": 300}, budget=Budget(services=1, employees=1))
OPENING = replace(  # half of the tickets are issued before it, and leave the straight way at once (rule 9)
    BY_DAY,
    calendar=Calendar((Schedule(1, (DayHours(((8 * HOUR + 30 * MINUTE, 16 * HOUR),), ()),) * 7),)),
    waits_from_opening=True,
    close_after_ms=HOUR,
)
POLICIES = st.sampled_from([BY_DAY, BY_DAY, TIGHT, NEVER, OPENING])
OPENS = int(Office().at("08:00"))
DESKS: tuple[Desk, ...] = ({}, {"employee": "sari"}, {"employee": "budi", "counter": "1"})
NOWS = (OPENS, OPENS + HOUR, OPENS + 20 * HOUR, OPENS + 30 * HOUR)


@contextmanager
def folding() -> Iterator[None]:
    """Have every ticket folded, straight or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unit, "go_straight", lambda *_: False)
        yield


def told(state: UnitState) -> tuple[object, ...]:
    """Everything that is kept of a unit, as bytes where it is written, and all that is shown of it."""
    pages = {page: page_bytes(state, page) for page in all_pages(state)}
    figures = [(evaluate(state, now), evaluate_staff(state, now)) for now in NOWS]
    return head_bytes(state), pages, sorted(state.dirty_pages), state.ids, list(state.live), state.judged, figures


@st.composite
def straight_visits(draw: st.DrawFn) -> list[Event]:
    """Visits that go straight, each up to some step, by turns; now and then something else comes between."""
    office = Office()
    made: list[Event] = []
    for number in range(draw(st.integers(1, 6))):
        subject = f"A{number}"
        at = draw(st.integers(0, HOUR))
        desks = [draw(st.sampled_from(DESKS)) for _ in range(3)]
        pauses = [draw(st.sampled_from([1, SECOND, MINUTE, 280 * SECOND, 5 * MINUTE, 11 * MINUTE])) for _ in range(3)]
        visit: list[Event] = [office.issued(subject, at=at, service=draw(st.sampled_from(["s", "t", "free"])))]
        changed = draw(st.sampled_from([None, None, "t"]))
        visit.append(office.called(subject, at=(at := at + pauses[0]), **desks[0]))
        visit.append(office.started(subject, at=(at := at + pauses[1]), service=changed, **desks[1]))
        quantity = draw(st.sampled_from([None, 3]))
        visit.append(office.completed(subject, at=(at := at + pauses[2]), quantity=quantity, **desks[2]))
        made += visit[: draw(st.integers(1, 4))]
    made.sort(key=lambda event: event.time)
    if draw(st.integers(0, 1)):
        made += draw(st.lists(st.sampled_from(made), max_size=3))
        made.append(again(draw(st.sampled_from(made)), id="again"))
    return made


everything = st.one_of(
    straight_visits(),
    straight_visits().flatmap(arrivals),
    st.tuples(straight_visits(), logs()).map(lambda pair: [*pair[0], *pair[1]]),
    logs(),
    logs().flatmap(arrivals),
    logs().flatmap(conflicting),
)


@law(everything, POLICIES, st.booleans())
def test_law_the_straight_way_and_the_fold_give_the_same_state(
    log: list[Event], policy: UnitPolicy, days_close: bool
) -> None:
    quick, folded = UnitState("u", policy), UnitState("u", policy)
    for number, event in enumerate(log):
        received = max(OPENS, int(event.time)) + (number * HOUR if days_close else 0)
        answer = apply(quick, event, received)
        with folding():
            assert apply(folded, event, received) == answer
        assert told(quick) == told(folded)


@law(everything)
def test_law_the_open_leg_of_a_straight_ticket_is_the_leg_of_its_fold(log: list[Event]) -> None:
    state = UnitState("u", BY_DAY)
    for event in log:
        apply(state, event, OPENS)
        for key in filter(state.is_straight, state.live):
            ticket = state.ticket(key)
            assert ticket is not None
            assert [open_leg(ticket)] == derive(ticket, BY_DAY).folded.legs


@law(straight_visits(), st.integers(0, 20), st.sampled_from([BY_DAY, TIGHT]))
def test_law_a_state_that_was_loaded_goes_on_in_the_same_way(log: list[Event], cut: int, policy: UnitPolicy) -> None:
    state, stays = UnitState("u", policy), UnitState("u", policy)
    for number, event in enumerate(log):
        if number == cut:
            mark_all(state)
            (_, head), *pages = take_records(state)
            assert head is not None
            state = load(head, {str(split_key(key)[1]): value for key, value in pages if value is not None}, policy)
        assert apply(state, event, OPENS) == apply(stays, event, OPENS)
    assert told(state)[:2] == told(stays)[:2]


def test_a_day_of_straight_tickets_is_never_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the way would be there and nobody would go it."""
    answers: Counter[bool] = Counter()

    def counted(*args: object) -> bool:
        took = go_straight(*args)  # type: ignore[arg-type]
        answers[took] += 1
        return took

    monkeypatch.setattr(unit, "go_straight", counted)
    chance = random.Random(7)
    office = Office()
    made: list[Event] = []
    for number in range(100):
        at = OPENS + chance.randrange(HOUR)
        subject = f"A{number}"
        made.append(office.issued(subject, at=at, service="s"))
        made.append(office.called(subject, at=at + 60_001, employee="sari"))
        made.append(office.started(subject, at=at + 90_001, employee="sari"))
        made.append(office.completed(subject, at=at + 200_001, employee="sari"))
    state = UnitState("u", BY_DAY)
    for event in sorted(made, key=lambda event: event.time):
        apply(state, event, OPENS)
    assert answers == {True: 400}
    assert not state.live
