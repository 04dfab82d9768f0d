"""The facts that counters tell, as frozen structs: one for each CloudEvents `type`, in a tagged union.

An event that exists is valid: identifiers, bounds and instants are checked when it is decoded. Instants are integer
milliseconds UTC, cut and not rounded. The wire (`loket.wire`) decodes bytes into these types and nothing else.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct


class Instant(int):
    """Milliseconds since 1970-01-01T00:00:00Z; on the wire an RFC 3339 time with an offset."""

    __slots__ = ()


ID_PATTERN = r"\A[A-Za-z0-9._:/-]{1,128}\Z"
"""An opaque id: 1 to 128 of these characters."""

PERSONAL_PATTERN = r"\A(?:[0-9]{16}|[0-9]{18})\Z"
"""Sixteen digits are a national identity number, eighteen a civil servant's: refused for people and tickets."""

OPAQUE_PATTERN = r"\A(?![0-9]{16}\Z|[0-9]{18}\Z)[A-Za-z0-9._:/-]{1,128}\Z"

MAX_QUANTITY = 10_000
MAX_PENDING = 1_000_000_000

# Patterns for schemas: who reads a value checks it (`loket.wire.ids`), as msgspec would match each field of each event.
Id = Annotated[str, Meta(extra_json_schema={"pattern": ID_PATTERN})]
Opaque = Annotated[str, Meta(extra_json_schema={"pattern": OPAQUE_PATTERN})]
"""An id that must not be a personal number: employees and subjects."""

Text = Annotated[str, Meta(max_length=256)]
Day = Annotated[str, Meta(pattern=r"\A[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])\Z")]
"""A service day, `2026-01-31`."""

Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""What every JSON reader, message pack and database column can hold."""

Quantity = Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class Data(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What every event says: the unit that it is about."""

    unit: Id


class TicketData(Data, frozen=True, kw_only=True, omit_defaults=True):
    """Of a ticket that came by transfer, the unit that it came from."""

    from_unit: Id | None = None


class AtCounterData(TicketData, frozen=True, kw_only=True, omit_defaults=True):
    """Where and by whom, when known; what names nobody counts for the unit only (rule 30)."""

    counter: Id | None = None
    employee: Opaque | None = None


class IssuedData(TicketData, frozen=True, kw_only=True, omit_defaults=True):
    service: Id
    channel: Text | None = None
    priority: Text | Whole | None = None
    appointment_at: Instant | None = None
    request: Opaque | None = None


class StartedData(AtCounterData, frozen=True, kw_only=True, omit_defaults=True):
    service: Id | None = None


class AddedData(TicketData, frozen=True, kw_only=True, omit_defaults=True):
    service: Id
    employee: Opaque | None = None


class CompletedData(AtCounterData, frozen=True, kw_only=True, omit_defaults=True):
    quantity: Quantity | None = None


class RequeuedData(AtCounterData, frozen=True, kw_only=True, omit_defaults=True):
    reason: Text | None = None


class TransferredData(AtCounterData, frozen=True, kw_only=True, omit_defaults=True):
    to_unit: Id | None = None
    to_service: Id | None = None
    to_employee: Opaque | None = None


class VoidedData(TicketData, frozen=True, kw_only=True, omit_defaults=True):
    reason: Text | None = None
    day: Day | None = None


class QueueClosedData(Data, frozen=True, kw_only=True, omit_defaults=True):
    service: Id | None = None


class RequestSubmittedData(Data, frozen=True, kw_only=True, omit_defaults=True):
    service: Id
    ticket: Opaque | None = None


class RequestByData(Data, frozen=True, kw_only=True, omit_defaults=True):
    employee: Opaque | None = None


class RequestWorkedData(RequestByData, frozen=True, kw_only=True, omit_defaults=True):
    activity: Text | None = None


class RequestCompletedData(RequestByData, frozen=True, kw_only=True, omit_defaults=True):
    outcome: Text | None = None


