"""The steps of a request as they are after corrections: what its course is made of (`event.corrected`).

    steps as they were told ─┬─ corrections: of several of one event the latest stands ─┐
                             └─ the others ──────────────── fields replaced ────────────┴─▶ steps that count

As with tickets (`loket.domain.corrections`) what was told is kept. No day bounds a request, so a step moves as far as
it is said to, but not to before 1970, nor beyond a day after the correction itself was made.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from loket.domain.opening import OpeningHours
from loket.domain.request_course import Course, RequestKind, RequestStep, course_of
from loket.domain.request_steps import Request
from loket.domain.said import Correction, is_believable, standing

__all__ = ["MAX_WAITING", "course_as_corrected"]

MAX_WAITING: Final = 20
"""Corrections that wait under a subject of which no request's event has come."""

_NAMES_EMPLOYEE: Final = frozenset({RequestKind.ACCEPTED, RequestKind.WORKED, RequestKind.COMPLETED})


def course_as_corrected(steps: list[RequestStep], hours: OpeningHours) -> Course:
    """The course of a request's steps, in their order, with the corrections among them put into the others.

    A correction that changed nothing, because another stood or because its event cannot have been then, counts as a
    contradiction; one of an event that has not come waits, and counts nowhere.
    """
    if not any([step.kind == RequestKind.CORRECTED for step in steps]):  # noqa: C419 (a list is half as slow)
        return course_of(steps, hours)
    meant, contradictions = _corrected(steps)
    course = course_of(meant, hours)
    course.contradictions += contradictions
    if not meant:
        course.last_at = steps[-1].at
    return course


def _corrected(steps: list[RequestStep]) -> tuple[list[RequestStep], int]:
    said = standing((step, step.correction) for step in steps if step.correction is not None)
    found, contradictions = Request(""), 0
    for step in steps:
        if step.kind == RequestKind.CORRECTED:
            continue
        told = said.get(step.hash)
        if told is None:
            found.add(replace(step, late=False))
            continue
        by, correction, others = told
        contradictions += others
        at = correction.set.get("time", step.at)
        if isinstance(at, int) and (at == step.at or is_believable(at, by.at)):
            found.add(_as_said(step, by, correction))
        else:
            contradictions += 1
            found.add(replace(step, late=False))
    return found.steps, contradictions


def _as_said(step: RequestStep, by: RequestStep, correction: Correction) -> RequestStep:
    """A step as a correction says it; what its type does not know is left, and no submission is without a service."""
    said = correction.set
    changes: dict[str, Any] = {"late": False, "at": said.get("time", step.at)}
    if step.kind in _NAMES_EMPLOYEE and "employee" in said:
        changes["employee"] = said["employee"]
    if step.kind == RequestKind.COMPLETED and "outcome" in said:
        changes["text"] = said["outcome"]
    if step.kind == RequestKind.SUBMITTED and said.get("service") is not None:
        changes["text"] = said["service"]
        for name in ("target_ms", "in_service", "from_acceptance"):
            changes[name] = getattr(by, name)
    return replace(step, **changes)
