"""The AsyncAPI 3 document of the event contract, made from the code that reads it.

It is committed as docs/asyncapi.yaml. `python -m loket.asyncapi` writes it again; a test compares, and checks it
against AsyncAPI's own schema. Payloads are those of `loket.wire.schema`, in the words that JSON Schema's draft 7, on
which AsyncAPI builds, has too.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

import loket
from loket.broker.topics import events_topic
from loket.domain.events import EVENT_TYPES, ID_PATTERN, Envelope, Instant, IssuedData, TicketIssued
from loket.domain.unit import PROCESSED
from loket.settings import TopicsSettings
from loket.wire.cloudevents import encode, encode_binary
from loket.wire.contract import MAX_DEPTH, MAX_VALUE_BYTES
from loket.wire.record import ATTRIBUTE_PREFIX, CONTENT_TYPE
from loket.wire.rejection import ADVICE
from loket.wire.schema import schema_of

__all__ = ["FILE", "document", "text", "write"]

FILE: Final = Path(__file__).parents[1] / "docs" / "asyncapi.yaml"

BINARY: Final = ".binary"
"""Ends the name of a message in the binary mode."""

_TOPIC: Final = TopicsSettings()
_KEYED: Final = {"$ref": "#/components/messageTraits/keyed"}
_WHOLE: Final = re.compile(r"-?[0-9]+").fullmatch


def document() -> dict[str, Any]:
    """The document, as plain values."""
    messages: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for tag, kind in EVENT_TYPES.items():
        schema = schema_of(kind)
        schemas[f"{tag}.data"] = schema["properties"]["data"]
        shared = "ticket" if "subject" in schema["required"] else "unit"
        schemas.setdefault(f"attributes.{shared}", _attributes(schema))
        schemas.setdefault(f"headers.{shared}", _headers(schema))
        messages[tag] = _structured(tag, kind, schema, shared)
        messages[f"{tag}{BINARY}"] = _binary(tag, kind, schema, shared)
    for name, example in _examples().items():
        messages[name]["examples"] = [example]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:loket:events",
        "info": {
            "title": "Loket: the event contract",
            "version": loket.__version__,
            "description": _INFO,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE.decode(),
        "servers": {
            "kafka": {"host": _TOPIC.bootstrap, "protocol": "kafka", "description": "Where Kafka is: LOKET_BOOTSTRAP."}
        },
        "channels": {"events": _channel(messages)},
        "operations": {
            "receive": {
                "action": "receive",
                "channel": {"$ref": "#/channels/events"},
                "summary": "Loket reads every event; counters, kiosks, queue systems and importers write them.",
            }
        },
        "components": {
            "messages": messages,
            "messageTraits": {"keyed": {"bindings": {"kafka": {"key": _key(), "bindingVersion": "0.5.0"}}}},
            "schemas": schemas,
        },
    }


def text() -> str:
    """The file that holds the document."""
    head = "# Made by `python -m loket.asyncapi` from the code that reads the events; a test compares.\n"
    return head + yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def write(file: Path = FILE) -> None:
    """Write the document."""
    file.write_text(text(), encoding="utf-8")


_INFO: Final = """\
CloudEvents 1.0 on one Kafka topic. This interface changes only by adding.

Fields that no type knows are kept in the archive and ignored. Optional fields may be left out or null. Of a key that an
object repeats the last value counts. What becomes of each event is decided in the project's rules; `x-figures` says
whether this version makes figures of a type, or only archives it (counted as `not_yet`).
"""


def _channel(messages: dict[str, Any]) -> dict[str, Any]:
    topic = events_topic(_TOPIC.topic, _TOPIC.partitions, retention_days=_TOPIC.retention_days)
    configs = {
        name: [value] if name == "cleanup.policy" else int(value) if _WHOLE(value) else value
        for name, value in topic.configs.items()
    }
    reasons = "\n".join(f"- `{reason}`: {advice}" for reason, advice in ADVICE.items())
    return {
        "address": topic.name,
        "title": "Events",
        "summary": "What service counters tell, one event in each record.",
        "description": _CHANNEL.format(size=MAX_VALUE_BYTES // 1024, depth=MAX_DEPTH, reasons=reasons),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": configs,
                "bindingVersion": "0.5.0",
            }
        },
        "x-max-value-bytes": MAX_VALUE_BYTES,
        "x-max-depth": MAX_DEPTH,
        "x-dead-letter-reasons": [{"reason": str(reason), "what-to-do": advice} for reason, advice in ADVICE.items()],
    }


_CHANNEL: Final = """\
The key of a record is the unit's id in UTF-8, and its partition that of Kafka's default partitioner (murmur2; on
librdkafka `partitioner=murmur2_random`), so that all events of a unit are in one partition, in the order in which the
broker received them. The topic's timestamps are the broker's. Any codec of Kafka may be used.

