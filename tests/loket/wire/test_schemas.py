"""The published schemas are those of the code, and say the same as the decoder."""

import json
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from jsonschema import Draft202012Validator

from loket.domain.events import EVENT_TYPES, EventCorrected
from loket.wire.contract import ATTRIBUTES, attribute_fields, data_fields, data_type
from loket.wire.examination import examine
from loket.wire.fields import _without_none, correctable
from loket.wire.rejection import Reason
from loket.wire.schema import FOLDER, MEANING, schema_of, schema_text, write
from support.events import documents, record, spoilt


@cache
def validator(tag: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(EVENT_TYPES[tag]))


def test_the_committed_schemas_are_those_of_the_code() -> None:
    committed = {file.stem: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}
    assert committed == {tag: schema_text(kind) for tag, kind in EVENT_TYPES.items()}, (
        "run `python -m loket.wire.schema` and look at what changes: the contract may only be added to"
    )


def test_writing_takes_away_what_is_no_type(tmp_path: Any) -> None:
    (tmp_path / "loket.old.json").write_text("{}", encoding="utf-8")
    write(tmp_path)
    assert sorted(file.stem for file in tmp_path.iterdir()) == sorted(EVENT_TYPES)


@pytest.mark.parametrize("tag", sorted(EVENT_TYPES))
def test_each_schema_is_one_and_says_what_it_is_for(tag: str) -> None:
    schema = json.loads(schema_text(EVENT_TYPES[tag]))
    Draft202012Validator.check_schema(schema)
    assert schema["description"] == MEANING[tag]


@pytest.mark.parametrize("tag", sorted(EVENT_TYPES))
def test_the_contracts_order_names_every_field_once(tag: str) -> None:
    kind = EVENT_TYPES[tag]
    names = [field.name for field in data_fields(kind)]
    assert sorted(names) == sorted(data_type(kind).__struct_fields__)
    assert names[0] == "unit"
    assert [field.name for field in attribute_fields(kind)] == list(ATTRIBUTES)
    assert sorted(kind.__struct_fields__) == sorted((*ATTRIBUTES, "specversion"))


def test_a_field_means_the_same_in_every_type() -> None:
    # A correction names a field without its type.
    for kind in set(EVENT_TYPES.values()) - {EventCorrected}:
        for field in msgspec.structs.fields(data_type(kind)):
            assert _without_none(field.type) == _without_none(correctable()[field.name]), (
                f"{kind.__name__}.{field.name}"
            )


@given(documents())
def test_what_the_decoder_takes_is_valid(document: dict[str, Any]) -> None:
    validator(document["type"]).validate(document)


@given(spoilt())
def test_what_is_spoilt_is_invalid_and_what_is_invalid_is_refused(document: dict[str, Any]) -> None:
    assume(str(document.get("type")) in EVENT_TYPES)
    what = record(document)
    fault = examine(what.value, what.headers).fault
    valid = validator(document["type"]).is_valid(document)
    if fault is None:
        assert valid
    elif valid:
        assert fault.reason is Reason.MALFORMED_TIME or str(fault.field).endswith((".day", "source", "id")), (
            "only this cannot be said: instants and days that do not exist, years, and bytes of UTF-8"
        )
