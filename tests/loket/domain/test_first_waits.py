"""Live estimates of today: Kaplan-Meier, patience, and the wait of who comes now. By hand, and laws."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from loket.domain.estimates import Estimate, kaplan_meier
from loket.domain.events import Event
from loket.domain.first_waits import evaluate_estimates, expected_wait
from loket.domain.policy import DAY, HOUR, MINUTE
from loket.domain.records import load, split_key, take_records
from loket.domain.state import UnitState
from loket.domain.unit import apply
from loket.testing.builders import Office, unit_policy
from loket.testing.strategies import arrivals, logs
from support.laws import law
from support.telling import Told

o = Office()


def told(*events: Event) -> Told:
    found = Told(unit_policy({"s": 300}), o)
    for event in events:
        found.tell(event)
    return found


def test_who_still_waits_is_censored_at_his_age() -> None:
    state = told(
        o.issued("A1", at="09:00"),
        o.issued("A2", at="09:00"),
        o.issued("A3", at="09:00"),
        o.called("A1", at="09:02"),
        o.called("A2", at="09:10"),
    ).state
    now = int(o.at("09:05"))
    assert evaluate_estimates(state, now)["s"].median == kaplan_meier([2 * MINUTE, 10 * MINUTE], [5 * MINUTE], 0.5)
    later = evaluate_estimates(state, int(o.at("09:30")))["s"]
    assert later.median == kaplan_meier([2 * MINUTE, 10 * MINUTE], [30 * MINUTE], 0.5)
    assert later.median.value == 10 * MINUTE
    assert later.p90 == Estimate(None, later.p90.low, None)


def test_leavers_are_censored_and_their_median_is_patience() -> None:
    state = told(
        o.issued("A1", at="09:00"),
        o.issued("A2", at="09:00"),
        o.abandoned("A1", at="09:04"),
        o.called("A2", at="09:08"),
    ).state
    found = evaluate_estimates(state, int(o.at("10:00")))["s"]
    assert found.patience_ms == 4 * MINUTE
    assert found.median == kaplan_meier([8 * MINUTE], [4 * MINUTE], 0.5)


def test_who_is_early_before_an_appointment_waits_not() -> None:
    state = told(o.issued("A1", at="09:00", appointment="10:00")).state
    assert evaluate_estimates(state, int(o.at("09:30"))) == {}
    assert evaluate_estimates(state, int(o.at("10:30")))["s"].median == Estimate()


def test_yesterday_is_not_today() -> None:
    found = told(o.issued("A1", at="09:00"), o.called("A1", at="09:02"))
    assert evaluate_estimates(found.state, int(o.at("+1 09:00"))) == {}


def visits(*visits: tuple[str, int]) -> list[Event]:
    """Issued at a time, called so many minutes later and served at once."""
    made: list[Event] = []
    for number, (issued, minutes) in enumerate(visits):
        at = int(o.at(issued))
        made += [
            o.issued(f"A{number}", at=at),
            o.called(f"A{number}", at=at + minutes * MINUTE),
            o.started(f"A{number}", at=at + minutes * MINUTE),
        ]
    return sorted(made, key=lambda event: int(event.time))


STEADY = [(f"09:{number:02}", 10 + number % 2) for number in range(0, 60, 5)]


def test_who_comes_now_waits_as_long_as_the_last_who_entered_service() -> None:
    found = told(*visits(*STEADY))
    now = int(o.at("10:10"))
    # The last came at 09:55 and waited 11 minutes. Those who entered before each came had waited 10 or 11.
    estimates = evaluate_estimates(found.state, now)["s"]
    assert estimates.expected_ms == 11 * MINUTE
    assert estimates.error_ratio is not None
    assert estimates.error_ratio <= 0.1


def test_an_estimate_that_is_off_by_more_than_half_is_withdrawn() -> None:
    entered = [(number * HOUR, number * HOUR - 20 * MINUTE, (2, 20)[number % 2] * MINUTE) for number in range(1, 21)]
    expected, ratio = expected_wait(entered)
    assert expected is None
    assert ratio == pytest.approx(18 / 2) or ratio == pytest.approx(18 / 20)


def test_of_fewer_than_five_nobody_knows_how_good_an_estimate_is() -> None:
    entered = [(number * HOUR, number * HOUR - 20 * MINUTE, 20 * MINUTE) for number in range(1, 6)]
    assert expected_wait(entered) == (None, None)  # the first had nobody before
    entered.append((6 * HOUR, 6 * HOUR - 20 * MINUTE, 20 * MINUTE))
    assert expected_wait(entered) == (20 * MINUTE, 0.0)
    assert expected_wait([]) == (None, None)


def test_only_the_last_fifty_are_asked() -> None:
    wild = [(number * MINUTE, number * MINUTE, (number % 7) * HOUR) for number in range(1, 100)]
    calm = [(DAY + number * HOUR, DAY + number * HOUR, 30 * MINUTE) for number in range(1, 52)]
    assert expected_wait(wild + calm) == (30 * MINUTE, 0.0)


def test_where_nobody_waits_zero_is_the_estimate() -> None:
    assert expected_wait([(number * HOUR, number * HOUR, 0) for number in range(1, 10)]) == (0, 0.0)


def test_what_changes_a_closed_ticket_changes_the_estimates() -> None:
    found = told(*visits(*STEADY), *(o.completed(f"A{number}", at="10:10") for number in range(len(STEADY))))
    now = int(o.at("10:20"))
    before = evaluate_estimates(found.state, now)["s"]
    assert evaluate_estimates(found.state, now)["s"] == before  # what was kept says the same
    found.tell(o.voided("A11", at="10:15"))
    assert evaluate_estimates(found.state, now)["s"].expected_ms == 10 * MINUTE


POLICIES = st.sampled_from([unit_policy({"s": 300, "t": 600}), unit_policy({"s": 300}, day_starts="never")])
LOGS = logs().flatmap(lambda log: st.tuples(st.just(log), arrivals(log)))
OPENS = int(Office().at("08:00"))
NOWS = [OPENS + hours * HOUR for hours in (0, 2, 5, 20, 26)]


@law(LOGS, POLICIES)
def test_law_neither_order_nor_looks_in_between_nor_a_restart_change_an_estimate(
    pair: tuple[list[Event], list[Event]], policy: object
) -> None:
    one, other = UnitState("u", policy), UnitState("u", policy)  # type: ignore[arg-type]
    for event in pair[0]:
        apply(one, event, OPENS)
    for event in pair[1]:
        apply(other, event, OPENS)
        evaluate_estimates(other, OPENS + HOUR)
    written = {split_key(key)[1]: value for key, value in take_records(one)}
    head = written.pop(None)
    assert head is not None
    pages = {name or "": value for name, value in written.items() if value is not None}
    loaded = load(head, pages, policy)  # type: ignore[arg-type]
    for now in NOWS:
        told = evaluate_estimates(one, now)
        assert evaluate_estimates(other, now) == told
        assert evaluate_estimates(loaded, now) == told
