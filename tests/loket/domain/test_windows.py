"""Burn of queues: the numbers of the definitions, windows of service time by hand, and their law."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from msgspec.structs import replace

from loket.domain.burn import DEFAULT_BURN, Burn, BurnRule, factor_of, highest_burn
from loket.domain.calendar import CLOSED, Calendar, DayHours, Schedule
from loket.domain.days import closes_at
from loket.domain.durations import DAY, HOUR, MINUTE
from loket.domain.events import Event
from loket.domain.halls import hours_of
from loket.domain.judged import JUDGED_PAGE, key_of, pack, unpack
from loket.domain.opening import State
from loket.domain.policy import ServicePolicy, Target, UnitPolicy
from loket.domain.records import RecordError, load, split_key, take_records
from loket.domain.state import UnitState
from loket.domain.unit import apply
from loket.domain.windows import budget_left, evaluate_windows
from loket.testing.builders import Office, unit_policy
from loket.testing.strategies import arrivals, logs
from support.laws import law
from support.telling import Told

o = Office()  # 2026-01-15 is a Thursday
WEEKDAY = DayHours(((8 * HOUR, 16 * HOUR + 30 * MINUTE),), ((12 * HOUR, 13 * HOUR),))
OFFICE = Calendar((Schedule(1, (WEEKDAY,) * 5 + (CLOSED, CLOSED)),))
POLICY = replace(unit_policy({"s": 300}), calendar=OFFICE)


def test_the_highest_burn_is_5_for_80_and_10_for_90_per_cent() -> None:
    assert (highest_burn(0.8), highest_burn(0.9)) == (5, 10)


@pytest.mark.parametrize(("factor", "lowest"), [(14.4, 0.931), (6, 0.8334)])
def test_the_factors_of_the_workbook_cannot_fire_below_these_objectives(factor: float, lowest: float) -> None:
    rule = BurnRule("r", HOUR, factor)
    assert rule.can_fire(lowest)
    assert not rule.can_fire(lowest - 0.001)


@pytest.mark.parametrize(
    ("share", "window_ms", "factor"), [(0.02, HOUR, 3.3), (0.05, 3 * HOUR, 2.75), (0.10, 7.5 * HOUR, 2.2)]
)
def test_with_165_service_hours_a_month_the_factors_are_these(share: float, window_ms: int, factor: float) -> None:
    assert factor_of(share, 165 * HOUR, window_ms) == factor


def test_the_rules_unless_others_are_written() -> None:
    assert [(rule.name, rule.window_ms / HOUR, rule.factor) for rule in DEFAULT_BURN.rules] == [
        ("1h", 1, 3.3),
        ("3h", 3, 2.75),
        ("1d", 7.5, 2.2),
        ("5d", 37.5, 1.0),
    ]


@pytest.mark.parametrize(
    ("window_ms", "short_ms"), [(HOUR, 15 * MINUTE), (3 * HOUR, 15 * MINUTE), (6 * HOUR, 30 * MINUTE)]
)
def test_the_short_companion_is_a_twelfth_and_at_least_15_minutes(window_ms: int, short_ms: int) -> None:
    assert BurnRule("r", window_ms, 1).short_ms == short_ms


def told(*events: Event, policy: UnitPolicy = POLICY) -> Told:
    found = Told(policy, o)
    for event in events:
        found.tell(event)
    return found


def visit(subject: str, issued: str, called: str) -> tuple[Event, Event]:
    return o.issued(subject, at=issued), o.called(subject, at=called)


def counted(state: UnitState, now: str, window: str = "1h") -> tuple[int, int]:
    found = evaluate_windows(state, int(o.at(now)))["s"]
    return found.judged[window], found.breached[window]


def test_a_window_has_who_was_judged_in_the_last_hour_of_service_time() -> None:
    state = told(*visit("A1", "09:00", "09:01"), *visit("A2", "09:00", "09:20"), o.issued("A3", at="09:40")).state
    assert counted(state, "09:30") == (2, 1)
    assert counted(state, "09:45") == (2, 1)  # A3 is judged when 09:45 is past
    assert counted(state, "09:46") == (3, 2)
    assert counted(state, "10:02") == (2, 2)  # the call at 09:01 is out
    assert counted(state, "10:06") == (1, 1)  # and the breach at 09:05


def test_a_breach_is_dated_when_the_target_passes_not_when_the_call_comes() -> None:
    state = told(*visit("A1", "09:00", "11:00")).state
    assert counted(state, "10:00") == (1, 1)
    assert counted(state, "11:00") == (0, 0)


def test_a_window_goes_back_over_the_break_and_the_night() -> None:
    state = told(*visit("A1", "11:40", "11:41"), *visit("A2", "16:00", "16:01")).state
    assert counted(state, "13:30") == (1, 0)  # from 11:30 on
    assert counted(state, "+1 08:25") == (1, 0)  # from 15:55 on


def test_on_monday_the_last_hour_begins_on_friday() -> None:
    friday = Office(day="2026-01-16")
    state = told(friday.issued("A1", at="16:10"), friday.called("A1", at="16:11")).state
    monday = Office(day="2026-01-19")
    assert evaluate_windows(state, int(monday.at("08:30")))["s"].judged["1h"] == 1
    assert evaluate_windows(state, int(monday.at("08:45")))["s"].judged["1h"] == 0


def test_rule_11_judged_while_closed_is_in_no_window_and_judged_in_a_break_is() -> None:
    state = told(*visit("A1", "17:00", "17:01"), *visit("A2", "12:10", "12:11")).state
    assert counted(state, "18:00", "1d") == (1, 0)


def test_the_short_window_has_the_last_quarter_of_an_hour() -> None:
    state = told(*visit("A1", "09:00", "09:01"), *visit("A2", "09:20", "09:21")).state
    assert counted(state, "09:30", "1h_short") == (1, 0)


def test_what_a_void_takes_back_leaves_the_window() -> None:
    found = told(*visit("A1", "09:00", "09:20"))
    assert counted(found.state, "09:30") == (1, 1)
    found.tell(o.voided("A1", at="09:25"))
    assert counted(found.state, "09:30") == (0, 0)


def test_rules_that_nobody_wrote_are_left_out_where_they_cannot_fire() -> None:
    half = replace(POLICY, services={"s": ServicePolicy(targets=(Target(1, 300_000, 0.5),))})
    found = evaluate_windows(told(policy=half).state, int(o.at("09:00")))["s"]
    assert found.factors == {"5d": 1.0}
    assert set(found.judged) == {"5d", "5d_short"}


def test_rule_22_without_a_target_there_is_no_window() -> None:
    assert evaluate_windows(told(policy=replace(POLICY, services={"s": ServicePolicy()})).state, o.at("09:00")) == {}


def test_closed_days_stay_in_the_windows_that_reach_them_and_in_records_of_their_own() -> None:
    found = told(*visit("A1", "09:00", "09:20"))
    found.tell(o.issued("B1", at="+1 10:00"))
    assert not found.state.judged
    assert counted(found.state, "+1 10:01", "1d") == (0, 0)  # 2:01 of today and 5:29 of yesterday, from 10:01 on
    assert counted(found.state, "+1 10:01", "5d") == (1, 1)
    written = {split_key(key)[1]: value for key, value in take_records(found.state)}
    head = written.pop(None)
    pages = {name: value for name, value in written.items() if name is not None and value is not None}
    assert f"{o.day.toordinal()}.{JUDGED_PAGE}" in pages
    assert head is not None
    loaded = load(head, pages, POLICY)
    now = int(o.at("+1 10:01"))
    assert evaluate_windows(loaded, now) == evaluate_windows(found.state, now)
    with pytest.raises(RecordError):
        load(head, dict.fromkeys(pages, b"\x81\xa1s\x92\x01\xff"), POLICY)


def test_what_no_window_and_no_month_reaches_is_forgotten() -> None:
    found = told(*visit("A1", "09:00", "09:20"))
    found.tell(o.issued("B1", at="+30 10:00"))
    assert not found.state.judged_past
    assert not found.state.judged_days


def test_the_budget_of_a_month_by_hand() -> None:
    # Burn 2 after a tenth of the month has spent a fifth of its budget; burn 2 to the end has spent it twice.
    assert budget_left(4, 2.0, 10, 100) == pytest.approx(0.8)
    assert budget_left(4, 2.0, 100, 100) == pytest.approx(-1.0)
    assert budget_left(0, 0.0, 10, 100) == 1.0
    assert budget_left(0, 0.0, 0, 0) is None


def test_the_budget_left_of_january_after_eleven_days() -> None:
    # January 2026 has 22 weekdays of 7.5 h = 165 h; at 12:00 on the 15th the 11th has served 4 h: 79 h have passed.
    found = told(*visit("A1", "09:00", "09:20"), *visit("A2", "09:00", "09:01"), *visit("A3", "09:00", "09:02"))
    windows = evaluate_windows(found.state, int(o.at("12:00")))["s"]
    assert windows.budget_left == pytest.approx(1 - (1 / (3 * 0.2)) * 79 / 165)
    assert windows.budget_left_ms == pytest.approx((165 - (1 / (3 * 0.2)) * 79) * HOUR)  # in service hours
    found.tell(o.issued("B1", at="+1 16:00"))  # the day closes; its sums stay
    left = evaluate_windows(found.state, int(o.at("+1 16:00")))["s"].budget_left
    assert left == pytest.approx(1 - (1 / (3 * 0.2)) * 89.5 / 165)


RULES = Burn((BurnRule("a", 20 * MINUTE, 1), BurnRule("b", 5 * HOUR, 1), BurnRule("c", 20 * HOUR, 1)), chosen=True)
BOTH = {"s": 300, "t": 600}
POLICIES = st.sampled_from(
    [
        replace(unit_policy(BOTH), calendar=OFFICE, burn=RULES),
        replace(unit_policy(BOTH, day_starts="never"), calendar=OFFICE, burn=RULES),
        replace(unit_policy(BOTH), burn=RULES),
    ]
)
OFFICE_LOGS = logs().flatmap(lambda log: st.tuples(st.just(log), arrivals(log)))
NOWS = st.sampled_from([int(Office().at("08:00")) + hours * HOUR for hours in (0, 1, 3, 8, 24, 26, 49, 74)])


@law(OFFICE_LOGS, POLICIES, NOWS)
def test_law_a_window_is_what_its_legs_say(pair: tuple[list[Event], list[Event]], policy: UnitPolicy, now: int) -> None:
    """The second computation looks at each leg that the state still has, once no day has closed."""
    state = UnitState("u", policy)
    for event in pair[1]:
        apply(state, event, int(Office().at("08:00")))
    judged: list[tuple[str, int, bool]] = []
    for leg in _legs(state):
        if leg.breach_at is None:
            continue
        expires_at = closes_at(leg, policy, state.closings.get(leg.day, ()))
        over = leg.ended_at if leg.outcome is not None else min(now, expires_at)
        called = leg.first_called_at
        if called is not None:
            judged.append((leg.service, min(called, leg.breach_at), called > leg.breach_at))
        elif over is not None and over > leg.breach_at:
            judged.append((leg.service, leg.breach_at, True))
    hours = hours_of(policy)
    for label, found in evaluate_windows(state, now).items():
        for rule in RULES.rules:
            begins = hours.before(now, rule.window_ms) // MINUTE * MINUTE
            inside = [
                breached
                for service, at, breached in judged
                if service == label
                and begins <= at < (now // MINUTE + 1) * MINUTE
                and hours.state(at // MINUTE * MINUTE) is not State.CLOSED
            ]
            assert (found.judged[rule.name], found.breached[rule.name]) == (len(inside), sum(inside))


def _legs(state: UnitState):  # type: ignore[no-untyped-def]
    for key in state.tickets:
        ticket = state.ticket(key)
        assert ticket is not None
        yield from (state.live.get(key) or state.derived(key, ticket)).folded.legs


@law(OFFICE_LOGS, POLICIES)
def test_law_a_loaded_state_has_the_same_windows(pair: tuple[list[Event], list[Event]], policy: UnitPolicy) -> None:
    state = UnitState("u", policy)
    for event in pair[1]:
        apply(state, event, int(event.time))
    written = {split_key(key)[1]: value for key, value in take_records(state)}
    head = written.pop(None)
    assert head is not None
    loaded = load(head, {name or "": value for name, value in written.items() if value is not None}, policy)
    now = state.received
    assert evaluate_windows(loaded, now) == evaluate_windows(state, now)


@law(st.dictionaries(st.text(max_size=5), st.dictionaries(st.integers(0, 10**9), st.integers(1, 10**6), min_size=1)))
def test_law_minutes_are_unpacked_as_they_were_packed(judged: dict[str, dict[int, int]]) -> None:
    assert unpack(pack(judged)) == judged


def test_a_key_tells_the_minute_and_how_it_was_judged() -> None:
    assert key_of(3 * MINUTE + 59_999, breached=True) == 7
    assert key_of(DAY, breached=False) == 2 * 24 * 60
