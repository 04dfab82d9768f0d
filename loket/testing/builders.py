"""Events and policies in one line each, for tests and examples.

    office = Office("ktp-centre", day="2026-01-15")
    office.issued("A1", at="09:00", service="card")
    office.called("A1", at="09:04:30", counter="1", employee="sari")

Every event gets an id of its own, in the order in which they are built, so that a test is the same each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TypedDict, Unpack
from zoneinfo import ZoneInfo

import msgspec

from loket.domain import events
from loket.domain.events import Event, Instant
from loket.domain.policy import HOUR, MINUTE, SECOND, Budget, ServicePolicy, Target, UnitPolicy
from loket.wire.instant import format_instant

__all__ = ["DAY", "At", "Desk", "Of", "Office", "again", "unit_policy"]

DAY = "2026-01-15"
"""The day on which an office is open unless told otherwise: a Thursday."""

At = str | int
"""A local time, `"09:00"`, `"09:00:30.250"`, `"+1 02:00"` on the next day, or an instant in ms."""


_INSTANTS = ("time", "appointment_at")


class Of(TypedDict, total=False):
    """Of which leg an event speaks, and its id where the builder's own will not do."""

    from_unit: str
    id: str


class Desk(Of, total=False):
    """Where and by whom."""

    counter: str
    employee: str


