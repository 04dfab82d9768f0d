"""Every reason of the closed list: what it is given for, and which of two faults counts."""

import json
from typing import Any

import pytest

from loket.domain.events import TicketCalled
from loket.wire.cloudevents import Decoder, Foreign, refusal
from loket.wire.contract import MAX_VALUE_BYTES
from loket.wire.fields import Fault
from loket.wire.record import WireRecord
from loket.wire.rejection import Reason, Rejected
from support.events import NOW, record

DAY = 24 * 3_600_000


def event(**changes: Any) -> dict[str, Any]:
    """A ticket that is called; `data` is merged, and what is changed to ... is left out."""
    data: dict[str, Any] = {"unit": "pkm-ciputat", "counter": "2", "employee": "p-17"}
    if isinstance(changes.get("data"), dict):
        data |= changes.pop("data")
    document = {
        "specversion": "1.0",
        "type": "loket.ticket.called",
        "source": "kiosk/3",
        "id": "0197f-1",
        "time": "2026-01-31T09:00:00+07:00",
        "subject": "A-001",
        "data": {name: value for name, value in data.items() if value is not ...},
    } | changes
    return {name: value for name, value in document.items() if value is not ...}


def refused(what: WireRecord, decoder: Decoder | None = None) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as caught:
        (decoder or Decoder(1)).decode(what)
    return caught.value.reason.value, caught.value.field


def test_a_good_event_is_none_of_them() -> None:
    assert isinstance(Decoder(1).decode(record(event())), TicketCalled)


def test_the_list_is_closed_and_in_the_order_of_the_contract() -> None:
    assert [reason.value for reason in Reason] == [
        "not_json",
        "not_cloudevent",
        "too_large",
        "unknown_type",
        "missing_field",
        "personal_id",
        "malformed_id",
        "malformed_field",
        "naive_time",
        "malformed_time",
        "implausible_time",
        "key_mismatch",
        "wrong_partition",
        "conflicting_repeat",
    ]


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b" ",
        b"not json",
        b"{",
        b'{"a": NaN}',
        b'{"a": 01}',
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1} {}',
        b"\xef\xbb\xbf{}",
        b'{"a": "\xff"}',
        b'{"a": "\x00"}',
        b'{"a": "\\x"}',
        b'{"a": "\\ud800"}',
        json.dumps(event(subject="\ud800")).encode(),
        json.dumps(event(data={"unknown": "\udc00\ud800"})).encode(),
        json.dumps(event(x="é")).encode("utf-16"),
        json.dumps(event(x="é"), ensure_ascii=False).encode("latin-1"),
        json.dumps(event(data={"unknown": "é"}), ensure_ascii=False).encode("latin-1"),
    ],
)
def test_not_json(value: bytes | None) -> None:
    what = WireRecord("loket.events", 0, 7, NOW, b"pkm-ciputat", value, ())
    assert refused(what) == ("not_json", None)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (b"[]", None),
        (b"null", None),
        (b'"text"', None),
        (b"{}", "specversion"),
        (json.dumps(event(specversion=...)).encode(), "specversion"),
        (json.dumps(event(specversion="0.3")).encode(), "specversion"),
        (json.dumps(event(specversion=1.0)).encode(), "specversion"),
        (json.dumps(event(specversion=..., data={"specversion": "1.0"})).encode(), "specversion"),
        (json.dumps(event(type=...)).encode(), "type"),
        (json.dumps(event(type="")).encode(), "type"),
        (json.dumps(event(type=7)).encode(), "type"),
        (json.dumps(event(type="com.example.other", id=...)).encode(), "id"),
        (json.dumps(event(type="com.example.other", source="")).encode(), "source"),
    ],
)
def test_not_a_cloudevent(document: bytes, field: str | None) -> None:
    assert refused(record(document)) == ("not_cloudevent", field)


def test_a_format_of_cloudevents_that_is_not_json_is_not_read() -> None:
    what = record(event(), headers=(("content-type", b"application/cloudevents+avro"),))
    assert refused(what) == ("not_cloudevent", None)


def test_too_large_is_over_64_kib() -> None:
    room = MAX_VALUE_BYTES - len(json.dumps(event(data={"x": ""})).encode())
    assert isinstance(Decoder(1).decode(record(event(data={"x": "a" * room}))), TicketCalled)
    assert refused(record(event(data={"x": "a" * (room + 1)}))) == ("too_large", None)


@pytest.mark.parametrize("depth", [31, 300, 100_000])
def test_too_large_is_nested_deeper_than_32(depth: int) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    plain = json.dumps(event()).removesuffix("}}")
    assert refused(record(f'{plain}, "x": {deep}}}}}'.encode())) == ("too_large", None)


