"""Rules 14 to 16: one judgement for a leg, seconds of every stretch, stages that sum to the total."""

from loket.domain.events import Event
from loket.testing.builders import Office
from support.telling import tell

o = Office()
SECOND, MINUTE = 1_000, 60_000


def test_rule_14_judged_at_the_first_call_exactly_at_the_target_is_within() -> None:
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:05"))
    assert told.row().some("judged", "breached", "waits_answered/yes") == (1, 0, 1)
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:05:00.001"))
    assert told.row().some("judged", "breached", "waits_answered/no") == (1, 1, 1)


def test_rule_14_judged_when_the_target_passes_without_any_call() -> None:
    told = tell(o.issued("A1", at="09:00"))
    assert told.row("s", now="09:05").some("judged", "breached", "over_target") == (0, 0, 0)
    assert told.row("s", now="09:05:00.001").some("judged", "breached", "over_target") == (1, 1, 1)


def test_rule_14_a_leg_is_judged_once() -> None:
    told = tell(
        o.issued("A1", at="09:00"), o.called("A1", at="09:01"), o.requeued("A1", at="09:02"), o.called("A1", at="09:30")
    )
    assert told.row().some("judged", "breached") == (1, 0)
    assert told.row("s", now="23:00").some("judged", "breached") == (1, 0)


def test_rule_14_the_requeued_wait_on_with_what_they_have_waited() -> None:
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:04"), o.requeued("A1", at="09:10"))
    # Four minutes before; over five minutes from 09:11 on, oldest wait as if since 09:06.
    row = told.row("s", now="09:11")
    assert row.some("waiting", "over_target", "oldest_wait_start") == (1, 0, o.at("09:06"))
    assert told.row("s", now="09:11:00.001")["over_target"] == 1


def test_rule_14_a_requeue_without_a_call_goes_on_waiting_and_is_judged_from_the_issue() -> None:
    told = tell(o.issued("A1", at="09:00"), o.requeued("A1", at="09:04"))
    row = told.row("s", now="09:06")
    assert row.some("waiting", "over_target", "judged", "breached") == (1, 1, 1, 1)
    assert row["oldest_wait_start"] == o.at("09:00")


def test_rule_14_calls_followed_by_a_requeue_are_a_figure_of_their_own() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.requeued("A1", at="09:02"),
        o.called("A1", at="09:03"),
        o.requeued("A1", at="09:04"),
        o.requeued("A1", at="09:05"),
    )
    assert told.row()["calls_again"] == 2
    assert told.report().called_again == 2


def test_rule_14_nobody_came_counts_no_shows_of_those_called_in_their_first_stretch() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.requeued("A1", at="09:02"),
        o.called("A1", at="09:03"),
        o.no_show("A1", at="09:04"),
        o.issued("A2", at="09:00"),
        o.requeued("A2", at="09:02"),
        o.called("A2", at="09:03"),
        o.no_show("A2", at="09:04"),
        o.issued("A3", at="09:00"),
        o.called("A3", at="09:06"),
        o.no_show("A3", at="09:07"),
    )
    row = told.row()
    # A2 was never called in its first stretch.
    assert row.some("calls_nobody_came/yes", "calls_nobody_came/no", "tickets_closed/no_show") == (1, 1, 3)
    assert row.some("waits_answered/yes", "waits_answered/no") == (1, 1)


def test_rule_15_wait_seconds_observe_each_stretch_that_a_call_a_recall_or_a_start_ended() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.recalled("A1", at="09:02"),
        o.requeued("A1", at="09:03"),
        o.recalled("A1", at="09:05"),
        o.requeued("A1", at="09:06"),
        o.started("A1", at="09:09"),
        o.requeued("A1", at="09:10"),
        o.requeued("A1", at="09:14"),
    )
    # 1 + 2 + 3 minutes; the stretch from 09:10 to 09:14 ended uncalled.
    assert told.row().some("wait_seconds_count", "wait_seconds_ms") == (3, 6 * MINUTE)
    assert told.report().wait_stretches == 3
    assert told.report().wait_s_sum == 360


def test_rule_15_patience_is_of_those_who_left_in_their_first_stretch() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.abandoned("A1", at="09:07"),
        o.issued("A2", at="09:00"),
        o.requeued("A2", at="09:01"),
        o.abandoned("A2", at="09:07"),
    )
    row = told.row()
    assert row.some("patience_seconds_count", "patience_seconds_ms") == (1, 7 * MINUTE)
    assert row.some("waits_left/no", "tickets_closed/abandoned") == (1, 2)


