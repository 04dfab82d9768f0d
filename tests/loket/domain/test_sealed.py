"""Sealed pages and resting tickets: a state that keeps its tickets packed is the same state as one that does not."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from hypothesis import strategies as st

from loket.domain import records, sealed, state
from loket.domain.calls import LastCalls
from loket.domain.events import Event
from loket.domain.figures import evaluate
from loket.domain.first_waits import evaluate_estimates
from loket.domain.policy import HOUR, UnitPolicy
from loket.domain.records import RecordError, all_pages, head_bytes, load, page_bytes, split_key, take_records
from loket.domain.sealed import tickets_in
from loket.domain.sessions import evaluate_staff
from loket.domain.state import UnitState
from loket.domain.steps import Ticket
from loket.domain.unit import Applied, apply
from loket.domain.windows import evaluate_windows
from loket.testing.builders import Office, unit_policy
from loket.testing.strategies import arrivals, conflicting, logs
from support.laws import law

o = Office()
OPENS = int(o.at("08:00"))
NOWS = (OPENS, OPENS + HOUR, OPENS + 5 * HOUR, OPENS + 20 * HOUR, OPENS + 30 * HOUR)
BY_DAY = unit_policy({"s": 300, "t": 600}, wrap_up_seconds=90)
NEVER = unit_policy({"s": 300, "t": 600}, day_starts="never", wrap_up_seconds=90)
POLICIES = st.sampled_from([BY_DAY, BY_DAY, BY_DAY, NEVER])


@contextmanager
def pages_of(tickets: int) -> Iterator[None]:
    """Have pages hold so few tickets that they are full soon."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (state, records):
            patch.setattr(module, "PAGE_TICKETS", tickets)
        yield


def store(kept: UnitState, topic: dict[bytes, bytes]) -> None:
    """Take the records of a state to a compacted topic, compressed."""
    for key, value in take_records(kept, zlib.compress, zlib.decompress):
        if value is None:
            topic.pop(key, None)
        else:
            topic[key] = value


def read_back(topic: dict[bytes, bytes], policy: UnitPolicy, *, old: bool = False) -> UnitState:
    """The state that a topic holds; `old`: as from a version that did not tell when people were judged."""
    written = {split_key(key)[1]: value for key, value in topic.items()}
    head = zlib.decompress(written.pop(None))
    if old:
        said = records._HEAD.decode(head)
        said.judged = None
        head = records._ENCODER.encode(said)
    return load(head, {name or "": value for name, value in written.items()}, policy, zlib.decompress)


def stored(kept: UnitState) -> tuple[object, ...]:
    """What would be written of a state, byte for byte but for the order of the tickets that are open."""
    head = records._HEAD.decode(head_bytes(kept))
    head.open.sort(key=lambda ticket: (ticket.day, ticket.subject))
    return head, {page: page_bytes(kept, page) for page in all_pages(kept)}


def shown(kept: UnitState) -> list[object]:
    """All that is shown of a state, at several instants."""
    return [
        (
            evaluate(kept, now),
            evaluate_staff(kept, now),
            evaluate_windows(kept, now),
            evaluate_estimates(kept, now),
            [call.at for call in LastCalls().look(kept, now, 3) or ()],
        )
        for now in NOWS
    ]


received = st.tuples(
    logs().flatmap(arrivals) | logs().flatmap(conflicting),
    st.lists(st.integers(0, 3), min_size=1, max_size=8),
    st.sampled_from([0, 0, 0, HOUR]),
)


