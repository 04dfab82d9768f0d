"""Whatever bytes stand in the changelog, a unit is read from them that works, or they are refused."""

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import pytest

from loket.domain.counters import is_open
from loket.domain.events import Event
from loket.domain.figures import evaluate
from loket.domain.records import RecordError, load, split_key, take_records
from loket.domain.sessions import active_sessions
from loket.domain.state import UnitState
from loket.domain.summary import rows_of_state
from loket.domain.unit import apply
from loket.testing.builders import Office, unit_policy
from support.fuzzing import Campaign, Mutator, seed_of, sizes

POLICIES: Final = (unit_policy({"s": 300}), unit_policy({"s": 300}, day_starts="never"))
Records = tuple[bytes, Mapping[str, bytes]]
o = Office()
NUMBERS: Final = (0, 1, -1, 12, 13, 255, 256, -(2**31), 2**31, 2**53, 2**63 - 1, -(2**63), 2**64 - 1, 700_000, 1 << 62)


def records_of(policy: int) -> Records:
    """Open and closed tickets of two days, of every kind of step."""
    state = UnitState("u", POLICIES[policy])
    for day in ("", "+1 "):
        for number in range(4):
            name = f"A{number}"
            steps: tuple[Event, ...] = (
                o.issued(name, at=f"{day}09:00", appointment=f"{day}09:05" if number == 3 else None),
                o.called(name, at=f"{day}09:10", counter="1", employee="e"),
                o.recalled(name, at=f"{day}09:11"),
                o.requeued(name, at=f"{day}09:12", employee="f"),
                o.started(name, at=f"{day}09:20", service="t", employee="e"),
                o.held(name, at=f"{day}09:21", employee="e"),
                o.resumed(name, at=f"{day}09:22", employee="g"),
                o.added(name, at=f"{day}09:23", service="x"),
            )
            for event in steps:
                apply(state, event, int(event.time))
        ends: tuple[Event, ...] = (
            o.completed("A0", at=f"{day}09:30", quantity=2),
            o.no_show("A1", at=f"{day}09:30"),
            o.transferred("A1", at=f"{day}09:31", to_unit="v"),
            o.issued("A4", at=f"{day}09:00", from_unit="v"),
            o.voided("A4", at=f"{day}09:01"),
            o.issued("A5", at=f"{day}09:00"),
            o.abandoned("A5", at=f"{day}09:00:05"),
            o.queue_closed(at=f"{day}15:00", service="s"),
            o.counter_opened(at=f"{day}08:55"),
            o.heartbeat(at=f"{day}09:00", pending=2, oldest_pending_at=f"{day}08:59"),
            o.session_started("e", at=f"{day}09:00", services=("s", "t")),
            o.session_paused("e", at=f"{day}09:25"),
            o.session_resumed("e", at=f"{day}09:40"),
            o.session_started("f", at=f"{day}22:00", counter="2"),
        )
        for event in ends:
            apply(state, event, int(event.time))
    state.offset = 70
    head, pages = b"", {}
    for key, value in take_records(state):
        _, page = split_key(key)
        if page is None:
            head = value or b""
        elif value is not None:
            pages[page] = value
    return head, pages


VALID: Final = tuple(map(records_of, range(len(POLICIES))))


