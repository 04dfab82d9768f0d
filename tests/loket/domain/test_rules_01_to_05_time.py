"""Rules 1 to 5: time and order. All expected values are worked out by hand from the rule."""

import hashlib

from loket.domain.events import Event, Instant, identity_hash
from loket.domain.unit import Applied, apply
from loket.testing.builders import Office
from support.telling import Told, tell

o = Office()
SECOND, MINUTE = 1_000, 60_000


def test_rule_01_the_lifecycle_decides_though_the_start_is_before_the_call() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:02:00", employee="e"),
        o.called("A1", at="09:02:07", employee="e"),
        o.completed("A1", at="09:05:00", employee="e"),
    )
    row = told.row()
    # The call ends the wait; the way would be -7 s, which is 0 and skewed; the service runs from the start.
    assert row["wait_seconds_ms"] == 127 * SECOND
    assert row["way_seconds_count"] == 1
    assert row["way_seconds_ms"] == 0
    assert row["service_seconds_ms"] == 180 * SECOND
    assert row["waits_answered/yes"] == 1
    assert told.unit_row()["skewed_durations"] == 1


def test_rule_01_an_end_before_its_start_is_a_service_of_nothing() -> None:
    told = tell(o.issued("A1", at="09:00"), o.completed("A1", at="09:03"), o.started("A1", at="09:04"))
    row = told.row()
    assert row["service_seconds_count"] == 1
    assert row["service_seconds_ms"] == 0
    assert row["tickets_incomplete"] == 0
    assert row["served"] == 1
    assert row["wait_seconds_ms"] == 4 * MINUTE
    assert told.unit_row()["skewed_durations"] == 1


def test_rule_01_a_call_before_the_issue_is_a_wait_of_nothing() -> None:
    told = tell(o.called("A1", at="08:59:50"), o.issued("A1", at="09:00"))
    assert told.row()["wait_seconds_count"] == 1
    assert told.row()["wait_seconds_ms"] == 0
    assert told.unit_row()["skewed_durations"] == 1


def test_rule_01_time_orders_stretches() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:04"),
        o.requeued("A1", at="09:05"),
        o.called("A1", at="09:08"),
    )
    # 4 min in the first stretch, 3 in the second; in vain from 09:04 to 09:05.
    assert told.row()["wait_seconds_count"] == 2
    assert told.row()["wait_seconds_ms"] == 7 * MINUTE
    assert told.row()["lost_seconds_ms"] == 1 * MINUTE


def test_rule_01_time_orders_repeats_of_one_type() -> None:
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:03"), o.called("A1", at="09:02"))
    # The earlier call stands, though it was told later; the other changed nothing.
    assert told.row()["wait_seconds_ms"] == 2 * MINUTE
    assert told.unit_row()["contradictions"] == 1


def test_rule_02_a_transfer_comes_before_the_issue_of_the_same_instant() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.issued("A1", at="09:03", service="t"),
        o.transferred("A1", at="09:03", to_service="t"),
    )
    assert told.row("s").some("tickets_issued", "tickets_closed/transferred") == (1, 1)
    assert told.row("t").some("tickets_issued", "waiting") == (1, 1)
    assert told.unit_row()["contradictions"] == 0


def test_rule_02_a_requeue_comes_before_the_call_of_the_same_instant() -> None:
    told = tell(o.issued("A1", at="09:00"), o.called("A1", at="09:05"), o.requeued("A1", at="09:05"))
    # Requeued uncalled, then called in the second stretch at once: one stretch was ended by a call, no call again.
    assert told.row().some("wait_seconds_count", "wait_seconds_ms", "calls_again") == (1, 0, 0)
    assert told.row()["waits_answered/yes"] == 0


def test_rule_02_a_resume_ends_a_hold_before_the_next_hold_of_the_same_instant() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:01"),
        o.held("A1", at="09:02"),
        o.held("A1", at="09:03"),
        o.resumed("A1", at="09:03"),
        o.completed("A1", at="09:04"),
    )
    assert told.row()["hold_seconds_count"] == 2
    assert told.row()["hold_seconds_ms"] == 2 * MINUTE
    assert told.row()["service_seconds_ms"] == 1 * MINUTE


