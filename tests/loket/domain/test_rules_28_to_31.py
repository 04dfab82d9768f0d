"""Rule 28, quantiles and Kaplan-Meier, and rules 29 to 31, whose work it was. Worked out by hand from the rules."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loket.domain.estimates import Estimate, kaplan_meier, kaplan_meier_quantile, quantile
from loket.testing.builders import Office
from support.telling import tell

o = Office()
MINUTE = 60_000


def test_rule_28_a_quantile_is_the_smallest_value_with_at_least_q_n_at_or_below() -> None:
    assert quantile([4, 1, 3, 2], 0.5) == 2
    assert quantile([1, 2, 3, 4, 5], 0.5) == 3
    assert quantile(range(1, 11), 0.9) == 9
    assert quantile(range(1, 12), 0.9) == 10
    assert quantile([7], 0.9) == 7
    assert quantile([], 0.5) is None


def test_rule_28_zeros_are_included() -> None:
    assert quantile([0, 0, 0, 9], 0.5) == 0


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.sampled_from([Fraction(1, 2), Fraction(9, 10)]))
def test_rule_28_the_quantile_by_its_definition(values: list[int], q: Fraction) -> None:
    smallest = min(v for v in values if sum(other <= v for other in values) >= q * len(values))
    assert quantile(values, float(q)) == smallest


def test_rule_28_kaplan_meier_by_hand() -> None:
    # Calls at 1, 2, 2, 4; censored at 2, 3. S(1) = 5/6, S(2) = 5/6 · 3/5 = 1/2, S(4) = 0.
    assert kaplan_meier_quantile([1, 2, 2, 4], [2, 3], 0.5) == 2
    assert kaplan_meier_quantile([1, 2, 2, 4], [2, 3], 0.9) == 4
    assert kaplan_meier_quantile([1, 2, 2, 4], [2, 3], 0.1) == 1


def test_rule_28_null_where_the_curve_never_falls_that_far() -> None:
    # S(1) = 2/3, then nobody is called any more.
    assert kaplan_meier_quantile([1], [2, 3], 0.5) is None
    assert kaplan_meier_quantile([], [2, 3], 0.5) is None
    assert kaplan_meier_quantile([], [], 0.5) is None


def test_rule_28_calls_come_before_censorings_at_equal_times() -> None:
    # Two at risk at 5: S(5) = 1/2. Were the censored gone first, it would be 0.
    assert kaplan_meier_quantile([5], [5], 0.5) == 5
    assert kaplan_meier_quantile([5], [5], 0.9) is None


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 20), max_size=40),
    st.lists(st.integers(0, 20), max_size=40),
    st.sampled_from([Fraction(1, 2), Fraction(9, 10)]),
)
def test_rule_28_kaplan_meier_against_the_product_formula_in_fractions(
    called: list[int], censored: list[int], q: Fraction
) -> None:
    survival = Fraction(1)
    expected = None
    for time in sorted(set(called)):
        at_risk = sum(t >= time for t in called) + sum(t >= time for t in censored)
        survival *= 1 - Fraction(called.count(time), at_risk)
        if survival <= 1 - q:
            expected = time
            break
    assert kaplan_meier_quantile(called, censored, float(q)) == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=50), st.sampled_from([0.5, 0.9]))
def test_rule_28_where_nobody_is_censored_both_are_the_same(called: list[int], q: float) -> None:
    assert kaplan_meier_quantile(called, [], q) == quantile(called, q)


# Freireich et al. 1963, remission of leukaemia under 6-MP in weeks, the usual example; bounds by lifelines 0.30.3.
REMISSION = ([6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])


def test_the_interval_of_a_published_example() -> None:
    assert kaplan_meier(*REMISSION, 0.5) == Estimate(23, 13, None)
    assert kaplan_meier(*REMISSION, 0.25) == Estimate(13, 6, 22)
    assert kaplan_meier(*REMISSION, 0.9) == Estimate(None, None, None)


def test_an_interval_is_open_where_everybody_is_called_at_once_or_nobody_is() -> None:
    # S falls from 1 to 0 at 5: what lies beyond nobody knows.
    assert kaplan_meier([5, 5, 5], [], 0.5) == Estimate(5, 5, None)
    assert kaplan_meier([], [1, 2], 0.5) == Estimate(None, None, None)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 20), max_size=40),
    st.lists(st.integers(0, 20), max_size=40),
    st.sampled_from([0.5, 0.9]),
)
def test_bounds_are_on_both_sides_and_where_the_limits_of_the_curve_cross(
    called: list[int], censored: list[int], q: float
) -> None:
    found = kaplan_meier(called, censored, q)
    assert found.low is not None or found.value is None
    if found.value is not None:
        assert found.low is not None
        assert found.low <= found.value
        assert found.high is None or found.value <= found.high
    expected: list[int | None] = [None, None]
    for time in sorted(set(called)):
        survival, variance = 1.0, 0.0
        for other in sorted({t for t in called if t <= time}):
            at_risk = sum(t >= other for t in called) + sum(t >= other for t in censored)
            died = called.count(other)
            survival *= (at_risk - died) / at_risk
            variance += died / (at_risk * (at_risk - died)) if died < at_risk else 0
        limits: tuple[float, ...] = (0.0, 1.0)
        if survival > 0:
            # On the scale of log(-log S): its standard error, and back.
            middle, error = math.log(-math.log(survival)), math.sqrt(variance) / abs(math.log(survival))
            limits = tuple(math.exp(-math.exp(middle + sign * 1.959963984540054 * error)) for sign in (1, -1))
        for side, limit in enumerate(limits):
            if expected[side] is None and limit <= 1 - q + 1e-12:
                expected[side] = time
    assert [found.low, found.high] == expected


def test_rule_29_served_counts_people_and_services_quantity_and_added_services() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:01", employee="e"),
        o.added("A1", at="09:02", service="x", employee="e"),
        o.completed("A1", at="09:09", employee="e", quantity=3),
    )
    assert told.person("e").some("served", "services") == (1, 4)
    assert told.row("s").some("served", "services") == (1, 3)
    assert told.row("x").some("served", "services") == (0, 1)
    report = told.report(None)
    assert (report.served, report.services) == (1, 4)


def test_rule_29_a_stretch_that_ended_in_transfer_or_requeue_is_handed_on_with_its_times_credited() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01", employee="a"),
        o.started("A1", at="09:02", employee="a"),
        o.requeued("A1", at="09:06", employee="a"),
        o.called("A1", at="09:10", employee="b"),
        o.started("A1", at="09:11", employee="b"),
        o.transferred("A1", at="09:18", employee="b"),
    )
    assert told.person("a").some("handed_on", "service_ms", "way_ms", "served") == (1, 4 * MINUTE, 1 * MINUTE, 0)
    assert told.person("b").some("handed_on", "service_ms", "way_ms", "served") == (1, 7 * MINUTE, 1 * MINUTE, 0)


def test_rule_30_a_transfer_or_requeue_that_names_nobody_is_of_the_last_who_called_or_started() -> None:
    called = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:01", employee="a"), o.requeued("A1", at="09:02"))
    assert called.person("a")["handed_on"] == 1
    started = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01", employee="a"),
        o.started("A1", at="09:02", employee="b"),
        o.transferred("A1", at="09:05"),
    )
    assert started.person("a")["handed_on"] == 0
    assert started.person("b")["handed_on"] == 1
    recalled = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01", employee="a"),
        o.recalled("A1", at="09:02", employee="b"),
        o.requeued("A1", at="09:05"),
    )
    assert recalled.person("b")["handed_on"] == 1
    nameless = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01", employee="a"),
        o.started("A1", at="09:02"),
        o.requeued("A1", at="09:05"),
    )
    assert nameless.person("a")["handed_on"] == 1


def test_rule_30_a_transfer_may_name_somebody_else() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:01", employee="a"),
        o.transferred("A1", at="09:05", employee="chief"),
    )
    assert told.person("chief").some("handed_on", "service_ms") == (1, 0)
    assert told.person("a").some("handed_on", "service_ms") == (0, 4 * MINUTE)


def test_rule_30_an_earlier_stretch_names_nobody_for_a_later_one() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01", employee="a"),
        o.requeued("A1", at="09:02"),
        o.transferred("A1", at="09:05"),
    )
    assert told.person("a")["handed_on"] == 1


def test_rule_30_what_names_nobody_counts_for_the_unit_only() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.started("A1", at="09:02"),
        o.completed("A1", at="09:05"),
    )
    assert told.row().some("served", "way_seconds_count", "service_seconds_count") == (1, 1, 1)
    assert told.state.people == {}


def test_rule_31_called_by_one_served_by_another_the_way_is_nobodys() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01", employee="a"),
        o.started("A1", at="09:03", employee="b"),
        o.completed("A1", at="09:10", employee="b"),
    )
    assert told.row()["way_seconds_ms"] == 2 * MINUTE
    assert told.person("a").nonzero() == {}
    assert told.person("b").some("way_count", "service_ms", "service_count", "served") == (0, 7 * MINUTE, 1, 1)


def test_rule_31_called_and_served_by_one_the_way_is_his() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01", employee="a"),
        o.started("A1", at="09:03", employee="a"),
    )
    assert told.person("a").some("way_ms", "way_count", "service_count") == (2 * MINUTE, 1, 0)


def test_rule_31_service_is_of_who_started_after_a_hold_of_who_resumed_and_a_hold_of_who_held() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:01", employee="a"),
        o.held("A1", at="09:04", employee="b"),
        o.resumed("A1", at="09:06", employee="c"),
        o.held("A1", at="09:10", employee="c"),
        o.resumed("A1", at="09:15", employee="a"),
        o.completed("A1", at="09:17", employee="d"),
    )
    # a: 3 min before the first hold, 2 after the second; c: 4 between; holds 2 of b and 5 of c.
    assert told.person("a").some("service_ms", "service_count", "hold_count", "served") == (5 * MINUTE, 1, 0, 0)
    assert told.person("b").some("service_count", "hold_ms", "hold_count") == (0, 2 * MINUTE, 1)
    assert told.person("c").some("service_ms", "service_count", "hold_ms", "hold_count") == (
        4 * MINUTE,
        1,
        5 * MINUTE,
        1,
    )
    assert told.person("d").some("served", "service_count") == (1, 0)
    assert told.row().some("service_seconds_count", "service_seconds_ms") == (1, 9 * MINUTE)


def test_rule_31_the_wait_of_the_people_served_is_shown_with_who_completed() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:04", employee="a"),
        o.requeued("A1", at="09:05", employee="a"),
        o.called("A1", at="09:08", employee="b"),
        o.started("A1", at="09:09", employee="b"),
        o.completed("A1", at="09:12", employee="b"),
    )
    assert told.person("b").some("served_wait_ms", "served_wait_count") == (7 * MINUTE, 1)
    assert told.person("a")["served_wait_count"] == 0


@pytest.mark.parametrize("end", ["requeued", "transferred", "completed"])
def test_rule_31_a_hold_that_nobody_resumed_ends_with_the_service(end: str) -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:01", employee="a"),
        o.held("A1", at="09:03", employee="a"),
        getattr(o, end)("A1", at="09:10", employee="a"),
    )
    assert told.person("a").some("service_ms", "hold_ms") == (2 * MINUTE, 7 * MINUTE)


def test_rule_33_service_and_holds_still_running_are_in_no_sum() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:01", employee="a"),
        o.held("A1", at="09:03", employee="a"),
        o.resumed("A1", at="09:05", employee="a"),
        o.held("A1", at="09:08", employee="a"),
    )
    assert told.person("a").some("service_count", "hold_ms", "hold_count") == (0, 2 * MINUTE, 1)
    assert told.row().some("service_seconds_count", "hold_seconds_ms") == (0, 2 * MINUTE)


def test_rule_31_after_a_hold_that_an_unnamed_person_resumed_the_service_is_nobodys() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:01", employee="a"),
        o.held("A1", at="09:03", employee="a"),
        o.resumed("A1", at="09:05"),
        o.completed("A1", at="09:09", employee="a"),
    )
    assert told.person("a").some("service_ms", "served") == (2 * MINUTE, 1)
    assert told.row()["service_seconds_ms"] == 6 * MINUTE
