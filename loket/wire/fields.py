"""How each kind of field is read from JSON by itself, and which reason it has when it cannot be read.

The decoder of whole events says yes or no in one step; this finds the fault. Both read by the same annotations of
`loket.domain.events`, so they cannot come apart.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Raw, Struct

from loket.domain.events import EVENT_TYPES, PERSONAL_PATTERN, CorrectedData, Day, EventReference, Id, Instant, Opaque
from loket.wire.ids import is_id
from loket.wire.instant import NaiveTimeError, parse_instant
from loket.wire.rejection import Reason

__all__ = [
    "IDENTITY",
    "MAX_ATTRIBUTE_BYTES",
    "NOT_TO_CORRECT",
    "Fault",
    "Field",
    "Reader",
    "attribute_reader",
    "correctable",
    "corrections_reader",
    "first_fault",
    "instant_hook",
    "is_attribute",
    "reader",
]

MAX_ATTRIBUTE_BYTES: Final = 256
"""Of `source` and of `id`, in UTF-8."""

MAX_SERVICES: Final = 100
"""Of a session, as the annotation says."""

NOT_TO_CORRECT: Final = frozenset({"unit", "subject", "type"})
"""What `event.corrected` must not set."""

IDENTITY: Final = {"source": Reason.MALFORMED_FIELD, "id": Reason.MALFORMED_ID}
"""The two attributes that identify an event, and the reason of each when it is malformed."""

_personal = re.compile(PERSONAL_PATTERN).match
_control = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search
_is_word = re.compile("[A-Za-z0-9_]{1,64}").fullmatch
_RANK: Final = {reason: rank for rank, reason in enumerate(Reason)}


class Fault(Struct, frozen=True):
    """What is wrong with an event: a reason of the closed list and the dotted field, if it is one field."""

    reason: Reason
    field: str | None = None


Reader = Callable[[Raw], Any]
"""Gives the value of a field, or a Fault."""


class Field(Struct, frozen=True):
    """One field of an event: its name, its dotted path, whether it must be there, and how it is read."""

    name: str
    path: str
    required: bool
    read: Reader

    def take(self, raw: Raw | None) -> Any:
        """Return the value, UNSET where the field is optional and absent, or a Fault. JSON's null is absent."""
        if raw is None or is_null(raw):
            return Fault(Reason.MISSING_FIELD, self.path) if self.required else UNSET
        return self.read(raw)


def first_fault(values: Iterable[object]) -> Fault | None:
    """The fault that counts: the first reason of the closed list, and of its fields the first that is given."""
    faults = (value for value in values if isinstance(value, Fault))
    return min(faults, key=lambda fault: _RANK[fault.reason], default=None)


def instant_hook(kind: type, value: object) -> object:
    """Read an `Instant` for msgspec; raise ValueError for anything that is none."""
    if kind is Instant and isinstance(value, str):
        return parse_instant(value)
    raise ValueError("not a time")


def is_attribute(text: str) -> bool:
    """Whether a text can be a `source` or an `id`: 1 to 256 bytes without control characters, as CloudEvents says."""
    return _control(text) is None and 0 < len(text.encode()) <= MAX_ATTRIBUTE_BYTES


def is_null(raw: Raw) -> bool:
    return bytes(raw).strip() == b"null"


