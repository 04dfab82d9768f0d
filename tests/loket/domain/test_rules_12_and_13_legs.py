"""Rules 12 and 13: which leg an event belongs to, and which visits legs make. Worked out by hand from the rules."""

from itertools import permutations

from loket.domain.events import Event
from loket.domain.unit import Applied
from loket.testing.builders import Office, unit_policy
from support.telling import Told, tell

o = Office()
MINUTE = 60_000
NEVER = unit_policy({"s": 300, "t": 600}, day_starts="never")


def test_rule_12_paper_numbers_start_again_on_each_service_day() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.completed("A1", at="09:05"),
        o.issued("A1", at="+1 09:00"),
        o.called("A1", at="+1 09:02"),
    )
    assert told.row().some("tickets_issued", "visits", "wait_seconds_count") == (2, 2, 2)
    assert told.row()["wait_seconds_ms"] == 3 * MINUTE


def test_rule_12_an_event_of_the_next_day_belongs_to_no_leg_of_yesterday() -> None:
    told = tell(o.issued("A1", at="09:00"), o.completed("A1", at="+1 09:00"))
    assert told.row("s", now="+1 09:00").some("served", "expired") == (0, 1)
    assert told.row("")["tickets_closed/completed"] == 1


def test_rule_12_an_event_belongs_to_the_last_issue_before_it() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.abandoned("A1", at="09:01"),
        o.issued("A1", at="10:00"),
        o.called("A1", at="10:03"),
    )
    assert told.row().some("tickets_issued", "waits_left/yes", "waits_answered/yes") == (2, 1, 1)
    assert told.row()["wait_seconds_ms"] == 3 * MINUTE


def test_rule_12_a_call_of_a_closed_leg_belongs_to_the_issue_that_follows_within_five_minutes() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.started("A1", at="09:01"),
        o.completed("A1", at="09:10"),
        o.called("A1", at="09:55"),
        o.issued("A1", at="10:00"),
    )
    # Exactly five minutes; the call before its issue ends a wait of nothing.
    assert told.row().some("tickets_issued", "wait_seconds_count", "waits_answered/yes", "waiting") == (2, 2, 2, 0)
    assert told.unit_row()["contradictions"] == 0


def test_rule_12_a_call_of_a_closed_leg_stays_there_if_the_next_issue_follows_later() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.started("A1", at="09:01"),
        o.completed("A1", at="09:10"),
        o.called("A1", at="09:54:59.999"),
        o.issued("A1", at="10:00"),
    )
    assert told.row().some("tickets_issued", "waits_answered/yes", "waiting") == (2, 1, 1)
    assert told.unit_row()["contradictions"] == 1


def test_rule_12_recall_and_start_of_a_closed_leg_go_to_the_next_issue_too() -> None:
    for event in (o.recalled("A1", at="09:58"), o.started("A1", at="09:58")):
        told = tell(o.issued("A1", at="09:00"), o.abandoned("A1", at="09:10"), event, o.issued("A1", at="10:00"))
        assert told.row().some("waits_left/yes", "waits_left/no", "waits_answered/yes", "waiting") == (0, 1, 1, 0)


def test_rule_12_any_other_event_of_a_closed_leg_stays_there() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:01"),
        o.completed("A1", at="09:10"),
        o.abandoned("A1", at="09:58"),
        o.issued("A1", at="10:00"),
    )
    assert told.outcomes() == ["completed", None]
    assert told.unit_row()["contradictions"] == 1


def test_rule_12_a_call_of_an_open_leg_stays_though_an_issue_follows() -> None:
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:04"), o.issued("A1", at="09:05"))
    assert told.row().some("tickets_issued", "waits_answered/yes") == (1, 1)
    assert told.row()["wait_seconds_ms"] == 4 * MINUTE
    assert told.unit_row()["contradictions"] == 1


