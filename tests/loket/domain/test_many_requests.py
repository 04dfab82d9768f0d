"""A unit with 100,000 open requests: what an event costs is counted, and stays what it is with a hundred."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from loket.domain import requesting, requests
from loket.domain.events import Event, RequestSubmitted
from loket.domain.figures import evaluate
from loket.domain.opening import OpeningHours
from loket.domain.policy import DAY, HOUR, Clock, Produces, ServicePolicy, Turnaround, UnitPolicy
from loket.domain.records import RecordError, load, split_key, take_records
from loket.domain.request_corrections import course_as_corrected
from loket.domain.request_course import Course, RequestStep
from loket.domain.request_steps import Request
from loket.domain.requests import MAX_FORGOTTEN_PAGES, PAGE_REQUESTS
from loket.domain.state import UnitState
from loket.domain.unit import Applied, apply
from loket.testing.builders import Office

OPENS = int(Office().at("08:00"))
POLICY = UnitPolicy(
    services={"ktp": ServicePolicy(produces=Produces.REQUEST, turnarounds=(Turnaround(1, DAY, 0.9, Clock.SERVICE),))}
)


def submissions(office: Office, number: int, days: int) -> Iterator[RequestSubmitted]:
    """So many requests, evenly over some days."""
    for index in range(number):
        at = OPENS + index * days * DAY // number
        yield office.request_submitted(f"R{index}", at=at)


def full(number: int, days: int) -> UnitState:
    """A state with so many open requests, written."""
    state, office = UnitState("u", POLICY), Office()
    for event in submissions(office, number, days):
        apply(state, event, int(event.time))
    take_records(state)
    return state


def cost(state: UnitState, event: Event, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """Of one event: courses told, requests packed or unpacked, and pages that the next checkpoint writes."""
    counted = {"course": 0, "packed": 0}
    get = requests.Requests.get

    def counting(steps: list[RequestStep], hours: OpeningHours) -> Course:
        counted["course"] += 1
        return course_as_corrected(steps, hours)

    def getting(self: requests.Requests, subject: str) -> Request | None:
        counted["packed"] += 1
        return get(self, subject)

    with monkeypatch.context() as patched:
        patched.setattr(requesting, "course_as_corrected", counting)
        patched.setattr(requests.Requests, "get", getting)
        assert apply(state, event, int(event.time)) is Applied.APPLIED
    pages = [key for key, _ in take_records(state) if split_key(key)[1] is not None]
    return counted["course"], counted["packed"], len(pages)


def test_an_event_costs_the_same_with_a_hundred_and_with_a_hundred_thousand_open_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few, many = full(100, 2), full(100_000, 200)
    now = OPENS + 300 * DAY
    assert evaluate(many, now).requests["ktp"].open == 100_000
    assert evaluate(many, now).requests["ktp"].over_target == 100_000
    assert max(len(page) for page in many.requests.pages.values()) == PAGE_REQUESTS
    for state in (few, many):
        office = Office(source="others")
        at = OPENS + 250 * DAY
        assert cost(state, office.request_accepted("R50", at=at), monkeypatch) == (1, 1, 1)
        assert cost(state, office.request_completed("R50", at=at + HOUR), monkeypatch) == (1, 1, 1)
        assert cost(state, office.request_submitted("new", at=at + 2 * HOUR), monkeypatch) == (1, 1, 1)
    head = max(len(value or b"") for key, value in take_records(many) if split_key(key)[1] is None)
    assert head < 64 * 1024  # it names 600 pages


def test_a_request_that_ends_leaves_its_page_and_an_empty_page_is_deleted() -> None:
    office, state = Office(), UnitState("u", POLICY)
    apply(state, office.request_submitted("R1", at="08:00"), OPENS)
    apply(state, office.request_completed("R1", at="09:00"), OPENS)
    written = {key: value for key, value in take_records(state) if split_key(key)[1] is not None}
    (page,) = written
    assert (split_key(page)[1] or "").startswith("r.")
    later = OPENS + 70 * DAY
    apply(state, office.heartbeat(at=later), later)
    gone = dict(take_records(state))
    assert gone[page] is None
    assert [split_key(key)[1] for key, value in gone.items() if value is not None] == [None, "f.0"]


def test_the_forgotten_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "FORGOTTEN_ON_PAGE", 2)
    office, state = Office(), UnitState("u", POLICY)
    for number in range(3 * MAX_FORGOTTEN_PAGES):
        apply(state, office.request_submitted(f"R{number}", at=OPENS + number), OPENS)
        apply(state, office.request_completed(f"R{number}", at=OPENS + number), OPENS)
    later = OPENS + 70 * DAY
    apply(state, office.heartbeat(at=later), later)
    assert len(state.requests.forgotten) == MAX_FORGOTTEN_PAGES
    assert max(map(len, state.requests.forgotten.values())) == 2
    assert apply(state, office.request_reopened("R149", at=later), later) is Applied.LATE
    found = {split_key(key)[1]: value for key, value in take_records(state)}
    head = found.pop(None)
    assert head is not None
    again = load(head, {name: value for name, value in found.items() if name and value}, POLICY)
    assert again.requests.forgotten == state.requests.forgotten


def test_beyond_what_a_state_holds_a_new_request_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requesting, "MAX_REQUESTS", 2)
    office, state = Office(), UnitState("u", POLICY)
    told = [apply(state, office.request_submitted(f"R{number}", at="08:00"), OPENS) for number in range(3)]
    assert told == [Applied.APPLIED, Applied.APPLIED, Applied.LATE]
    assert state.late == 1
    assert apply(state, office.request_completed("R1", at="09:00"), OPENS) is Applied.APPLIED


def test_damaged_pages_are_refused_or_do_no_harm() -> None:
    office, state = Office(), UnitState("u", POLICY)
    for number in range(6):
        apply(state, office.request_submitted(f"R{number}", at=f"+{number} 08:00"), OPENS)
        apply(state, office.request_suspended(f"R{number}", at=f"+{number} 10:00"), OPENS)
    more = [office.request_completed(f"R{number}", at=f"+9 {10 + number}:00") for number in range(6)]
    written = {split_key(key)[1]: value or b"" for key, value in take_records(state)}
    random, refused, later = Random(7), 0, OPENS + 90 * DAY
    for _ in range(1_000):
        damaged = {name: bytearray(value) for name, value in written.items()}
        page = damaged[random.choice(sorted(damaged, key=str))]
        page[random.randrange(len(page))] = random.randrange(256)
        pages = {name: bytes(value) for name, value in damaged.items() if name is not None}
        try:
            again = load(bytes(damaged[None]), pages, POLICY)
        except RecordError:
            refused += 1
            continue
        for event in more:
            apply(again, event, int(event.time))
        apply(again, office.heartbeat(at=later), later)
        evaluate(again, later)
        take_records(again)
    assert 100 < refused < 1_000
