"""Laws of the fold: whatever the log and however it arrives, these hold.

`conflicting_repeat` is left out where the order of arrival may not matter, as there the first received stands.
"""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from loket.domain.contribution import Contribution
from loket.domain.events import CounterClosed, CounterHeartbeat, CounterOpened, Event
from loket.domain.figures import evaluate
from loket.domain.levels import Levels
from loket.domain.policy import DAY, HOUR, MINUTE, UnitPolicy
from loket.domain.records import all_pages, head_bytes, load, mark_all, page_bytes, split_key, take_records
from loket.domain.sessions import active_sessions, evaluate_staff
from loket.domain.staffing import Staff
from loket.domain.state import UnitState, derive
from loket.domain.summary import flat_counts, flat_service, rows_of_state
from loket.domain.tally import ServiceTally
from loket.domain.unit import Applied, apply
from loket.testing.builders import DAY as BUILDERS_DAY
from loket.testing.builders import Office, unit_policy
from loket.testing.strategies import arrivals, conflicting, journeys, logs
from support.laws import law

TARGETS = {"s": 300, "t": 600}
BY_DAY = unit_policy(TARGETS, wrap_up_seconds=90)
NEVER = unit_policy(TARGETS, day_starts="never", wrap_up_seconds=90)
POLICIES = st.sampled_from([BY_DAY, NEVER])
NEEDS_NO_ID = (CounterOpened, CounterClosed, CounterHeartbeat)
OPENS = int(Office().at("08:00"))
NOWS = [OPENS + offset for offset in (-DAY, HOUR, 5 * HOUR, 19 * HOUR, 24 * HOUR, 30 * HOUR, 50 * HOUR, 90 * HOUR)]


def told(log: list[Event], policy: UnitPolicy, received: int = OPENS) -> UnitState:
    """A state that received a log at one instant, so that no day closes on the way."""
    state = UnitState("u", policy)
    for event in log:
        apply(state, event, received)
    return state


def exact(state: UnitState, *nows: int, days: bool = True) -> dict[str, Any]:
    """Every exact figure of a state at some instants: totals less corrections, cumulative, present and of the day."""
    found: dict[str, Any] = {
        f"person {name}": {figure: n for figure, n in flat_counts(counts).items() if n}
        for name, counts in state.people.items()
    }
    for now in nows or NOWS:
        figures = evaluate(state, now)
        for label in figures.present:
            flat = flat_service(state.tallies.get(label, ServiceTally()), figures, label)
            found[f"{now} {label}"] = {name: amount for name, amount in flat.items() if amount}
        for label, day in figures.day.items() if days else ():
            amounts = day.counts | {"judged": day.judged, "breached": day.breached, "expired": day.expired}
            amounts["unserved"] = day.unserved
            found[f"{now} {label} day"] = {name: amount for name, amount in amounts.items() if amount}
        for name, staff in evaluate_staff(state, now).items():
            found[f"{now} staff {name}"] = told_of(staff.total)
            if days:
                found[f"{now} staff {name} day"] = told_of(staff.day)
    return {name: figures for name, figures in found.items() if figures}


def told_of(staff: Staff) -> dict[str, int]:
    """An employee's time without zeros."""
    return {name: amount for name, amount in msgspec.structs.asdict(staff).items() if amount}


def never_falling(state: UnitState) -> dict[str, int]:
    """Every number of a state that Prometheus reads as a counter."""
    found: dict[str, int] = {"late": state.late}
    sources = [(f"service {label}", tally.counts) for label, tally in state.tallies.items()]
    sources += [(f"person {name}", counts) for name, counts in state.people.items()]
    for name, counts in sources:
        found |= {f"{name} {figure}": total for figure, total in counts.total.items()}
        found |= {f"{name} {figure} corrected": taken for figure, taken in counts.corrected.items()}
    for label, tally in state.tallies.items():
        for kind, histogram in tally.histograms.items():
            found |= {f"{label} {kind} {index}": count for index, count in enumerate(histogram.buckets)}
            found[f"{label} {kind} sum"], found[f"{label} {kind} count"] = histogram.sum_ms, histogram.count
            found[f"{label} {kind} corrected sum"] = histogram.corrected_ms
            found[f"{label} {kind} corrected count"] = histogram.corrected_count
    return found


logs_and_arrivals = logs().flatmap(lambda log: st.tuples(st.just(log), arrivals(log)))


@law(logs_and_arrivals, POLICIES)
def test_law_any_permutation_and_duplication_gives_the_same_exact_figures(
    pair: tuple[list[Event], list[Event]], policy: UnitPolicy
) -> None:
    log, arrived = pair
    assert exact(told(log, policy)) == exact(told(arrived, policy))


