"""The exporter: which series there are, what they say, and of whom."""

import platform

import pytest
from msgspec.structs import replace

from loket import __version__
from loket.catalogue import (
    EMPLOYEE_DAY,
    EMPLOYEE_METRICS,
    EMPLOYEE_TIME,
    PIPELINE_METRICS,
    UNIT_METRICS,
    Kind,
    pipeline,
)
from loket.catalogue.bounds import of_employee, of_service, of_unit, of_unit_in_all
from loket.catalogue.desks import DESK_METRICS
from loket.catalogue.estimates import ESTIMATE_METRICS
from loket.domain.calendar import Calendar, DayHours, Schedule
from loket.domain.durations import HOUR
from loket.domain.policy import Budget, Names, ServicePolicy, Target, UnitPolicy
from loket.domain.unit import UnitState
from loket.scrape import Sample, read
from loket.testing.builders import Office, unit_policy
from loket.wire.partition import partition_of
from loket.wire.rejection import Reason
from loket_streams.exporter import Exporter, pages
from loket_streams.tallies import RESULTS, SourceClock
from support.exported import StandingClock, page_of, series, value, worker_of
from support.exported import partition_of as partition_in
from support.telling import Told

MINUTE = 60_000
OFFICE = Calendar((Schedule(1, (DayHours(((8 * HOUR, 16 * HOUR),), ((12 * HOUR, 13 * HOUR),)),) * 7),))
o = Office()
NOON = int(o.at("12:00"))
OF_ESTIMATES = {metric.name for metric in ESTIMATE_METRICS}
"""Which exist where there is something to say."""


def told(*, policy: UnitPolicy | None = None, unit: str = "u") -> Told:
    return Told(policy or unit_policy({"s": 300}), Office(unit))


def units_page(exporter: Exporter) -> list[Sample]:
    return read(exporter.render_units().decode())


def names_of(samples: list[Sample]) -> set[str]:
    return {sample.name for sample in samples}


# Which series exist


def test_a_configured_unit_that_nothing_came_from_has_all_its_series_at_0() -> None:
    worker = worker_of([], NOON, units={"u": unit_policy({"s": 300})})
    page = units_page(Exporter(worker))
    for name, labels in (
        ("loket_tickets_waiting", {}),
        ("loket_tickets_over_target", {}),
        ("loket_tickets_issued_total", {}),
        ("loket_waits_answered_total", {"within": "yes"}),
        ("loket_waits_answered_total", {"within": "no"}),
        ("loket_waits_left_total", {"within": "short"}),
        ("loket_waits_near_target_total", {"side": "above"}),
        ("loket_tickets_closed_total", {"outcome": "no_show"}),
        ("loket_waits_judged", {}),
        ("loket_waits_breached", {}),
        ("loket_tickets_expired", {}),
        ("loket_wait_seconds_count", {}),
        ("loket_wait_seconds_bucket", {"le": "300.0"}),
        ("loket_corrections_total", {"figure": "served"}),
        ("loket_corrections_total", {"figure": "wait_seconds_sum"}),
        ("loket_corrections_total", {"figure": "tickets_closed", "outcome": "completed"}),
        ("loket_day_waits_breached", {}),
        ("loket_day_tickets_closed", {"outcome": "transferred"}),
    ):
        assert value(page, name, unit="u", service="s", **labels) == 0, name
    assert value(page, "loket_late_events_total", unit="u") == 0


def test_all_reasons_and_results_exist_at_0_from_the_start() -> None:
    page = units_page(Exporter(worker_of([], NOON, units={"u": unit_policy({"s": 300})})))
    for unit in ("u", "other"):
        assert [value(page, "loket_rejections_total", unit=unit, reason=reason) for reason in Reason] == [0] * 14
    assert [value(page, "loket_events_total", result=result) for result in RESULTS] == [0] * len(RESULTS)


def test_the_results_of_the_catalogue_are_those_that_are_tallied() -> None:
    assert set(pipeline.EVENTS.values) == set(RESULTS)


def test_a_unit_is_shown_by_the_worker_that_has_its_partition_and_by_no_other() -> None:
    policy = unit_policy({"s": 300})
    units = {f"unit-{number}": policy for number in range(12)}
    page = units_page(Exporter(worker_of([], NOON, units=units, partition_count=3)))
    here = {unit for unit in units if partition_of(unit.encode(), 3) == 0}
    assert 0 < len(here) < 12
    assert {sample.labels["unit"] for sample in series(page, "loket_unit_info")} == here