def test_rule_12_what_comes_before_every_issue_belongs_to_the_first_of_the_same_day() -> None:
    told = tell(o.completed("A1", at="08:30"), o.issued("A1", at="09:00"), o.issued("A1", at="10:00"))
    # Completed at 08:30 closes the leg of 09:00, so that the issue of 10:00 is a new leg.
    assert told.outcomes() == ["completed", None]
    assert told.row()["tickets_issued"] == 2


def test_rule_12_without_any_issue_in_its_day_an_event_stands_alone() -> None:
    told = tell(o.completed("A1", at="08:30"), o.issued("A1", at="+1 09:00"))
    assert told.row("").some("tickets_closed/completed", "tickets_incomplete") == (1, 1)
    assert told.row().some("tickets_issued", "waiting") == (1, 1)


def test_rule_12_a_leg_that_came_from_a_unit_is_another_one() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.issued("A1", at="09:01", service="t", from_unit="b"),
        o.called("A1", at="09:02", from_unit="b"),
    )
    assert told.row("s").some("tickets_issued", "waiting") == (1, 1)
    assert told.row("t").some("tickets_issued", "waits_answered/yes", "waiting") == (1, 1, 0)
    assert told.unit_row()["contradictions"] == 0


def test_rule_12_from_the_unit_itself_is_the_same_as_from_none() -> None:
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:02", from_unit="u"))
    assert told.row().some("waits_answered/yes", "waiting") == (1, 0)


def test_rule_12_without_from_unit_an_event_belongs_to_the_own_leg_while_that_is_open() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="s"),
        o.issued("A1", at="09:01", service="t", from_unit="b"),
        o.called("A1", at="09:02"),
    )
    assert told.row("s").some("waits_answered/yes", "waiting") == (1, 0)
    assert told.row("t")["waiting"] == 1


def test_rule_12_without_from_unit_and_with_the_own_leg_closed_it_belongs_to_the_last_issue() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="s"),
        o.transferred("A1", at="09:10", to_unit="b"),
        o.issued("A1", at="09:40", service="t", from_unit="b"),
        o.called("A1", at="09:45"),
    )
    assert told.row("t").some("waits_answered/yes", "waiting") == (1, 0)
    assert told.row("s")["tickets_closed/transferred"] == 1


def test_rule_12_with_several_open_legs_from_other_units_it_belongs_to_the_one_issued_first() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="s", from_unit="b"),
        o.issued("A1", at="09:01", service="t", from_unit="c"),
        o.called("A1", at="09:02"),
    )
    assert told.row("s").some("waits_answered/yes", "waiting") == (1, 0)
    assert told.row("t")["waiting"] == 1


def test_rule_12_a_second_issue_of_an_open_ticket_counts_as_contradiction_in_any_order() -> None:
    issues: list[Event] = [
        o.issued("A1", at="09:00"),
        o.issued("A1", at="09:02"),
        o.issued("A1", at="09:04", service="t"),
    ]
    for order in permutations(issues):
        told = tell(*order, o.called("A1", at="09:06"))
        # The earliest stands: one leg of service s, six minutes, and two events that changed nothing.
        assert told.unit_row().some("tickets_issued", "visits", "contradictions") == (1, 1, 2)
        assert told.row("s")["wait_seconds_ms"] == 6 * MINUTE
        assert told.row("t")["waiting"] == 0


def test_rule_12_an_event_that_changed_nothing_because_another_stood_is_a_contradiction() -> None:
    told = tell(o.issued("A1", at="09:00"), o.issued("A1", at="09:02"))
    assert told.applied == [Applied.APPLIED, Applied.CONTRADICTION]


def test_rule_12_a_transfer_alone_opens_no_leg() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.transferred("A1", at="09:05", to_service="t"),
        o.called("A1", at="09:06"),
    )
    assert told.unit_row().some("tickets_issued", "visits", "waiting") == (1, 1, 0)
    assert "t" not in told.state.tallies