@law(logs(), POLICIES)
def test_law_applying_a_log_twice_changes_nothing(log: list[Event], policy: UnitPolicy) -> None:
    state = told(log, policy)
    before = (exact(state), never_falling(state), head_bytes(state), dict(state.last_call))
    results = {apply(state, event, OPENS) for event in log if not isinstance(event, NEEDS_NO_ID)}
    assert results <= {Applied.DUPLICATE, Applied.LATE, Applied.CONFLICTING_REPEAT}
    assert {apply(state, event, OPENS) for event in log if isinstance(event, NEEDS_NO_ID)} <= {Applied.APPLIED}
    assert (exact(state), never_falling(state), head_bytes(state), dict(state.last_call)) == before


@law(logs().flatmap(conflicting), POLICIES)
def test_law_of_conflicting_repeats_the_first_received_stands(log: list[Event], policy: UnitPolicy) -> None:
    state = UnitState("u", policy)
    taken = [event for event in log if apply(state, event, OPENS) != Applied.CONFLICTING_REPEAT]
    assert exact(state) == exact(told(taken, policy))


@law(logs(), POLICIES)
def test_law_stages_sum_to_the_total_which_is_end_less_issue(log: list[Event], policy: UnitPolicy) -> None:
    state = told(log, policy)
    for key in state.tickets:
        ticket = state.ticket(key)
        assert ticket is not None
        for leg in derive(ticket, policy).folded.legs:
            stages = [leg.early_ms]
            for stretch in leg.stretches:
                stages += [stretch.wait_ms, stretch.way_ms or 0, stretch.service_ms or 0, stretch.lost_ms or 0]
                stages += stretch.hold_ms
            assert min(stages) >= 0
            assert leg.total_ms == sum(stages)
            if leg.ended_at is not None and leg.issued_at is not None and not leg.incomplete and not leg.skewed:
                assert leg.total_ms == leg.ended_at - leg.issued_at


@st.composite
def handovers(draw: st.DrawFn) -> tuple[list[tuple[str, Event]], int, int]:
    """A person who is handed on between two units until the last completes: events, hops, and the time it took."""
    offices = {name: Office(name, source=name) for name in ("u", "v")}
    at, here, came_from = OPENS, "u", None
    made: list[tuple[str, Event]] = []
    hops = draw(st.integers(1, 4))
    for hop in range(hops + 1):
        office = offices[here]
        of: Any = {} if came_from is None else {"from_unit": came_from}
        made.append((here, office.issued("A1", at=at, service="s", **of)))
        at += draw(st.integers(1, 20)) * MINUTE
        called = draw(st.booleans())
        if called:
            made.append((here, office.called("A1", at=at, employee=here, **of)))
            at += draw(st.integers(1, 5)) * MINUTE
            made.append((here, office.started("A1", at=at, employee=here, **of)))
            at += draw(st.integers(1, 20)) * MINUTE
        if hop < hops:
            there = draw(st.sampled_from(["u", "v"]))
            made.append((here, office.transferred("A1", at=at, to_unit=there, employee=here, **of)))
            came_from, here = here, there
        else:
            if not called:
                made.append((here, office.started("A1", at=at, employee=here, **of)))
                at += draw(st.integers(1, 20)) * MINUTE
            made.append((here, office.completed("A1", at=at, employee=here, **of)))
    return draw(st.permutations(made)), hops, at - OPENS


@law(handovers())
def test_law_nothing_is_counted_twice_across_a_transfer(case: tuple[list[tuple[str, Event]], int, int]) -> None:
    events, hops, took = case
    states = {name: UnitState(name, BY_DAY) for name in ("u", "v")}
    for unit, event in events:
        apply(states[unit], event, OPENS)
    totals: dict[str, int] = {}
    for state in states.values():
        tally = state.tallies.get("s", ServiceTally())
        for name, amount in flat_counts(tally.counts).items():
            totals[name] = totals.get(name, 0) + amount
        for counts in state.people.values():
            for name, amount in flat_counts(counts).items():
                totals[f"by {name}"] = totals.get(f"by {name}", 0) + amount
    assert totals["tickets_issued"] == hops + 1
    assert totals["tickets_closed/transferred"] == hops
    assert totals["served"] == totals["by served"] == totals["tickets_closed/completed"] == 1
    assert totals["visits"] == len({unit for unit, _ in events})
    assert totals.get("by handed_on", 0) == hops
    spent = 0
    for state in states.values():
        for key in state.tickets:
            ticket = state.ticket(key)
            assert ticket is not None
            legs = derive(ticket, BY_DAY).folded.legs
            spent += sum(leg.total_ms for leg in legs)
            assert not any(leg.skewed or leg.contradictions for leg in legs)
    assert spent == took