def test_rule_22_a_service_without_a_target_has_no_series_that_need_one() -> None:
    office = told()
    office.tell(o.issued("A1", at="09:00", service="free"), o.called("A1", at="09:20"))
    page = page_of([office.state], NOON)
    free = [sample for sample in page if sample.labels.get("service") == "free"]
    assert value(free, "loket_waits_answered_total", within="none") == 1
    assert {sample.labels["within"] for sample in free if "within" in sample.labels} == {"none"}
    for name in (
        "loket_waits_judged",
        "loket_waits_breached",
        "loket_tickets_over_target",
        "loket_day_waits_judged",
        "loket_day_waits_breached",
        "loket_waits_near_target_total",
        "loket_target_seconds",
        "loket_target_ratio",
    ):
        assert series(free, name) == []
        assert len(series(page, name, service="s")) >= 1
    assert value(free, "loket_tickets_expired") == 0


def test_rule_22_while_nobody_waits_there_is_no_oldest_wait() -> None:
    office = told().tell(o.issued("A1", at="09:00"))
    assert value(page_of([office.state], NOON), "loket_oldest_wait_start_timestamp_seconds") == o.at("09:00") / 1000
    office.tell(o.called("A1", at="09:02"))
    page = page_of([office.state], NOON)
    assert series(page, "loket_oldest_wait_start_timestamp_seconds") == []
    assert value(page, "loket_tickets_waiting", service="s") == 0
    assert value(page, "loket_last_call_timestamp_seconds", service="s") == o.at("09:02") / 1000


def test_tickets_whose_issue_never_came_are_in_a_row_of_no_service() -> None:
    office = told().tell(
        o.called("A1", at="09:00", employee="e"),
        o.started("A1", at="09:01", employee="e"),
        o.completed("A1", at="09:03", employee="e"),
    )
    page = page_of([office.state], NOON)
    assert value(page, "loket_tickets_incomplete_total", unit="u", service="") == 1
    assert value(page, "loket_service_seconds_sum", unit="u", service="") == 120
    assert series(page, "loket_wait_seconds_count", unit="u", service="") == []
    assert series(page, "loket_tickets_waiting", unit="u", service="") == []


def test_the_target_in_force_is_that_of_the_service_day_of_now() -> None:
    day = o.day.toordinal()
    targets = (Target(day, 300_000, 0.8), Target(day + 1, 600_000, 0.9))
    policy = UnitPolicy(services={"s": ServicePolicy(targets=targets)}, known=True)
    state = UnitState("u", policy)
    for at, seconds, ratio in (("12:00", 300, 0.8), ("+1 02:59", 300, 0.8), ("+1 03:00", 600, 0.9)):
        page = page_of([state], int(o.at(at)))
        assert value(page, "loket_target_seconds", service="s") == seconds
        assert value(page, "loket_target_ratio", service="s") == ratio


def test_a_target_of_a_later_day_is_not_shown_but_its_counters_exist() -> None:
    policy = UnitPolicy(services={"s": ServicePolicy(targets=(Target(10**6, 300_000, 0.8),))}, known=True)
    page = page_of([UnitState("u", policy)], NOON)
    assert series(page, "loket_target_seconds") == []
    answered = series(page, "loket_waits_answered_total")
    assert [sample.labels["within"] for sample in answered] == ["yes", "no", "none"]


def test_names_stand_in_both_languages() -> None:
    policy = UnitPolicy(
        names=Names("Puskesmas Ciputat", "Ciputat health centre"),
        services={"s": ServicePolicy(names=Names("Poli umum", "General clinic"))},
        known=True,
    )
    page = page_of([UnitState("u", policy)], NOON)
    (unit,) = series(page, "loket_unit_info")
    assert unit.labels == {"unit": "u", "name_id": "Puskesmas Ciputat", "name_en": "Ciputat health centre"}
    (service,) = series(page, "loket_service_info")
    assert service.labels == {"unit": "u", "service": "s", "name_id": "Poli umum", "name_en": "General clinic"}


def test_a_unit_that_no_target_knows_is_told_apart() -> None:
    forgotten = UnitState("forgotten", UnitPolicy())
    page = page_of([told().state, forgotten], NOON)
    assert value(page, "loket_unit_known", unit="u") == 1
    assert value(page, "loket_unit_known", unit="forgotten") == 0


def test_no_sample_carries_a_timestamp_and_no_series_comes_twice() -> None:
    office = told().tell(o.issued("A1", at="09:00"), o.called("A1", at="09:02", employee="e"))
    exporter = Exporter(worker_of([office.state, told(unit="v").state], NOON))
    for page in (exporter.render_units().decode(), exporter.render_employees().decode()):
        lines = [line for line in page.splitlines() if not line.startswith("#")]
        names = [line.rpartition(" ")[0] for line in lines]
        assert len(names) == len(set(names))
        assert all(name.endswith("}") or " " not in name for name in names)
        assert "_created" not in page


