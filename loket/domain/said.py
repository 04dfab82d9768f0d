"""What `event.corrected` says: of which event, and what it said in truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, TypeVar

from msgspec import Struct, field

from loket.domain import events
from loket.domain.durations import DAY

__all__ = [
    "Correction",
    "correction_of",
    "corrects",
    "is_believable",
    "may_be_of_request",
    "may_be_of_ticket",
    "standing",
]

AHEAD_MS: Final = DAY
"""So far ahead of its correction an event may have been at most, as no event is believed that is further ahead."""

_IDS: Final = ("counter", "employee", "service", "from_unit")
_INSTANTS: Final = ("time", "appointment_at")
_OF_TICKETS: Final = frozenset(
    {
        "appointment_at",
        "channel",
        "counter",
        "from_unit",
        "priority",
        "quantity",
        "request",
        "to_employee",
        "to_service",
        "to_unit",
    }
)
_OF_REQUESTS: Final = frozenset({"activity", "outcome", "ticket"})
"""Fields that only events of tickets, or of requests, have."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Identified(Protocol):
    """What an event told, by the hash of its id."""

    @property
    def hash(self) -> int: ...


class Dated(Protocol):
    """What an event told, and when it was."""

    @property
    def at(self) -> int: ...


_Step = TypeVar("_Step", bound=Dated)


class Correction(Struct, frozen=True, array_like=True):
    """A correction of the event whose id has the hash `target`: fields of steps alone, instants in ms, None takes away.

    `source` and `id` are the correction's own: of several the latest stands, by (time, source, id).
    """

    target: int
    source: str
    id: str
    set: dict[str, str | int | None] = field(default_factory=dict)


def correction_of(event: events.EventCorrected) -> Correction:
    """What a correction says of an event of a ticket or request; fields that make no figure are left out."""
    data = event.data
    target = events.identity_hash(data.of.source, data.of.id)
    return Correction(target, event.source, event.id, dict(_told(data.set, data.unit)))


def standing(told: Iterable[tuple[_Step, Correction]]) -> dict[int, tuple[_Step, Correction, int]]:
    """Of the corrections of each event (by the hash of its id) the latest, with its step, and how many others there
    are, which say nothing."""
    found: dict[int, tuple[_Step, Correction, int]] = {}
    for step, said in told:
        known = found.get(said.target)
        if known is None:
            found[said.target] = (step, said, 0)
            continue
        by, before, others = known
        latest = (step, said) if _order(step, said) > _order(by, before) else (by, before)
        found[said.target] = (*latest, others + 1)
    return found


def _order(step: Dated, said: Correction) -> tuple[int, str, str]:
    return (step.at, said.source, said.id)


def is_believable(at: int, said_at: int) -> bool:
    """Whether an event may have been at an instant, by a correction made at another: since 1970, and not AHEAD_MS after
    that (ms). An instant that no calendar has is never one."""
    return 0 <= at <= said_at + AHEAD_MS


def may_be_of_ticket(event: events.EventCorrected) -> bool:
    """Whether a correction may be of a ticket's event: one subject may name a ticket and a request, and what is
    corrected may still be to come."""
    named = event.data.set.keys()
    return event.subject is not None and (named.isdisjoint(_OF_REQUESTS) or not named.isdisjoint(_OF_TICKETS))


def may_be_of_request(event: events.EventCorrected) -> bool:
    """Whether a correction may be of a request's event, as `may_be_of_ticket`."""
    named = event.data.set.keys()
    return event.subject is not None and (named.isdisjoint(_OF_TICKETS) or not named.isdisjoint(_OF_REQUESTS))


def corrects(
    event: events.EventCorrected, of_ticket: Iterable[Identified], of_request: Iterable[Identified]
) -> tuple[bool, bool]:
    """Whether a correction is of the ticket, and whether of the request, of its subject, by the steps that are known of
    both: of the one that has the event, else of both that may."""
    target = events.identity_hash(event.data.of.source, event.data.of.id)
    of_either = may_be_of_ticket(event), may_be_of_request(event)
    # What waits for its event must go where it would go if that were there: so the fields decide first.
    if of_either == (True, True):
        if any(step.hash == target for step in of_ticket):
            return True, False
        if any(step.hash == target for step in of_request):
            return False, True
    return of_either


def _told(given: Mapping[str, object], unit: str) -> list[tuple[str, str | int | None]]:
    told: list[tuple[str, str | int | None]] = []
    for name in _IDS:
        value = given.get(name)
        if name in given and (value is None or isinstance(value, str)):
            told.append((name, None if name == "from_unit" and value == unit else value))
    for name in _INSTANTS:
        if name in given:
            value = given[name]
            instant = _instant(value)
            if instant is not None or (value is None and name != "time"):
                told.append((name, instant))
    quantity = given.get("quantity")
    if "quantity" in given and (
        quantity is None or (isinstance(quantity, int) and 1 <= quantity <= events.MAX_QUANTITY)
    ):
        told.append(("quantity", quantity))
    outcome = given.get("outcome")
    if "outcome" in given and (outcome is None or isinstance(outcome, str)):
        told.append(("outcome", outcome))
    return told


def _instant(value: object) -> int | None:
    """Milliseconds of an RFC 3339 text, cut and not rounded (rule 2); None of anything else."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.upper())
        return None if read.tzinfo is None else (read - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None