def test_30_deep_in_data_is_32_and_allowed() -> None:
    deep = '{"a":' * 30 + '"[[[{{{"' + "}" * 30
    plain = json.dumps(event()).removesuffix("}}")
    what = record(f'{plain}, "x": {deep}}}}}'.encode(), key=b"pkm-ciputat")
    assert isinstance(Decoder(1).decode(what), TicketCalled)


@pytest.mark.parametrize("type_", ["loket.ticket.eaten", "loket.", "loket.ticket", "loket.Ticket.called"])
def test_unknown_type(type_: str) -> None:
    assert refused(record(event(type=type_))) == ("unknown_type", "type")


@pytest.mark.parametrize("type_", ["com.example.other", "loket", "Loket.ticket.called", "id.go.loket.ticket.called"])
def test_any_other_type_is_foreign_and_no_fault(type_: str) -> None:
    found = Decoder(1).decode(record(event(type=type_, time="yesterday", subject=..., data=...), key=b"other"))
    assert found == Foreign(type=type_, source="kiosk/3", id="0197f-1")


@pytest.mark.parametrize("absent", [..., None])
@pytest.mark.parametrize("name", ["source", "id", "time", "subject", "data"])
def test_missing_attribute(name: str, absent: object) -> None:
    assert refused(record(event(**{name: absent}), key=b"x")) == ("missing_field", name)


@pytest.mark.parametrize(
    ("type_", "data", "field"),
    [
        ("ticket.called", {"unit": ...}, "data.unit"),
        ("ticket.issued", {}, "data.service"),
        ("ticket.issued", {"service": None}, "data.service"),
        ("service.added", {}, "data.service"),
        ("feedback.given", {}, "data.score"),
        ("counter.opened", {"counter": ...}, "data.counter"),
        ("session.started", {"employee": ...}, "data.employee"),
        ("event.corrected", {"set": {}}, "data.of"),
        ("event.corrected", {"of": {"id": "1"}, "set": {}}, "data.of.source"),
        ("event.corrected", {"of": {"source": "s", "id": "1"}}, "data.set"),
    ],
)
def test_missing_data_field(type_: str, data: dict[str, Any], field: str) -> None:
    assert refused(record(event(type=f"loket.{type_}", data=data))) == ("missing_field", field)


@pytest.mark.parametrize("digits", ["3171234567890123", "198501012010011001"])
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (lambda n: {"subject": n}, "subject"),
        (lambda n: {"data": {"employee": n}}, "data.employee"),
        (lambda n: {"type": "loket.ticket.transferred", "data": {"to_employee": n}}, "data.to_employee"),
        (lambda n: {"type": "loket.session.ended", "subject": ..., "data": {"employee": n}}, "data.employee"),
        (
            lambda n: {
                "type": "loket.event.corrected",
                "data": {"of": {"source": "s", "id": "1"}, "set": {"employee": n}},
            },
            "data.set.employee",
        ),
    ],
)
def test_personal_id(digits: str, changes: Any, field: str) -> None:
    assert refused(record(event(**changes(digits)))) == ("personal_id", field)


@pytest.mark.parametrize("fine", ["317123456789012", "31712345678901234", "p3171234567890123"])
def test_other_numbers_name_nobody(fine: str) -> None:
    assert isinstance(Decoder(1).decode(record(event(subject=fine, data={"employee": fine}))), TicketCalled)


def test_a_message_never_repeats_what_may_be_a_name() -> None:
    for document in (event(subject="Siti Rahayu"), event(subject="3171234567890123"), event(time="3171234567890123")):
        with pytest.raises(Rejected) as caught:
            Decoder(1).decode(record(document))
        assert "Siti" not in str(caught.value)
        assert "3171" not in str(caught.value)


@pytest.mark.parametrize("bad", ["", "a b", "é", "a" * 129, 7, [], "A\n"])
@pytest.mark.parametrize("name", ["subject", "unit", "counter", "employee", "from_unit"])
def test_malformed_id(name: str, bad: object) -> None:
    changes = {"subject": bad} if name == "subject" else {"data": {name: bad}}
    what = record(json.dumps(event(**changes)).encode(), key=b"x")
    assert refused(what) == ("malformed_id", name if name == "subject" else f"data.{name}")


