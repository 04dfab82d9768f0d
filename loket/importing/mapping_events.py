"""The `events:` of `mapping.yaml`: which events a row brings."""

from __future__ import annotations

from collections.abc import Collection
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from loket.documents import Node
from loket.domain.events import EVENT_TYPES, Envelope, Instant
from loket.importing.mapping import Emission, FieldOf, TimeValue, Value
from loket.importing.mapping_parts import Reading, check_texts, condition_of, fits_ids, value_of

__all__ = ["read_events"]

_PREFIX: Final = "loket."
_NOT_MAPPED: Final = {"loket.event.corrected"}
_KEYS: Final = ("type", "time", "when", "data", "id", "step")
_WHERE_REQUIRED: Final = "service"
"""Said by the events that must say it, as those that may would only repeat it."""


def read_events(node: Node, reading: Reading, times: Collection[str], common: dict[str, Value]) -> tuple[Emission, ...]:
    """The events in the order in which a row brings them; `times` are the names that they may use."""
    emissions: list[Emission] = []
    for item in node.sequence("events"):
        emission = item.once("event", lambda item: _emission(item, reading, times, common))
        if emission is not None:
            emissions.append(emission)
    if node.kind == "list" and not node.items:
        node.fault("no event is made of a row: name at least one")
    return tuple(emissions)


def _emission(node: Node, reading: Reading, times: Collection[str], common: dict[str, Value]) -> Emission | None:
    found = node.mapping(_KEYS, required=("type", "time"), what="an event")
    when = condition_of(found["when"], reading) if "when" in found else None
    id_columns = found["id"].once("columns", reading.columns_of) if "id" in found else []
    kind = _kind(found["type"]) if "type" in found else None
    time = found["time"].text("the name of a time") if "time" in found else None
    if time is not None and time not in times:
        found["time"].fault(f"`{time}` is no time of this mapping{node.closest(time, times)}")
    if kind is None or time is None:
        return None
    attributes = {field.name: field for field in msgspec.structs.fields(kind)}
    data: type[Struct] = attributes["data"].type
    if "subject" not in reading.given:
        if attributes["subject"].required:
            node.fault("tells of a ticket or request, and the mapping has no `subject`: name its key columns there")
        elif not id_columns:
            node.fault("without a `subject` an event needs `id: [columns]`, which tell it from the others of its kind")
    fields = _fields(node, found.get("data"), data, reading, times, common)
    step = found["type"].value.removeprefix(_PREFIX)
    if (item := found.get("step")) is not None:
        step = item.text("a name for this step", longest=64) or step
        if not fits_ids(step):
            item.fault("a step is named with A-Z a-z 0-9 . _ : / -")
    return Emission(kind, data, step, time, when, tuple(fields), tuple(id_columns))


def _kind(node: Node) -> type[Envelope] | None:
    text = node.text("an event's type such as ticket.issued")
    if text is None:
        return None
    full = text if text.startswith(_PREFIX) else _PREFIX + text
    if full not in EVENT_TYPES or full in _NOT_MAPPED:
        known = [name.removeprefix(_PREFIX) for name in EVENT_TYPES if name not in _NOT_MAPPED]
        node.fault(f"`{text}` is no event that a row can be{node.closest(text, known)}; known: {', '.join(known)}")
        return None
    return EVENT_TYPES[full]


def _fields(
    node: Node,
    section: Node | None,
    data: type[Struct],
    reading: Reading,
    times: Collection[str],
    common: dict[str, Value],
) -> list[FieldOf]:
    described = {field.name: field for field in msgspec.structs.fields(data) if field.name != "unit"}
    simple = {name: found for name, field in described.items() if (found := _simple(field.type)) is not None}
    values: dict[str, Value] = {
        name: value
        for name, value in common.items()
        if name in simple and (name != _WHERE_REQUIRED or described[name].required)
    }
    for key, item in section.mapping(tuple(simple), what="data").items() if section is not None else ():
        value = value_of(item, reading)
        if value is None:
            continue
        values[key] = value
        if isinstance(value, TimeValue) != (simple[key] is Instant):
            item.fault("is an instant: write `{time: …}`" if simple[key] is Instant else "is no instant, but a text")
        if isinstance(value, TimeValue) and value.time not in times:
            item.fault(f"`{value.time}` is no time of this mapping{item.closest(value.time, times)}")
        if simple[key] is not Instant:
            check_texts(item, value, simple[key])
    for name, field in described.items():
        if field.required and name not in values and name not in reading.given:
            node.fault(f"needs `{name}`: name it under `data`" + (", or once for all" if name in simple else ""))
    return [FieldOf(name, value, simple[name]) for name, value in values.items()]


def _simple(annotation: Any) -> Any:
    """The annotation that the text of a cell has to fit, or None where no cell can: a list, an object."""
    if get_origin(annotation) in (Union, UnionType):
        inner = [each for each in get_args(annotation) if each is not NoneType]
        return next((found for each in inner if (found := _simple(each)) is not None), None)
    plain = get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation
    return annotation if plain in (str, int, float, bool, Instant) else None
