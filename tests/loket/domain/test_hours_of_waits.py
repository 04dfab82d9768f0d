"""Opening hours in waits, worked out by hand: rules 6 (close_after), 9 (wait_starts: opening), 10 and 11."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from loket.domain.calendar import CLOSED, Calendar, DayHours, Schedule
from loket.domain.durations import HOUR, MINUTE, SECOND
from loket.domain.figures import evaluate
from loket.domain.policy import UnitPolicy
from loket.domain.records import load, split_key, take_records
from loket.domain.state import UnitState
from loket.testing.builders import Office, unit_policy
from support.telling import Told

o = Office()
DAY = DayHours(((8 * HOUR, 16 * HOUR),), ((12 * HOUR, 13 * HOUR),))
OFFICE = Calendar((Schedule(1, (DAY, DAY, DAY, DAY, DAY, CLOSED, CLOSED)),))


def office(*, opening: bool = False, close_after: int | None = None, target_s: int = 600) -> UnitPolicy:
    """8 to 16 with a break at noon, Monday to Friday."""
    policy = unit_policy({"s": target_s}, short_seconds=10)
    return replace(policy, calendar=OFFICE, waits_from_opening=opening, close_after_ms=close_after)


def told(policy: UnitPolicy, *events: object) -> Told:
    found = Told(policy, o)
    for event in events:
        found.tell(event)  # type: ignore[arg-type]
    return found


def test_rule_09_before_the_opening_people_wait_with_oldest_0() -> None:
    state = told(office(opening=True), o.issued("A1", at="06:30")).state
    before = int(o.at("07:59"))
    present = evaluate(state, before).present["s"]
    assert (present.waiting, present.early, present.oldest_wait_start) == (1, 0, before)


def test_rule_09_the_judged_wait_runs_from_the_opening_and_the_seconds_from_the_issue() -> None:
    office_told = told(office(opening=True), o.issued("A1", at="06:30"))
    nine = int(o.at("08:09"))
    present = evaluate(office_told.state, nine).present["s"]
    assert (present.oldest_wait_start, present.over_target, present.breached) == (int(o.at("08:00")), 0, 0)
    late = evaluate(office_told.state, int(o.at("08:10:00.001"))).present["s"]
    assert (late.over_target, late.judged, late.breached) == (1, 1, 1)
    office_told.tell(o.called("A1", at="08:20"))
    waits = office_told.state.tally("s").histograms["wait_seconds"]
    assert waits.sum_ms == 110 * MINUTE


@pytest.mark.parametrize(("called", "within"), [("07:50", "yes"), ("08:10", "yes"), ("08:10:00.001", "no")])
def test_rule_09_levels_are_judged_from_the_opening(called: str, within: str) -> None:
    state = told(office(opening=True), o.issued("A1", at="06:30"), o.called("A1", at=called)).state
    assert state.tally("s").counts.exact(f"waits_answered/{within}") == 1


def test_rule_09_after_the_opening_and_without_it_the_issue_decides() -> None:
    for policy, issued in ((office(opening=True), "08:30"), (office(), "06:30")):
        state = told(policy, o.issued("A1", at=issued)).state
        assert evaluate(state, int(o.at("08:35"))).present["s"].oldest_wait_start == int(o.at(issued))


def test_rule_09_an_appointment_after_the_opening_decides_and_one_before_it_does_not() -> None:
    for appointment, judged_from in (("09:00", "09:00"), ("07:00", "08:00")):
        state = told(office(opening=True), o.issued("A1", at="06:30", appointment=appointment)).state
        present = evaluate(state, int(o.at("09:30"))).present["s"]
        assert present.oldest_wait_start == int(o.at(judged_from))


def test_rule_09_on_a_day_off_waits_are_judged_from_the_issue() -> None:
    saturday = Office(day="2026-01-17")
    state = told(office(opening=True), saturday.issued("A1", at="07:00")).state
    assert evaluate(state, int(saturday.at("07:05"))).present["s"].oldest_wait_start == int(saturday.at("07:00"))


def test_rule_15_short_leavers_count_from_the_opening_and_patience_from_the_wait() -> None:
    state = told(office(opening=True), o.issued("A1", at="06:30"), o.abandoned("A1", at="08:00:09")).state
    assert state.tally("s").counts.exact("waits_left/short") == 1
    assert state.tally("s").histograms["patience_seconds"].sum_ms == 90 * MINUTE + 9 * SECOND
    state = told(office(opening=True), o.issued("A1", at="06:30"), o.abandoned("A1", at="08:00:10")).state
    assert state.tally("s").counts.exact("waits_left/yes") == 1


def test_rule_14_what_the_requeued_waited_before_the_opening_is_not_judged() -> None:
    state = told(
        office(opening=True),
        o.issued("A1", at="07:00"),
        o.called("A1", at="08:06"),
        o.requeued("A1", at="08:07"),
    ).state
    present = evaluate(state, int(o.at("08:11"))).present["s"]
    assert present.oldest_wait_start == int(o.at("08:01"))  # 6 min before the call, moved back from 08:07
    assert present.over_target == 0
    assert evaluate(state, int(o.at("08:11:00.001"))).present["s"].over_target == 1


def test_rule_10_the_opening_is_stored_with_the_issue() -> None:
    found = told(office(opening=True), o.issued("A1", at="06:30"))
    found.state.policy = office()
    found.tell(o.called("A1", at="08:05"))
    assert found.state.tally("s").counts.exact("waits_answered/yes") == 1


def test_rule_06_close_after_expires_who_still_waits_uncalled_and_counts_them_unserved() -> None:
    found = told(
        office(close_after=30 * MINUTE),
        o.issued("A1", at="15:50"),
        o.issued("A2", at="15:55"),
        o.called("A2", at="16:10"),
        o.started("A2", at="16:11"),
    )
    assert evaluate(found.state, int(o.at("16:29:59.999"))).present["s"].waiting == 1
    after = evaluate(found.state, int(o.at("16:30")))
    assert (after.present["s"].waiting, after.present["s"].expired, after.day["s"].unserved) == (0, 1, 1)
    found.tell(o.completed("A2", at="16:40"))
    assert found.state.tally("s").counts.exact("tickets_closed/completed") == 1


def test_rule_06_who_is_issued_after_the_closing_waits_on_until_the_day_ends() -> None:
    state = told(office(close_after=30 * MINUTE), o.issued("A1", at="16:31")).state
    assert evaluate(state, int(o.at("20:00"))).present["s"].waiting == 1


def test_rule_06_of_two_closings_the_first_counts() -> None:
    state = told(office(close_after=30 * MINUTE), o.issued("A1", at="15:00"), o.queue_closed(at="15:45")).state
    assert evaluate(state, int(o.at("15:45"))).day["s"].unserved == 1
    state = told(office(close_after=0), o.issued("A1", at="15:00"), o.queue_closed(at="17:00")).state
    assert evaluate(state, int(o.at("16:00"))).day["s"].unserved == 1


def test_rule_06_a_call_beats_the_closing() -> None:
    found = told(office(close_after=0), o.issued("A1", at="15:00"))
    assert evaluate(found.state, int(o.at("16:30"))).day["s"].unserved == 1
    found.tell(o.called("A1", at="16:20"))
    assert evaluate(found.state, int(o.at("16:30"))).day["s"].unserved == 0


def test_rule_06_without_close_after_and_on_a_day_off_nothing_closes() -> None:
    saturday = Office(day="2026-01-17")
    for policy, where in ((office(), o), (office(close_after=0), saturday)):
        state = told(policy, where.issued("A1", at="15:00")).state
        assert evaluate(state, int(where.at("22:00"))).present["s"].waiting == 1


def test_a_state_is_loaded_with_the_openings_that_its_tickets_were_issued_under() -> None:
    policy = office(opening=True)
    found = told(policy, o.issued("A1", at="06:30"), o.issued("A2", at="06:40"), o.called("A2", at="08:05"))
    pages = {split_key(key): value for key, value in take_records(found.state)}
    head = pages.pop(("u", None))
    assert head is not None
    loaded: UnitState = load(head, {page or "": value or b"" for (_, page), value in pages.items()}, policy)
    for now in ("07:00", "08:05", "09:00"):
        assert evaluate(loaded, int(o.at(now))) == evaluate(found.state, int(o.at(now)))
    assert loaded.judged == found.state.judged