class Spoiler:
    """Makes records of a unit of which something is spoilt: bytes, or a value of what they say."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        parts = [part for head, pages in VALID for part in (head, *pages.values())]
        self._bytes = Mutator(parts, [msgspec.msgpack.encode(number) for number in NUMBERS], self._rng)

    def make(self) -> tuple[int, Records]:
        rng = self._rng
        policy = rng.randrange(len(VALID))
        head, pages = VALID[policy]
        pages = dict(pages)
        dice = rng.random()
        if dice < 0.15:
            head = self._bytes.make()
        elif dice < 0.3 and pages:
            pages[rng.choice(list(pages))] = self._bytes.make()
        elif dice < 0.35:
            pages[rng.choice(("", "x", "1", "1.2.3", "-1.0", "739631.1", "9" * 5_000 + ".0", "１.2", "1.-1"))] = b"\x90"
        elif dice < 0.75 or not pages:
            head = self._spoilt(head)
        else:
            name = rng.choice(list(pages))
            pages[name] = self._spoilt(pages[name])
        return policy, (head, pages)

    def _spoilt(self, packed: bytes) -> bytes:
        found = msgspec.msgpack.decode(packed, strict=False)
        for _ in range(1 + int(self._rng.expovariate(1.5))):
            self._change(found)
        return msgspec.msgpack.encode(found)

    def _change(self, found: object) -> None:
        rng = self._rng
        place = found
        while isinstance(place, dict | list) and place:
            at = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
            inside = place[at]
            if isinstance(inside, dict | list) and inside and rng.random() < 0.9:
                place = inside
                continue
            dice = rng.randrange(12)
            if dice == 0:
                del place[at]
            elif dice == 1 and isinstance(place, list):
                place.insert(at, inside)
            elif dice == 2 and isinstance(place, dict):
                place[rng.choice(("s", "", "other", "late_hours", 7, -1, 2**70 % 2**64))] = inside
            elif dice == 3:
                place[at] = rng.choice((None, "", "x", "s" * 300, [], {}, True, 0.5, b"x", [inside] * 3))
            elif dice == 4 and isinstance(place, list):
                rng.shuffle(place)
            elif isinstance(inside, int) and dice < 9:
                changed = inside + rng.choice((1, -1, 60_000, -60_000, 86_400_000, -86_400_000))
                place[at] = max(-(2**63), min(changed, 2**64 - 1))

            else:
                place[at] = rng.choice(NUMBERS)
            return


def shown(state: UnitState, now: int) -> None:
    """Everything that a page shows of a unit."""
    rows_of_state(state, evaluate(state, now))
    active_sessions(state, now)
    for counter in state.counters.values():
        is_open(counter, state.policy, now)


def read(found: tuple[int, Records]) -> str:
    policy, (head, pages) = found
    try:
        state = load(head, pages, POLICIES[policy])
    except RecordError:
        return "refused"
    # What was read has to work: it is shown, goes on, closes its days and is written again.
    for now in ("12:00", "+1 12:00", "+3 12:00"):
        shown(state, int(o.at(now)))
    for event in (
        o.session_ended("f", at="+1 15:59", counter="2"),
        o.issued("B1", at="+1 16:00"),
        o.completed("A2", at="+1 16:01"),
        o.started("A1", at="+1 16:02", service="z", employee="z"),
        o.queue_closed(at="+1 16:03"),
        o.issued("C1", at="+4 10:00"),
    ):
        apply(state, event, int(event.time))
    shown(state, int(o.at("+4 12:00")))
    take_records(state)
    return "read"


@pytest.mark.parametrize("inputs", sizes(1_500, 60_000))
@pytest.mark.timeout(3600)
def test_changelog(inputs: int) -> None:
    seed = seed_of("changelog", long=inputs > 10_000)
    campaign = Campaign(Spoiler(seed).make, read, seed)
    campaign.run(inputs)
    assert campaign.results["read"] > inputs / 20
    assert campaign.results["refused"] > inputs / 20


# What was found


def refused_for(change: Callable[[dict[str, Any]], object], policy: int = 0) -> str:
    head, pages = VALID[policy]
    said = msgspec.msgpack.decode(head)
    change(said)
    with pytest.raises(RecordError) as caught:
        load(msgspec.msgpack.encode(said), pages, POLICIES[policy])
    return caught.value.reason


def test_tickets_are_counted_and_not_said() -> None:
    head, pages = VALID[1]
    said = msgspec.msgpack.decode(head, strict=False)
    said["admission"][2] = {60_000: 3}
    state = load(msgspec.msgpack.encode(said), pages, POLICIES[1])
    assert state.admission.tickets[0] == len(state.tickets)
    apply(state, o.issued("C1", at="+4 10:00"), int(o.at("+4 10:00")))


def test_a_ticket_is_in_one_place_and_in_that_where_it_belongs() -> None:
    assert "in two places" in refused_for(lambda said: said["open"].append(said["open"][0]))
    assert "where it does not belong" in refused_for(lambda said: said["open"][0].__setitem__(6, 3))


def test_amounts_and_times_that_nobody_counted_are_refused() -> None:
    def at_no_time(said: dict[str, Any]) -> None:
        said["open"][0][2][0][1] = 1 << 62

    def too_much(said: dict[str, Any]) -> None:
        said["tallies"]["s"][0][0]["tickets_issued"] = 2**64 - 1

    assert "at no time" in refused_for(at_no_time)
    assert "damaged" in refused_for(too_much)


@pytest.mark.parametrize("name", ["１.2", "1.02", " 1.2", "1_0.2", "x", "1"])
def test_a_page_has_one_name(name: str) -> None:
    head, pages = VALID[0]
    with pytest.raises(RecordError, match="makes no sense"):
        load(head, {**pages, name: b"\x90"}, POLICIES[0])


@pytest.mark.parametrize(("written", "now"), [(0, 1), (1, 0)], ids=["day to never", "never to day"])
def test_a_unit_whose_day_starts_otherwise_now_goes_on(written: int, now: int) -> None:
    head, pages = VALID[written]
    state = load(head, pages, POLICIES[now])
    for number, at in enumerate(("+1 16:00", "+4 10:00", "+5 10:00", "+9 10:00")):
        apply(state, o.issued(f"B{number}", at=at), int(o.at(at)))
        evaluate(state, int(o.at(at)))
    taken = [value for key, value in take_records(state) if split_key(key)[1] is None]
    assert taken