def test_every_metric_of_the_catalogue_is_on_its_page() -> None:
    exporter = Exporter(worker_of([told().state], NOON))
    for page, metrics in (
        (exporter.render_units().decode(), (*UNIT_METRICS, *PIPELINE_METRICS)),
        (exporter.render_employees().decode(), EMPLOYEE_METRICS),
    ):
        for metric in metrics:
            assert f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n" in page


# What they say


def test_what_is_taken_back_is_a_correction_with_the_figures_labels() -> None:
    office = told().tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:02", employee="e"),
        o.no_show("A1", at="09:03", employee="e"),
        o.started("A1", at="09:04", employee="e"),
        o.completed("A1", at="09:06", employee="e"),
    )
    page = page_of([office.state], NOON)
    closed = {
        outcome: value(page, "loket_tickets_closed_total", service="s", outcome=outcome)
        - value(page, "loket_corrections_total", service="s", figure="tickets_closed", outcome=outcome)
        for outcome in ("completed", "no_show")
    }
    assert closed == {"completed": 1, "no_show": 0}
    assert value(page, "loket_tickets_closed_total", service="s", outcome="no_show") == 1
    # One minute lost from the call to the no-show, which never was one: observed, and taken back.
    assert value(page, "loket_lost_seconds_sum", service="s") == 60
    assert value(page, "loket_corrections_total", service="s", figure="lost_seconds_sum") == 60
    assert value(page, "loket_corrections_total", service="s", figure="lost_seconds_count") == 1


def test_buckets_are_cumulative_and_their_bounds_inclusive() -> None:
    office = told()
    for subject, called in (("A1", "09:00:10"), ("A2", "09:00:10.001"), ("A3", "11:00:01")):
        office.tell(o.issued(subject, at="09:00"), o.called(subject, at=called))
    page = page_of([office.state], NOON)
    buckets = {sample.labels["le"]: sample.value for sample in series(page, "loket_wait_seconds_bucket", service="s")}
    assert (buckets["10.0"], buckets["30.0"], buckets["7200.0"], buckets["+Inf"]) == (1, 2, 2, 3)
    assert value(page, "loket_wait_seconds_count", service="s") == 3
    assert value(page, "loket_wait_seconds_sum", service="s") == 10 + 10.001 + 7201


def test_a_queue_that_nobody_calls_breaches_by_itself() -> None:
    office = told().tell(o.issued("A1", at="09:00"))
    at_target, after = (page_of([office.state], int(o.at(at))) for at in ("09:05", "09:05:00.001"))
    for page, breached in ((at_target, 0), (after, 1)):
        for name in ("loket_waits_judged", "loket_waits_breached", "loket_tickets_over_target"):
            assert value(page, name, service="s") == breached
        assert value(page, "loket_day_waits_breached", service="s") == breached


def test_the_days_gauges_begin_again_with_the_day() -> None:
    office = told().tell(o.issued("A1", at="09:00"), o.called("A1", at="09:20"), o.completed("A1", at="09:30"))
    today, tomorrow = (page_of([office.state], int(o.at(at))) for at in ("12:00", "+1 03:00"))
    for page, amount in ((today, 1), (tomorrow, 0)):
        assert value(page, "loket_day_tickets_issued", service="s") == amount
        assert value(page, "loket_day_waits_answered", service="s", within="no") == amount
        assert value(page, "loket_day_tickets_closed", service="s", outcome="completed") == amount
        assert value(page, "loket_day_served", service="s") == amount
        assert value(page, "loket_day_waits_breached", service="s") == amount
        assert value(page, "loket_waits_breached", service="s") == 1


def test_employees_have_a_page_of_their_own() -> None:
    office = told().tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:02", employee="e"),
        o.started("A1", at="09:02:30", employee="e"),
        o.completed("A1", at="09:06", employee="e", quantity=3),
    )
    exporter = Exporter(worker_of([office.state], NOON))
    page = read(exporter.render_employees().decode())
    for name, amount in (
        ("loket_employee_served_total", 1),
        ("loket_employee_services_total", 3),
        ("loket_employee_handed_on_total", 0),
        ("loket_employee_service_seconds_sum", 210),
        ("loket_employee_service_seconds_count", 1),
        ("loket_employee_way_seconds_sum", 30),
        ("loket_employee_hold_seconds_count", 0),
        ("loket_employee_served_wait_seconds_sum", 120),
    ):
        assert value(page, name, unit="u", employee="e") == amount, name
    assert value(page, "loket_employee_corrections_total", figure="served_wait_seconds_count") == 0
    assert "employee=" not in exporter.render_units().decode()


def test_an_employee_who_has_only_called_is_there_at_0() -> None:
    office = told().tell(o.issued("A1", at="09:00"), o.called("A1", at="09:02", employee="e"))
    assert value(page_of([office.state], NOON), "loket_employee_served_total", employee="e") == 0