def test_rule_12_never_a_ticket_takes_events_until_24_hours_after_its_last_step() -> None:
    told = Told(NEVER).tell(o.issued("A1", at="20:00"), o.called("A1", at="+1 19:59"), o.completed("A1", at="+2 19:59"))
    assert told.row()["tickets_closed/completed"] == 1
    told = Told(NEVER).tell(o.issued("A1", at="20:00"), o.completed("A1", at="+1 20:00:00.001"))
    assert told.row("s", now="+1 20:01").some("tickets_closed/completed", "expired") == (0, 1)
    assert told.row("")["tickets_closed/completed"] == 1


def test_rule_12_never_a_number_issued_on_the_next_day_is_another_ticket() -> None:
    told = Told(NEVER).tell(o.issued("A1", at="20:00"), o.issued("A1", at="+1 08:00"))
    assert told.row().some("tickets_issued", "visits", "waiting") == (2, 2, 2)
    assert told.unit_row()["contradictions"] == 0


def test_rule_12_never_the_day_of_numbers_starts_at_three() -> None:
    told = Told(NEVER).tell(o.issued("A1", at="20:00"), o.issued("A1", at="+1 02:59"))
    assert told.unit_row().some("tickets_issued", "contradictions") == (1, 1)


def test_rule_13_back_by_transfer_is_a_new_leg_of_the_same_visit() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:02"),
        o.transferred("A1", at="09:05", to_unit="b"),
        o.issued("A1", at="09:30", service="t", from_unit="b"),
        o.called("A1", at="09:45"),
    )
    assert told.unit_row().some("tickets_issued", "visits") == (2, 1)
    assert told.row("s").some("visits", "judged", "breached") == (1, 1, 0)
    # 15 min against a target of 10: the second leg is judged by itself.
    assert told.row("t").some("visits", "judged", "breached") == (0, 1, 1)


def test_rule_13_to_another_service_of_the_unit_is_a_new_leg_of_the_same_visit() -> None:
    events: list[Event] = [
        o.issued("A1", at="09:00"),
        o.transferred("A1", at="09:02", to_service="t"),
        o.issued("A1", at="09:02", service="t", from_unit="u"),
        o.called("A1", at="09:10"),
    ]
    for order in permutations(events):
        told = tell(*order)
        assert told.row("s").some("tickets_issued", "visits", "tickets_closed/transferred") == (1, 1, 1)
        assert told.row("t").some("tickets_issued", "visits", "waits_answered/yes") == (1, 0, 1)


def test_rule_13_whoever_was_not_transferred_away_before_makes_a_visit_of_their_own() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.issued("A1", at="09:30", service="t", from_unit="b"),
        o.transferred("A1", at="10:00", to_unit="c"),
    )
    # At 09:30 nobody had been transferred away yet.
    assert told.unit_row().some("tickets_issued", "visits") == (2, 2)


def test_rule_13_a_number_of_the_next_day_is_a_visit_of_its_own() -> None:
    told = tell(o.issued("A1", at="09:00"), o.transferred("A1", at="09:05", to_unit="b"), o.issued("A1", at="+1 09:00"))
    assert told.row()["visits"] == 2


def test_rule_13_transferred_while_waiting_after_the_target_is_breached() -> None:
    told = tell(o.issued("A1", at="09:00"), o.transferred("A1", at="09:05:00.001", to_unit="b"))
    assert told.row().some("judged", "breached") == (1, 1)
    assert told.report().levels is not None
    assert told.report().left == 0
    assert told.report().answered == 0


def test_rule_13_transferred_while_waiting_up_to_the_target_is_not_judged() -> None:
    told = tell(o.issued("A1", at="09:00"), o.transferred("A1", at="09:05", to_unit="b"))
    assert told.row().some("judged", "breached") == (0, 0)
    assert told.row("s", now="12:00").some("judged", "breached") == (0, 0)
    assert told.report().left == 0
    assert told.report().early_leavers == 0


