"""The JSON Schemas (draft 2020-12) of the event contract, made from the types that decode it: one for each type.

They are committed in `schemas/` beside this module. `python -m loket.wire.schema` writes them again; a test compares.
What a schema cannot say is said in `description`: bytes of UTF-8, days of the calendar, sizes, and what concerns the
record around the event (its key, its partition, the broker's time).
"""

import json
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from loket.domain.events import EVENT_TYPES, Day, Envelope, EventReference, Instant
from loket.wire.contract import attribute_fields, data_fields, data_type
from loket.wire.fields import NOT_TO_CORRECT, correctable
from loket.wire.instant import INSTANT_PATTERN

__all__ = ["FOLDER", "schema_of", "schema_text", "write"]

FOLDER: Final = Path(__file__).with_name("schemas")

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

MEANING: Final[dict[str, str]] = {
    "loket.ticket.issued": "A person joins the queue.",
    "loket.ticket.called": "Invited to a counter for the first time in this stretch of waiting.",
    "loket.ticket.recalled": "Called again; the first call's time stays.",
    "loket.service.started": "Service begins; without a call the wait ends here.",
    "loket.service.held": "Service is interrupted.",
    "loket.service.resumed": "Service is continued.",
    "loket.service.added": "One more service in the same visit.",
    "loket.service.completed": "Service is done.",
    "loket.ticket.requeued": "Back to waiting in the same unit; a new stretch begins.",
    "loket.ticket.transferred": "Leaves this queue; the receiving unit's own ticket.issued begins a leg there.",
    "loket.ticket.no_show": "Called, did not come.",
    "loket.ticket.abandoned": "Left while waiting, when known.",
    "loket.ticket.voided": "A mistake: it counts nowhere.",
    "loket.queue.closed": "The hall is closed: whoever still waits will not be called today.",
    "loket.request.submitted": "A document or permit is asked for; it may last days.",
    "loket.request.accepted": "The papers are declared complete: the legal clock starts.",
    "loket.request.worked": "Somebody worked on it.",
    "loket.request.suspended": "Waiting for the citizen: the task clock stops, the citizen's does not.",
    "loket.request.resumed": "The suspension is over.",
    "loket.request.completed": "Handed over or refused.",
    "loket.request.reopened": "A reopened request is the same request again.",
    "loket.request.cancelled": "The request ends without an outcome.",
    "loket.feedback.given": "A citizen's answer on the SKM scale of 1 to 4.",
    "loket.event.corrected": "Replaces what an earlier event said, by field; null takes a field away.",
    "loket.counter.opened": "The desk is open.",
    "loket.counter.closed": "The desk is closed.",
    "loket.counter.heartbeat": "Every 60 s: the device is there, and how much waits in its outbox.",
    "loket.session.started": "Staffed time begins.",
    "loket.session.paused": "Staffed time is interrupted.",
    "loket.session.resumed": "Staffed time goes on.",
    "loket.session.ended": "Staffed time ends.",
}

_SAYS: Final[dict[str, str]] = {
    "source": "With id the idempotency key: the same pair is the same event. At most 256 bytes of UTF-8.",
    "id": "With source the idempotency key. At most 256 bytes of UTF-8.",
    "time": "The device's clock.",
    "subject": "The ticket's or request's id, opaque; never a citizen's name, phone or identity number.",
    "sent": "Set by the emitter at each attempt to send.",
    "imported": "True on events that tell of the past.",
    "unit": "The unit, which is also the key of the record.",
    "from_unit": "Of a ticket that came by transfer, the unit that it came from.",
    "employee": "A pseudonym; never a national identity or civil-servant number.",
}

DAY_PATTERN: Final[str] = get_args(Day)[1].pattern

_INSTANT: Final = {
    "type": "string",
    "format": "date-time",
    "pattern": f"^{INSTANT_PATTERN}$",
    "description": "RFC 3339 with an offset, of the years 1900 to 2200; an offset without the colon is read too.",
}
_TEXT: Final = {"type": "string", "pattern": r"^[^\u0000]*$"}
_ATTRIBUTE: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": 256,
    "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
}