def test_rule_02_at_one_instant_a_whole_visit_is_one_leg() -> None:
    told = tell(
        o.completed("A1", at="09:00"),
        o.started("A1", at="09:00"),
        o.called("A1", at="09:00"),
        o.issued("A1", at="09:00"),
    )
    assert told.outcomes() == ["completed"]
    assert told.row().some("served", "waits_answered/yes", "tickets_incomplete") == (1, 1, 0)
    assert told.unit_row().some("skewed_durations", "contradictions") == (0, 0)


def test_rule_02_the_smaller_hash_is_of_source_zero_byte_and_id() -> None:
    expected = int.from_bytes(hashlib.sha256(b"kiosk\x00A-7").digest()[:8], "big")
    assert identity_hash("kiosk", "A-7") == expected


def test_rule_02_of_two_steps_of_one_type_and_instant_the_smaller_hash_stands() -> None:
    first, second = o.called("A1", at="09:01", employee="a"), o.called("A1", at="09:01", employee="b")
    smaller = min((first, second), key=lambda event: identity_hash(event.source, event.id)).data.employee
    for order in ((first, second), (second, first)):
        told = tell(
            o.issued("A1", at="09:00", id="i"),
            *order,
            o.started("A1", at="09:02", employee=str(smaller), id="s"),
            o.completed("A1", at="09:03", id="c"),
        )
        assert told.person(str(smaller))["way_count"] == 1


def test_rule_03_received_dates_the_last_call_and_nothing_else() -> None:
    late, early = Told(), Told()
    told: list[Event] = [o.issued("A1", at="09:00"), o.called("A1", at="09:01")]
    late.tell(*told, received="09:10")
    early.tell(*told, received="09:01")
    assert late.state.last_call == {"s": o.at("09:10")}
    assert early.state.last_call == {"s": o.at("09:01")}
    assert late.row() == early.row()


def test_rule_03_the_last_call_is_of_the_service_that_was_called_for() -> None:
    told = tell(
        o.issued("A1", at="09:00"),
        o.transferred("A1", at="09:05", to_service="t"),
        o.issued("A1", at="09:05", service="t"),
    )
    told.tell(o.called("A1", at="09:04"), received="09:20")
    assert told.state.last_call == {"s": o.at("09:20")}


def test_rule_03_a_repeated_call_is_no_later_call() -> None:
    told = Told()
    call = o.called("A1", at="09:01")
    told.tell(o.issued("A1", at="09:00"), call)
    repeated = o.called("A1", at="09:01")
    told.tell(repeated, received="11:00")
    assert told.applied[-1] == Applied.DUPLICATE
    assert told.state.last_call == {"s": o.at("09:01")}


def test_rule_04_a_ticket_issued_ahead_of_now_waits_with_age_nothing() -> None:
    told = tell(o.issued("A1", at="09:10"))
    row = told.row(now="09:00")
    assert row.some("waiting", "over_target") == (1, 0)
    assert row["oldest_wait_start"] == o.at("09:00")
    assert told.report(now="09:00").oldest_wait_s == 0


def test_rule_05_imported_events_are_folded_like_all_others() -> None:
    told = Told()
    event = o.issued("A1", at="09:00")
    assert apply(told.state, event, Instant(event.time)) == Applied.APPLIED


def test_rule_04_ahead_of_now_an_appointment_changes_nothing() -> None:
    told = tell(o.issued("A1", at="09:10", appointment="10:00"))
    assert told.row(now="09:00").some("waiting", "early") == (1, 0)
    assert told.row(now="09:10").some("waiting", "early") == (0, 1)


def test_rule_03_the_last_call_is_the_one_that_was_received_last() -> None:
    told = tell(o.issued("A1", at="09:00"), o.issued("A2", at="09:00"))
    told.tell(o.called("A1", at="09:01"), received="09:30").tell(o.called("A2", at="09:02"), received="09:20")
    assert told.state.last_call == {"s": o.at("09:30")}