def loosely(raw: Raw) -> object:
    """The JSON value, whatever its type; None where no Python value can hold it (a lone surrogate, 1e999)."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None


def reader(path: str, annotation: Any) -> Reader:
    """How a field with an annotation of the domain is read."""
    kind = _without_none(annotation)
    if kind is EventReference:
        return _reference_reader(path)
    if get_origin(kind) is not None and get_args(kind)[0] == tuple[Id, ...]:
        return _ids_reader(path)
    return _plain_reader(path, kind)


def attribute_reader(path: str, name: str) -> Reader:
    """How `source` or `id` is read."""

    def read(raw: Raw) -> Any:
        value = loosely(raw)
        return value if isinstance(value, str) and is_attribute(value) else Fault(IDENTITY[name], path)

    return read


def corrections_reader(path: str, annotation: Any) -> Reader:
    """How the `set` of `event.corrected` is read: what it sets must be valid in the field that it is set in.

    A fault names the field, unless its name is no word: what may be any text is not repeated.
    """
    read_object = _plain_reader(path, dict[str, Raw])
    read_values = _plain_reader(path, annotation)
    _, value_kind = get_args(annotation)
    known = {name: reader(f"{path}.{name}", kind) for name, kind in correctable().items()}
    read_other = reader(path, value_kind)

    def values(found: Mapping[str, Raw]) -> Iterator[object]:
        whole = True  # of what no type knows, of which the first fault is enough: there may be thousands
        for name, raw in found.items():
            if name in NOT_TO_CORRECT:
                yield Fault(Reason.MALFORMED_FIELD, f"{path}.{name}")
            elif name in known:
                if not is_null(raw) or name == "time":  # null takes a field away, and an event without a time is none
                    yield known[name](raw)
            elif whole and ("\0" in name or (not is_null(raw) and isinstance(read_other(raw), Fault))):
                whole = False
                yield Fault(Reason.MALFORMED_FIELD, f"{path}.{name}" if _is_word(name) else path)

    def read(raw: Raw) -> Any:
        found = read_object(raw)
        return found if isinstance(found, Fault) else first_fault(values(found)) or read_values(raw)

    return read


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        kinds = tuple(kind for kind in get_args(annotation) if kind is not type(None))
        return kinds[0] if len(kinds) == 1 else Union[kinds]  # noqa: UP007 (of a tuple)
    return annotation


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    # One for each kind: fields of many types have the same few.
    return msgspec.json.Decoder(kind, dec_hook=instant_hook)


def _plain_reader(path: str, kind: Any) -> Reader:
    decoder = _decoder(kind)

    def read(raw: Raw) -> Any:
        try:
            value = decoder.decode(raw)
        except msgspec.DecodeError:
            found = loosely(raw)
            if isinstance(found, float) and found.is_integer():  # 2.0 is the whole number 2, as JSON Schema says
                return read(Raw(b"%d" % int(found)))
            return Fault(_reason(kind, found), path)
        return value if _holds(kind, value) else Fault(_reason(kind, value), path)

    return read


def _reason(kind: Any, found: object) -> Reason:
    if kind is Instant:
        return Reason.NAIVE_TIME if isinstance(found, str) and _is_naive(found) else Reason.MALFORMED_TIME
    if kind == Opaque and isinstance(found, str) and _personal(found):
        return Reason.PERSONAL_ID
    return Reason.MALFORMED_ID if kind in (Id, Opaque) else Reason.MALFORMED_FIELD


def _is_naive(text: str) -> bool:
    try:
        parse_instant(text)
    except NaiveTimeError:
        return True
    except ValueError:
        pass
    return False


def _holds(kind: Any, value: object) -> bool:
    """What msgspec does not check: ids, that a day is in the calendar, and that no database takes a zero character."""
    if kind == Day:
        return is_day(str(value))
    if isinstance(value, str) and not is_id(kind, value):
        return False
    return not (isinstance(value, str) and "\0" in value)


def is_day(text: str) -> bool:
    """Whether a text of the form 2026-01-31 is a day of the years 1900 to 2200."""
    try:
        return 1900 <= date.fromisoformat(text).year <= 2200
    except ValueError:
        return False


def _ids_reader(path: str) -> Reader:
    read_list = _plain_reader(path, list[Raw])

    def read(raw: Raw) -> Any:
        items = read_list(raw)
        if isinstance(items, Fault):
            return items
        if len(items) > MAX_SERVICES:
            return Fault(Reason.MALFORMED_FIELD, path)
        values = tuple(reader(f"{path}[{at}]", Id)(item) for at, item in enumerate(items))
        return first_fault(values) or values

    return read


def _reference_reader(path: str) -> Reader:
    read_object = _plain_reader(path, dict[str, Raw])
    parts = [Field(name, f"{path}.{name}", True, attribute_reader(f"{path}.{name}", name)) for name in IDENTITY]

    def read(raw: Raw) -> Any:
        found = read_object(raw)
        if isinstance(found, Fault):
            return found
        values = {part.name: part.take(found.get(part.name)) for part in parts}
        return first_fault(values.values()) or EventReference(**values)

    return read


@cache
def correctable() -> Mapping[str, Any]:
    """What a correction may set with what it must be: `time`, and every data field of every type."""
    known: dict[str, Any] = {"time": Instant}
    for kind in EVENT_TYPES.values():
        data = next(field.type for field in msgspec.structs.fields(kind) if field.name == "data")
        if data is not CorrectedData:
            known |= {field.name: field.type for field in msgspec.structs.fields(data)}
    return known
