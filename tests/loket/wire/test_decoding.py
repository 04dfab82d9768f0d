"""Decoding: two ways to the same answer, both of CloudEvents' modes, and nothing but Rejected for any bytes."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loket.domain.events import Event, TicketCalled, event_type
from loket.wire.cloudevents import Decoder, Foreign, encode, encode_binary
from loket.wire.examination import examine
from loket.wire.record import WireRecord, mode_of
from loket.wire.rejection import Reason, Rejected
from support.events import NOW, STRUCTURED, documents, record, spoilt

REASONS_OF_THE_RECORD = (Reason.IMPLAUSIBLE_TIME, Reason.KEY_MISMATCH, Reason.WRONG_PARTITION)


class Watched(Decoder):
    """A decoder that counts the records which needed the closer look."""

    looks = 0

    def _examined(self, what: Any) -> Event | Foreign:
        self.looks += 1
        return super()._examined(what)


def outcome(what: WireRecord, decoder: Decoder | None = None) -> Event | Foreign | tuple[Reason, str | None]:
    try:
        return (decoder or Decoder(1)).decode(what)
    except Rejected as rejected:
        return rejected.reason, rejected.field


@given(documents())
def test_a_valid_event_is_taken_with_all_that_it_says(document: dict[str, Any]) -> None:
    event = outcome(record(document))
    assert not isinstance(event, tuple)
    assert not isinstance(event, Foreign)
    assert event_type(event) == document["type"]
    assert (event.source, event.id, event.subject) == (document["source"], document["id"], document.get("subject"))
    assert event.imported == document.get("imported", False)
    for name in event.data.__struct_fields__:
        given_value, value = document["data"].get(name), getattr(event.data, name)
        if isinstance(given_value, str | int) and not name.endswith("_at"):
            assert value == given_value


@given(documents())
def test_the_closer_look_sees_the_same_event(document: dict[str, Any]) -> None:
    what = record(document)
    assert examine(what.value, what.headers).event == outcome(what)


@given(spoilt())
def test_both_ways_agree_on_what_is_spoilt(document: dict[str, Any]) -> None:
    what = record(document)
    decoder = Watched(1)
    found = outcome(what, decoder)
    examined = examine(what.value, what.headers)
    if decoder.looks == 0:
        assert examined.event == found
        assert examined.fault is None
    elif examined.fault is not None:
        assert found == (examined.fault.reason, examined.fault.field)
    elif examined.foreign is not None:
        assert isinstance(found, Foreign)
    else:
        assert found == examined.event or (isinstance(found, tuple) and found[0] in REASONS_OF_THE_RECORD)


@given(documents())
def test_usual_events_need_no_closer_look(document: dict[str, Any]) -> None:
    document |= {"source": "kiosk/3", "id": "0197f-1"}
    what = record(document)
    decoder = Watched(1)
    decoder.decode(what)
    rare = document["type"] in ("loket.event.corrected", "loket.ticket.voided")
    assert decoder.looks == (1 if rare else 0)


def test_the_order_of_the_fields_and_spaces_change_nothing() -> None:
    one = {"specversion": "1.0", "type": "loket.ticket.abandoned", "source": "s", "id": "1"}
    rest: dict[str, Any] = {"time": "2026-01-31T09:00:00Z", "subject": "A", "data": {"unit": "u"}}
    orders = [one | rest, rest | one, dict(reversed((one | rest).items()))]
    values = [json.dumps(order, indent=indent).encode() for order in orders for indent in (None, 2)]
    assert len({outcome(record(value, key=b"u")) for value in values}) == 1


def test_null_is_absent_and_a_whole_number_may_have_a_point() -> None:
    plain: dict[str, Any] = {"specversion": "1.0", "type": "loket.service.completed", "source": "s", "id": "1"}
    plain |= {"time": "2026-01-31T09:00:00Z", "subject": "A", "data": {"unit": "u", "quantity": 2}}
    loose = plain | {"sent": None, "imported": None, "data": {"unit": "u", "quantity": 2.0, "counter": None}}
    assert outcome(record(loose)) == outcome(record(plain))
    assert not isinstance(outcome(record(plain)), tuple)


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    value = (
        b'{"specversion":"1.0","type":"loket.ticket.called","source":"s","id":"1","id":"2","subject":"A",'
        b'"time":"2026-01-31T09:00:00Z","data":{"unit":"x"},"data":{"unit":"u","counter":"1","counter":"2"}}'
    )
    event = outcome(record(value, key=b"u"))
    assert isinstance(event, TicketCalled)
    assert (event.id, event.data.unit, event.data.counter) == ("2", "u", "2")
    twice = value.replace(b'"source"', b'"type":"loket.ticket.recalled","source"')
    again = outcome(record(twice, key=b"u"))
    assert not isinstance(again, tuple | Foreign)
    assert event_type(again) == "loket.ticket.recalled"


@given(documents())
def test_structured_mode_comes_back_as_it_went(document: dict[str, Any]) -> None:
    event = Decoder(1).decode(record(document))
    assert not isinstance(event, Foreign)
    decoder = Watched(1)
    key, value, headers = encode(event)
    assert decoder.decode(WireRecord("t", 0, 0, NOW, key, value, tuple(headers))) == event
    assert value.startswith(b'{"specversion":"1.0","type":"loket.')
    assert value.count(b'"specversion":') == 1


@given(documents())
def test_binary_mode_comes_back_as_it_went(document: dict[str, Any]) -> None:
    event = Decoder(1).decode(record(document))
    assert not isinstance(event, Foreign)
    key, value, headers = encode_binary(event)
    assert Decoder(1).decode(WireRecord("t", 0, 0, NOW, key, value, tuple(headers))) == event


BINARY = (
    ("ce_specversion", b"1.0"),
    ("ce_type", b"loket.ticket.called"),
    ("ce_source", b"s"),
    ("ce_id", b"1"),
    ("ce_time", b"2026-01-31T09:00:00Z"),
    ("ce_subject", b"A"),
    ("ce_imported", b"true"),
    ("traceparent", b"\xff"),
)


def binary(*changes: tuple[str, bytes | None], value: bytes = b'{"unit":"u"}') -> Any:
    headers: dict[str, Any] = dict(BINARY) | dict(changes)
    kept = tuple((name, found) for name, found in headers.items() if found != b"-")
    return outcome(WireRecord("t", 0, 0, NOW, b"u", value, kept))


def test_binary_mode_is_read_without_a_content_type() -> None:
    event = binary()
    assert isinstance(event, TicketCalled)
    assert event.imported


@pytest.mark.parametrize(
    ("change", "value", "expected"),
    [
        (("ce_imported", b"yes"), b'{"unit":"u"}', ("malformed_field", "imported")),
        (("ce_id", b"-"), b'{"unit":"u"}', ("missing_field", "id")),
        (("ce_id", None), b'{"unit":"u"}', ("missing_field", "id")),
        (("ce_id", b"\xff"), b'{"unit":"u"}', ("malformed_id", "id")),
        (("ce_subject", b"\xff"), b'{"unit":"u"}', ("malformed_id", "subject")),
        (("ce_specversion", b"0.3"), b'{"unit":"u"}', ("not_cloudevent", "specversion")),
        (("ce_type", b"-"), b'{"unit":"u"}', ("not_cloudevent", "type")),
        (("ce_data", b"{}"), b"", ("not_json", None)),
        (("ce_x", b"y"), b"[]", ("malformed_field", "data")),
        (("ce_x", b"y"), b"null", ("missing_field", "data")),
        (("ce_time", b"2026-01-31T09:00:00"), b'{"unit":"u"}', ("naive_time", "time")),
    ],
)
def test_binary_mode_has_the_same_reasons(change: tuple[str, bytes | None], value: bytes, expected: Any) -> None:
    assert binary(change, value=value) == expected


@pytest.mark.parametrize(
    ("headers", "mode"),
    [
        ((), "structured"),
        (STRUCTURED, "structured"),
        ((("content-type", b"application/cloudevents+json"),), "structured"),
        ((("Content-Type", b"Application/CloudEvents+JSON ; charset=x"), ("ce_id", b"1")), "structured"),
        ((("content-type", b"application/cloudevents"), ("a", b"")), "structured"),
        ((("content-type", b"application/json"),), "structured"),
        ((("content-type", None), ("traceparent", b"x")), "structured"),
        ((("content-type", b"application/json"), ("ce_id", b"1")), "binary"),
        ((("ce_id", b"1"),), "binary"),
        ((("content-type", b"application/cloudevents+avro"), ("ce_id", b"1")), "unknown"),
        ((("content-type", b"application/cloudevents-batch+json"),), "unknown"),
    ],
)
def test_the_content_type_decides_the_mode_and_then_any_ce_header(headers: Any, mode: str) -> None:
    assert mode_of(headers) == mode


@given(st.binary(max_size=200), st.lists(st.tuples(st.sampled_from(["content-type", "ce_id", "x"]), st.binary())))
@example(b"[" * 100_000, [])
@example(b'{"a":' * 100_000, [])
@example(b'"\\ud800"', [])
@example(b"9" * 70_000, [])
@example(b'{"specversion":"1.0","type":' + b"9" * 10_000 + b"}", [])
@example(b'{"specversion":"1.0","type":"loket.ticket.called","time":1e999}', [])
@example(b'{"specversion":"1.0","type":"loket.ticket.called","subject":' + b"9" * 10_000 + b"}", [])
def test_no_bytes_raise_anything_but_rejected(value: bytes, headers: list[tuple[str, bytes]]) -> None:
    outcome(WireRecord("t", 0, 0, NOW, b"u", value, tuple(headers)))


@given(documents(), st.data())
def test_damaged_bytes_are_json_or_rejected(document: dict[str, Any], data: st.DataObject) -> None:
    whole = record(document)
    value = bytearray(whole.value or b"")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(value) - 1))
        value[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from(
                [b"", b'"', b"\\", b"{", b"}", b"\x00", b"\xff", b"\xc3\xa9", b"\\u0000", b"\\ud800", b"0", b","]
            )
        )
        if not value:
            break
    found = outcome(WireRecord("t", 0, 0, NOW, whole.key, bytes(value), STRUCTURED))
    if not isinstance(found, tuple):
        assert isinstance(json.loads(value.decode()), dict)


def test_a_decoder_needs_partitions_and_with_events_clock_a_now() -> None:
    with pytest.raises(ValueError, match="at least one partition"):
        Decoder(0)
    with pytest.raises(ValueError, match="what is now"):
        Decoder(1, clock="event")


def test_the_memory_of_units_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loket.wire.cloudevents._HOMES_KEPT", 10)
    decoder = Decoder(3)
    document: dict[str, Any] = {"specversion": "1.0", "type": "loket.ticket.called", "source": "s", "id": "1"}
    document |= {"time": "2026-01-31T09:00:00Z", "subject": "A"}
    for unit in range(50):
        assert isinstance(decoder.decode(record(document | {"data": {"unit": f"u{unit}"}}, partitions=3)), TicketCalled)
    assert len(decoder._homes) <= 10
