"""Whoever reads of a refused event finds it in the file."""

from __future__ import annotations

import json
from pathlib import Path

from loket.tryout.lines import with_lines
from loket.wire.figures import Rejection

NAMED = {"specversion": "1.0", "source": "kiosk", "id": "1", "type": "loket.ticket.called"}


def lines(*values: object) -> bytes:
    return b"".join((value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n" for value in values)


def nameless(reason: str, field: str | None = None) -> Rejection:
    return Rejection(None, None, reason, field)


def test_what_names_neither_source_nor_id_gets_its_line_by_its_reason_and_field(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(
        b"\xef\xbb\xbf" + lines(b"{", NAMED, b"", {"specversion": "1.0"}, b"\x80", {"specversion": "0.3"}, b"[")
    )
    known = Rejection("kiosk", "1", "missing_field", "data")
    rejected = [
        nameless("not_cloudevent", "type"),
        known,
        nameless("not_json"),
        nameless("not_json"),
        nameless("not_cloudevent", "specversion"),
        nameless("not_json"),
    ]
    assert with_lines(rejected, file) == [
        Rejection("events.jsonl", "line 4", "not_cloudevent", "type"),
        known,
        Rejection("events.jsonl", "line 1", "not_json", None),
        Rejection("events.jsonl", "line 5", "not_json", None),
        Rejection("events.jsonl", "line 6", "not_cloudevent", "specversion"),
        Rejection("events.jsonl", "line 7", "not_json", None),
    ]


def test_what_cannot_be_found_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines(NAMED))
    assert with_lines([nameless("not_json")], file) == [nameless("not_json")]


def test_where_all_are_named_the_file_is_not_read(tmp_path: Path) -> None:
    known = [Rejection("kiosk", None, "malformed_id", "id")]
    assert with_lines(known, tmp_path / "gone.jsonl") == known
