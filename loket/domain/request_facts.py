"""What one request brings to the figures of its unit and service.

As with tickets (`loket.domain.contribution`) by who may change it: what events brought are counters and histograms,
what no event can leave open any more is settled, and what time alone brings is computed from `breach_at` when asked.
"""

from __future__ import annotations

from loket.domain.contribution import Contribution
from loket.domain.request_course import OUTCOMES, Course
from loket.domain.steps import EMPTY_SERVICE

__all__ = ["CLOCKS", "REQUEST_COUNTS", "REQUEST_PRESENT", "bring"]

CLOCKS = ("request_citizen_seconds", "request_citizen_service_seconds", "request_legal_seconds", "request_task_seconds")
"""The histograms of completed requests: the citizen's clock by the wall and in service hours, the legal, the task's."""

REQUEST_COUNTS = (
    "requests_submitted",
    *(f"requests_completed/{outcome}" for outcome in OUTCOMES),
    "requests_cancelled",
    "requests_reopened",
    "requests_ever_completed",
    "requests_reopened_early",
)
"""Counters."""

REQUEST_PRESENT = (
    "requests_open",
    "requests_suspended",
    "requests_over_target",
    "requests_judged",
    "requests_breached",
)
"""Gauges, beside `oldest_request_start`."""


def bring(course: Course, label: str, to: Contribution) -> None:
    """Add what a request brings to the service `label`. Without its submission it brings nothing."""
    if course.submitted_at is None:
        return
    to.count(label, "requests_submitted")
    to.count(label, "requests_reopened", course.reopened)
    to.count(label, "requests_ever_completed", int(course.first_completed_at is not None))
    to.count(label, "requests_reopened_early", int(course.reopened_early))
    to.count(EMPTY_SERVICE, "contradictions", course.contradictions)
    to.count(EMPTY_SERVICE, "skewed_durations", course.skewed)
    if course.ended_at is None:
        return
    to.count(label, f"requests_completed/{course.outcome_label}" if course.completed else "requests_cancelled")
    measured = (course.citizen_ms, course.citizen_service_ms, course.legal_ms, course.task_ms)
    for clock, ms in zip(CLOCKS, measured, strict=True):
        if ms is not None:
            to.observe(label, clock, ms)
    if course.is_judged:
        to.settle(label, "requests_judged")
        to.settle(label, "requests_breached", int(course.is_breached))
