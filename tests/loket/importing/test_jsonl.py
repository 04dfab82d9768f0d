"""A file of CloudEvents is sent line by line as it is: what cannot be read there is for the reader to refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.importing import LogError, Report, records_of
from loket.importing.jsonl import MAX_LINE_BYTES, UNKNOWN_UNIT, lines_of


def lines(path: Path, content: bytes) -> tuple[list[tuple[bytes, bytes]], Report]:
    path.write_bytes(content)
    report = Report()
    return list(lines_of(path, report)), report


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_the_key_is_the_unit_where_it_can_be_found(path: Path) -> None:
    sent, report = lines(
        path,
        b'\xef\xbb\xbf{"data":{"unit":"a"}}\r\n\n  \n{"data":{"unit":7}}\n{"data":[]}\nnot json\n\xff\xfe\xfd\n'
        b'{"data":{"unit":""}}\n{"data":{"unit":"\\ud800"}}\n[1]\n{"data":{"x":1,"unit":"b"},"x":NaN}',
    )
    assert [key for key, _ in sent] == [b"a", *[UNKNOWN_UNIT] * 8]
    assert sent[0][1] == b'{"data":{"unit":"a"}}'
    assert sent[4][1] == b"\xff\xfe\xfd"
    assert (report.rows, report.events, report.refused) == (9, 9, 0)


def test_a_line_that_no_broker_takes_is_refused_and_those_after_it_are_sent(path: Path) -> None:
    sent, report = lines(path, b"a\n" + b"x" * (3 * MAX_LINE_BYTES) + b"\nb\n" + b"y" * (MAX_LINE_BYTES + 1))
    assert [value for _, value in sent] == [b"a", b"b"]
    assert [row.line for row in report.refused_rows] == [2, 4]
    assert "longer than 1,000,000 bytes" in report.refused_rows[0].why
    exactly, report = lines(path, b"x" * MAX_LINE_BYTES + b"\r\n")
    assert len(exactly) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"data":{}}'.encode("utf-16"), "not UTF-8"),
        ('{"data":{}}'.encode("utf-16-be"), "not UTF-8"),
        (b' \n[{"data":{}}]', "one JSON array"),
    ],
)
def test_another_kind_of_file_is_refused_as_a_whole(path: Path, content: bytes, says: str) -> None:
    with pytest.raises(LogError, match=says) as caught:
        lines(path, content)
    assert caught.value.exit_status == 2


def test_a_missing_file_and_one_without_a_mapping_are_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be read"):
        list(records_of(tmp_path / "none.jsonl", None, Report()))
    with pytest.raises(LogError, match="give --mapping"):
        list(records_of(tmp_path / "log.csv", None, Report()))


@given(st.lists(st.binary(max_size=40)))
def test_every_line_is_sent_once_byte_for_byte(tmp_path_factory: pytest.TempPathFactory, values: list[bytes]) -> None:
    safe = [b"...." + value.replace(b"\n", b"").replace(b"\r", b"") for value in values]
    sent, report = lines(tmp_path_factory.mktemp("lines") / "x.jsonl", b"\n".join(safe))
    assert [value for _, value in sent] == safe
    assert report.events == len(safe)