Two content modes of CloudEvents: *structured* (the header `content-type` is `application/cloudevents+json`, or there is
neither this nor any `ce_` header: the value is the whole event) and *binary* (the attributes are in `ce_` headers, the
value is the data; the messages that end in `.binary`).

A value has at most {size} KiB and objects and arrays nested at most {depth} deep.

A record that cannot be taken as an event becomes a dead letter, with its topic, partition, offset, reason, field and
untouched bytes, and the stream goes on. The reasons, of which the first that holds is given:

{reasons}

A CloudEvent of a type that does not begin with `loket.` is not of this contract: it is archived, and no dead letter.
"""


def _key() -> dict[str, Any]:
    return {
        "type": "string",
        "pattern": ID_PATTERN.replace(r"\A", "^").replace(r"\Z", "$"),
        "description": "The same as data.unit.",
    }


_BEYOND: Final = {
    "loket.counter.heartbeat": (
        "Loket's own emitter adds two fields that the contract does not know, so they are archived and in no figure: "
        "`clock_jumps`, how often the device's clock has jumped since its outbox was made, and `clock_jumped_ms`, by "
        "how much it did the last time, where it ever did."
    )
}
"""What our own devices say beside the contract."""


def _message(tag: str, kind: type[Envelope], schema: dict[str, Any]) -> dict[str, Any]:
    beyond = {"description": _BEYOND[tag]} if tag in _BEYOND else {}
    return {
        "name": tag,
        "title": tag,
        "summary": schema["description"],
        **beyond,
        "traits": [_KEYED],
        "x-figures": kind in PROCESSED,
    }


def _attributes(schema: dict[str, Any]) -> dict[str, Any]:
    """What events have in common: all attributes but the type and the data."""
    properties = {name: value for name, value in schema["properties"].items() if name not in ("type", "data")}
    required = [name for name in schema["required"] if name in properties]
    return {"type": "object", "properties": properties, "required": required}


def _headers(schema: dict[str, Any]) -> dict[str, Any]:
    """The same as headers, which are texts and there or not."""
    attributes = _attributes(schema)
    properties: dict[str, Any] = {"content-type": {"type": "string", "not": {"pattern": "^application/cloudevents"}}}
    for name, value in attributes["properties"].items():
        found = {"enum": ["true", "false"], "description": value["description"]} if name == "imported" else value
        properties[f"{ATTRIBUTE_PREFIX}{name}"] = _present(found)
    required = [f"{ATTRIBUTE_PREFIX}{name}" for name in attributes["required"]]
    return {"type": "object", "properties": properties, "required": required}


def _structured(tag: str, kind: type[Envelope], schema: dict[str, Any], shared: str) -> dict[str, Any]:
    own = {"type": schema["properties"]["type"], "data": {"$ref": f"#/components/schemas/{tag}.data"}}
    return {
        **_message(tag, kind, schema),
        "contentType": CONTENT_TYPE.decode(),
        "headers": {
            "type": "object",
            "properties": {
                "content-type": {"type": "string", "pattern": r"^application/cloudevents(\+json)?([ ;]|$)"},
            },
        },
        "payload": _both(f"attributes.{shared}", own),
    }


def _binary(tag: str, kind: type[Envelope], schema: dict[str, Any], shared: str) -> dict[str, Any]:
    return {
        **_message(tag, kind, schema),
        "contentType": "application/json",
        "headers": _both(f"headers.{shared}", {f"{ATTRIBUTE_PREFIX}type": schema["properties"]["type"]}),
        "payload": {"$ref": f"#/components/schemas/{tag}.data"},
    }


def _both(shared: str, own: dict[str, Any]) -> dict[str, Any]:
    rest = {"type": "object", "properties": own, "required": list(own)}
    return {"allOf": [{"$ref": f"#/components/schemas/{shared}"}, rest]}


def _present(schema: dict[str, Any]) -> dict[str, Any]:
    """What a header may hold that is there: a null is none."""
    values = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(values) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**values[0], **rest}


def _examples() -> dict[str, dict[str, Any]]:
    """One event in both modes, as the encoder writes it."""
    event = TicketIssued(
        source="kiosk/3",
        id="0197f1c2",
        time=Instant(1_769_824_800_000),
        subject="A-017",
        data=IssuedData(unit="pkm-ciputat", service="poli-umum"),
    )
    tag = str(type(event).__struct_config__.tag)
    found = {}
    for name, encoded in ((tag, encode(event)), (f"{tag}{BINARY}", encode_binary(event))):
        headers = {header: value.decode() for header, value in encoded.headers}
        found[name] = {"name": "A person joins", "headers": headers, "payload": msgspec.json.decode(encoded.value)}
    return found


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, and no aliases: people read the file."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (of PyYAML)
        return True


def _block(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _block)


if __name__ == "__main__":
    write()