@pytest.mark.parametrize("bad", ["", "a" * 257, "é" * 129, "a\tb", "a\u0000", 7])
def test_an_event_id_is_any_text_of_256_bytes(bad: object) -> None:
    assert refused(record(json.dumps(event(id=bad)).encode(), key=b"pkm-ciputat")) == ("malformed_id", "id")
    assert refused(record(json.dumps(event(source=bad)).encode(), key=b"pkm-ciputat")) == ("malformed_field", "source")
    assert isinstance(Decoder(1).decode(record(event(id="é" * 128, source="https://x/ y"))), TicketCalled)


@pytest.mark.parametrize(
    ("type_", "data", "field"),
    [
        ("service.completed", {"quantity": 0}, "quantity"),
        ("service.completed", {"quantity": "2"}, "quantity"),
        ("service.completed", {"quantity": 1.5}, "quantity"),
        ("service.completed", {"quantity": 10**30}, "quantity"),
        ("ticket.issued", {"service": "s", "priority": 10**30}, "priority"),
        ("ticket.issued", {"service": "s", "channel": "a" * 257}, "channel"),
        ("ticket.issued", {"service": "s", "channel": "a\u0000"}, "channel"),
        ("ticket.voided", {"day": "2026-02-30"}, "day"),
        ("ticket.voided", {"day": "31.01.2026"}, "day"),
        ("ticket.voided", {"reason": ["x"]}, "reason"),
        ("feedback.given", {"score": 5}, "score"),
        ("session.started", {"services": "s"}, "services"),
        ("session.started", {"services": ["s"] * 101}, "services"),
        ("event.corrected", {"of": "x", "set": {}}, "of"),
        ("event.corrected", {"of": {"source": "s", "id": "1"}, "set": []}, "set"),
        ("event.corrected", {"of": {"source": "s", "id": "1"}, "set": {"unit": "x"}}, "set.unit"),
        ("event.corrected", {"of": {"source": "s", "id": "1"}, "set": {"type": "x"}}, "set.type"),
        ("event.corrected", {"of": {"source": "s", "id": "1"}, "set": {"quantity": 0}}, "set.quantity"),
        ("event.corrected", {"of": {"source": "s", "id": "1"}, "set": {"x": [1]}}, "set.x"),
        ("event.corrected", {"of": {"source": "s", "id": "1"}, "set": {"x": "\u0000"}}, "set.x"),
        ("event.corrected", {"of": {"source": "", "id": "1"}, "set": {}}, "of.source"),
    ],
)
def test_malformed_field(type_: str, data: dict[str, Any], field: str) -> None:
    assert refused(record(event(type=f"loket.{type_}", data=data))) == ("malformed_field", f"data.{field}")


@pytest.mark.parametrize("bad", ["x", 7, []])
def test_malformed_attributes(bad: object) -> None:
    assert refused(record(event(imported=bad))) == ("malformed_field", "imported")
    assert refused(record(event() | {"data": bad}, key=b"x")) == ("malformed_field", "data")


def test_a_service_of_a_session_is_an_id() -> None:
    data = {"services": ["s", "", None]}
    assert refused(record(event(type="loket.session.started", data=data))) == ("malformed_id", "data.services[1]")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time": "2026-01-31T09:00:00"}, "time"),
        ({"sent": "2026-01-31 09:00"}, "sent"),
        (
            {"type": "loket.ticket.issued", "data": {"service": "s", "appointment_at": "2026-01-31T09:00"}},
            "data.appointment_at",
        ),
        (
            {
                "type": "loket.event.corrected",
                "data": {"of": {"source": "s", "id": "1"}, "set": {"time": "2026-01-31T09:00:00"}},
            },
            "data.set.time",
        ),
    ],
)
def test_naive_time(changes: dict[str, Any], field: str) -> None:
    assert refused(record(event(**changes))) == ("naive_time", field)


@pytest.mark.parametrize("bad", ["yesterday", 1769824800, "2026-01-31T25:00:00Z", "1850-01-01T00:00:00Z", [], ""])
def test_malformed_time(bad: object) -> None:
    assert refused(record(event(time=bad))) == ("malformed_time", "time")
    assert refused(record(event(sent=bad))) == ("malformed_time", "sent")


@pytest.mark.parametrize(
    ("ahead_ms", "imported", "fine"),
    [
        (0, False, True),
        (DAY, False, True),
        (DAY + 1, False, False),
        (DAY + 1, True, False),
        (-30 * DAY, False, True),
        (-30 * DAY - 1, False, False),
        (-30 * DAY - 1, True, True),
        (-20_000 * DAY, True, True),
    ],
)
def test_implausible_time_is_measured_from_the_brokers_time(ahead_ms: int, imported: bool, fine: bool) -> None:
    what = record(event(imported=imported), timestamp=NOW - ahead_ms)
    if fine:
        assert isinstance(Decoder(1).decode(what), TicketCalled)
    else:
        assert refused(what) == ("implausible_time", "time")