def test_rule_15_short_leavers_are_strictly_below_the_threshold() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.abandoned("A1", at="09:00:09.999"),
        o.issued("A2", at="09:00"),
        o.abandoned("A2", at="09:00:10"),
    )
    assert told.row().some("waits_left/short", "waits_left/yes") == (1, 1)
    assert told.report().short_leavers == 1
    assert told.report().early_leavers == 2


def test_rule_15_before_an_appointment_a_person_is_early_and_not_waiting() -> None:
    told = tell(o.issued("A1", at="09:00", appointment="10:00"))
    assert told.row("s", now="09:59:59.999").some("early", "waiting", "over_target") == (1, 0, 0)
    row = told.row("s", now="10:00")
    assert row.some("early", "waiting", "oldest_wait_start") == (0, 1, o.at("10:00"))
    assert told.row("s", now="10:05").some("judged", "over_target") == (0, 0)
    assert told.row("s", now="10:05:00.001").some("judged", "breached", "over_target") == (1, 1, 1)


def test_rule_15_who_leaves_before_the_appointment_is_in_closed_abandoned_only() -> None:
    told = tell(o.issued("A1", at="09:00", appointment="10:00"), o.abandoned("A1", at="09:20"))
    row = told.row("s", now="12:00")
    assert row.nonzero() == {
        "tickets_issued": 1,
        "visits": 1,
        "tickets_closed/abandoned": 1,
        "early_ms": 20 * MINUTE,
    }
    assert told.totals_ms() == [20 * MINUTE]


def test_rule_15_who_leaves_soon_after_the_appointment_is_a_short_leaver() -> None:
    told = tell(o.issued("A1", at="09:00", appointment="10:00"), o.abandoned("A1", at="10:00:05"))
    assert told.row().some("waits_left/short", "patience_seconds_ms", "early_ms") == (1, 5 * SECOND, 60 * MINUTE)


def test_rule_15_early_lasts_until_the_earlier_of_appointment_call_and_leaving() -> None:
    called = tell(
        o.issued("A1", at="09:00", appointment="10:00"),
        o.called("A1", at="09:50"),
        o.started("A1", at="09:51"),
        o.completed("A1", at="09:59"),
    )
    row = called.row()
    assert row.some("early_ms", "wait_seconds_count", "wait_seconds_ms") == (50 * MINUTE, 1, 0)
    assert row.some("waits_answered/yes", "judged", "breached") == (1, 1, 0)
    assert called.unit_row()["skewed_durations"] == 0
    assert called.totals_ms() == [59 * MINUTE]
    waited = tell(o.issued("A1", at="09:00", appointment="10:00"), o.called("A1", at="10:02"))
    assert waited.row()["early_ms"] == 0  # of closed legs only
    assert waited.tell(o.no_show("A1", at="10:03")).row()["early_ms"] == 60 * MINUTE


def test_rule_15_who_came_after_the_appointment_was_never_early() -> None:
    told = tell(
        o.issued("A1", at="10:10", appointment="10:00"), o.called("A1", at="10:12"), o.no_show("A1", at="10:13")
    )
    assert told.row().some("early_ms", "wait_seconds_ms") == (0, 2 * MINUTE)


def test_rule_15_whoever_is_requeued_before_the_appointment_is_early_again() -> None:
    told = tell(
        o.issued("A1", at="09:00", appointment="10:00"), o.called("A1", at="09:30"), o.requeued("A1", at="09:40")
    )
    assert told.row("s", now="09:50").some("early", "waiting") == (1, 0)
    told.tell(o.called("A1", at="10:05"), o.started("A1", at="10:06"), o.completed("A1", at="10:20"))
    # early 30 + 20, lost 10, wait 0 + 5, way 1, service 14: eighty minutes.
    assert told.row().some("early_ms", "lost_seconds_ms", "wait_seconds_ms") == (50 * MINUTE, 10 * MINUTE, 5 * MINUTE)
    assert told.totals_ms() == [80 * MINUTE]


def test_rule_16_the_stages_sum_to_the_total() -> None:
    told = tell(
        o.issued("A1", at="08:50", appointment="09:00"),
        o.called("A1", at="09:04"),
        o.requeued("A1", at="09:06"),
        o.called("A1", at="09:09"),
        o.started("A1", at="09:10"),
        o.held("A1", at="09:15"),
        o.resumed("A1", at="09:22"),
        o.completed("A1", at="09:30"),
    )
    # early 10, wait 4 + 3, lost 2, way 1, service 5 + 8, hold 7: forty minutes.
    row = told.row()
    assert row["early_ms"] == 10 * MINUTE
    assert row["wait_seconds_ms"] == 7 * MINUTE
    assert row["lost_seconds_ms"] == 2 * MINUTE
    assert row["way_seconds_ms"] == 1 * MINUTE
    assert row["service_seconds_ms"] == 13 * MINUTE
    assert row["hold_seconds_ms"] == 7 * MINUTE
    assert told.totals_ms() == [40 * MINUTE]