def test_employees_time_is_told_of_who_ever_had_a_session() -> None:
    office = told().tell(
        o.session_started("e", at="09:00"),
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:02", employee="e"),
        o.started("A1", at="09:03", employee="e"),
        o.completed("A1", at="09:10", employee="e", quantity=2),
        o.completed("A2", at="09:10", employee="f"),
    )
    for now, staffed in (("09:30", 1_800), ("10:00", 3_600)):
        page = page_of([office.state], int(o.at(now)))
        for name, amount in (
            ("staffed_seconds", staffed),
            ("serving_seconds", 480),
            ("call_gap_seconds", 120),
            ("call_gaps", 1),
        ):
            assert value(page, f"loket_employee_{name}", unit="u", employee="e") == amount, name
            assert value(page, f"loket_day_employee_{name}", unit="u", employee="e") == amount, name
        assert value(page, "loket_day_employee_services", employee="e") == 2
        assert value(page, "loket_day_employee_served", employee="f") == 1
        assert series(page, "loket_employee_staffed_seconds", employee="f") == []
        assert series(page, "loket_day_employee_staffed_seconds", employee="f") == []
    tomorrow = page_of([office.state], int(o.at("+1 09:00")))
    assert value(tomorrow, "loket_employee_staffed_seconds", employee="e") == 18 * 3_600
    assert value(tomorrow, "loket_day_employee_staffed_seconds", employee="e") == 0
    assert value(tomorrow, "loket_day_employee_services", employee="e") == 0


def test_rule_35_who_is_silent_for_35_days_has_no_series_in_service() -> None:
    office = told().tell(*(o.completed(f"A{n}", at="09:00", employee=name) for n, name in enumerate("ef")))
    office.tell(o.session_started("f", at="+1 09:00"))
    worker = worker_of([office.state], int(o.at("+35 10:00")))
    worker.tallies.newest_event_ms = int(o.at("+35 10:00"))
    for event_clock, shown in ((False, {"f"}), (True, {"e", "f"})):
        worker.event_clock = event_clock
        page = read(Exporter(worker).render_employees().decode())
        assert {sample.labels["employee"] for sample in series(page, "loket_employee_served_total")} == shown


def test_rule_24_employees_time_is_no_counter() -> None:
    for metric in (*EMPLOYEE_TIME, *EMPLOYEE_DAY):
        assert metric.kind is Kind.GAUGE


# Counters and sessions


def test_a_unit_that_never_sent_such_events_has_no_series_of_desks() -> None:
    page = page_of([told().tell(o.issued("A1", at="09:00"), o.called("A1", at="09:01", counter="1")).state], NOON)
    for metric in DESK_METRICS:
        assert series(page, metric.name, unit="u") == []


def test_desks_tell_whether_they_are_open_and_what_waits_in_their_outbox() -> None:
    office = told().tell(
        o.counter_opened(at="09:00", counter="1"),
        o.counter_opened(at="09:00", counter="2"),
        o.counter_closed(at="10:00", counter="2"),
        o.session_started("e", at="09:00", counter="1"),
        o.session_started("f", at="09:00", counter="3"),
        o.session_paused("f", at="09:30", counter="3"),
    )
    office.tell(o.heartbeat(at="11:00", counter="2", pending=7, oldest_pending_at="10:30"), received="11:02")
    page = page_of([office.state], NOON)
    assert value(page, "loket_counters_open", unit="u") == 1
    assert value(page, "loket_sessions_active", unit="u") == 1
    assert [value(page, "loket_counter_open", counter=name) for name in "12"] == [1, 0]
    assert series(page, "loket_counter_open", counter="3") == []
    last = "loket_counter_last_event_timestamp_seconds"
    assert value(page, last, counter="2") == int(o.at("11:02")) / 1000
    assert value(page, last, counter="3") == int(o.at("09:30")) / 1000
    assert value(page, "loket_counter_outbox_pending", counter="2") == 7
    assert value(page, "loket_counter_outbox_oldest_timestamp_seconds", counter="2") == int(o.at("10:30")) / 1000
    assert series(page, "loket_counter_outbox_pending", counter="1") == []
    office.tell(o.heartbeat(at="11:01", counter="2", pending=0))
    page = page_of([office.state], NOON)
    assert value(page, "loket_counter_outbox_pending", counter="2") == 0
    assert series(page, "loket_counter_outbox_oldest_timestamp_seconds") == []


def test_a_unit_with_sessions_alone_tells_of_no_counter_that_it_is_closed() -> None:
    page = page_of([told().tell(o.session_started("e", at="09:00")).state], NOON)
    assert value(page, "loket_sessions_active", unit="u") == 1
    assert series(page, "loket_counters_open") == []


