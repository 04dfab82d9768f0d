"""Hypothesis strategies for what may stand on the wire: documents of every type, and records that carry them."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final, get_args

import msgspec
from hypothesis import strategies as st
from msgspec import Meta

from loket.domain.events import EVENT_TYPES, Day, EventReference, Id, Instant, Opaque, Text
from loket.wire.contract import data_type
from loket.wire.partition import partition_of
from loket.wire.record import WireRecord

__all__ = ["NOW", "STRUCTURED", "documents", "record", "spoilt", "times"]

NOW: Final = 1_769_824_800_000
"""2026-01-31T02:00:00Z, the broker's time of every record here."""

STRUCTURED: Final = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)

HOUR: Final = 3_600_000

_ids = st.text("ABCxyz0189._:/-", min_size=1, max_size=20) | st.text("aZ9", min_size=128, max_size=128)
_opaque = _ids.filter(lambda text: not (text.isdigit() and len(text) in (16, 18)))
_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_attributes = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
_offsets = st.sampled_from([timedelta(0), timedelta(hours=7), timedelta(hours=9, minutes=30), timedelta(hours=-4)])


@st.composite
def times(draw: st.DrawFn, around: int = NOW, within: int = 20 * HOUR) -> str:
    """RFC 3339 times near an instant, in the ways that people's programs write them."""
    moment = datetime.fromtimestamp(around // 1000, UTC) + timedelta(
        milliseconds=draw(st.integers(-within, within)), microseconds=draw(st.sampled_from([0, 1, 999]))
    )
    text = moment.astimezone(timezone(draw(_offsets))).isoformat(
        timespec=draw(st.sampled_from(["auto", "milliseconds", "seconds"]))
    )
    if text.endswith("+00:00"):
        return text.removesuffix("+00:00") + draw(st.sampled_from(["Z", "z", "+00:00", "-00:00", "+0000"]))
    return draw(st.sampled_from([text, text[:-3] + text[-2:], text.replace("T", "t")]))


def _whole(annotation: Any) -> st.SearchStrategy[int]:
    meta = next(part for part in get_args(annotation) if isinstance(part, Meta))
    return st.integers(int(meta.ge or 0), int(meta.le or 0))


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    known: list[tuple[Any, st.SearchStrategy[Any]]] = [
        (Id, _ids),
        (Opaque, _opaque),
        (Text, _texts),
        (Day, st.dates(date(1900, 1, 1), date(2200, 12, 31)).map(str)),
        (Instant, times()),
        (bool, st.booleans()),
        (EventReference, st.fixed_dictionaries({"source": _attributes, "id": _attributes})),
    ]
    for kind, values in known:
        if annotation == kind:
            return values
    parts = get_args(annotation)
    if parts and parts[0] is int:
        return _whole(annotation)
    if parts and parts[0] == tuple[Id, ...]:
        return st.lists(_ids, max_size=3)
    return st.one_of(*(_values(part) for part in parts if part is not type(None)))


@st.composite
def documents(draw: st.DrawFn, types: tuple[str, ...] = tuple(EVENT_TYPES)) -> dict[str, Any]:
    """CloudEvents of this contract, valid in every part, as the JSON object of the structured mode."""
    tag = draw(st.sampled_from(types))
    kind = EVENT_TYPES[tag]
    outer = {field.name: field for field in msgspec.structs.fields(kind)}
    document: dict[str, Any] = {"specversion": "1.0", "type": tag}
    document |= {"source": draw(_attributes), "id": draw(_attributes), "time": draw(times())}
    for name in ("subject", "sent", "imported"):
        if outer[name].required or draw(st.booleans()):
            document[name] = draw(_values(outer[name].type))
    document["data"] = {}
    for field in msgspec.structs.fields(data_type(kind)):
        if field.name == "set":
            document["data"]["set"] = draw(_corrections())
        elif field.required or draw(st.booleans()):
            document["data"][field.name] = draw(_values(field.type))
    if draw(st.booleans()):
        document["data"]["unknown"] = draw(st.dictionaries(_texts, _texts, max_size=2))
    return document


def _corrections() -> st.SearchStrategy[dict[str, Any]]:
    plain = st.none() | st.booleans() | _texts | st.integers(-(2**53), 2**53)
    return st.fixed_dictionaries(
        {},
        optional={"time": times(), "employee": st.none() | _opaque, "service": _ids, "anything": plain},
    )


_junk: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        [0, 1, 5, 2.0, 10_001, "", "a b", "x" * 129, "x" * 257, "é" * 200, "1" * 16, "2" * 18, "a\0b", "a\tb"]
    )
    | st.sampled_from(
        ["2026-01-31", "2026-01-31T09:00:00", "2026-02-30", "2026-02-30T09:00:00Z", "1850-01-01T00:00:00Z"]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | times()
    | st.lists(st.text("ab!", max_size=3), max_size=3)
    | st.dictionaries(
        st.sampled_from(["source", "id", "time", "unit", "employee"]), st.text("1é!", max_size=3), max_size=2
    )
)


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """Documents with up to three fields replaced by something, taken away, or added where they do not belong."""
    document = draw(documents())
    for _ in range(draw(st.integers(1, 3))):
        inner = document.get("data")
        place = inner if isinstance(inner, dict) and draw(st.booleans()) else document
        kind = EVENT_TYPES.get(str(document.get("type")), EVENT_TYPES["loket.ticket.called"])
        known = [field.name for field in msgspec.structs.fields(data_type(kind) if place is inner else kind)]
        name = draw(st.sampled_from([*place, *known, "set", "services"]))
        if draw(st.integers(0, 4)):
            place[name] = draw(_junk)
        else:
            place.pop(name, None)
    return document


def record(
    document: Mapping[str, Any] | bytes,
    *,
    key: bytes | None = b"",
    partitions: int = 1,
    partition: int | None = None,
    timestamp: int = NOW,
    headers: tuple[tuple[str, bytes], ...] = STRUCTURED,
) -> WireRecord:
    """The record of a document as a good producer sends it, but for what is said otherwise (a key of None is none)."""
    value = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
    if key == b"" and not isinstance(document, bytes):
        data = document.get("data")
        key = str(data.get("unit")).encode() if isinstance(data, dict) else b""
    at = partition_of(key or b"", partitions) if partition is None else partition
    return WireRecord("loket.events", at, 7, timestamp, key, value, headers)
