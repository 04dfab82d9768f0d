"""What a record of the topic says, before anything is asked of the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from msgspec import Struct

from loket.domain.events import Event, content_hash, identity_hash
from loket.wire.cloudevents import Decoder, Foreign
from loket.wire.record import Record
from loket.wire.rejection import Rejected

__all__ = ["EventTime", "Read", "ServiceTime", "Time", "read", "storable"]

MAX_TEXT: Final = 1_000


class Time(Protocol):
    """Which clock dates an event's arrival (rule 3), and what is ahead of it."""

    def received(self, event: Event, broker_ms: int) -> int | None:
        """The time at which an event was received, or None for one that is ahead of `--now` (rule 5)."""
        ...


class ServiceTime:
    """`clock: service`: an event was received when the broker says."""

    def received(self, event: Event, broker_ms: int) -> int | None:  # noqa: ARG002 (a Time)
        return broker_ms


class EventTime:
    """`clock: event`: an event was received when it happened; what is after `now` is in no figure."""

    def __init__(self, now_ms: int | None) -> None:
        self._now_ms = now_ms

    def received(self, event: Event, broker_ms: int) -> int | None:  # noqa: ARG002 (a Time)
        return None if self._now_ms is not None and event.time > self._now_ms else int(event.time)


class Read(Struct, frozen=True):
    """A record and what it is: an event (ahead of now where `received` is None), a foreign one, or refused."""

    record: Record
    event: Event | None = None
    received: int | None = None
    id_hash: int = 0
    content: int = 0
    foreign: Foreign | None = None
    rejected: Rejected | None = None


def read(records: Iterable[Record], decoder: Decoder, time: Time) -> list[Read]:
    """Decode records; whatever is wrong with one is in what is returned of it."""
    found = []
    for record in records:
        try:
            event = decoder.decode(record)
        except Rejected as rejected:
            found.append(Read(record, rejected=rejected))
            continue
        if isinstance(event, Foreign):
            found.append(Read(record, foreign=event))
            continue
        found.append(
            Read(
                record,
                event,
                time.received(event, record.timestamp),
                identity_hash(event.source, event.id),
                content_hash(event),
            )
        )
    return found


def storable(text: str | None) -> str | None:
    """A text from outside as every database takes it: without NUL and not endless."""
    if text is None or (len(text) <= MAX_TEXT and "\0" not in text):
        return text
    return text[:MAX_TEXT].replace("\0", "\ufffd")
