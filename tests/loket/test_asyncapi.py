"""The AsyncAPI document is what the code says, valid by AsyncAPI's own schema, and says what the decoder does."""

import gzip
import json
import random
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from loket.asyncapi import BINARY, FILE, document, text
from loket.broker.topics import events_topic
from loket.domain.events import EVENT_TYPES
from loket.domain.unit import PROCESSED
from loket.settings import TopicsSettings
from loket.testing.builders import Office
from loket.wire.cloudevents import Decoder, encode, encode_binary
from loket.wire.rejection import Reason, Rejected
from loket.wire.schema import schema_of
from support.events import NOW, documents, record, spoilt
from support.fuzz_seeds import documents as valid_documents

SCHEMA: Final = Path(__file__).parents[1] / "support" / "asyncapi-3.0.0.json.gz"
"""AsyncAPI's schema of its version 3.0.0, unchanged from the npm package @asyncapi/specs 6.11.1 (Apache License 2.0,
copyright 2016-2025 AsyncAPI Initiative)."""

DOCUMENT: Final = document()
DECODER: Final = Decoder(1)


def resolved(value: Any) -> Any:
    """A value with all its references replaced by what they name."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        assert value.keys() == {"$ref"}
        found: Any = DOCUMENT
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return resolved(found)
    return {name: resolved(each) for name, each in value.items()}


WHOLE: Final = resolved(DOCUMENT)
MESSAGES: Final[dict[str, Any]] = WHOLE["channels"]["events"]["messages"]


def is_valid(value: Any, schema: dict[str, Any]) -> bool:
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker()).is_valid(value)


def test_the_committed_document_is_the_one_that_the_code_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run `python -m loket.asyncapi` and commit docs/asyncapi.yaml"
    assert yaml.safe_load(text()) == DOCUMENT


def test_it_is_valid_by_the_schema_of_asyncapi() -> None:
    schema = json.loads(gzip.decompress(SCHEMA.read_bytes()))
    jsonschema.Draft7Validator(schema).validate(DOCUMENT)


def test_the_schema_of_asyncapi_would_find_a_fault() -> None:
    schema = json.loads(gzip.decompress(SCHEMA.read_bytes()))
    for path in (["channels", "events", "messages", "x"], ["components", "messages", "loket.ticket.issued", "typo"]):
        spoilt_document = document()
        place = spoilt_document
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = 1
        assert not jsonschema.Draft7Validator(schema).is_valid(spoilt_document)


def test_there_is_a_message_for_each_type_in_both_modes_and_no_other() -> None:
    assert MESSAGES.keys() == {f"{tag}{mode}" for tag in EVENT_TYPES for mode in ("", BINARY)}
    for tag, kind in EVENT_TYPES.items():
        for mode in ("", BINARY):
            message = MESSAGES[f"{tag}{mode}"]
            assert (message["name"], message["x-figures"]) == (tag, kind in PROCESSED)
            assert message["traits"][0]["bindings"]["kafka"]["key"]["pattern"] == "^[A-Za-z0-9._:/-]{1,128}$"


def test_payloads_are_those_of_the_json_schemas() -> None:
    for tag, kind in EVENT_TYPES.items():
        schema = schema_of(kind)
        shared, own = MESSAGES[tag]["payload"]["allOf"]
        assert shared["properties"] | own["properties"] == schema["properties"]
        assert {*shared["required"], *own["required"]} == set(schema["required"])
        assert MESSAGES[f"{tag}{BINARY}"]["payload"] == schema["properties"]["data"]


def test_every_schema_is_one_of_draft_7() -> None:
    for message in MESSAGES.values():
        for schema in (message["payload"], message["headers"]):
            jsonschema.Draft7Validator.check_schema(schema)
            assert "$defs" not in json.dumps(schema)


@given(documents())
def test_what_is_accepted_is_valid(value: dict[str, Any]) -> None:
    check_both_modes(value)


@pytest.mark.parametrize("value", valid_documents(), ids=lambda value: value["id"])
def test_every_type_is_valid_with_all_its_fields_and_with_the_required_ones(value: dict[str, Any]) -> None:
    check_both_modes(value)


def check_both_modes(value: dict[str, Any]) -> None:
    event = DECODER.decode(record(value))
    tag = value["type"]
    assert is_valid(value, MESSAGES[tag]["payload"])
    for name, encoded in ((tag, encode(event)), (f"{tag}{BINARY}", encode_binary(event))):  # type: ignore[arg-type]  # no Foreign
        headers = {header: text.decode() for header, text in encoded.headers}
        assert is_valid(json.loads(encoded.value), MESSAGES[name]["payload"])
        assert is_valid(headers, MESSAGES[name]["headers"])
        other = tag if name.endswith(BINARY) else f"{tag}{BINARY}"
        assert not is_valid(headers, MESSAGES[other]["headers"])


@given(spoilt())
def test_what_is_invalid_is_refused(value: dict[str, Any]) -> None:
    message = MESSAGES.get(str(value.get("type")))
    if message is None or is_valid(value, message["payload"]):
        return
    with pytest.raises(Rejected):
        DECODER.decode(record(value))


@given(st.sampled_from(valid_documents()), st.randoms(use_true_random=False))
def test_headers_that_are_invalid_are_refused(value: dict[str, Any], dice: random.Random) -> None:
    event = DECODER.decode(record(value))
    encoded = encode_binary(event)  # type: ignore[arg-type]  # no Foreign
    headers = dict(encoded.headers)
    # Another type would not be of this contract: foreign, and not refused.
    name = dice.choice([header for header in headers if header.startswith("ce_") and header != "ce_type"])
    if dice.random() < 0.4:
        del headers[name]
    else:
        headers[name] = dice.choice(
            [b"", b"x y", b"1.1", b"1234567890123456", b"2026-01-31T09:00:00", b"yes", b"a" * 300]
        )
    told = {header: text.decode() for header, text in headers.items()}
    if is_valid(told, MESSAGES[f"{value['type']}{BINARY}"]["headers"]):
        return
    with pytest.raises(Rejected):
        DECODER.decode(record(encoded.value, key=encoded.key, headers=tuple(headers.items())))


def test_the_examples_are_events() -> None:
    shown = [(name, example) for name, message in MESSAGES.items() for example in message.get("examples", ())]
    assert [name.endswith(BINARY) for name, _ in shown] == [False, True]
    events = []
    for name, example in shown:
        assert is_valid(example["headers"], MESSAGES[name]["headers"])
        headers = tuple((header, text.encode()) for header, text in example["headers"].items())
        value = json.dumps(example["payload"]).encode()
        events.append(DECODER.decode(record(value, key=b"pkm-ciputat", timestamp=NOW, headers=headers)))
    assert events[0] == events[1]


def test_the_reasons_of_dead_letters_are_the_closed_list() -> None:
    channel = DOCUMENT["channels"]["events"]
    assert [each["reason"] for each in channel["x-dead-letter-reasons"]] == [reason.value for reason in Reason]
    for each in channel["x-dead-letter-reasons"]:
        assert f"- `{each['reason']}`: {each['what-to-do']}\n" in channel["description"]


def test_the_topic_is_the_one_that_is_made() -> None:
    settings = TopicsSettings()
    made = events_topic(settings.topic, settings.partitions, retention_days=settings.retention_days)
    kafka = DOCUMENT["channels"]["events"]["bindings"]["kafka"]
    assert (kafka["topic"], kafka["partitions"]) == (made.name, made.partitions)
    assert kafka["topicConfiguration"]["message.timestamp.type"] == "LogAppendTime"
    assert kafka["topicConfiguration"].keys() == made.configs.keys()


def test_what_our_own_heartbeats_say_beside_the_contract_is_told_and_taken() -> None:
    message = MESSAGES["loket.counter.heartbeat"]
    event = Office().heartbeat(at=NOW, counter="1", pending=2)
    told = json.loads(encode(event).value)
    for name in ("clock_jumps", "clock_jumped_ms"):
        assert f"`{name}`" in message["description"]
        told["data"][name] = 1
    assert is_valid(told, message["payload"])
    assert DECODER.decode(record(json.dumps(told).encode(), key=b"u")) == event