def test_rule_16_the_total_is_end_less_issue_for_every_way_to_end() -> None:
    ways: list[list[Event]] = [
        [o.abandoned("A1", at="09:30")],
        [o.transferred("A1", at="09:30")],
        [o.called("A1", at="09:10"), o.no_show("A1", at="09:30")],
        [o.called("A1", at="09:10"), o.transferred("A1", at="09:30")],
        [o.called("A1", at="09:10"), o.abandoned("A1", at="09:30")],
        [o.started("A1", at="09:10"), o.transferred("A1", at="09:30")],
        [o.started("A1", at="09:10"), o.held("A1", at="09:20"), o.completed("A1", at="09:30")],
        [o.requeued("A1", at="09:10"), o.abandoned("A1", at="09:30")],
        [o.started("A1", at="09:10"), o.requeued("A1", at="09:20"), o.no_show("A1", at="09:30")],
    ]
    for way in ways:
        told = tell(o.issued("A1", at="09:00"), *way)
        assert told.totals_ms() == [30 * MINUTE], way
        assert told.unit_row()["skewed_durations"] == 0


def test_rule_16_lost_runs_from_a_call_to_a_no_show_requeue_or_transfer() -> None:
    for end in (o.no_show("A1", at="09:05"), o.requeued("A1", at="09:05"), o.transferred("A1", at="09:05")):
        told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:02"), end)
        assert told.row().some("lost_seconds_count", "lost_seconds_ms") == (1, 3 * MINUTE)
        assert told.row()["way_seconds_count"] == 0


def test_rule_16_way_observes_only_calls_that_led_to_service() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.requeued("A1", at="09:03"),
        o.called("A1", at="09:05"),
        o.started("A1", at="09:06"),
        o.requeued("A1", at="09:10"),
        o.started("A1", at="09:11"),
    )
    # One call in vain, one that led to service, one start without a call.
    assert told.row().some("way_seconds_count", "way_seconds_ms", "lost_seconds_count") == (1, 1 * MINUTE, 1)


def test_rule_16_a_service_that_is_transferred_on_is_service_and_not_lost() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:01"),
        o.started("A1", at="09:02"),
        o.transferred("A1", at="09:09", to_unit="b"),
    )
    assert told.row().some("service_seconds_ms", "lost_seconds_count", "served") == (7 * MINUTE, 0, 0)


def test_rule_14_a_start_that_a_requeue_followed_is_called_again_too() -> None:
    told = tell(o.issued("A1", at="09:00"), o.started("A1", at="09:01"), o.requeued("A1", at="09:03"))
    assert told.row()["calls_again"] == 1


def test_rule_15_early_is_of_legs_that_an_event_closed_and_not_of_the_expired() -> None:
    told = tell(o.issued("A1", at="09:00", appointment="10:00"))
    assert told.row("s", now="+1 04:00").some("early_ms", "expired") == (0, 1)


def test_rule_16_a_second_hold_is_a_contradiction_and_a_resume_without_a_hold_says_nothing() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:01"),
        o.resumed("A1", at="09:02"),
        o.held("A1", at="09:03"),
        o.held("A1", at="09:04"),
        o.resumed("A1", at="09:06"),
        o.completed("A1", at="09:10"),
    )
    assert told.row().some("hold_seconds_count", "hold_seconds_ms", "service_seconds_ms") == (1, 3 * MINUTE, 6 * MINUTE)
    assert told.unit_row()["contradictions"] == 1


def test_rule_16_holds_outside_the_service_are_clipped_to_it_and_skewed() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.held("A1", at="09:01"),
        o.started("A1", at="09:02"),
        o.resumed("A1", at="09:04"),
        o.completed("A1", at="09:10"),
    )
    assert told.row().some("hold_seconds_ms", "service_seconds_ms") == (2 * MINUTE, 6 * MINUTE)
    assert told.unit_row()["skewed_durations"] == 1
    assert told.totals_ms() == [10 * MINUTE]
    after = tell(
        o.issued("A1", at="09:00"), o.started("A1", at="09:02"), o.completed("A1", at="09:10"), o.held("A1", at="09:12")
    )
    assert after.row().some("hold_seconds_ms", "service_seconds_ms") == (0, 8 * MINUTE)
    assert after.unit_row()["skewed_durations"] == 1
