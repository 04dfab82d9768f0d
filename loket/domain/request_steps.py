"""A request as state and record keep it: its steps, the ids by which they came, and what was last found of it.

A request is a document or permit that is asked for. Its subject is unique for its unit for ever, and no day ends it
(rule 36). `loket.domain.request_course` derives all from the steps, so that the order of arrival leaves no trace.
"""

from __future__ import annotations

from bisect import insort
from typing import Annotated

from msgspec import Meta, Struct, field

from loket.domain import events
from loket.domain.days import service_days
from loket.domain.policy import MAX_STEPS, Clock, Since, UnitPolicy
from loket.domain.request_course import Course, RequestKind, RequestStep

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
    """The step that an event of a request tells, or None if it tells none.

    A submission carries the turnaround target of its service day, by the file in force when it is applied (rule 10).
    """
    kind = REQUEST_KIND.get(type(event))
    if kind is None:
        return None
    data = event.data
    service: str | None = None
    target_ms: int | None = None
    in_service = from_acceptance = False
    if isinstance(data, events.RequestSubmittedData):
        service = data.service
        promised = policy.services.get(service)
        target = None if promised is None else promised.turnaround(service_days(policy).day(int(event.time)))
        if target is not None:
            target_ms = target.within_ms
            in_service = target.clock is Clock.SERVICE
            from_acceptance = target.since is Since.ACCEPTANCE
    return RequestStep(
        kind=int(kind),
        at=int(event.time),
        hash=hash,
        employee=getattr(data, "employee", None),
        text=service if service is not None else getattr(data, "outcome", None),
        target_ms=target_ms,
        in_service=in_service,
        from_acceptance=from_acceptance,
        late=late,
    )


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

        Of work only the id decides: two pieces of work of one instant are two.
        """
        for index, other in enumerate(self.steps):
            if other.at == step.at and other.says() == step.says() and other.late == step.late:
                if step.kind == RequestKind.WORKED and other.hash != step.hash:
                    continue
                if step.hash < other.hash:
                    del self.steps[index]
                    insort(self.steps, step, key=RequestStep.order)
                return False
        insort(self.steps, step, key=RequestStep.order)
        return True

    def live_steps(self) -> list[RequestStep]:
        """The steps that the live state has applied: all but the late ones."""
        return [step for step in self.steps if not step.late]
