"""A request as state and record keep it: its steps, the ids by which they came, and what was last found of it.

A request is a document or permit that is asked for. Its subject is unique for its unit for ever, and no day ends it
(rule 36). `loket.domain.request_course` derives all from the steps, so that the order of arrival leaves no trace.
"""

from __future__ import annotations

from bisect import insort
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct, field

from loket.domain import events
from loket.domain.days import service_days
from loket.domain.policy import MAX_STEPS, Clock, Since, Turnaround, UnitPolicy
from loket.domain.request_course import Course, RequestKind, RequestStep
from loket.domain.said import correction_of, is_believable

__all__ = ["MAX_REQUEST_IDS", "REQUEST_KIND", "Request", "request_step"]

MAX_REQUEST_IDS = 2 * MAX_STEPS
"""Ids remembered of one request."""

REQUEST_KIND: dict[type[events.Envelope], RequestKind] = {
    events.RequestSubmitted: RequestKind.SUBMITTED,
    events.RequestAccepted: RequestKind.ACCEPTED,
    events.RequestWorked: RequestKind.WORKED,
    events.RequestSuspended: RequestKind.SUSPENDED,
    events.RequestResumed: RequestKind.RESUMED,
    events.RequestCompleted: RequestKind.COMPLETED,
    events.RequestCancelled: RequestKind.CANCELLED,
    events.RequestReopened: RequestKind.REOPENED,
}


def request_step(event: events.Event, hash: int, policy: UnitPolicy, *, late: bool = False) -> RequestStep | None:
    """The step that an event of a request, or a correction of one, tells; None if it tells none.

    A submission carries the turnaround target of its service day, by the file in force when it is applied (rule 10). So
    does a correction of its service, of the day to which it moves it, or which it names, or of its own time.
    """
    kind = REQUEST_KIND.get(type(event))
    if kind is None:
        return _correcting(event, hash, policy, late=late) if isinstance(event, events.EventCorrected) else None
    data = event.data
    service, target = None, None
    if isinstance(data, events.RequestSubmittedData):
        service = data.service
        target = _promised(policy, service, service_days(policy).day(int(event.time)))
    return RequestStep(
        kind=int(kind),
        at=int(event.time),
        hash=hash,
        employee=getattr(data, "employee", None),
        text=service if service is not None else getattr(data, "outcome", None),
        target_ms=None if target is None else target.within_ms,
        in_service=target is not None and target.clock is Clock.SERVICE,
        from_acceptance=target is not None and target.since is Since.ACCEPTANCE,
        late=late,
    )


def _correcting(event: events.EventCorrected, hash: int, policy: UnitPolicy, *, late: bool) -> RequestStep:
    said = correction_of(event)
    service, at = said.set.get("service"), said.set.get("time")
    if isinstance(at, int) and is_believable(at, int(event.time)):
        day = service_days(policy).day(at)
    elif event.data.day is not None:
        day = date.fromisoformat(event.data.day).toordinal()
    else:
        day = service_days(policy).day(int(event.time))
    target = _promised(policy, service if isinstance(service, str) else None, day)
    return RequestStep(
        kind=int(RequestKind.CORRECTED),
        at=int(event.time),
        hash=hash,
        target_ms=None if target is None else target.within_ms,
        in_service=target is not None and target.clock is Clock.SERVICE,
        from_acceptance=target is not None and target.since is Since.ACCEPTANCE,
        late=late,
        correction=said,
    )


def _promised(policy: UnitPolicy, service: str | None, day: int) -> Turnaround | None:
    promised = None if service is None else policy.services.get(service)
    return None if promised is None else promised.turnaround(day)


class Request(Struct, array_like=True):
    """All steps of one request, and the ids of the events that told them: hash and content, alternating.

    `is_other`: its service was over the unit's label budget when it came. `course` is what the steps that are not late
    said when the last of them came: what the figures hold of it. `day` and `page` tell where it is written.
    """

    subject: str
    steps: list[RequestStep] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    is_other: bool = False
    course: Course = field(default_factory=Course)
    day: Annotated[int, Meta(ge=0)] = 0
    page: int = -1

    def remember(self, hash: int, content: int) -> bool:
        """Remember an id, up to MAX_REQUEST_IDS; whether there was room."""
        if len(self.ids) >= 2 * MAX_REQUEST_IDS:
            return False
        self.ids.append(hash)
        self.ids.append(content)
        return True

    def add(self, step: RequestStep) -> bool:
        """Put a step in its place; False if it repeats one that is there (rule 17), of which the smaller hash stays.

        Of work and corrections only the id decides: two pieces of work of one instant are two.
        """
        for index, other in enumerate(self.steps):
            if other.at == step.at and other.says() == step.says() and other.late == step.late:
                if step.is_told_apart_by_id and other.hash != step.hash:
                    continue
                if step.hash < other.hash:
                    del self.steps[index]
                    insort(self.steps, step, key=RequestStep.order)
                return False
        insort(self.steps, step, key=RequestStep.order)
        return True

    @property
    def waits(self) -> bool:
        """Whether nothing but corrections came so far that the live state has applied."""
        return all(step.late or step.kind == RequestKind.CORRECTED for step in self.steps)

    def live_steps(self) -> list[RequestStep]:
        """The steps that the live state has applied: all but the late ones."""
        return [step for step in self.steps if not step.late]