@law(received, POLICIES, st.integers(1, 3))
def test_law_a_state_that_keeps_its_tickets_packed_is_one_that_does_not(
    told: tuple[list[Event], list[int], int], policy: UnitPolicy, tickets: int
) -> None:
    """One is never written. Of the others one is written now and then, one read back too, one by an older version."""
    log, turns, step = told
    with pages_of(tickets):
        plain, written, again, old = (UnitState("u", policy) for _ in range(4))
        topics: list[dict[bytes, bytes]] = [{}, {}, {}]
        for number, event in enumerate(log):
            at = max(OPENS, int(event.time)) + number * step
            answer = apply(plain, event, at)
            assert {apply(written, event, at), apply(again, event, at), apply(old, event, at)} == {answer}
            if turns[number % len(turns)] == 0:
                for kept, topic in zip((written, again, old), topics, strict=True):
                    store(kept, topic)
                again, old = read_back(topics[1], policy), read_back(topics[2], policy, old=True)
            elif turns[number % len(turns)] == 1:
                assert shown(written) == shown(again) == shown(old) == shown(plain)
        assert shown(written) == shown(again) == shown(old) == shown(plain)
        assert stored(written) == stored(again) == stored(plain)
        assert stored(old)[1] == stored(plain)[1]
        for kept in (written, again):
            assert {day: ids for day, ids in kept.ids.items() if ids} == {
                day: ids for day, ids in plain.ids.items() if ids
            }


def a_day(tickets: int) -> tuple[UnitState, list[Event]]:
    """A state that so many people were served in, and the events."""
    kept = UnitState("u", BY_DAY)
    told: list[Event] = []
    for number in range(tickets):
        at, subject = OPENS + 1_000 * number, f"A{number}"
        told += [
            o.issued(subject, at=at, service="s"),
            o.called(subject, at=at + 60_000, employee="e"),
            o.started(subject, at=at + 61_000, employee="e"),
            o.completed(subject, at=at + 90_000, employee="e"),
        ]
    for event in told:
        apply(kept, event, OPENS)
    return kept, told


def test_full_pages_are_sealed_and_opened_for_the_event_of_a_ticket_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pages_of(10):
        kept, told = a_day(35)
        topic: dict[bytes, bytes] = {}
        store(kept, topic)
        assert (len(kept.sealed), len(kept.tickets)) == (3, 5)
        opened: list[tuple[int, int]] = []

        def opening(of: UnitState, page: tuple[int, int]) -> list[Ticket]:
            opened.append(page)
            return tickets_in(of, page)

        monkeypatch.setattr(sealed, "tickets_in", opening)
        kept = read_back(topic, BY_DAY)
        assert {apply(kept, event, OPENS) for event in told} == {Applied.DUPLICATE}
        assert apply(kept, o.issued("B1", at="09:00", service="s"), OPENS) == Applied.APPLIED
        evaluate(kept, OPENS + HOUR)
        calls = LastCalls()
        found = [calls.look(kept, OPENS + HOUR, 20) for _ in range(2)]
        assert found == 2 * [LastCalls().look(a_day(35)[0], OPENS + HOUR, 20)]
        store(kept, topic)
        assert (len(kept.sealed), opened) == (3, [])
        assert apply(kept, o.recalled("A12", at="09:30"), OPENS) == Applied.APPLIED
        assert (len(kept.sealed), len(opened), len(kept.tickets)) == (2, 1, 16)
        before = {key: value for key, value in topic.items() if key != b"u"}
        store(kept, topic)
        changed = [key for key, value in topic.items() if before.get(key, value) != value]
        assert changed == [f"u\0{o.day.toordinal()}.1".encode()]


def test_a_page_with_a_ticket_that_is_open_again_is_not_sealed() -> None:
    with pages_of(2):
        kept, _ = a_day(3)
        apply(kept, o.issued("B1", at="09:00", service="s"), OPENS)
        apply(kept, o.abandoned("B1", at="09:10"), OPENS)
        topic: dict[bytes, bytes] = {}
        store(kept, topic)
        day = o.day.toordinal()
        assert list(kept.sealed) == [(day, 0), (day, 1)]
        apply(kept, o.started("B1", at="09:20", employee="e"), OPENS)
        store(kept, topic)
        for one in (kept, read_back(topic, BY_DAY)):
            assert list(one.sealed) == [(day, 0)]
            assert list(one.live) == [(day, "B1")]
            assert evaluate(one, int(o.at("10:01"))) == evaluate(kept, int(o.at("10:01")))
        apply(kept, o.completed("B1", at="10:05", employee="e"), OPENS)
        store(kept, topic)
        assert list(kept.sealed) == list(read_back(topic, BY_DAY).sealed) == [(day, 0), (day, 1)]