# The pipeline


def test_what_is_behind_shows_the_instant_of_its_last_record_and_says_how_far_behind() -> None:
    office = told().tell(o.issued("A1", at="09:00"))
    worker = worker_of([office.state], NOON, left=7)
    page = units_page(Exporter(worker))
    assert value(page, "loket_evaluated_at_timestamp_seconds", partition="0") == NOON / 1000 - 30
    assert value(page, "loket_partition_lag_records", partition="0") == 7
    assert value(page, "loket_partition_applied_offset", partition="0") == 42
    assert value(page, "loket_unit_behind_seconds", unit="u") == 30


def test_what_is_read_to_the_end_is_evaluated_now_and_nothing_behind() -> None:
    page = units_page(Exporter(worker_of([told().state], NOON)))
    assert value(page, "loket_evaluated_at_timestamp_seconds", partition="0") == NOON / 1000
    assert value(page, "loket_partition_lag_records", partition="0") == 0
    assert value(page, "loket_unit_behind_seconds", unit="u") == 0


def test_a_partition_that_is_not_read_to_its_end_yet_shows_only_how_far_behind_it_is() -> None:
    worker = worker_of([told().state], NOON, left=7)
    partition_in(worker).ready = False
    exporter = Exporter(worker)
    page = units_page(exporter)
    assert value(page, "loket_partition_ready", partition="0") == 0
    assert value(page, "loket_unit_behind_seconds", unit="u") == 30
    assert {sample.name for sample in page if sample.labels.get("unit") == "u"} == {"loket_unit_behind_seconds"}
    assert read(exporter.render_employees().decode()) == []


def test_a_partition_that_went_to_another_worker_is_gone_from_the_page() -> None:
    worker = worker_of([told().state], NOON)
    worker.partitions.assign([], "a member", 2)
    page = units_page(Exporter(worker))
    assert [sample for sample in page if sample.labels.get("unit") == "u"] == []
    assert series(page, "loket_partition_applied_offset") == []


def test_clocks_of_sources_are_told_whatever_their_names_hold() -> None:
    office = told().tell(o.issued("A1", at="09:00"))
    worker = worker_of([office.state], NOON)
    broker_ms = partition_in(worker).record_ms or 0
    hostile = 'kiosk"} 1\nloket_served_total{unit="u\\'
    clock = SourceClock()
    clock.note(broker_ms, broker_ms - 90_000, broker_ms - 1_500)
    worker.tallies.sources["u"] = {hostile: clock, "silent": SourceClock()}
    page = units_page(Exporter(worker))
    assert value(page, "loket_source_clock_error_seconds", unit="u", source=hostile) == 1.5
    assert value(page, "loket_source_delay_seconds", unit="u", source=hostile) == 88.5
    assert len(series(page, "loket_source_clock_error_seconds")) == 1
    assert value(page, "loket_label_budget_used", unit="u", kind="sources") == 2


def test_the_worker_tells_of_itself() -> None:
    worker = worker_of([], NOON)
    checkpoints = worker.checkpoints
    checkpoints.written, checkpoints.failed, checkpoints.records, checkpoints.bytes = 5, 1, 70, 9_000
    checkpoints.foreign_writes, checkpoints.last_ms, checkpoints.last_s = 2, NOON - 3_000, 0.25
    worker.targets_valid = False
    worker.tallies.events["applied"] = 9
    partition_in(worker).checkpoint_ms = NOON - 4_000
    page = units_page(Exporter(worker))
    for name, labels, amount in (
        ("loket_checkpoints_total", {"result": "written"}, 5),
        ("loket_checkpoints_total", {"result": "failed"}, 1),
        ("loket_checkpoint_records_total", {}, 70),
        ("loket_checkpoint_bytes_total", {}, 9_000),
        ("loket_last_checkpoint_duration_seconds", {}, 0.25),
        ("loket_last_checkpoint_timestamp_seconds", {}, NOON / 1000 - 3),
        ("loket_partition_state_timestamp_seconds", {"partition": "0"}, NOON / 1000 - 4),
        ("loket_foreign_writes_total", {}, 2),
        ("loket_rebalances_total", {}, 1),
        ("loket_targets_valid", {}, 0),
        ("loket_events_total", {"result": "applied"}, 9),
    ):
        assert value(page, name, **labels) == amount, name
    (build,) = series(page, "loket_build_info")
    assert build.labels == {"component": "worker", "version": __version__, "python": platform.python_version()}
    assert value(page, "process_open_fds") > 0


def test_before_there_is_a_checkpoint_there_is_no_instant_of_one() -> None:
    page = units_page(Exporter(worker_of([], NOON)))
    assert series(page, "loket_last_checkpoint_timestamp_seconds") == []
    assert series(page, "loket_partition_state_timestamp_seconds") == []


