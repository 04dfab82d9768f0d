"""From what a counter says to what goes into the outbox: a whole event of the contract, or a reason why it is none."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

import msgspec

from loket.domain.events import Event
from loket.emitter.errors import CLOCK_SET_MS, ClockNotSet
from loket.emitter.pseudonyms import Pseudonyms
from loket.wire.cloudevents import Encoded, encode
from loket.wire.contract import AHEAD_MS, BEHIND_MS, MAX_VALUE_BYTES
from loket.wire.examination import examine
from loket.wire.instant import format_instant
from loket.wire.record import CONTENT_TYPE
from loket.wire.rejection import Reason, Rejected

__all__ = ["Draft", "Drafting", "with_sent"]

_HEADERS: Final = [("content-type", CONTENT_TYPE)]
_ORDER: Final = ("specversion", "type", "source", "id", "time", "subject")
_OURS_TO_SET: Final = ("sent", "aside")
"""`sent` is set at each attempt; `aside` is the reason on an event that was taken out of an outbox."""


class Draft(msgspec.Struct, frozen=True):
    """An event that is whole but for `sent`: its id, and its JSON."""

    id: str
    value: bytes


class Drafting:
    """Fills in what a counter leaves out (specversion, source, id, time) and checks the rest by the contract.

    `source` names the device: with the id it is the idempotency key, so no two outboxes may share one.
    """

    def __init__(
        self, source: str, pseudonyms: Pseudonyms | None = None, new_id: Callable[[], str] = lambda: uuid4().hex
    ) -> None:
        self._source = source
        self._pseudonyms = pseudonyms
        self._new_id = new_id

    def draft(self, event: Event | Mapping[str, Any], now_ms: int) -> Draft:
        """Return the whole event; fields that the contract does not know stay in it.

        Raises Rejected (reason and field), and ClockNotSet where the time is before 2020 and not of an imported event.
        """
        said = dict(event) if isinstance(event, Mapping) else msgspec.json.decode(encode(event).value)
        for name in _OURS_TO_SET:
            said.pop(name, None)
        if self._pseudonyms is not None:
            said = self._pseudonyms.replace(said)
        filled = {"specversion": "1.0", "source": self._source, **said}
        if filled.get("id") is None:
            filled["id"] = self._new_id()
        if filled.get("time") is None:
            if now_ms < CLOCK_SET_MS:
                raise ClockNotSet(now_ms)
            filled["time"] = format_instant(now_ms)
        first = {name: filled[name] for name in _ORDER if filled.get(name) is not None}
        value = _encoded(first | {name: value for name, value in filled.items() if name not in _ORDER})
        self._check(value, now_ms)
        return Draft(str(first["id"]), value)

    def _check(self, value: bytes, now_ms: int) -> None:
        found = examine(with_sent(value, now_ms).value if value.startswith(b"{") else value, _HEADERS)
        if found.fault is not None:
            raise Rejected(found.fault.reason, found.fault.field, source=found.source, id=found.id)
        if found.event is None:
            raise Rejected(Reason.UNKNOWN_TYPE, "type", source=found.source, id=found.id)
        event = found.event
        if event.imported:
            return
        if event.time < CLOCK_SET_MS:
            raise ClockNotSet(event.time)
        # Whoever reads the topic would refuse it. A clock that nobody set cannot judge the time of another.
        if now_ms >= CLOCK_SET_MS and not -BEHIND_MS <= event.time - now_ms <= AHEAD_MS:
            raise Rejected(Reason.IMPLAUSIBLE_TIME, "time", source=event.source, id=event.id)


class _Unit(msgspec.Struct):
    unit: str


class _Keyed(msgspec.Struct):
    data: _Unit


_keyed = msgspec.json.Decoder(_Keyed)


def with_sent(value: bytes, sent_ms: int) -> Encoded:
    """The record of one attempt: the stored event as it is, with `sent`, under the key of its unit."""
    try:
        key = _keyed.decode(value).data.unit.encode()
    except msgspec.DecodeError:
        key = b""  # only before it was checked; what is wrong is told by the check
    return Encoded(key, value[:-1] + b',"sent":"' + format_instant(sent_ms).encode() + b'"}', _HEADERS)


def _encoded(event: Mapping[str, Any]) -> bytes:
    try:
        value = msgspec.json.encode(event)
    except (TypeError, ValueError, RecursionError):  # a value that JSON has no place for
        raise Rejected(Reason.NOT_JSON) from None
    if len(value) > MAX_VALUE_BYTES:
        raise Rejected(Reason.TOO_LARGE)
    return value