@st.composite
def receptions(draw: st.DrawFn, days: int = 3) -> list[tuple[Event, int]]:
    """A log as the broker receives it: mostly in time, some of it hours or days late."""
    log = draw(logs(days=days))
    delays = [draw(st.sampled_from([0, 0, 0, 1_000, HOUR, 8 * HOUR, 30 * HOUR, 60 * HOUR])) for _ in log]
    arrived = sorted(zip(log, delays, strict=True), key=lambda pair: int(pair[0].time) + pair[1])
    return [(event, int(event.time) + delay) for event, delay in arrived]


@law(receptions(), POLICIES)
def test_law_no_counter_ever_falls(received: list[tuple[Event, int]], policy: UnitPolicy) -> None:
    state = UnitState("u", policy)
    before: dict[str, int] = {}
    for event, at in received:
        apply(state, event, at)
        after = never_falling(state)
        for name, amount in before.items():
            assert after[name] >= amount, name
        before = after


@law(receptions(), POLICIES)
def test_law_live_figures_are_those_of_what_was_not_late(received: list[tuple[Event, int]], policy: UnitPolicy) -> None:
    state = UnitState("u", policy)
    taken: list[Event] = []
    for event, at in received:
        if apply(state, event, at) != Applied.LATE:
            taken.append(event)
    replayed = told(taken, policy)
    newest = max((at for _, at in received), default=OPENS)
    for now in (newest, newest + 20 * DAY):
        assert exact(state, now, days=False) == exact(replayed, now, days=False)


@law(logs(), POLICIES, st.integers(-DAY, 4 * DAY))
def test_law_closing_a_day_changes_no_cumulative_figure(log: list[Event], policy: UnitPolicy, offset: int) -> None:
    state = told(log, policy)
    received = OPENS + 3 * DAY + offset
    before = exact(state, received, days=False)
    apply(state, Office(source="later").queue_closed(at="-20 08:00"), received)
    after = exact(state, received, days=False)
    assert after == before


@law(receptions(), POLICIES, st.integers(0, 30))
def test_law_a_reloaded_state_goes_on_like_one_that_was_never_stored(
    received: list[tuple[Event, int]], policy: UnitPolicy, each: int
) -> None:
    kept, stored = UnitState("u", policy), UnitState("u", policy)
    topic: dict[bytes, bytes] = {}
    for number, (event, at) in enumerate(received):
        assert apply(kept, event, at) == apply(stored, event, at)
        kept.offset = stored.offset = number
        if number % (each + 1) == 0:
            stored = written_and_read(stored, topic, policy)
    stored = written_and_read(stored, topic, policy)
    assert exact(stored) == exact(kept)
    assert never_falling(stored) == never_falling(kept)
    assert {day: ids for day, ids in stored.ids.items() if ids} == {day: ids for day, ids in kept.ids.items() if ids}
    assert stored.last_call == kept.last_call
    assert contents(stored) == contents(kept)


def written_and_read(state: UnitState, topic: dict[bytes, bytes], policy: UnitPolicy) -> UnitState:
    """Take a state's records to a compacted topic, and load what stands there."""
    for key, value in take_records(state):
        if value is None:
            topic.pop(key, None)
        else:
            topic[key] = value
    head, pages = b"", {}
    for key, value in topic.items():
        unit, page = split_key(key)
        assert unit == "u"
        if page is None:
            head = value
        else:
            pages[page] = value
    return load(head, pages, policy)


def contents(state: UnitState) -> Any:
    """What the records of a state say, whatever the order of the tickets in the head."""
    head = msgspec.msgpack.decode(head_bytes(state), strict=False)
    head["open"] = sorted(head.get("open", []), key=repr)
    head["pages"] = {page: page_bytes(state, page) for page in all_pages(state)}
    return head


@law(logs_and_arrivals, POLICIES)
def test_law_tallies_are_the_sum_of_all_tickets_legs(pair: tuple[list[Event], list[Event]], policy: UnitPolicy) -> None:
    state = told(pair[1], policy)
    whole = Contribution()
    for key in state.tickets:
        ticket = state.ticket(key)
        assert ticket is not None
        for part in derive(ticket, policy).by_day.values():
            for pair_, amount in part.counts.items():
                whole.count(*pair_, amount)
            for pair_, durations in part.observed.items():
                for ms in durations:
                    whole.observe(*pair_, ms)
            for pair_, amount in part.settled.items():
                whole.settle(*pair_, amount)
            for pair_, amount in part.people.items():
                whole.credit(*pair_, amount)
    counts: dict[tuple[str, str], int] = {}
    observed: dict[tuple[str, str], tuple[int, int]] = {}
    settled: dict[tuple[str, str], int] = {}
    people: dict[tuple[str, str], int] = {}
    for label, tally in state.tallies.items():
        counts |= {(label, figure): n for figure, n in flat_counts(tally.counts).items() if n}
        settled |= {(label, figure): n for figure, n in tally.settled.items() if n}
        for kind, histogram in tally.histograms.items():
            count = histogram.count - histogram.corrected_count
            if count:
                observed[(label, kind)] = (count, histogram.sum_ms - histogram.corrected_ms)
    for name, taken in state.people.items():
        people |= {(name, figure): n for figure, n in flat_counts(taken).items() if n}
    for figure in ("contradictions", "skewed_durations"):
        counts.pop(("", figure), None)
    assert counts == {pair_: n for pair_, n in whole.counts.items() if n}
    assert observed == {pair_: (len(ms), sum(ms)) for pair_, ms in whole.observed.items()}
    assert settled == {pair_: n for pair_, n in whole.settled.items() if n}
    assert people == {pair_: n for pair_, n in whole.people.items() if n}


