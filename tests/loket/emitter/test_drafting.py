"""What a counter says becomes a whole event of the contract, or is refused with a reason; ids can be hashed."""

import hashlib
import hmac
import re
from base64 import b32encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.domain.events import OPAQUE_PATTERN, Instant, IssuedData, TicketIssued
from loket.emitter.drafting import Drafting, with_sent
from loket.emitter.errors import KeyUnusable
from loket.emitter.pseudonyms import Pseudonyms
from loket.wire.cloudevents import Decoder
from loket.wire.partition import partition_of
from loket.wire.record import WireRecord
from loket.wire.rejection import Reason, Rejected
from support.emitting import START_MS, content

KEY = bytes(range(48))
DAY_S = 86_400


def _event(**said: Any) -> dict[str, Any]:
    return {"type": "loket.ticket.issued", "subject": "A-1", "data": {"unit": "u", "service": "s"}, **said}


def _said(event: Any, pseudonyms: Pseudonyms | None = None) -> dict[str, Any]:
    return content(Drafting("dev/1", pseudonyms, new_id=lambda: "new").draft(event, START_MS).value)


def test_id_source_and_time_are_filled_in() -> None:
    assert _said(_event()) == {
        "specversion": "1.0",
        "type": "loket.ticket.issued",
        "source": "dev/1",
        "id": "new",
        "time": "2027-01-15T08:00:00.000Z",
        "subject": "A-1",
        "data": {"unit": "u", "service": "s"},
    }


def test_what_is_given_stays_and_so_do_fields_that_the_contract_does_not_know() -> None:
    said = _said(
        _event(
            id="7",
            source="other",
            time="2027-01-15T09:00:00+07:00",
            lane="x",
            data={"unit": "u", "service": "s", "colour": [1]},
        )
    )
    assert (said["id"], said["source"], said["time"]) == ("7", "other", "2027-01-15T09:00:00+07:00")
    assert (said["lane"], said["data"]["colour"]) == ("x", [1])


def test_sent_and_the_reason_of_an_event_that_had_been_set_aside_are_ours_to_say() -> None:
    assert not {"sent", "aside"} & set(_said(_event(sent="1999-01-01T00:00:00Z", aside="too large")))


def test_an_attempt_is_read_by_the_decoder_as_the_same_event_with_sent() -> None:
    event = TicketIssued(
        source="a", id="b", time=Instant(START_MS), subject="A-1", data=IssuedData(unit="u", service="s")
    )
    record = with_sent(Drafting("dev/1").draft(event, START_MS).value, START_MS + 5)
    read = Decoder(12).decode(
        WireRecord("t", partition_of(b"u", 12), 0, START_MS, record.key, record.value, tuple(record.headers))
    )
    assert read == TicketIssued(
        source="a", id="b", time=Instant(START_MS), sent=Instant(START_MS + 5), subject="A-1", data=event.data
    )


@pytest.mark.parametrize(
    ("said", "reason", "field"),
    [
        (_event(data={"unit": "u"}), Reason.MISSING_FIELD, "data.service"),
        (_event(subject=None), Reason.MISSING_FIELD, "subject"),
        (_event(data=None), Reason.MISSING_FIELD, "data"),
        (_event(type="loket.ticket.eaten"), Reason.UNKNOWN_TYPE, "type"),
        (_event(type="com.example.other"), Reason.UNKNOWN_TYPE, "type"),
        ({}, Reason.NOT_CLOUDEVENT, "type"),
        (_event(subject="1234567890123456"), Reason.PERSONAL_ID, "subject"),
        (_event(subject="Siti R."), Reason.MALFORMED_ID, "subject"),
        (_event(id=5), Reason.MALFORMED_ID, "id"),
        (_event(time="2027-01-15T09:00:00"), Reason.NAIVE_TIME, "time"),
        (_event(time="2027-01-17T09:00:00Z"), Reason.IMPLAUSIBLE_TIME, "time"),
        (_event(time="2026-11-15T09:00:00Z"), Reason.IMPLAUSIBLE_TIME, "time"),
        (_event(note="x" * 70_000), Reason.TOO_LARGE, None),
        (_event(note={1, 2}, data={"unit": object()}), Reason.NOT_JSON, None),
    ],
)
def test_what_readers_would_refuse_is_refused_here(said: dict[str, Any], reason: Reason, field: str | None) -> None:
    with pytest.raises(Rejected) as refused:
        _said(said)
    assert (refused.value.reason, refused.value.field) == (reason, field)