def schema_of(kind: type[Envelope]) -> dict[str, Any]:
    """The schema of one event type, in structured mode."""
    tag = str(kind.__struct_config__.tag)
    properties: dict[str, Any] = {"specversion": {"const": "1.0"}, "type": {"const": tag}}
    hints = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for field in attribute_fields(kind):
        if field.name == "data":
            properties["data"] = _data(kind)
        elif field.name in ("source", "id"):
            properties[field.name] = _described(field.name, dict(_ATTRIBUTE))
        else:
            properties[field.name] = _described(field.name, _of(hints[field.name], field.required))
    required = [field.name for field in attribute_fields(kind) if field.required]
    return {
        "$schema": DIALECT,
        "$id": f"urn:loket:schema:{tag}",
        "title": tag,
        "description": MEANING[tag],
        "type": "object",
        "properties": properties,
        "required": ["specversion", "type", *required],
    }


def schema_text(kind: type[Envelope]) -> str:
    """The file that holds the schema."""
    return json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> None:
    """Write all schemas, and take away those of types that are no more."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.json"):
        if old.stem not in EVENT_TYPES:
            old.unlink()
    for tag, kind in EVENT_TYPES.items():
        (folder / f"{tag}.json").write_text(schema_text(kind), encoding="utf-8")


def _data(kind: type[Envelope]) -> dict[str, Any]:
    types = {field.name: field.type for field in msgspec.structs.fields(data_type(kind))}
    fields = data_fields(kind)
    return {
        "type": "object",
        "properties": {
            field.name: _corrections()
            if field.name == "set"
            else _described(field.name, _of(types[field.name], field.required))
            for field in fields
        },
        "required": [field.name for field in fields if field.required],
    }


def _corrections() -> dict[str, Any]:
    """A corrected field is valid where it is set; what no type knows may be any plain value."""
    known = {name: _of(kind, required=name == "time") for name, kind in correctable().items()}
    return {
        "type": "object",
        "propertyNames": {"not": {"enum": sorted(NOT_TO_CORRECT)}},
        "properties": {name: found for name, found in known.items() if name not in NOT_TO_CORRECT},
        "additionalProperties": {"anyOf": [_TEXT, {"type": ["number", "boolean", "null"]}]},
    }


def _described(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    says = " ".join(filter(None, (_SAYS.get(name), schema.pop("description", None))))
    return {**schema, "description": says} if says else schema


def _of(annotation: Any, required: bool) -> dict[str, Any]:
    if annotation is EventReference:
        parts = {"source": _ATTRIBUTE, "id": _ATTRIBUTE}
        return {"type": "object", "properties": parts, "required": list(parts)}
    (found,), _ = msgspec.json.schema_components([annotation], schema_hook=_hook)
    schema = _adapted(found)
    if required or {"type": "null"} in schema.get("anyOf", ()):
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def _hook(kind: type) -> dict[str, Any]:
    if kind is Instant:
        return dict(_INSTANT)
    raise NotImplementedError(kind)


def _adapted(schema: dict[str, Any]) -> dict[str, Any]:
    """msgspec's schema, its regular expressions in the dialect of JSON Schema (ECMA-262)."""
    adapted = {"type": schema["type"], **schema} if "type" in schema else dict(schema)
    if "anyOf" in schema:
        adapted["anyOf"] = [_adapted(one) for one in schema["anyOf"]]
    if "items" in schema:
        adapted["items"] = _adapted(schema["items"])
    if schema.get("type") == "string":
        adapted["pattern"] = schema.get("pattern", _TEXT["pattern"]).replace(r"\A", "^").replace(r"\Z", "$")
    if schema.get("pattern") == DAY_PATTERN:
        adapted["format"] = "date"
    return adapted


if __name__ == "__main__":
    write()