@pytest.mark.parametrize(
    ("now", "fine"), [(NOW, True), (NOW + 20_000 * DAY, True), (NOW - DAY, True), (NOW - DAY - 1, False)]
)
def test_with_the_events_own_clock_only_ahead_is_implausible(now: int, fine: bool) -> None:
    decoder = Decoder(1, clock="event", now=lambda: now)
    what = record(event(), timestamp=0)
    if fine:
        assert isinstance(decoder.decode(what), TicketCalled)
    else:
        assert refused(what, decoder) == ("implausible_time", "time")


@pytest.mark.parametrize("key", [None, b"other", b"pkm-ciputat ", b"\xff"])
def test_key_mismatch(key: bytes | None) -> None:
    assert refused(record(event(), key=key)) == ("key_mismatch", None)


def test_wrong_partition() -> None:
    decoder = Decoder(7)
    good = record(event(), partitions=7)
    assert isinstance(decoder.decode(good), TicketCalled)
    for partition in set(range(7)) - {good.partition}:
        assert refused(record(event(), partition=partition), decoder) == ("wrong_partition", None)


def test_conflicting_repeat_comes_from_the_fold_and_reads_like_the_others() -> None:
    what = record(event())
    rejected = refusal(what, Fault(Reason.CONFLICTING_REPEAT), source="kiosk/3", id="0197f-1")
    assert (rejected.reason, rejected.field) == ("conflicting_repeat", None)
    assert (rejected.topic, rejected.partition, rejected.offset) == ("loket.events", 0, 7)
    assert str(rejected).startswith("loket.events[0] offset 7: conflicting_repeat: another event with the same")


def test_a_rejection_names_the_event_if_it_can_be_read() -> None:
    with pytest.raises(Rejected) as caught:
        Decoder(1).decode(record(event(time="x")))
    assert (caught.value.source, caught.value.id) == ("kiosk/3", "0197f-1")
    with pytest.raises(Rejected) as caught:
        Decoder(1).decode(record(event(source=7)))
    assert (caught.value.source, caught.value.id) == (None, "0197f-1")


FAULTS: list[tuple[str, str | None, dict[str, Any]]] = [
    ("not_cloudevent", "specversion", {"specversion": "2"}),
    ("too_large", None, {"x": "a" * 70_000}),
    ("unknown_type", "type", {"type": "loket.x"}),
    ("missing_field", "source", {"source": ...}),
    ("personal_id", "subject", {"subject": "1" * 16}),
    ("malformed_id", "id", {"id": 7}),
    ("malformed_field", "imported", {"imported": 7}),
    ("naive_time", "sent", {"sent": "2026-01-31T09:00:00"}),
    ("malformed_time", "time", {"time": "x"}),
]


@pytest.mark.parametrize("later", range(len(FAULTS)))
@pytest.mark.parametrize("first", range(len(FAULTS)))
def test_of_two_faults_the_first_of_the_list_counts(first: int, later: int) -> None:
    if first > later:
        return
    reason, field, changes = FAULTS[first]
    assert refused(record(event(**(FAULTS[later][2] | changes)), key=b"wrong")) == (reason, field)


@pytest.mark.parametrize(
    ("type_", "changes", "field"),
    [
        ("ticket.called", {"source": ..., "id": ...}, "source"),
        ("ticket.called", {"id": ..., "time": ...}, "id"),
        ("ticket.called", {"time": ..., "subject": ...}, "time"),
        ("ticket.called", {"subject": ..., "data": {"unit": ...}}, "subject"),
        ("ticket.issued", {"data": {"unit": ...}}, "data.unit"),
        ("ticket.issued", {"subject": "!", "data": {"unit": "!", "service": "!"}}, "subject"),
        ("ticket.issued", {"data": {"unit": "u", "from_unit": "!", "service": "!"}}, "data.service"),
        ("ticket.issued", {"data": {"from_unit": "!", "service": "s", "request": "!"}}, "data.request"),
        ("ticket.called", {"data": {"from_unit": "!", "employee": "!"}}, "data.employee"),
        ("ticket.transferred", {"data": {"counter": "!", "to_employee": "!"}}, "data.to_employee"),
        ("feedback.given", {"data": {"score": 3, "unit": "!", "service": "!"}}, "data.unit"),
    ],
)
def test_of_two_fields_the_first_of_the_table_is_named(type_: str, changes: dict[str, Any], field: str) -> None:
    assert refused(record(event(type=f"loket.{type_}", **changes), key=b"x"))[1] == field