class ReasonData(Data, frozen=True, kw_only=True, omit_defaults=True):
    reason: Text | None = None


class FeedbackData(Data, frozen=True, kw_only=True, omit_defaults=True):
    score: Annotated[int, Meta(ge=1, le=4)]
    service: Id | None = None


class EventReference(Struct, frozen=True, kw_only=True):
    source: Annotated[str, Meta(min_length=1, max_length=256)]
    id: Annotated[str, Meta(min_length=1, max_length=256)]


class CorrectedData(Data, frozen=True, kw_only=True, omit_defaults=True):
    of: EventReference
    set: dict[str, str | Whole | float | bool | None]
    day: Day | None = None


class CounterData(Data, frozen=True, kw_only=True, omit_defaults=True):
    counter: Id


class HeartbeatData(CounterData, frozen=True, kw_only=True, omit_defaults=True):
    pending: Annotated[int, Meta(ge=0, le=MAX_PENDING)] | None = None
    oldest_pending_at: Instant | None = None


class SessionData(CounterData, frozen=True, kw_only=True, omit_defaults=True):
    employee: Opaque


class SessionStartedData(SessionData, frozen=True, kw_only=True, omit_defaults=True):
    services: Annotated[tuple[Id, ...], Meta(max_length=100)] | None = None


Attribute = Annotated[str, Meta(min_length=1, max_length=256)]