@law(receptions(), POLICIES)
def test_law_evaluate_changes_nothing_and_what_time_brings_only_grows_with_now(
    received: list[tuple[Event, int]], policy: UnitPolicy
) -> None:
    state = UnitState("u", policy)
    for event, at in received:
        apply(state, event, at)
    before = contents(state)
    earlier = evaluate(state, NOWS[0])
    for now in NOWS[1:]:
        later = evaluate(state, now)
        for label, present in earlier.present.items():
            for figure in ("judged", "breached", "expired"):
                assert getattr(later.present[label], figure) >= getattr(present, figure)
        earlier = later
        for label, present in later.present.items():
            assert present.breached <= present.judged
            assert min(present.waiting, present.early, present.over_target, present.breached, present.expired) >= 0
            assert present.over_target <= present.waiting
            assert (present.oldest_wait_start is None) == (present.waiting == 0), label
    assert contents(state) == before


@law(receptions(), POLICIES)
def test_law_levels_are_shares_or_nothing(received: list[tuple[Event, int]], policy: UnitPolicy) -> None:
    state = UnitState("u", policy)
    for event, at in received:
        apply(state, event, at)
    for now in NOWS:
        units, people = rows_of_state(state, evaluate(state, now))
        for row in units:
            for shares in (row.levels, row.levels_without_no_shows):
                if isinstance(shares, Levels):
                    assert all(share is None or 0 <= share <= 1 for share in msgspec.structs.astuple(shares)), row
            closed = msgspec.structs.astuple(row.closed)
            assert min((*closed, row.answered, row.left, row.called_again, row.nobody_came)) >= 0
            assert row.issued >= row.visits >= 0
            assert row.issued >= row.answered + row.left
        for person in people:
            assert min(value for value in msgspec.structs.astuple(person) if isinstance(value, int | float)) >= 0


@law(receptions(), POLICIES)
def test_law_of_employees_time_each_part_is_within_the_whole(
    received: list[tuple[Event, int]], policy: UnitPolicy
) -> None:
    state = UnitState("u", policy)
    for event, at in received:
        apply(state, event, at)
    for now in NOWS:
        for staff in evaluate_staff(state, now).values():
            for part in (staff.total, staff.day):
                assert min(part.serving_ms, part.call_gap_ms, part.call_gaps, part.flagged, part.active) >= 0
                assert part.serving_ms + part.call_gap_ms <= part.staffed_ms
                assert part.call_gaps <= part.call_gap_ms
            assert staff.day.staffed_ms <= min(staff.total.staffed_ms, 25 * HOUR)
        assert active_sessions(state, now) in (None, sum(s.day.active for s in evaluate_staff(state, now).values()))


@law(logs_and_arrivals, POLICIES)
def test_law_counters_need_no_order(pair: tuple[list[Event], list[Event]], policy: UnitPolicy) -> None:
    assert told(pair[0], policy).counters == told(pair[1], policy).counters


@law(journeys(Office(day=BUILDERS_DAY), begins_at=OPENS))
def test_law_every_issue_of_a_journey_is_closed_by_an_event_or_open(journey: list[Event]) -> None:
    state = told(journey, BY_DAY)
    rows, _ = rows_of_state(state, evaluate(state, OPENS + 5 * DAY))
    unit = rows[-1]
    without_issue = evaluate(state, OPENS + 5 * DAY).present.get("")
    legs_without = sum(
        leg.issued_at is None
        for key in state.tickets
        for ticket in [state.ticket(key)]
        if ticket is not None
        for leg in derive(ticket, BY_DAY).folded.legs
    )
    assert without_issue is None or without_issue.waiting == 0
    assert sum(msgspec.structs.astuple(unit.closed)) == unit.issued + legs_without


def test_mark_all_makes_every_page_due_again() -> None:
    office = Office()
    state = told([office.issued("A1", at="09:00"), office.abandoned("A1", at="09:01")], BY_DAY)
    first = take_records(state)
    assert len(take_records(state)) == 1
    mark_all(state)
    assert take_records(state) == first
