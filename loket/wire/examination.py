"""What a value says, read field by field: an event, a foreign type, or the first fault of the closed list."""

from array import array
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final, cast

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from loket.domain.events import EVENT_TYPES, Envelope, Event
from loket.wire.contract import MAX_DEPTH, MAX_VALUE_BYTES, OURS, attribute_fields, data_fields, data_type
from loket.wire.fields import Fault, Field, attribute_reader, first_fault, loosely
from loket.wire.record import ATTRIBUTE_PREFIX, Headers, mode_of
from loket.wire.rejection import Reason

__all__ = ["Examined", "examine"]

_READABLE_DEPTH: Final = 256
"""What is nested deeper is not even tried: a parser's own depth would depend on who calls it."""

_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""What each bracket does to the depth, as signed bytes."""

_NEITHER: Final = bytes(byte for byte in range(256) if byte not in b'[{]}"')


class _Attributes(Struct):
    """What is looked at of a structured event; all else is skipped, however much it is."""

    specversion: Raw | UnsetType = UNSET
    type: Raw | UnsetType = UNSET
    source: Raw | UnsetType = UNSET
    id: Raw | UnsetType = UNSET
    time: Raw | UnsetType = UNSET
    subject: Raw | UnsetType = UNSET
    sent: Raw | UnsetType = UNSET
    imported: Raw | UnsetType = UNSET
    data: Raw | UnsetType = UNSET


_KNOWN: Final = frozenset(_Attributes.__struct_fields__)
_object = msgspec.json.Decoder(_Attributes)


class Examined(Struct, frozen=True):
    """Exactly one of `event`, `foreign` (the type) and `fault`, with source and id as far as they can be read."""

    event: Event | None = None
    foreign: str | None = None
    fault: Fault | None = None
    source: str | None = None
    id: str | None = None


def examine(value: bytes | None, headers: Headers) -> Examined:
    """Read a record's value and headers. Returns; raises nothing for any bytes."""
    depth = _depth(value) if value is not None else 0
    if depth > _READABLE_DEPTH:
        return Examined(fault=Fault(Reason.TOO_LARGE))
    if value is None or not _is_json(value):
        return Examined(fault=Fault(Reason.NOT_JSON))
    attributes = _attributes(value, headers)
    if isinstance(attributes, Fault):
        return Examined(fault=attributes)
    type_ = _text(attributes, "type")
    kind = EVENT_TYPES.get(type_ or "")
    source = _identity(attributes, "source")
    identifier = _identity(attributes, "id")
    event: Event | None = None
    foreign: str | None = None
    fault: Fault | None = None
    if _text(attributes, "specversion") != "1.0":
        fault = Fault(Reason.NOT_CLOUDEVENT, "specversion")
    elif not type_:
        fault = Fault(Reason.NOT_CLOUDEVENT, "type")
    elif not type_.startswith(OURS) and (source is None or identifier is None):
        fault = Fault(Reason.NOT_CLOUDEVENT, "source" if source is None else "id")
    elif len(value) > MAX_VALUE_BYTES or depth > MAX_DEPTH:
        fault = Fault(Reason.TOO_LARGE)
    elif not type_.startswith(OURS):
        foreign = type_
    elif kind is None:
        fault = Fault(Reason.UNKNOWN_TYPE, "type")
    else:
        built = _build(kind, attributes)
        if isinstance(built, Fault):
            fault = built
        else:
            event = built
    return Examined(event=event, foreign=foreign, fault=fault, source=source, id=identifier)


def _depth(value: bytes) -> int:
    """How deep brackets are nested outside of strings; whether they match is the parser's to say."""
    # Whole passes in C over what may be a megabyte: escapes, then all but brackets and quotation marks, then strings.
    bare = value.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NEITHER)
    outside = b"".join(bare.split(b'"')[::2])
    return max(accumulate(array("b", outside.translate(_STEPS))), default=0)


def _is_json(value: bytes) -> bool:
    try:
        value.decode()  # msgspec does not look into text that it skips
        msgspec.json.decode(value, type=Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _attributes(value: bytes, headers: Headers) -> Mapping[str, Raw] | Fault:
    mode = mode_of(headers)
    if mode == "binary":
        return _binary_attributes(headers) | {"data": Raw(value)}
    if mode == "structured":
        try:
            found = msgspec.structs.asdict(_object.decode(value))
            return {name: raw for name, raw in found.items() if raw is not UNSET}
        except msgspec.DecodeError:
            pass
    return Fault(Reason.NOT_CLOUDEVENT)


def _binary_attributes(headers: Headers) -> dict[str, Raw]:
    attributes = {}
    for header, value in headers:
        name = header.removeprefix(ATTRIBUTE_PREFIX)
        if name in _KNOWN and name != header and value is not None:
            attributes[name] = Raw(value) if name == "imported" and value in (b"true", b"false") else _json_text(value)
    return attributes


def _json_text(value: bytes) -> Raw:
    try:
        return Raw(msgspec.json.encode(value.decode()))
    except UnicodeDecodeError:
        return Raw(b'"\\ud800"')  # what no reader takes: the fault is then this attribute's


def _text(attributes: Mapping[str, Raw], name: str) -> str | None:
    value = loosely(attributes[name]) if name in attributes else None
    return value if isinstance(value, str) else None


def _identity(attributes: Mapping[str, Raw], name: str) -> str | None:
    value = attribute_reader(name, name)(attributes[name]) if name in attributes else None
    return value if isinstance(value, str) else None


def _build(kind: type[Envelope], attributes: Mapping[str, Raw]) -> Event | Fault:
    outer = {field.name: field.take(attributes.get(field.name)) for field in attribute_fields(kind)}
    found = outer["data"]
    inner = {} if isinstance(found, Fault) else dict(_values(data_fields(kind), found))
    fault = first_fault([*outer.values(), *inner.values()])
    if fault is not None:
        return fault
    given = {name: value for name, value in outer.items() if value is not UNSET}
    given["data"] = data_type(kind)(**{name: value for name, value in inner.items() if value is not UNSET})
    return cast("Event", kind(**given))


def _values(fields: tuple[Field, ...], found: Mapping[str, Raw]) -> Iterator[tuple[str, object]]:
    for field in fields:
        yield field.name, field.take(found.get(field.name))
