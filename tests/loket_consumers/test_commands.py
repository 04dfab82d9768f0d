"""The commands of the record, as a person calls them, and what they print of hostile bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert

from loket.cli import main
from loket.domain.policy import HOUR, MINUTE
from loket.wire.figures import RecordFigures
from loket.wire.record import WireRecord
from loket_consumers.engines import connect, writing
from loket_consumers.letters_shown import EXCERPT, _excerpt
from loket_consumers.migrating import upgrade
from loket_consumers.schema import positions
from loket_consumers.storing import store
from support.logs import DAY_BEGINS, POLICY, make, to_records
from support.recorded import TOPIC, decoded

NOW = DAY_BEGINS + 6 * HOUR
EVIL = b'{"specversion":"1.0","id":"\x1b]0;owned\x07\x1b[2J \xe2\x80\xae"} \xff'


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A record with two people, two dead letters and a foreign event."""
    url = f"sqlite:///{tmp_path / 'record.db'}"
    monkeypatch.setenv("LOKET_DATABASE", url)
    monkeypatch.setenv("COLUMNS", "200")
    engine = connect(url)
    upgrade(engine)
    log = [
        make("ticket.issued", "1", NOW, "A1", "clinic", service="general"),
        make("ticket.called", "2", NOW + 4 * MINUTE, "A1", "clinic", employee="ani"),
        make("service.started", "3", NOW + 5 * MINUTE, "A1", "clinic", employee="ani"),
        make("service.completed", "4", NOW + 9 * MINUTE, "A1", "clinic", employee="ani"),
        make("ticket.issued", "5", NOW + MINUTE, "A2", "clinic", service="general"),
    ]
    records = to_records([(event, int(event.time)) for event in log], topic=TOPIC)
    records += [
        WireRecord(TOPIC, 0, 5, NOW, b"clinic", EVIL, (("content-type", b"\x1b[31m"),)),
        WireRecord(TOPIC, 0, 6, NOW, b"\x00\x1bkey", b"{}", ()),
    ]
    with writing(engine) as connection:
        connection.execute(insert(positions).values(topic=TOPIC, partition=0, next=0))
        store(connection, TOPIC, {0: decoded(records)}, {0: 0}, POLICY)
    engine.dispose()
    return url


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_dead_letters_are_listed_and_chosen_by_reason_and_unit(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = call(capsys, "dead-letters", "list")
    assert status == 0
    assert f"{TOPIC}:0:5" in out
    assert f"{TOPIC}:0:6" in out
    _, out, _ = call(capsys, "dead-letters", "list", "--unit", "clinic")
    assert f"{TOPIC}:0:6" not in out
    _, out, _ = call(capsys, "dead-letters", "list", "--reason", "not_cloudevent", "--json")
    (letter,) = [msgspec.json.decode(line) for line in out.splitlines()]
    assert (letter["record_offset"], letter["reason"], letter["unit"]) == (6, "not_cloudevent", None)
    _, out, _ = call(capsys, "dead-letters", "list", "--limit", "1")
    assert "and 1 older" in out
    _, out, _ = call(capsys, "dead-letters", "list", "--reason", "naive_time")
    assert out == "No dead letters.\n"


def test_a_dead_letter_is_shown_with_all_its_bytes_and_none_that_a_terminal_obeys(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = call(capsys, "dead-letters", "show", f"{TOPIC}:0:5")
    assert status == 0
    assert "\\x1b]0;owned\\x07" in out
    assert "\\xff" in out
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out) is None
    assert "send the CloudEvent as JSON" in out
    _, out, _ = call(capsys, "dead-letters", "show", f"{TOPIC}:0:6")
    assert "\\x00\\x1bkey" in out


def test_a_list_fits_a_narrow_terminal_and_shows_how_each_letter_begins(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    _, out, _ = call(capsys, "dead-letters", "list")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 60
    assert f"{TOPIC}:0:5" in lines[0]
    assert any(line.startswith('    b\'{"specversion":"1.0"') and line.endswith("…") for line in lines)
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out) is None
    assert lines[-1] == "In all 2: not_json 1, not_cloudevent 1"


def test_an_excerpt_ends_between_two_characters() -> None:
    assert _excerpt("é".encode() * EXCERPT) == "é" * (EXCERPT // 2) + " …"
    assert _excerpt(b"x" + "é".encode() * EXCERPT) == "x" + "é" * (EXCERPT // 2 - 1) + " …"
    assert _excerpt(b"\xff" + b"x" * EXCERPT).startswith("b'\\xffxx")
    assert _excerpt(None) == "(none)"


@pytest.mark.parametrize("name", ["nonsense", f"{TOPIC}:0:4", f"{TOPIC}:0:99", "a:b:c"])
def test_a_dead_letter_that_is_none_is_a_wrong_call(
    database: str, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    status, _, err = call(capsys, "dead-letters", "show", name)
    assert status == 2
    assert "dead-letters list" in err


def test_a_reason_that_is_none_is_a_wrong_call(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = call(capsys, "dead-letters", "list", "--reason", "bad")
    assert status == 2
    assert "not_json" in err


def record(capsys: pytest.CaptureFixture[str], *arguments: str) -> RecordFigures:
    status, out, err = call(capsys, "record", "figures", "--json", *arguments)
    assert status == 0, err
    return msgspec.json.decode(out, type=RecordFigures)


def test_the_figures_are_those_of_the_instant_that_is_asked_for(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def row(found: RecordFigures) -> Any:
        return next(row for row in found.units if row.service == "general")

    early = row(record(capsys, "--now", "2026-01-31T02:03:00Z"))
    assert (early.issued, early.waiting, early.oldest_wait_s) == (2, 1, 120)
    newest = record(capsys, "--clock", "event")
    assert newest.now == "2026-01-31T02:09:00.000Z"
    assert row(newest).wait_median_s == 240
    later = row(record(capsys, "--now", "2026-02-02T00:00:00Z"))
    assert (later.waiting, later.closed.expired, later.closed.completed) == (0, 1, 1)
    assert [letter.reason for letter in newest.rejected] == ["not_json", "not_cloudevent"]
    assert newest.unknown_units == ["clinic"]


def test_the_figures_of_a_day_are_those_of_its_tickets_alone(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    today = record(capsys, "--now", "2026-01-31T03:00:00Z", "--day")
    assert [row.issued for row in today.units] == [2, 2]
    tomorrow = record(capsys, "--now", "2026-02-01T03:00:00Z", "--day")
    assert [row.issued for row in tomorrow.units] == [0]


def test_people_get_tables(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "record", "figures", "--now", "2026-01-31T03:00:00Z")
    assert status == 0
    assert "general" in out
    assert "ani" in out
    assert "rejected 2" in out


def test_a_record_that_is_not_there_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOKET_DATABASE", f"sqlite:///{tmp_path / 'new.db'}")
    for command in (["record", "figures"], ["dead-letters", "list"], ["db", "check"]):
        status, _, err = call(capsys, *command)
        assert status == 1
        assert "loket db upgrade" in err
    assert call(capsys, "db", "upgrade")[0] == 0
    status, out, _ = call(capsys, "db", "check")
    assert (status, "has the schema of this version" in out) == (0, True)
