"""CloudEvents 1.0 in Kafka records to the domain's events, and back.

```
record ──▶ one msgspec decode, a few comparisons ──▶ event            almost every record
              └─ any doubt ─▶ examination, field by field ──▶ event | Foreign | Rejected(reason, field)
```

The examination takes what the first way takes, and a little more: binary mode, JSON's null for what is absent, and
what needs a closer look. Of a key that an object repeats the last value counts. Nothing but `Rejected` is raised for a
record, whatever its bytes are.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from loket.domain.events import Event, EventCorrected, Instant, TicketVoided, event_type
from loket.wire.contract import AHEAD_MS, BEHIND_MS, MAX_DEPTH, MAX_VALUE_BYTES
from loket.wire.examination import examine
from loket.wire.fields import Fault, instant_hook
from loket.wire.ids import KnownIds
from loket.wire.instant import format_instant
from loket.wire.partition import partition_of
from loket.wire.record import ATTRIBUTE_PREFIX, CONTENT_TYPE, Headers, Record, WireRecord, mode_of
from loket.wire.rejection import Reason, Rejected

__all__ = [
    "ClockMode",
    "Decoder",
    "Encoded",
    "Foreign",
    "Headers",
    "Record",
    "WireRecord",
    "encode",
    "encode_binary",
    "refusal",
]

ClockMode = Literal["service", "event"]
"""Whose time bounds an event's: the broker's (`service`), or, in a replay, what the caller says is now (`event`)."""

_HOMES_KEPT: Final = 100_000
_USUAL_HEADERS: Final = (("content-type", CONTENT_TYPE),)
_CLOSER_LOOK: Final[frozenset[type]] = frozenset({EventCorrected, TicketVoided})
"""They hold what one decode does not see: corrected fields, a day of the calendar."""


class Foreign(Struct, frozen=True):
    """A CloudEvent of a type that is not of this contract: archived and counted, never processed."""

    type: str
    source: str
    id: str


class _Version(Struct):
    specversion: Literal["1.0"]


class Decoder:
    """Turns the records of one topic into events. Not promised: that several threads can share it.

    `partitions` is the topic's number of partitions. With `clock="service"` the record's own timestamp bounds the
    event's time; with `clock="event"` nothing is too old, and 24 hours after `now()` (milliseconds UTC) is too far.
    """

    def __init__(self, partitions: int, *, clock: ClockMode = "service", now: Callable[[], int] | None = None) -> None:
        if partitions < 1:
            raise ValueError("a topic has at least one partition")
        if clock == "event" and now is None:
            raise ValueError("with clock='event' somebody must say what is now")
        self._partitions = partitions
        self._now = now if clock == "event" else None
        self._event = msgspec.json.Decoder(Event, dec_hook=instant_hook)
        self._version = msgspec.json.Decoder(_Version)
        self._ids = KnownIds()
        self._homes: dict[str, tuple[bytes, int]] = {}

    def decode(self, record: Record) -> Event | Foreign:
        """Return the event of a record, or what it is where it is foreign. Raises Rejected for every other record."""
        value = record.value
        headers = record.headers
        if (
            value is not None
            and (headers == _USUAL_HEADERS or mode_of(headers) == "structured")
            and self._is_plain(value)
        ):
            try:
                event: Event = self._event.decode(value)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return self._examined(record)
            source, name = event.source, event.id
            if (
                source.isascii()
                and source.isprintable()
                and name.isascii()
                and name.isprintable()
                and self._ids.covers(event)
                and event.__class__ not in _CLOSER_LOOK
                and self._misplaced(event, record) is None
            ):
                return event
        return self._examined(record)

    def _is_plain(self, value: bytes) -> bool:
        """Whether the one decode sees all of it: what that would overlook is looked for here."""
        if len(value) > MAX_VALUE_BYTES or value.count(b"{") + value.count(b"[") > MAX_DEPTH:
            return False
        if b"\\" in value and b"\\u0000" in value:  # one byte is looked for ten times faster than six
            return False
        try:
            if not value.isascii():
                value.decode()  # text that is skipped has to be UTF-8 too
            if not value.startswith(b'{"specversion":"1.0"'):
                self._version.decode(value)  # the domain's events do not insist on it
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
        return True

    def _examined(self, record: Record) -> Event | Foreign:
        found = examine(record.value, record.headers)
        fault = found.fault
        if found.event is not None:
            fault = self._misplaced(found.event, record)
            if fault is None:
                return found.event
        elif found.foreign is not None:
            return Foreign(type=found.foreign, source=found.source or "", id=found.id or "")
        raise refusal(record, fault or Fault(Reason.NOT_CLOUDEVENT), source=found.source, id=found.id)

    def _misplaced(self, event: Event, record: Record) -> Fault | None:
        """What is wrong between an event and its record: an implausible time, the key or the partition of another."""
        now = self._now
        ahead = event.time - (record.timestamp if now is None else now())
        if ahead > AHEAD_MS or (now is None and ahead < -BEHIND_MS and not event.imported):
            return Fault(Reason.IMPLAUSIBLE_TIME, "time")
        key, partition = self._homes.get(event.data.unit) or self._home(event.data.unit)
        if record.key != key:
            return Fault(Reason.KEY_MISMATCH)
        if record.partition != partition:
            return Fault(Reason.WRONG_PARTITION)
        return None

    def _home(self, unit: str) -> tuple[bytes, int]:
        if len(self._homes) >= _HOMES_KEPT:  # units that somebody made up must not fill the memory
            self._homes.clear()
        key = unit.encode()
        home = self._homes[unit] = (key, partition_of(key, self._partitions))
        return home


def refusal(record: Record, fault: Fault, *, source: str | None = None, id: str | None = None) -> Rejected:
    """Return (not raise) the rejection of a record; for `conflicting_repeat`, which only the fold can see, too."""
    return Rejected(
        fault.reason,
        fault.field,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        source=source,
        id=id,
    )


class Encoded(NamedTuple):
    """What to hand to a producer."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def _enc_hook(value: Any) -> str:
    if isinstance(value, Instant):
        return format_instant(value)
    raise TypeError(f"{type(value).__name__} is not of the contract")


_encoder = msgspec.json.Encoder(enc_hook=_enc_hook)
_VERSION: Final = b'{"specversion":"1.0",'


def encode(event: Event) -> Encoded:
    """Return an event as a record in structured mode, keyed by its unit; decoding it gives an equal event."""
    head = f'{{"type":"{event_type(event)}",'.encode()
    # The version is the default of its field, which msgspec leaves out of some events and not of others.
    rest = _encoder.encode(event).removeprefix(head).removeprefix(_VERSION[1:])
    return Encoded(event.data.unit.encode(), _VERSION + head[1:] + rest, [("content-type", CONTENT_TYPE)])


def encode_binary(event: Event) -> Encoded:
    """Return an event as a record in binary mode: the attributes in `ce_` headers, the data as the value."""
    attributes = {"specversion": "1.0", "type": event_type(event), "source": event.source, "id": event.id}
    attributes["time"] = format_instant(event.time)
    if event.subject is not None:
        attributes["subject"] = event.subject
    if event.sent is not None:
        attributes["sent"] = format_instant(event.sent)
    if event.imported:
        attributes["imported"] = "true"
    headers = [(f"{ATTRIBUTE_PREFIX}{name}", text.encode()) for name, text in attributes.items()]
    return Encoded(
        event.data.unit.encode(), _encoder.encode(event.data), [("content-type", b"application/json"), *headers]
    )
