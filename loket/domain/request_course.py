"""What became of a request: its clocks, its ends, and when its target passes (rules 36 to 39).

    submitted ──▶ open ──suspended──▶ suspended ──resumed──▶ open ──▶ completed ──reopened──▶ open …
                    └─────────── cancelled ──reopened──▶ open …              (an end ends the suspension)

    citizen's clock   submitted ─────────────────────────────▶ last completion    wall time, and in service hours
    legal clock             accepted ────────────────────────▶ last completion    wall time
    task clock                  first work ──▶ last work, less suspensions        service hours

Steps come in the order of time, whatever the order of arrival; the submission comes first whatever its time.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from loket.domain.durations import DAY
from loket.domain.opening import OpeningHours
from loket.domain.said import Correction

__all__ = ["FIRST_TIME_RIGHT_MS", "OUTCOMES", "Course", "RequestKind", "RequestStep", "course_of"]

FIRST_TIME_RIGHT_MS = 30 * DAY
"""A request that is reopened so soon after its first completion was not right the first time (rule 39)."""

OUTCOMES = ("handed_over", "refused", "other", "none")
"""Values of the label `outcome` of completed requests; `other` are all other texts, `none` is no text."""


class RequestKind(IntEnum):
    """The steps of a request, in the order of its life."""

    SUBMITTED = 0
    ACCEPTED = 1
    WORKED = 2
    SUSPENDED = 3
    RESUMED = 4
    COMPLETED = 5
    CANCELLED = 6
    REOPENED = 7
    CORRECTED = 8


_ENDS = (RequestKind.COMPLETED, RequestKind.CANCELLED)


class RequestStep(Struct, frozen=True, array_like=True, omit_defaults=True):
    """One thing that happened to a request. `text`: the service of a submission, the outcome of a completion.

    A submission carries its target: `target_ms` in service hours or by the wall, from itself or from the acceptance.
    `late` marks what the live state refused: such steps are in the record only. A `correction` is put into another step
    by `loket.domain.request_corrections`, with the target that it carries where it says another service.
    """

    kind: Annotated[int, Meta(ge=0, le=8)]
    at: int
    hash: int
    employee: str | None = None
    text: str | None = None
    target_ms: int | None = None
    in_service: bool = False
    from_acceptance: bool = False
    late: bool = False
    correction: Correction | None = None

    def order(self) -> tuple[int, bool, int, int]:
        """Rule 2: time; at one instant what ends before what begins, then the order of life, then the smaller hash."""
        return (self.at, self.kind not in _ENDS, self.kind, self.hash)

    def says(self) -> tuple[int, str | None, str | None]:
        """What a repeat says too, at the same instant."""
        return (self.kind, self.employee, self.text)

    @property
    def is_told_apart_by_id(self) -> bool:
        """Whether two that say the same at one instant are two, as pieces of work are (rule 17)."""
        return self.kind in (RequestKind.WORKED, RequestKind.CORRECTED)


class Course(Struct, array_like=True):
    """A request as its steps tell it. Durations (ms) are None where they do not apply: all are of completed requests.

    `submitted_at` None: nothing but later steps came so far; it is in no figure. `ended_at` None: it is open.
    `breach_at`: an end up to this instant is within the target; None where nothing is promised, or as long as the
    target's clock stands still. `reopened_early`: within FIRST_TIME_RIGHT_MS of the first completion.
    """

    service: str = ""
    submitted_at: int | None = None
    accepted_at: int | None = None
    first_completed_at: int | None = None
    ended_at: int | None = None
    completed: bool = False
    outcome: str | None = None
    suspended_since: int | None = None
    suspended_ms: int = 0
    reopened: int = 0
    reopened_early: bool = False
    target_ms: int | None = None
    breach_at: int | None = None
    citizen_ms: int | None = None
    citizen_service_ms: int | None = None
    legal_ms: int | None = None
    task_ms: int | None = None
    skewed: int = 0
    contradictions: int = 0
    last_at: int = 0

    def only_contradicts(self, before: Course) -> bool:
        """Whether a step that led here from `before` changed nothing because another stood (rule 12)."""
        if self.contradictions <= before.contradictions:
            return False
        return replace(self, contradictions=0, last_at=0) == replace(before, contradictions=0, last_at=0)

    @property
    def is_open(self) -> bool:
        """Whether it was submitted and has not ended."""
        return self.submitted_at is not None and self.ended_at is None

    @property
    def is_judged(self) -> bool:
        """Whether its end was judged: completed, or cancelled after the target had passed (rule 39)."""
        return self.ended_at is not None and self._is_promised and (self.completed or self.is_breached)

    @property
    def is_breached(self) -> bool:
        """Whether it ended after its target had passed."""
        return self.ended_at is not None and self.breach_at is not None and self.ended_at > self.breach_at

    @property
    def _is_promised(self) -> bool:
        return self.submitted_at is not None and self.target_ms is not None

    @property
    def outcome_label(self) -> str:
        """The outcome of a completed request as a label has it."""
        if self.outcome is None:
            return "none"
        return self.outcome if self.outcome in OUTCOMES[:2] else "other"


def course_of(steps: Iterable[RequestStep], hours: OpeningHours) -> Course:
    """The course that steps in the order of `RequestStep.order` tell, in a unit with these hours."""
    tale = _Tale()
    for step in steps:
        tale.take(step)
    return tale.measured(hours)


class _Tale:
    """The steps of one request as they are told, one after the other."""

    def __init__(self) -> None:
        self.course = Course()
        self.submission: RequestStep | None = None
        self.suspensions: list[tuple[int, int]] = []
        self.work: tuple[int, int] | None = None
        self.named: list[int] = []
        """When somebody was named: where nobody told of work, it began with the first of these."""

    def take(self, step: RequestStep) -> None:
        course, at = self.course, step.at
        course.last_at = at
        if step.employee is not None:
            self.named.append(at)
        match step.kind:
            case RequestKind.SUBMITTED:
                if self.submission is None:
                    self.submission = step
                else:
                    course.contradictions += 1
            case RequestKind.ACCEPTED:
                if course.accepted_at is None:
                    course.accepted_at = at
                else:
                    course.contradictions += 1
            case RequestKind.WORKED:
                self.work = (at if self.work is None else self.work[0], at)
            case RequestKind.SUSPENDED:
                if course.ended_at is None and course.suspended_since is None:
                    course.suspended_since = at
                else:
                    course.contradictions += 1
            case RequestKind.RESUMED:
                self._end_suspension(at)
            case RequestKind.REOPENED:
                self._reopen(at)
            case _:
                self._end(step)

    def _end(self, step: RequestStep) -> None:
        """The first end stands, but a completion beats a cancellation, as with tickets (rule 18)."""
        course, completes = self.course, step.kind == RequestKind.COMPLETED
        if course.ended_at is not None:
            course.contradictions += 1
            if course.completed or not completes:
                return
        self._end_suspension(step.at)
        course.ended_at, course.completed, course.outcome = step.at, completes, step.text if completes else None
        if completes and course.first_completed_at is None:
            course.first_completed_at = step.at

    def _reopen(self, at: int) -> None:
        course = self.course
        if course.ended_at is None:
            return
        course.reopened += 1
        first = course.first_completed_at
        if first is not None and at <= first + FIRST_TIME_RIGHT_MS:
            course.reopened_early = True
        course.ended_at, course.completed, course.outcome = None, False, None

    def _end_suspension(self, at: int) -> None:
        course = self.course
        if course.suspended_since is not None:
            self.suspensions.append((course.suspended_since, at))
            course.suspended_ms += at - course.suspended_since
            course.suspended_since = None

    def measured(self, hours: OpeningHours) -> Course:
        """The course with its target and clocks."""
        course, submission = self.course, self.submission
        if submission is None:
            return course
        course.service = submission.text or ""
        course.submitted_at = submission.at
        start = course.accepted_at if submission.from_acceptance else submission.at
        if submission.target_ms is not None and start is not None:
            course.target_ms = submission.target_ms
            if submission.in_service:
                course.breach_at = self._service_breach(start, submission.target_ms, hours)
            else:
                course.breach_at = start + submission.target_ms
        if course.completed and course.ended_at is not None:
            self._measure(submission.at, course.ended_at, hours)
        return course

    def _service_breach(self, start: int, target_ms: int, hours: OpeningHours) -> int | None:
        """The last instant with no more than the target in service hours since a start, suspensions left out."""
        left, at = target_ms, start
        since = self.course.suspended_since
        for begin, end in (*self.suspensions, *(() if since is None else ((since, None),))):
            if end is not None and end <= at:
                continue
            spent = hours.between(at, max(begin, at))
            if spent > left:
                break
            if end is None:
                return None
            left -= spent
            at = end
        return hours.last_within(at, left)

    def _measure(self, submitted_at: int, completed_at: int, hours: OpeningHours) -> None:
        course = self.course
        course.citizen_ms = self._span(submitted_at, completed_at)
        course.citizen_service_ms = hours.between(submitted_at, max(submitted_at, completed_at))
        if course.accepted_at is not None:
            course.legal_ms = self._span(course.accepted_at, completed_at)
        work = self.work
        if work is None:
            first = next((at for at in self.named if at >= submitted_at), None)
            work = None if first is None else (first, max(first, completed_at))
        if work is not None:
            course.task_ms = hours.between(*work) - sum(
                hours.between(max(begin, work[0]), min(end, work[1]))
                for begin, end in self.suspensions
                if begin < work[1] and end > work[0]
            )

    def _span(self, begin: int, end: int) -> int:
        """Wall time; below zero it is 0 and counts as skew (rules 1 and 36)."""
        if end < begin:
            self.course.skewed += 1
            return 0
        return end - begin
