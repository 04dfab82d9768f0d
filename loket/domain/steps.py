"""A ticket as the state keeps it: its steps, and the ids by which they came.

A step is what an event said of a ticket and nothing more. `loket.domain.legs` derives every figure from the steps,
so that the order in which events arrive leaves no trace.
"""

from __future__ import annotations

from bisect import insort
from datetime import date
from enum import IntEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from loket.domain import events
from loket.domain.halls import opens_after
from loket.domain.policy import MAX_STEPS, UnitPolicy
from loket.domain.said import Correction, correction_of, is_believable

EMPTY_SERVICE = ""
"""The service of legs without an issue: they count in the unit's row only (rule 19)."""

MAX_IDS = 2 * MAX_STEPS
"""Ids remembered of one ticket: repeats under ever new ids change nothing and are recognised by what they say."""


class Kind(IntEnum):
    """The steps of a ticket, in the order of its lifecycle."""

    ISSUED = 0
    CALLED = 1
    RECALLED = 2
    STARTED = 3
    HELD = 4
    RESUMED = 5
    ADDED = 6
    COMPLETED = 7
    REQUEUED = 8
    TRANSFERRED = 9
    NO_SHOW = 10
    ABANDONED = 11
    VOIDED = 12
    CORRECTED = 13


KIND_OF: dict[type[events.Envelope], Kind] = {
    events.TicketIssued: Kind.ISSUED,
    events.TicketCalled: Kind.CALLED,
    events.TicketRecalled: Kind.RECALLED,
    events.ServiceStarted: Kind.STARTED,
    events.ServiceHeld: Kind.HELD,
    events.ServiceResumed: Kind.RESUMED,
    events.ServiceAdded: Kind.ADDED,
    events.ServiceCompleted: Kind.COMPLETED,
    events.TicketRequeued: Kind.REQUEUED,
    events.TicketTransferred: Kind.TRANSFERRED,
    events.TicketNoShow: Kind.NO_SHOW,
    events.TicketAbandoned: Kind.ABANDONED,
    events.TicketVoided: Kind.VOIDED,
}

NEVER_BUCKET = 0
"""Where the day never starts, tickets are kept under this day; each of their legs knows its own."""

_FIRST_ENDER = Kind.COMPLETED


class Step(Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """One thing that happened to a ticket.

    `number` is the appointment (ms) of an issue, the quantity of a completion and the day (ordinal) of a void. An issue
    carries the target that was in force when it was applied (rule 10), so that a later reload cannot judge it again. So
    it does `opens_at`, the opening from which its wait is judged, where that is later (rule 9).
    `late` marks what the live state refused (rule 8): such steps are in the record only. What a correction `says` is
    put into another step when the ticket is folded (`loket.domain.corrections`); its own fields hold the names that it
    brings and, of an issue's service and time, target and opening.
    """

    kind: Annotated[int, Meta(ge=0, le=13)]
    at: int
    hash: int
    counter: str | None = None
    employee: str | None = None
    service: str | None = None
    from_unit: str | None = None
    number: int | None = None
    target_ms: int | None = None
    short_ms: int = 0
    late: bool = False
    opens_at: int | None = None
    says: Correction | None = None

    def order(self) -> tuple[int, bool, int, int]:
        """Rule 2: time; at one instant what ends before what begins, then the lifecycle, then the smaller hash."""
        return (self.at, self.kind < _FIRST_ENDER, self.kind, self.hash)

    def people(self) -> tuple[str | None, str | None, str | None]:
        """What tells two steps of one kind and time apart: counter, employee, service (rule 17)."""
        return (self.counter, self.employee, self.service)


def step_of(event: events.Event, hash: int, day: int, policy: UnitPolicy, *, late: bool = False) -> Step | None:
    """The step that a ticket event tells, or None if it is of no ticket. `day` is the ticket's service day."""
    kind = KIND_OF.get(type(event))
    if kind is None:
        return _correcting(event, hash, day, policy, late=late) if isinstance(event, events.EventCorrected) else None
    data = event.data
    number: int | None = None
    target_ms: int | None = None
    short_ms = 0
    opens_at: int | None = None
    if isinstance(data, events.IssuedData):
        opens_at = opens_after(policy, day, int(event.time))
        number = data.appointment_at
        target = policy.target(data.service, day)
        if target is not None:
            target_ms = target.within_ms
            short_ms = policy.short_ms
    elif isinstance(data, events.CompletedData):
        number = data.quantity
    elif isinstance(data, events.VoidedData):
        number = day
    from_unit: str | None = getattr(data, "from_unit", None)
    return Step(
        kind=int(kind),
        at=int(event.time),
        hash=hash,
        counter=getattr(data, "counter", None),
        employee=getattr(data, "employee", None),
        service=getattr(data, "service", None),
        from_unit=None if from_unit == data.unit else from_unit,
        number=None if number is None else int(number),
        target_ms=target_ms,
        short_ms=short_ms,
        late=late,
        opens_at=opens_at,
    )


def _correcting(event: events.EventCorrected, hash: int, day: int, policy: UnitPolicy, *, late: bool) -> Step:
    said = correction_of(event)
    service, employee, at = said.set.get("service"), said.set.get("employee"), said.set.get("time")
    target = policy.target(service, day) if isinstance(service, str) else None
    return Step(
        kind=int(Kind.CORRECTED),
        at=int(event.time),
        hash=hash,
        employee=employee if isinstance(employee, str) else None,
        service=service if isinstance(service, str) else None,
        target_ms=None if target is None else target.within_ms,
        short_ms=0 if target is None else policy.short_ms,
        late=late,
        opens_at=opens_after(policy, day, at) if isinstance(at, int) and is_believable(at, int(event.time)) else None,
        says=said,
    )


class Ticket(Struct, array_like=True, gc=False):
    """All steps of one subject in one unit and service day, and the ids of the events that told them.

    `ids` alternates the hash of an id and the hash of what that event said. `other_services` and `other_employees` were
    over the unit's label budget when they came: they stay `other` as long as the ticket lasts.
    """

    subject: str
    day: Annotated[int, Meta(ge=0, lt=date.max.toordinal())]
    steps: list[Step] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    other_services: list[str] = field(default_factory=list)
    other_employees: list[str] = field(default_factory=list)
    page: int = -1

    def remember(self, hash: int, content: int) -> bool:
        """Remember an id, up to MAX_IDS; whether there was room."""
        if len(self.ids) >= 2 * MAX_IDS:
            return False
        self.ids.append(hash)
        self.ids.append(content)
        return True

    def add(self, step: Step) -> bool:
        """Put a step in its place; False if it repeats one that is there (rule 17), of which the smaller hash stays."""
        if not self.steps or self.steps[-1].at < step.at:
            self.steps.append(step)
            return True
        for index, other in enumerate(self.steps):
            if (
                other.at == step.at
                and other.kind == step.kind
                and other.from_unit == step.from_unit
                and other.late == step.late
                and other.people() == step.people()
                and (step.kind != Kind.VOIDED or other.number == step.number)
            ):
                if step.kind in (Kind.ADDED, Kind.CORRECTED):
                    if other.hash == step.hash:
                        return False
                    continue
                if step.hash < other.hash:
                    del self.steps[index]
                    insort(self.steps, step, key=Step.order)
                return False
        insort(self.steps, step, key=Step.order)
        return True

    def live_steps(self) -> list[Step]:
        """The steps that the live state has applied: all but the late ones."""
        return [step for step in self.steps if not step.late]