def test_two_subjects_of_one_hash_are_never_both_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can make them up, as the hash is another in each process; but the figures must be right."""
    monkeypatch.setattr(sealed, "hash", lambda subject: int(subject[1:]) // 2, raising=False)
    with pages_of(2):  # A0 and A1 are in one page
        kept, told = a_day(3)
        topic: dict[bytes, bytes] = {}
        store(kept, topic)
        assert not kept.sealed
        assert not read_back(topic, BY_DAY).sealed
    with pages_of(1):
        kept, told = a_day(3)
        topic = {}
        store(kept, topic)
        for one in (kept, read_back(topic, BY_DAY)):
            assert len(one.sealed) == 2
            assert {apply(one, event, OPENS) for event in told} == {Applied.DUPLICATE}
            for subject in ("A1", "A2", "A0"):
                ticket = one.ticket((o.day.toordinal(), subject))
                assert ticket is not None
                assert ticket.subject == subject


def test_a_sealed_page_that_nobody_can_have_written_is_refused() -> None:
    with pages_of(2):
        kept, _ = a_day(2)
        topic: dict[bytes, bytes] = {}
        store(kept, topic)
        (name,) = (key for key in topic if key != b"u")
        tickets = records._PAGE.decode(zlib.decompress(topic[name]))
        spoilt: list[list[Ticket]] = [[tickets[0], tickets[0]], [tickets[0], Ticket("A1", tickets[0].day + 1, page=0)]]
        tickets[1].ids.pop()
        for page in (*spoilt, tickets):
            topic[name] = zlib.compress(records._ENCODER.encode(page))
            with pytest.raises(RecordError):
                read_back(topic, BY_DAY)
        topic[name] = b"not compressed"
        with pytest.raises((RecordError, zlib.error)):
            read_back(topic, BY_DAY)


def test_a_sealed_page_whose_steps_make_no_sense_is_refused_when_it_is_opened() -> None:
    with pages_of(2):
        kept, _ = a_day(2)
        topic: dict[bytes, bytes] = {}
        store(kept, topic)
        (name,) = (key for key in topic if key != b"u")
        page = msgspec.msgpack.decode(zlib.decompress(topic[name]))
        page[0][2][0][0] = 99  # no kind of step
        topic[name] = zlib.compress(msgspec.msgpack.encode(page))
        again = read_back(topic, BY_DAY)
        assert apply(again, o.issued("B1", at="09:00", service="s"), OPENS) == Applied.APPLIED
        with pytest.raises(RecordError, match="rebuil"):
            apply(again, o.recalled("A0", at="09:30"), OPENS)


def test_a_straight_ticket_rests_between_a_checkpoint_and_its_next_event() -> None:
    kept = UnitState("u", BY_DAY)
    key = (o.day.toordinal(), "A1")
    apply(kept, o.issued("A1", at="09:00", service="s"), OPENS)
    assert isinstance(kept.tickets[key], Ticket)
    before = evaluate(kept, OPENS + HOUR)
    head = head_bytes(kept)
    take_records(kept)
    assert isinstance(kept.tickets[key], bytes)
    assert evaluate(kept, OPENS + HOUR) == before
    assert head_bytes(kept) == head
    assert apply(kept, o.called("A1", at="09:05"), OPENS) == Applied.APPLIED
    assert isinstance(kept.tickets[key], Ticket)
    assert kept.is_straight(key)
