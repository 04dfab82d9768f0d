"""The catalogue: every metric that must exist, named and described as Prometheus wants it."""

import re
from pathlib import Path

import pytest

from loket.catalogue import (
    EMPLOYEE_METRICS,
    EMPLOYEE_PREFIX,
    METRICS,
    UNIT_METRICS,
    Kind,
    Metric,
    pipeline,
    units,
)
from loket.catalogue.documentation import documentation
from loket.catalogue.employees import EMPLOYEES_EVALUATED_AT
from loket.catalogue.requests import REQUEST_DURATIONS
from loket.domain.contribution import HISTOGRAMS
from loket.domain.request_facts import CLOCKS
from loket.domain.tally import BUCKETS_MS

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"

NAMED = """
loket_tickets_waiting loket_tickets_early loket_tickets_over_target loket_oldest_wait_start_timestamp_seconds
loket_last_call_timestamp_seconds loket_tickets_issued_total loket_visits_total loket_waits_answered_total
loket_waits_left_total loket_waits_judged loket_waits_breached loket_tickets_expired loket_calls_again_total
loket_calls_nobody_came_total loket_tickets_closed_total loket_served_total loket_services_total loket_wait_seconds
loket_patience_seconds loket_way_seconds loket_service_seconds loket_hold_seconds loket_lost_seconds
loket_corrections_total loket_waits_near_target_total loket_targets_valid loket_target_seconds loket_target_ratio
loket_unit_info loket_service_info loket_late_events_total loket_evaluated_at_timestamp_seconds loket_build_info
loket_day_tickets_issued loket_day_waits_answered loket_day_tickets_closed loket_day_served loket_day_waits_judged
loket_day_waits_breached loket_day_tickets_expired loket_employee_served_total loket_employee_services_total
loket_employee_handed_on_total loket_employee_service_seconds loket_employee_way_seconds loket_employee_hold_seconds
loket_employee_served_wait_seconds loket_employee_corrections_total
loket_employee_staffed_seconds loket_employee_serving_seconds loket_employee_call_gap_seconds loket_employee_call_gaps
loket_day_employee_staffed_seconds loket_day_employee_serving_seconds loket_day_employee_call_gap_seconds
loket_day_employee_call_gaps loket_counters_open loket_sessions_active loket_counter_open
loket_counter_last_event_timestamp_seconds loket_counter_outbox_pending loket_counter_outbox_oldest_timestamp_seconds
loket_requests_open loket_requests_suspended loket_requests_over_target loket_oldest_request_start_timestamp_seconds
loket_requests_submitted_total loket_requests_completed_total loket_requests_cancelled_total
loket_requests_reopened_total loket_requests_ever_completed_total loket_requests_reopened_early_total
loket_requests_judged loket_requests_breached loket_request_citizen_seconds loket_request_citizen_service_seconds
loket_request_legal_seconds loket_request_task_seconds loket_feedback_total
""".split()  # noqa: SIM905 (a page of names reads better than a list of quoted ones)
"""What the product promises by name."""

LABELS = {
    "unit", "service", "employee", "counter", "outcome", "within", "figure", "source", "reason", "side",
    "state", "window", "rule", "percentile", "bound", "score", "result", "partition", "kind", "component", "version",
    "python", "name_id", "name_en",
}  # fmt: skip
"""What a series may be told apart by: never a ticket, never a citizen."""

BY_NAME = {metric.name: metric for metric in METRICS}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_promised_by_name_exists(name: str) -> None:
    assert name in BY_NAME


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_and_texts_are_as_prometheus_wants_them(metric: Metric) -> None:
    assert re.fullmatch(r"loket_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert not re.search(r"_(sum|count|bucket|ms|milliseconds|minutes|hours)$", metric.name)
    assert re.fullmatch(r"[A-Z][^\\\n|]*\.", metric.help)  # neither the text format nor a table has to escape it
    assert set(metric.labels) <= LABELS
    if metric.parts == 1_000 or metric.is_distribution:
        assert re.search(r"_seconds(_total)?$", metric.name)


def test_an_employee_is_named_on_the_page_of_employees_alone() -> None:
    assert [metric.name for metric in METRICS if "employee" in metric.labels] == [
        metric.name for metric in EMPLOYEE_METRICS if metric is not EMPLOYEES_EVALUATED_AT
    ]


def test_each_kind_of_duration_has_the_bounds_of_the_domain() -> None:
    assert {metric.figure: metric.bounds_ms for metric in (*units.DURATIONS, *REQUEST_DURATIONS)} == BUCKETS_MS
    assert set(BUCKETS_MS) == {*HISTOGRAMS, *CLOCKS}


def test_rule_23_a_correction_is_called_by_the_metric_without_loket_and_total() -> None:
    names = {
        metric.name: [name for name, _, _ in metric.corrections()]
        for metric in (*units.EVENTS_BROUGHT, *units.DURATIONS, units.SKEWED)
    }
    assert names["loket_waits_answered_total"] == ["waits_answered"]
    assert names["loket_early_seconds_total"] == ["early_seconds"]
    assert names["loket_wait_seconds"] == ["wait_seconds_sum", "wait_seconds_count"]
    assert names["loket_skewed_durations_total"] == ["skewed_durations"]
    corrected = [name for of_metric in names.values() for name in of_metric]
    assert len(corrected) == len(set(corrected))


def test_corrections_of_employees_are_called_by_their_own_prefix() -> None:
    served_wait = BY_NAME["loket_employee_served_wait_seconds"]
    assert [name for name, _, _ in served_wait.corrections(EMPLOYEE_PREFIX)] == [
        "served_wait_seconds_sum",
        "served_wait_seconds_count",
    ]


def test_corrections_have_the_labels_of_what_they_correct() -> None:
    of_figures = {label for metric in units.EVENTS_BROUGHT for label in metric.labels}
    assert set(units.CORRECTIONS.labels) == of_figures | {"figure"}


def test_rule_24_what_time_alone_brings_is_no_counter() -> None:
    for metric in UNIT_METRICS:
        if metric.figure in ("judged", "breached", "expired"):
            assert metric.kind is Kind.GAUGE


def test_rule_22_without_a_target_nothing_is_judged() -> None:
    for metric in (*units.CUMULATIVE, units.OVER_TARGET):
        exists = metric.exists(None, judges=False, in_force=False)
        assert exists == (metric.figure == "expired")
    answered = BY_NAME["loket_waits_answered_total"]
    assert [v for v in answered.values if answered.exists(v, judges=False, in_force=False)] == ["none"]
    assert [v for v in answered.values if answered.exists(v, judges=True, in_force=True)] == ["yes", "no"]
    # A target that is valid from a later day: tickets of today have none, those of then will.
    assert [v for v in answered.values if answered.exists(v, judges=True, in_force=False)] == ["yes", "no", "none"]


def test_all_reasons_of_the_closed_list_have_a_series() -> None:
    assert pipeline.REJECTIONS.values[0] == "not_json"
    assert len(pipeline.REJECTIONS.values) == 14


def test_the_document_is_the_catalogue() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == documentation(), "python -m loket.catalogue > docs/metrics.md"