@given(st.text(min_size=1), st.sampled_from(["employee", "subject"]))
def test_a_pseudonym_is_an_opaque_id_and_shows_nothing(id: str, kind: Any) -> None:
    hashed = Pseudonyms(KEY).pseudonym(kind, id)
    assert re.search(OPAQUE_PATTERN, hashed)
    assert not hashed.isdigit()
    assert len(hashed) == 27
    assert len(id) < 3 or id not in hashed


def test_a_pseudonym_is_what_the_documentation_says() -> None:
    digest = hmac.new(KEY, b"employee\x00198501012010011001", hashlib.sha256).digest()
    expected = "p" + b32encode(digest).decode()[:26].lower()
    assert Pseudonyms(KEY).pseudonym("employee", "198501012010011001") == expected == "phveeikxqcjj7v5t7d6km5gzdzr"


def test_a_person_stays_one_person_and_kinds_and_keys_are_apart() -> None:
    one, other = Pseudonyms(KEY), Pseudonyms(KEY[::-1])
    assert one.pseudonym("employee", "E1") == Pseudonyms(KEY).pseudonym("employee", "E1")
    assert (
        len({one.pseudonym("employee", "E1"), one.pseudonym("subject", "E1"), other.pseudonym("employee", "E1")}) == 3
    )


def test_every_field_that_holds_an_id_of_a_person_or_a_subject_is_replaced() -> None:
    pseudonyms = Pseudonyms(KEY)
    nip, nik = "198501012010011001", "3273010101010001"
    employee, subject = pseudonyms.pseudonym("employee", nip), pseudonyms.pseudonym("subject", nik)

    moved = _said(
        {
            "type": "loket.ticket.transferred",
            "subject": nik,
            "data": {"unit": "u", "employee": nip, "to_employee": nip},
        },
        pseudonyms,
    )
    assert (moved["subject"], moved["data"]["employee"], moved["data"]["to_employee"]) == (subject, employee, employee)
    asked = _said(
        {"type": "loket.request.submitted", "subject": "R1", "data": {"unit": "u", "service": "s", "ticket": nik}},
        pseudonyms,
    )
    assert asked["data"]["ticket"] == subject
    issued = _said(_event(data={"unit": "u", "service": "s", "request": nik}), pseudonyms)
    assert issued["data"]["request"] == subject
    corrected = _said(
        {
            "type": "loket.event.corrected",
            "data": {"unit": "u", "of": {"source": "s", "id": "1"}, "set": {"employee": nip}},
        },
        pseudonyms,
    )
    assert corrected["data"]["set"] == {"employee": employee}


def test_only_the_kinds_that_were_asked_for_are_replaced() -> None:
    said = _said(
        {"type": "loket.ticket.called", "subject": "A-1", "data": {"unit": "u", "employee": "E1"}},
        Pseudonyms(KEY, ["employee"]),
    )
    assert said["subject"] == "A-1"
    assert said["data"]["employee"] != "E1"


def test_a_key_file_must_be_long_enough_and_nobody_elses_to_read(tmp_path: Path) -> None:
    file = tmp_path / "key"
    with pytest.raises(KeyUnusable, match="No such file"):
        Pseudonyms.from_file(file)
    file.write_bytes(b"secret\n")
    file.chmod(0o600)
    with pytest.raises(KeyUnusable, match="holds 6 bytes"):
        Pseudonyms.from_file(file)
    file.write_bytes(KEY + b"\n")
    assert Pseudonyms.from_file(file).pseudonym("subject", "A") == Pseudonyms(KEY).pseudonym("subject", "A")
    file.chmod(0o644)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        Pseudonyms.from_file(file)