def test_rule_12_the_last_issue_is_meant_though_its_leg_is_closed_and_one_from_elsewhere_is_open() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="t", from_unit="b"),
        o.issued("A1", at="09:10", service="s"),
        o.started("A1", at="09:11"),
        o.completed("A1", at="09:20"),
        o.called("A1", at="09:30"),
    )
    assert told.row("t")["waiting"] == 1
    assert told.outcomes() == [None, "completed"]


def test_rule_12_with_several_open_legs_from_elsewhere_a_closed_own_one_is_passed_over() -> None:
    told = tell(
        o.issued("A1", at="09:00", service="t", from_unit="b"),
        o.issued("A1", at="09:05", service="s", from_unit="c"),
        o.issued("A1", at="09:10", service="s"),
        o.abandoned("A1", at="09:11"),
        o.called("A1", at="09:30"),
    )
    assert told.outcomes() == [None, None, "abandoned"]
    assert told.row("t").some("waiting", "waits_answered/no") == (0, 1)
    assert told.row("s")["waiting"] == 1


def test_rule_12_a_step_of_another_identity_is_another_step_and_a_second_call_of_one_leg_a_contradiction() -> None:
    told = tell(
        o.issued("A1", at="09:00", from_unit="b"), o.called("A1", at="09:02"), o.called("A1", at="09:02", from_unit="b")
    )
    assert told.row()["wait_seconds_count"] == 1
    assert told.unit_row()["contradictions"] == 1


def test_rule_12_an_event_with_from_unit_belongs_to_no_leg_of_another_identity() -> None:
    told = tell(o.issued("A1", at="09:00"), o.completed("A1", at="09:05", from_unit="b"))
    assert told.row("s")["waiting"] == 1
    assert told.row("")["tickets_closed/completed"] == 1


def test_rule_12_an_issue_within_five_minutes_of_another_identity_is_none_for_an_event_that_names_one() -> None:
    told = tell(
        o.issued("A1", at="09:00", from_unit="b"),
        o.abandoned("A1", at="09:05", from_unit="b"),
        o.called("A1", at="09:08", from_unit="b"),
        o.issued("A1", at="09:10"),
    )
    # The call belongs to the leg from b, where a call and an abandonment are a no-show.
    assert told.outcomes() == ["no_show", None]


def test_rule_12_an_issue_after_the_hall_was_closed_is_a_second_issue_of_an_open_ticket() -> None:
    told = tell(o.issued("A1", at="11:00"), o.queue_closed(at="12:00"), o.issued("A1", at="13:00"))
    assert told.row("s", now="13:05").some("tickets_issued", "expired", "waiting") == (1, 1, 0)
    assert told.unit_row()["contradictions"] == 1


def test_rule_12_what_names_another_unit_does_not_wait_for_this_issue() -> None:
    told = tell(o.completed("A1", at="08:30", from_unit="c"), o.issued("A1", at="09:00", from_unit="b"))
    assert told.row("")["tickets_closed/completed"] == 1
    assert told.row("s").some("waiting", "tickets_closed/completed") == (1, 0)
    named = tell(o.completed("A1", at="08:30", from_unit="b"), o.issued("A1", at="09:00", from_unit="b"))
    assert named.row("s").some("waiting", "tickets_closed/completed") == (0, 1)


def test_rule_12_never_what_comes_before_every_issue_waits_for_one_of_its_own_day() -> None:
    told = Told(NEVER).tell(o.completed("A1", at="+1 02:50"), o.issued("A1", at="+1 03:10"))
    assert told.row("")["tickets_closed/completed"] == 1
    assert told.row("s", now="+1 03:10")["waiting"] == 1
    told = Told(NEVER).tell(o.completed("A1", at="+1 02:50"), o.issued("A1", at="+1 02:55"))
    assert told.row("s")["tickets_closed/completed"] == 1