def test_late_events_are_the_states_own_count_and_outlast_the_process() -> None:
    state = told().state
    state.late = 3
    assert value(page_of([state], NOON), "loket_late_events_total", unit="u") == 3


def test_rejections_are_of_the_unit_where_it_is_one() -> None:
    worker = worker_of([told().state], NOON)
    worker.tallies.rejected["u", Reason.NOT_JSON] = 2
    worker.tallies.rejected["gone", Reason.NOT_JSON] = 3
    worker.tallies.rejected["other", Reason.NOT_JSON] = 4
    page = units_page(Exporter(worker))
    assert value(page, "loket_rejections_total", unit="u", reason="not_json") == 2
    assert value(page, "loket_rejections_total", unit="other", reason="not_json") == 7


def test_the_pages_are_served_as_the_text_format() -> None:
    served = pages(worker_of([told().state], NOON))
    assert set(served) == {"/metrics", "/metrics/employees"}
    for make in served.values():
        page = make()
        assert (page.status, page.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")


# Bounds


def test_series_of_a_unit_are_as_many_as_the_catalogue_says() -> None:
    policy = replace(unit_policy({f"s{number}": 300 for number in range(5)}), calendar=OFFICE)
    office = Told(policy, o)
    for number in range(10):
        subject, employee = f"A{number}", f"e{number}"
        office.tell(
            o.issued(subject, at="09:00", service=f"s{number % 5}"),
            o.called(subject, at="09:02", employee=employee),
            o.completed(subject, at="09:04", employee=employee),
            o.issued(f"B{number}", at="09:00", service=f"s{number % 5}"),
        )
    worker = worker_of([office.state], NOON)
    clock = SourceClock()
    clock.note(NOON, NOON, NOON)
    worker.tallies.sources["u"] = {"a": clock, "b": clock}
    exporter = Exporter(worker)
    of_unit_page = [
        sample
        for sample in units_page(exporter)
        if sample.labels.get("unit") == "u" and sample.name not in OF_ESTIMATES
    ]
    assert len(of_unit_page) == of_unit_in_all(5, 2) == 929
    # Without sessions there is no time: four series and four of the day.
    of_people = [sample for sample in read(exporter.render_employees().decode()) if "employee" in sample.labels]
    assert len(of_people) == 10 * (of_employee() - 8) == 240
    for number in range(10):
        office.tell(
            o.session_started(f"e{number}", at="09:00", counter=f"{number % 4}"),
            o.counter_opened(at="09:00", counter=f"{number % 4}"),
            o.heartbeat(at="09:05", counter=f"{number % 4}", pending=1, oldest_pending_at="09:01"),
        )
    of_unit_page = [
        sample
        for sample in units_page(exporter)
        if sample.labels.get("unit") == "u" and sample.name not in OF_ESTIMATES
    ]
    assert len(of_unit_page) == of_unit_in_all(5, 2, 4) == 947
    of_people = [sample for sample in read(exporter.render_employees().decode()) if "employee" in sample.labels]
    assert len(of_people) == 10 * of_employee() == 320
    (evaluated,) = series(read(exporter.render_employees().decode()), "loket_employees_evaluated_at_timestamp_seconds")
    assert (evaluated.labels, evaluated.value) == ({"partition": "0"}, NOON / 1000)


@pytest.mark.parametrize("target", [True, False])
def test_series_of_a_service_are_as_many_as_the_catalogue_says(target: bool) -> None:
    def series_with(services: int) -> int:
        targets = (Target(1, 300_000, 0.8),) if target else ()
        policy = UnitPolicy(
            services={f"s{number}": ServicePolicy(targets=targets) for number in range(services)}, known=True
        )
        return len([sample for sample in page_of([UnitState("u", policy)], NOON) if sample.labels.get("unit") == "u"])

    nobody_came = 2  # no oldest wait and no last call yet
    assert series_with(2) - series_with(1) == of_service(target=target) - nobody_came
    never_received = 1  # no last event
    assert series_with(0) == of_unit() - never_received


def test_names_beyond_the_budget_are_other_and_the_budget_says_so() -> None:
    policy = unit_policy({"s": 300}, budget=Budget(services=2, employees=1))
    office = Told(policy, o)
    for number in range(4):
        office.tell(
            o.issued(f"A{number}", at="09:00", service=f"invented-{number}"),
            o.called(f"A{number}", at="09:01", employee=f"e{number}"),
            o.completed(f"A{number}", at="09:02", employee=f"e{number}"),
        )
    page = page_of([office.state], NOON)
    issued = {sample.labels["service"]: sample.value for sample in series(page, "loket_tickets_issued_total")}
    assert issued == {"s": 0, "invented-0": 1, "other": 3}
    assert {sample.labels["employee"] for sample in series(page, "loket_employee_served_total")} == {"e0", "other"}
    for kind, used, allowed in (("services", 3, 2), ("employees", 2, 1), ("counters", 0, 100), ("sources", 0, 16)):
        assert value(page, "loket_label_budget_used", unit="u", kind=kind) == used
        assert value(page, "loket_label_budget_allowed", unit="u", kind=kind) == allowed


def test_units_beyond_the_budget_are_summed_as_other() -> None:
    def invented(number: int) -> UnitState:
        office = Office(f"invented-{number:02}")
        return (
            Told(UnitPolicy(), office)
            .tell(
                office.issued("A1", at="09:00", service=f"s{number}"),
                office.called("A1", at=f"09:{number:02}", employee=f"e{number}"),
                office.completed("A1", at="09:50", employee=f"e{number}"),
                office.issued("A2", at=f"10:{number:02}", service=f"s{number}"),
                office.completed("A3", at="10:50"),
            )
            .state
        )

    states = [told().state, *(invented(number) for number in range(10))]
    worker = worker_of(states, NOON)
    worker.unit_budget = 4
    exporter = Exporter(worker)
    page = units_page(exporter)
    waiting = {sample.labels["unit"]: sample.value for sample in series(page, "loket_tickets_waiting")}
    assert waiting == {"u": 0, **{f"invented-{number:02}": 1 for number in range(4)}, "other": 6}
    assert value(page, "loket_wait_seconds_sum", unit="other") == sum(range(4, 10)) * 60
    assert value(page, "loket_wait_seconds_count", unit="other") == 6
    assert value(page, "loket_wait_seconds_bucket", unit="other", le="300.0") == 2
    assert value(page, "loket_oldest_wait_start_timestamp_seconds", unit="other") == o.at("10:04") / 1000
    assert value(page, "loket_served_total", unit="other", service="other") == 6
    assert value(page, "loket_tickets_incomplete_total", unit="other", service="") == 6
    assert value(page, "loket_day_tickets_issued", unit="other") == 12
    assert value(page, "loket_label_budget_allowed", kind="units") == 4
    assert value(page, "loket_label_budget_used", kind="units") == 5
    people = read(exporter.render_employees().decode())
    assert value(people, "loket_employee_served_total", unit="other", employee="other") == 6
    # Who was named first keeps the name, in whatever order the units stand later.
    units = partition_in(worker).units
    partition_in(worker).units = dict(reversed(units.items()))
    again = {sample.labels["unit"] for sample in series(units_page(exporter), "loket_tickets_waiting")}
    assert again == set(waiting)


def test_what_was_taken_back_in_units_beyond_the_budget_is_summed_too() -> None:
    states = []
    for number in range(2):
        office = Office(f"invented-{number}")
        told_there = Told(UnitPolicy(), office).tell(
            office.issued("A1", at="09:00"),
            office.called("A1", at="09:02", employee="e"),
            office.no_show("A1", at="09:03", employee="e"),
            office.voided("A1", at="09:04"),
        )
        states.append(told_there.state)
    worker = worker_of(states, NOON)
    worker.unit_budget = 0
    page = units_page(Exporter(worker))
    assert value(page, "loket_lost_seconds_sum", unit="other", service="other") == 120
    for figure, amount in (("lost_seconds_sum", 120), ("lost_seconds_count", 2), ("tickets_issued", 2)):
        assert value(page, "loket_corrections_total", unit="other", service="other", figure=figure) == amount


def test_a_unit_that_calls_itself_other_is_one_of_the_others() -> None:
    state = Told(UnitPolicy(), Office("other")).tell(Office("other").issued("A1", at="09:00")).state
    page = page_of([state], NOON)
    assert value(page, "loket_tickets_waiting", unit="other", service="other") == 1


def test_totals_never_fall_where_units_go_over_the_budget() -> None:
    counters = [metric.name for metric in UNIT_METRICS if metric.kind is Kind.COUNTER]
    worker = worker_of([], NOON)
    worker.unit_budget = 2
    exporter = Exporter(worker)
    before: dict[tuple[str, str], float] = {}
    for number in range(6):
        office = Office(f"invented-{number}")
        state = Told(UnitPolicy(), office).tell(office.issued("A1", at="09:00"), office.called("A1", at="09:01")).state
        partition_in(worker).units[office.unit] = state
        after = {
            (sample.name, str(sorted(sample.labels.items()))): sample.value
            for sample in units_page(exporter)
            if sample.name in counters
        }
        assert all(after.get(key, -1) >= amount for key, amount in before.items())
        before = after


def test_a_clock_that_jumps_back_does_not_take_the_page_down() -> None:
    office = told().tell(o.issued("A1", at="09:00"), o.called("A1", at="09:02"))
    worker = worker_of([office.state], NOON)
    clock = worker.clock
    assert isinstance(clock, StandingClock)
    clock.ms = int(o.at("08:00"))
    assert value(units_page(Exporter(worker)), "loket_unit_behind_seconds", unit="u") == 0


# Opening hours, windows and burn


def test_a_unit_without_hours_has_no_series_of_them_and_one_with_hours_has() -> None:
    for policy, number in ((unit_policy({"s": 300}), 0), (replace(unit_policy({"s": 300}), calendar=OFFICE), 1)):
        page = units_page(Exporter(worker_of([], NOON, units={"u": policy})))
        assert len(series(page, "loket_unit_open")) == number
        assert len(series(page, "loket_unit_state")) == 3 * number


@pytest.mark.parametrize(
    ("time", "is_open", "state"),
    [("07:59", 0, "closed"), ("08:00", 1, "open"), ("12:30", 0, "break"), ("16:00", 0, "closed")],
)
def test_a_unit_is_open_by_its_hours_and_not_in_a_break(time: str, is_open: int, state: str) -> None:
    policy = replace(unit_policy({"s": 300}), calendar=OFFICE)
    page = units_page(Exporter(worker_of([], int(o.at(time)), units={"u": policy})))
    assert value(page, "loket_unit_open", unit="u") == is_open
    for name in ("open", "break", "closed"):
        assert value(page, "loket_unit_state", unit="u", state=name) == (name == state)


def test_windows_factors_and_the_budget_of_a_service_with_a_target() -> None:
    policy = replace(unit_policy({"s": 300}), calendar=OFFICE)
    office = told(policy=policy)
    office.tell(
        o.issued("A1", at="11:30"), o.called("A1", at="11:31"), o.issued("A2", at="11:30"), o.called("A2", at="11:40")
    )
    page = units_page(Exporter(worker_of([office.state], NOON)))
    for window, judged, breached in (("1h", 2, 1), ("1h_short", 0, 0), ("5d", 2, 1)):
        of = {"unit": "u", "service": "s", "window": window}
        assert value(page, "loket_window_judged", **of) == judged, window
        assert value(page, "loket_window_breached", **of) == breached, window
    for rule, factor in (("1h", 3.3), ("3h", 2.75), ("1d", 2.2), ("5d", 1)):
        assert value(page, "loket_burn_factor", unit="u", service="s", rule=rule) == factor
    left = value(page, "loket_budget_left_ratio", unit="u", service="s")
    assert left < 1
    january = 31 * 7 * 3600  # of service time
    assert value(page, "loket_budget_left_seconds", unit="u", service="s") == pytest.approx(left * january)


def test_who_still_waited_when_the_hall_closed_is_unserved() -> None:
    policy = replace(unit_policy({"s": 300}), calendar=OFFICE, close_after_ms=0)
    office = told(policy=policy)
    office.tell(o.issued("A1", at="15:30"))
    page = units_page(Exporter(worker_of([office.state], int(o.at("16:00")))))
    assert value(page, "loket_day_unserved", unit="u", service="s") == 1


def test_a_service_of_which_a_void_took_everything_back_stays_shown() -> None:
    office = told()
    office.tell(
        o.issued("A1", at="09:00"),
        o.started("A1", at="09:00", service="t"),
        o.transferred("A1", at="09:00"),
        o.voided("A1", at="09:00"),
    )
    page = units_page(Exporter(worker_of([office.state], NOON)))
    assert value(page, "loket_service_seconds_count", unit="u", service="t") == 1
    corrected = value(page, "loket_corrections_total", unit="u", service="t", figure="service_seconds_count")
    assert corrected == 1


def test_estimates_of_today_exist_where_there_is_something_to_say() -> None:
    office = told()
    page = units_page(Exporter(worker_of([office.state], NOON)))
    assert not OF_ESTIMATES & names_of(page)
    for number in range(10):
        at = int(o.at("09:00")) + number * 20 * MINUTE
        subject = f"A{number}"
        office.tell(
            o.issued(subject, at=at), o.called(subject, at=at + 4 * MINUTE), o.started(subject, at=at + 5 * MINUTE)
        )
    office.tell(o.issued("B1", at="11:00"), o.abandoned("B1", at="11:03"))
    page = units_page(Exporter(worker_of([office.state], NOON + HOUR)))
    of = {"unit": "u", "service": "s"}
    assert value(page, "loket_day_wait_km_seconds", percentile="50", bound="value", **of) == 240
    assert value(page, "loket_day_patience_median_seconds", **of) == 180
    assert value(page, "loket_estimated_wait_seconds", **of) == 240
    assert value(page, "loket_estimated_wait_error_ratio", **of) == 0
