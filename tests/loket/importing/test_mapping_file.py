"""A mapping is read as documented and refused with line, column, path and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.errors import UsageError
from loket.importing import MappingError, read_mapping, secret_of
from loket.importing.mapping import Cell, Constant, Mapping
from loket.importing.mapping_file import parse_mapping

GOOD = """\
zone: Asia/Jakarta
source: test
unit: kantor
service: ktp
subject: {columns: [ticket]}
time_format: "%Y-%m-%d %H:%M:%S"
times:
  came: {column: came}
events:
  - {type: ticket.issued, time: came}
"""


def read(text: str) -> Mapping:
    return parse_mapping("mapping.yaml", text.encode())


def fault(text: str) -> tuple[int, str, str]:
    with pytest.raises(MappingError) as caught:
        read(text)
    assert len(caught.value.faults) == 1, str(caught.value)
    found = caught.value.faults[0]
    return found.line, found.path, found.message


def test_the_smallest_mapping_is_enough() -> None:
    mapping = read(GOOD)
    assert mapping.columns == ("ticket", "came")
    assert mapping.unit == Constant("kantor")
    (event,) = mapping.events
    assert (event.step, event.time) == ("ticket.issued", "came")
    assert [(field.name, field.value) for field in event.fields] == [("service", Constant("ktp"))]


def test_who_and_where_is_said_by_every_event_that_may_say_it_and_the_service_where_it_must() -> None:
    mapping = read(
        GOOD.replace("service: ktp", "service: ktp\nemployee: {column: who}\ncounter: {column: desk}")
        + "  - {type: service.started, time: came}\n  - {type: ticket.abandoned, time: came}\n"
    )
    assert [[field.name for field in event.fields] for event in mapping.events] == [
        ["service"],
        ["employee", "counter"],
        [],
    ]


@pytest.mark.parametrize(
    ("change", "line", "path", "says"),
    [
        (("zone: Asia/Jakarta", "zone: Asia/Jakata"), 1, "zone", "Asia/Jakarta"),
        (("zone: Asia/Jakarta\n", ""), 1, "", "`zone` is missing"),
        (("source: test", "sorce: test\nsource: test"), 2, "sorce", "did you mean `source`?"),
        (("unit: kantor", "unit: {colum: x}"), 3, "unit.colum", "did you mean `column`?"),
        (("unit: kantor", "unit: Kantor Pusat"), 3, "unit", "A-Z a-z 0-9"),
        (("unit: kantor", "unit: {time: came}"), 3, "unit", "no instant"),
        (("unit: kantor", "unit: {column: u, values: {A: kantor a}}"), 3, "unit", "`kantor a` cannot"),
        (("service: ktp", "service: ktp\nemployee: 1234567890123456"), 5, "employee", "16 or 18"),
        (("time: came}", "time: came, data: {service: poli umum}}"), 10, "events[0].data.service", "`poli umum`"),
        (("service: ktp\n", ""), 9, "events[0]", "needs `service`"),
        (("service: ktp", "service: {column: s, values: {a: b}, others: drop}"), 4, "service.others", "keep, refuse"),
        (("service: ktp", "employee: {column: e, hash: true}\nservice: ktp"), 4, "employee.hash", "needs a `secret`"),
        (("subject: {columns: [ticket]}\n", ""), 9, "events[0]", "has no `subject`"),
        (("{columns: [ticket]}", "{columns: []}"), 5, "subject.columns", "at least one"),
        (("{columns: [ticket]}", "{columns: [ticket], prefix: a b}"), 5, "subject.prefix", "A-Z a-z"),
        (("{columns: [ticket]}", "{columns: [ticket], hash: never}"), 5, "subject.hash", "needed, always"),
        (('"%Y-%m-%d %H:%M:%S"', '"%Y-%m %H"'), 6, "time_format", "a date needs a year"),
        (('"%Y-%m-%d %H:%M:%S"', '"%Q"'), 6, "time_format", "`%Q` is no directive"),
        (('"%Y-%m-%d %H:%M:%S"', '"%H:%M"'), 8, "times.came", "has no date: name the column"),
        (('"%Y-%m-%d %H:%M:%S"', '"%d/%m/%y"'), 8, "times.came", "no time of day"),
        (("{column: came}", "{first: [never]}"), 8, "times.came", "`never`, which is no time"),
        (("{column: came}", "{first: [came]}"), 8, "times.came", "refers to itself"),
        (("{column: came}", "{}"), 8, "times.came", "one of `column: …`"),
        (
            ("{column: came}", "{column: came, plus: {column: x, unit: seconds}}"),
            8,
            "times.came.plus",
            "together",
        ),
        (("{column: came}", "{column: came, slack_seconds: 5}"), 8, "times.came.slack_seconds", "times of day"),
        (("{column: came}", "{column: came, absent: {}}"), 8, "times.came.absent", "holds for every row"),
        (("{column: came}", "{column: came, absent: {x: {over: 3}}}"), 8, "times.came.absent.x.over", "unknown key"),
        (("time: came", "time: come"), 10, "events[0].time", "did you mean `came`?"),
        (("ticket.issued", "ticket.isued"), 10, "events[0].type", "did you mean `ticket.issued`?"),
        (("ticket.issued", "event.corrected"), 10, "events[0].type", "no event that a row can be"),
        (("time: came}", "time: came, data: {colour: red}}"), 10, "events[0].data.colour", "unknown key"),
        (
            ("time: came}", "time: came, data: {appointment_at: soon}}"),
            10,
            "events[0].data.appointment_at",
            "{time: …}",
        ),
        (("time: came}", "time: came, data: {channel: {time: came}}}"), 10, "events[0].data.channel", "no instant"),
        (("time: came}", "time: came, step: a b}"), 10, "events[0].step", "A-Z a-z"),
        (("zone:", "format: {delimiter: ab}\nzone:"), 1, "format.delimiter", "one character"),
        (("zone:", "format: {encoding: latin-9000}\nzone:"), 1, "format.encoding", "no encoding of text"),
        (("zone:", "format: {encoding: base64}\nzone:"), 1, "format.encoding", "no encoding of text"),
        (("zone:", "format: {quotes: 1}\nzone:"), 1, "format.quotes", "`true` or `false`"),
        (("zone:", "format: {columns: [a, a]}\nzone:"), 1, "format.columns", "the same name"),
        (("zone:", "from: 2026-02-31\nzone:"), 1, "from", "no date"),
        (("zone:", "from: 2026-02-02\nuntil: 2026-02-01\nzone:"), 2, "until", "not after `from`"),
        (("zone:", "until: 2026-02-01T00:00:00Z\nzone:"), 1, "until", "without an offset"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(change: tuple[str, str], line: int, path: str, says: str) -> None:
    assert change[0] in GOOD
    found_line, found_path, message = fault(GOOD.replace(*change, 1))
    assert (found_line, found_path) == (line, path)
    assert says in message


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(MappingError) as caught:
        read('zone: x\nsource: s\nunit: u\ntimes: {a: {column: b, format: "%Q"}}\nevents: [{type: x, time: b}]\n')
    assert {found.path for found in caught.value.faults} == {
        "zone",
        "times.a.format",
        "events[0].time",
        "events[0].type",
    }


def test_a_missing_mapping_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="cannot be read") as caught:
        read_mapping(tmp_path / "none.yaml")
    assert isinstance(caught.value, UsageError)
    assert caught.value.exit_status == 2


def test_the_secret_comes_from_the_variable_that_the_mapping_names() -> None:
    mapping = read(
        "secret: CITY_SECRET\n" + GOOD.replace("service: ktp", "service: ktp\nemployee: {column: e, hash: true}")
    )
    assert secret_of(mapping, {"CITY_SECRET": "s"}) == b"s"
    with pytest.raises(MappingError, match="CITY_SECRET is not set"):
        secret_of(mapping, {})
    assert secret_of(read(GOOD), {}) is None


@pytest.mark.parametrize(
    ("delimiter", "meant"),
    [("tab", "\t"), ('"\\t"', "\t"), ("semicolon", ";"), ('";"', ";"), ("pipe", "|"), ("comma", ",")],
)
def test_delimiters_have_names(delimiter: str, meant: str) -> None:
    assert read(f"format: {{delimiter: {delimiter}}}\n" + GOOD).format.delimiter == meant


def test_translations_refuse_other_texts_unless_they_are_kept() -> None:
    strict = read(GOOD.replace("service: ktp", "service: {column: s, values: {1: ktp}}"))
    (event,) = strict.events
    assert event.fields[0].value == Cell("s", {"1": "ktp"}, keep_others=False)


@given(st.text(alphabet="abc:{}[],%\"' \n-zonesurcitmv", max_size=120))
def test_whatever_stands_in_a_mapping_it_is_read_or_refused_with_a_reason(text: str) -> None:
    for content in (text, GOOD + text):
        try:
            read(content)
        except MappingError as error:
            assert error.faults  # noqa: PT017 - both ends are right, this one has to have a reason