class Envelope(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", gc=False):
    """The CloudEvents 1.0 attributes; `sent` and `imported` are extensions of this contract."""

    specversion: Literal["1.0"] = "1.0"
    source: Attribute
    id: Attribute
    time: Instant
    sent: Instant | None = None
    imported: bool = False


class TicketEvent(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """A step of a ticket; `subject` is the ticket's id."""

    subject: Opaque


class RequestEvent(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """A step of a request; `subject` is the request's id."""

    subject: Opaque


class UnitEvent(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened in a unit, to nobody's ticket."""

    subject: Opaque | None = None


class TicketIssued(TicketEvent, frozen=True, kw_only=True, tag="loket.ticket.issued"):
    data: IssuedData


class TicketCalled(TicketEvent, frozen=True, kw_only=True, tag="loket.ticket.called"):
    data: AtCounterData


class TicketRecalled(TicketEvent, frozen=True, kw_only=True, tag="loket.ticket.recalled"):
    data: AtCounterData


class ServiceStarted(TicketEvent, frozen=True, kw_only=True, tag="loket.service.started"):
    data: StartedData


class ServiceHeld(TicketEvent, frozen=True, kw_only=True, tag="loket.service.held"):
    data: AtCounterData


class ServiceResumed(TicketEvent, frozen=True, kw_only=True, tag="loket.service.resumed"):
    data: AtCounterData


class ServiceAdded(TicketEvent, frozen=True, kw_only=True, tag="loket.service.added"):
    data: AddedData


class ServiceCompleted(TicketEvent, frozen=True, kw_only=True, tag="loket.service.completed"):
    data: CompletedData


class TicketRequeued(TicketEvent, frozen=True, kw_only=True, tag="loket.ticket.requeued"):
    data: RequeuedData


class TicketTransferred(TicketEvent, frozen=True, kw_only=True, tag="loket.ticket.transferred"):
    data: TransferredData


class TicketNoShow(TicketEvent, frozen=True, kw_only=True, tag="loket.ticket.no_show"):
    data: AtCounterData


class TicketAbandoned(TicketEvent, frozen=True, kw_only=True, tag="loket.ticket.abandoned"):
    data: TicketData


class TicketVoided(TicketEvent, frozen=True, kw_only=True, tag="loket.ticket.voided"):
    data: VoidedData


class QueueClosed(UnitEvent, frozen=True, kw_only=True, tag="loket.queue.closed"):
    data: QueueClosedData


class RequestSubmitted(RequestEvent, frozen=True, kw_only=True, tag="loket.request.submitted"):
    data: RequestSubmittedData


class RequestAccepted(RequestEvent, frozen=True, kw_only=True, tag="loket.request.accepted"):
    data: RequestByData


class RequestWorked(RequestEvent, frozen=True, kw_only=True, tag="loket.request.worked"):
    data: RequestWorkedData


class RequestSuspended(RequestEvent, frozen=True, kw_only=True, tag="loket.request.suspended"):
    data: ReasonData


class RequestResumed(RequestEvent, frozen=True, kw_only=True, tag="loket.request.resumed"):
    data: ReasonData


class RequestCompleted(RequestEvent, frozen=True, kw_only=True, tag="loket.request.completed"):
    data: RequestCompletedData


class RequestReopened(RequestEvent, frozen=True, kw_only=True, tag="loket.request.reopened"):
    data: ReasonData


class RequestCancelled(RequestEvent, frozen=True, kw_only=True, tag="loket.request.cancelled"):
    data: ReasonData


class FeedbackGiven(UnitEvent, frozen=True, kw_only=True, tag="loket.feedback.given"):
    data: FeedbackData


class EventCorrected(UnitEvent, frozen=True, kw_only=True, tag="loket.event.corrected"):
    data: CorrectedData


class CounterOpened(UnitEvent, frozen=True, kw_only=True, tag="loket.counter.opened"):
    data: CounterData


class CounterClosed(UnitEvent, frozen=True, kw_only=True, tag="loket.counter.closed"):
    data: CounterData


class CounterHeartbeat(UnitEvent, frozen=True, kw_only=True, tag="loket.counter.heartbeat"):
    data: HeartbeatData


class SessionStarted(UnitEvent, frozen=True, kw_only=True, tag="loket.session.started"):
    data: SessionStartedData


class SessionPaused(UnitEvent, frozen=True, kw_only=True, tag="loket.session.paused"):
    data: SessionData


class SessionResumed(UnitEvent, frozen=True, kw_only=True, tag="loket.session.resumed"):
    data: SessionData


class SessionEnded(UnitEvent, frozen=True, kw_only=True, tag="loket.session.ended"):
    data: SessionData


Event = (
    TicketIssued
    | TicketCalled
    | TicketRecalled
    | ServiceStarted
    | ServiceHeld
    | ServiceResumed
    | ServiceAdded
    | ServiceCompleted
    | TicketRequeued
    | TicketTransferred
    | TicketNoShow
    | TicketAbandoned
    | TicketVoided
    | QueueClosed
    | RequestSubmitted
    | RequestAccepted
    | RequestWorked
    | RequestSuspended
    | RequestResumed
    | RequestCompleted
    | RequestReopened
    | RequestCancelled
    | FeedbackGiven
    | EventCorrected
    | CounterOpened
    | CounterClosed
    | CounterHeartbeat
    | SessionStarted
    | SessionPaused
    | SessionResumed
    | SessionEnded
)

EVENT_TYPES: dict[str, type[Envelope]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Event)}
"""CloudEvents `type` to the struct that holds it."""


_TYPE_OF = {kind: name for name, kind in EVENT_TYPES.items()}


def event_type(event: Envelope) -> str:
    """The CloudEvents `type` of an event."""
    return _TYPE_OF[type(event)]


_FIRST_8 = struct.Struct(">Q").unpack_from


def identity_hash(source: str, id: str) -> int:
    """The first 8 bytes, big-endian, of SHA-256 of source, a zero byte, id (rule 2)."""
    return int(_FIRST_8(hashlib.sha256(f"{source}\0{id}".encode()).digest())[0])


_CONTENT = msgspec.msgpack.Encoder(order="deterministic", enc_hook=int)


def content_hash(event: Event) -> int:
    """A stable 64-bit hash of what an event says: type, time, subject and the known data fields (rule 17)."""
    said = _CONTENT.encode((_TYPE_OF[type(event)], int(event.time), event.subject, event.data))
    return int(_FIRST_8(hashlib.blake2b(said, digest_size=8).digest())[0])