class Office:
    """Builds the events of one unit, told by one source."""

    def __init__(
        self, unit: str = "u", *, day: str = DAY, zone: str = "Asia/Jakarta", source: str = "counter-1"
    ) -> None:
        self.unit = unit
        self.source = source
        self.day = date.fromisoformat(day)
        self._zone = ZoneInfo(zone)
        self._made = 0

    def at(self, time: At) -> Instant:
        """The instant (ms UTC) of a local time."""
        if isinstance(time, int):
            return Instant(time)
        days, _, clock = time.rpartition(" ")
        hour, minute, second = ([*clock.split(":"), "0"])[:3]
        midnight = datetime.combine(self.day + timedelta(days=int(days or 0)), datetime.min.time())
        local = midnight + timedelta(hours=int(hour), minutes=int(minute), milliseconds=round(float(second) * SECOND))
        moment = local.replace(tzinfo=self._zone)
        return Instant(int(moment.timestamp()) * SECOND + moment.microsecond // 1000)

    def issued(
        self, subject: str, *, at: At, service: str = "s", appointment: At | None = None, **of: Unpack[Of]
    ) -> events.TicketIssued:
        """A person joins the queue."""
        appointment_at = None if appointment is None else self.at(appointment)
        data = events.IssuedData(
            unit=self.unit, service=service, appointment_at=appointment_at, from_unit=of.get("from_unit")
        )
        return events.TicketIssued(**self._envelope(at, of), subject=subject, data=data)

    def called(self, subject: str, *, at: At, **desk: Unpack[Desk]) -> events.TicketCalled:
        """The first call in this stretch of waiting."""
        return events.TicketCalled(**self._envelope(at, desk), subject=subject, data=self._at_desk(desk))

    def recalled(self, subject: str, *, at: At, **desk: Unpack[Desk]) -> events.TicketRecalled:
        """Called once more."""
        return events.TicketRecalled(**self._envelope(at, desk), subject=subject, data=self._at_desk(desk))

    def started(
        self, subject: str, *, at: At, service: str | None = None, **desk: Unpack[Desk]
    ) -> events.ServiceStarted:
        """Service begins, of another service than the issued one where one is named."""
        data = events.StartedData(unit=self.unit, service=service, **_where(desk))
        return events.ServiceStarted(**self._envelope(at, desk), subject=subject, data=data)

    def held(self, subject: str, *, at: At, **desk: Unpack[Desk]) -> events.ServiceHeld:
        """Service is interrupted."""
        return events.ServiceHeld(**self._envelope(at, desk), subject=subject, data=self._at_desk(desk))

    def resumed(self, subject: str, *, at: At, **desk: Unpack[Desk]) -> events.ServiceResumed:
        """Service goes on."""
        return events.ServiceResumed(**self._envelope(at, desk), subject=subject, data=self._at_desk(desk))

    def added(
        self, subject: str, *, at: At, service: str, employee: str | None = None, **of: Unpack[Of]
    ) -> events.ServiceAdded:
        """One more service in the same visit."""
        data = events.AddedData(unit=self.unit, service=service, employee=employee, from_unit=of.get("from_unit"))
        return events.ServiceAdded(**self._envelope(at, of), subject=subject, data=data)

    def completed(
        self, subject: str, *, at: At, quantity: int | None = None, **desk: Unpack[Desk]
    ) -> events.ServiceCompleted:
        """Done."""
        data = events.CompletedData(unit=self.unit, quantity=quantity, **_where(desk))
        return events.ServiceCompleted(**self._envelope(at, desk), subject=subject, data=data)

    def requeued(self, subject: str, *, at: At, **desk: Unpack[Desk]) -> events.TicketRequeued:
        """Back to waiting in the same unit."""
        data = events.RequeuedData(unit=self.unit, **_where(desk))
        return events.TicketRequeued(**self._envelope(at, desk), subject=subject, data=data)

    def transferred(
        self,
        subject: str,
        *,
        at: At,
        to_unit: str | None = None,
        to_service: str | None = None,
        **desk: Unpack[Desk],
    ) -> events.TicketTransferred:
        """Leaves this queue for another."""
        data = events.TransferredData(unit=self.unit, to_unit=to_unit, to_service=to_service, **_where(desk))
        return events.TicketTransferred(**self._envelope(at, desk), subject=subject, data=data)

    def no_show(self, subject: str, *, at: At, **desk: Unpack[Desk]) -> events.TicketNoShow:
        """Called, did not come."""
        return events.TicketNoShow(**self._envelope(at, desk), subject=subject, data=self._at_desk(desk))

    def abandoned(self, subject: str, *, at: At, **of: Unpack[Of]) -> events.TicketAbandoned:
        """Left while waiting."""
        data = events.TicketData(unit=self.unit, from_unit=of.get("from_unit"))
        return events.TicketAbandoned(**self._envelope(at, of), subject=subject, data=data)

    def voided(self, subject: str, *, at: At, day: str | None = None, **of: Unpack[Of]) -> events.TicketVoided:
        """A mistake: it counts nowhere."""
        data = events.VoidedData(unit=self.unit, day=day, from_unit=of.get("from_unit"))
        return events.TicketVoided(**self._envelope(at, of), subject=subject, data=data)

    def corrected(
        self,
        subject: str | None,
        *,
        at: At,
        of: Event,
        set: Mapping[str, str | int | None],
        day: str | None = None,
        **other: Unpack[Of],
    ) -> events.EventCorrected:
        """What another event said was wrong, and what it says in truth; instants as local times or in ms."""
        told = {
            name: format_instant(self.at(value)) if name in _INSTANTS and value is not None else value
            for name, value in set.items()
        }
        reference = events.EventReference(source=of.source, id=of.id)
        data = events.CorrectedData(unit=self.unit, of=reference, set=dict(told), day=day)
        return events.EventCorrected(**self._envelope(at, other), subject=subject, data=data)

    def queue_closed(self, *, at: At, service: str | None = None, **of: Unpack[Of]) -> events.QueueClosed:
        """The hall is closed."""
        data = events.QueueClosedData(unit=self.unit, service=service)
        return events.QueueClosed(**self._envelope(at, of), data=data)

    def session_started(
        self, employee: str, *, at: At, counter: str = "1", services: tuple[str, ...] | None = None, **of: Unpack[Of]
    ) -> events.SessionStarted:
        """Staffed time begins, for some services or for any."""
        data = events.SessionStartedData(unit=self.unit, counter=counter, employee=employee, services=services)
        return events.SessionStarted(**self._envelope(at, of), data=data)

    def session_paused(self, employee: str, *, at: At, counter: str = "1", **of: Unpack[Of]) -> events.SessionPaused:
        """A break begins."""
        data = events.SessionData(unit=self.unit, counter=counter, employee=employee)
        return events.SessionPaused(**self._envelope(at, of), data=data)

    def session_resumed(self, employee: str, *, at: At, counter: str = "1", **of: Unpack[Of]) -> events.SessionResumed:
        """The break is over."""
        data = events.SessionData(unit=self.unit, counter=counter, employee=employee)
        return events.SessionResumed(**self._envelope(at, of), data=data)

    def session_ended(self, employee: str, *, at: At, counter: str = "1", **of: Unpack[Of]) -> events.SessionEnded:
        """Staffed time is over."""
        data = events.SessionData(unit=self.unit, counter=counter, employee=employee)
        return events.SessionEnded(**self._envelope(at, of), data=data)

    def counter_opened(self, *, at: At, counter: str = "1", **of: Unpack[Of]) -> events.CounterOpened:
        """A desk opens."""
        data = events.CounterData(unit=self.unit, counter=counter)
        return events.CounterOpened(**self._envelope(at, of), data=data)

    def counter_closed(self, *, at: At, counter: str = "1", **of: Unpack[Of]) -> events.CounterClosed:
        """A desk closes."""
        data = events.CounterData(unit=self.unit, counter=counter)
        return events.CounterClosed(**self._envelope(at, of), data=data)

    def heartbeat(
        self,
        *,
        at: At,
        counter: str = "1",
        pending: int | None = None,
        oldest_pending_at: At | None = None,
        **of: Unpack[Of],
    ) -> events.CounterHeartbeat:
        """The device is there, and so much waits in its outbox."""
        oldest = None if oldest_pending_at is None else self.at(oldest_pending_at)
        data = events.HeartbeatData(unit=self.unit, counter=counter, pending=pending, oldest_pending_at=oldest)
        return events.CounterHeartbeat(**self._envelope(at, of), data=data)

    def feedback(self, score: int, *, at: At, service: str | None = None, **of: Unpack[Of]) -> events.FeedbackGiven:
        """A citizen's answer, 1 to 4."""
        data = events.FeedbackData(unit=self.unit, score=score, service=service)
        return events.FeedbackGiven(**self._envelope(at, of), data=data)

    def request_submitted(
        self, subject: str, *, at: At, service: str = "ktp", **of: Unpack[Of]
    ) -> events.RequestSubmitted:
        """A document is asked for."""
        data = events.RequestSubmittedData(unit=self.unit, service=service)
        return events.RequestSubmitted(**self._envelope(at, of), subject=subject, data=data)

    def request_accepted(
        self, subject: str, *, at: At, employee: str | None = None, **of: Unpack[Of]
    ) -> events.RequestAccepted:
        """The papers are complete."""
        data = events.RequestByData(unit=self.unit, employee=employee)
        return events.RequestAccepted(**self._envelope(at, of), subject=subject, data=data)

    def request_worked(
        self, subject: str, *, at: At, employee: str | None = None, **of: Unpack[Of]
    ) -> events.RequestWorked:
        """Somebody worked on it."""
        data = events.RequestWorkedData(unit=self.unit, employee=employee)
        return events.RequestWorked(**self._envelope(at, of), subject=subject, data=data)

    def request_suspended(self, subject: str, *, at: At, **of: Unpack[Of]) -> events.RequestSuspended:
        """The citizen must act."""
        data = events.ReasonData(unit=self.unit)
        return events.RequestSuspended(**self._envelope(at, of), subject=subject, data=data)

    def request_resumed(self, subject: str, *, at: At, **of: Unpack[Of]) -> events.RequestResumed:
        """The citizen has acted."""
        data = events.ReasonData(unit=self.unit)
        return events.RequestResumed(**self._envelope(at, of), subject=subject, data=data)

    def request_completed(
        self, subject: str, *, at: At, employee: str | None = None, outcome: str | None = None, **of: Unpack[Of]
    ) -> events.RequestCompleted:
        """Handed over, or refused."""
        data = events.RequestCompletedData(unit=self.unit, employee=employee, outcome=outcome)
        return events.RequestCompleted(**self._envelope(at, of), subject=subject, data=data)

    def request_reopened(self, subject: str, *, at: At, **of: Unpack[Of]) -> events.RequestReopened:
        """The same request once more."""
        data = events.ReasonData(unit=self.unit)
        return events.RequestReopened(**self._envelope(at, of), subject=subject, data=data)

    def request_cancelled(self, subject: str, *, at: At, **of: Unpack[Of]) -> events.RequestCancelled:
        """Withdrawn."""
        data = events.ReasonData(unit=self.unit)
        return events.RequestCancelled(**self._envelope(at, of), subject=subject, data=data)

    def _envelope(self, at: At, of: Of) -> _Envelope:
        self._made += 1
        return {"source": self.source, "id": of.get("id") or str(self._made), "time": self.at(at)}

    def _at_desk(self, desk: Desk) -> events.AtCounterData:
        return events.AtCounterData(unit=self.unit, **_where(desk))


class _Envelope(TypedDict):
    source: str
    id: str
    time: Instant


class _Where(TypedDict, total=False):
    counter: str
    employee: str
    from_unit: str


def _where(desk: Desk) -> _Where:
    where: _Where = {}
    if "counter" in desk:
        where["counter"] = desk["counter"]
    if "employee" in desk:
        where["employee"] = desk["employee"]
    if "from_unit" in desk:
        where["from_unit"] = desk["from_unit"]
    return where


def again(event: Event, *, id: str, source: str | None = None) -> Event:
    """The same fact told once more under another id (rule 17)."""
    return msgspec.structs.replace(event, id=id, source=source or event.source)


def unit_policy(
    targets: Mapping[str, float] | None = None,
    *,
    zone: str = "Asia/Jakarta",
    day_starts: str = "03:00",
    late_hours: float = 6,
    short_seconds: float = 10,
    wrap_up_seconds: float = 0,
    budget: Budget | None = None,
) -> UnitPolicy:
    """What a unit promises: the services with a wait target in seconds, always valid, the objective 80 %.

    `day_starts` is a local time or `never`, as in `targets.yaml`.
    """
    hours, _, minutes = day_starts.partition(":")
    return UnitPolicy(
        zone=zone,
        day_starts_ms=None if day_starts == "never" else int(hours) * HOUR + int(minutes) * MINUTE,
        late_ms=round(late_hours * HOUR),
        short_ms=round(short_seconds * SECOND),
        wrap_up_ms=round(wrap_up_seconds * SECOND),
        budget=budget or Budget(),
        services={
            service: ServicePolicy(targets=(Target(1, round(seconds * SECOND), 0.8),))
            for service, seconds in (targets or {}).items()
        },
        known=True,
    )
