"""Rows become events as the mapping says; what cannot be read is refused row by row or, as a whole, at once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.domain.events import Event, IssuedData, TicketEvent
from loket.emitter import Pseudonyms
from loket.importing import LogError, RefusedRow, Report, events_of
from loket.importing.mapping_file import parse_mapping
from loket.wire.cloudevents import Decoder, WireRecord, encode

MAPPING = """\
zone: Asia/Jakarta
source: export
unit: {column: branch, slug: true}
service: {column: service, values: {1: ktp}, others: keep}
employee: {column: who, nobody: ["-"]}
subject: {columns: [branch, number, day], prefix: t-}
date: {column: day, format: "%d/%m/%Y"}
time_format: "%H:%M:%S"
times:
  came: {column: came}
  called: {column: called, after: came}
  left: {time: came, plus: {column: stayed, unit: "h:mm:ss"}}
events:
  - {type: ticket.issued, time: came}
  - {type: ticket.called, time: called, when: {gone: {not: "yes"}}}
  - {type: ticket.abandoned, time: left, when: {gone: "yes"}}
"""
HEADER = "branch,number,day,came,called,stayed,gone,service,who"
ROW = "Kantor Pusat,A1,05/01/2026,8:00:00,8:10:30,0:20:00,,1,budi"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


class Run:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "log.csv"
        self.report = Report()

    def __call__(
        self, *rows: str, mapping: str = MAPPING, header: str = HEADER, secret: bytes | None = None
    ) -> list[Event]:
        self.path.write_bytes("\n".join([header, *rows, ""]).encode())
        return self.read(mapping, secret=secret)

    def read(self, mapping: str = MAPPING, secret: bytes | None = None, in_memory: int = 1_000) -> list[Event]:
        self.report = Report()
        parsed = parse_mapping("mapping.yaml", mapping.encode())
        return list(events_of(parsed, self.path, self.report, secret=secret, in_memory=in_memory))

    @property
    def refused(self) -> RefusedRow:
        (row,) = self.report.refused_rows
        return row


def jakarta(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Jakarta")).timestamp()) * 1_000


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_row_brings_the_events_whose_times_and_conditions_it_has(run: Run) -> None:
    issued, called = run(ROW)
    assert kinds([issued, called]) == ["TicketIssued", "TicketCalled"]
    assert issued.subject == called.subject
    assert issued.time == jakarta("2026-01-05T08:00:00")
    assert called.time == jakarta("2026-01-05T08:10:30")
    assert issued.data == IssuedData(unit="kantor-pusat", service="ktp")
    assert called.data.employee == "budi"  # type: ignore[union-attr]
    assert issued.source == "export"
    assert issued.imported


def test_somebody_who_left_is_told_by_how_long_they_stayed(run: Run) -> None:
    _, left = run("Pusat,A1,05/01/2026,8:00:00,,0:20:00,yes,1,-")
    assert kinds([left]) == ["TicketAbandoned"]
    assert left.time == jakarta("2026-01-05T08:20:00")


def test_a_stage_that_is_missing_brings_no_event_and_nobody_is_no_employee(run: Run) -> None:
    events = run(ROW.replace("8:10:30", "").replace("budi", "-"), ROW.replace("A1", "A2").replace("budi", "-"))
    assert kinds(events) == ["TicketIssued", "TicketIssued", "TicketCalled"]
    assert events[2].data.employee is None  # type: ignore[union-attr]


def test_a_time_of_day_before_the_one_it_follows_is_of_the_next_day(run: Run) -> None:
    _, called = run("Pusat,A1,05/01/2026,23:59:50,0:00:10,,,1,-")
    assert called.time == jakarta("2026-01-06T00:00:10")


def test_within_the_slack_it_is_of_the_same_day(run: Run) -> None:
    mapping = MAPPING.replace("after: came", "after: came, slack_seconds: 60")
    events = run(
        "Pusat,A1,05/01/2026,8:00:50,8:00:10,,,1,-", "Pusat,A2,05/01/2026,8:01:50,8:00:10,,,1,-", mapping=mapping
    )
    called = [event.time for event in events if type(event).__name__ == "TicketCalled"]
    assert called == [jakarta("2026-01-05T08:00:10"), jakarta("2026-01-06T08:00:10")]


def test_events_come_by_time_whatever_the_order_of_the_rows_and_through_files_where_there_are_many(run: Run) -> None:
    rows = [f"Pusat,A{n},05/01/2026,{8 + n % 5}:{n % 60:02}:00,20:00:00,,,1,-" for n in range(60)]
    events = run(*rows)
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert run.read(in_memory=7) == events
    assert {event.id for event in run(*reversed(rows))} == {event.id for event in events}


def test_rows_that_skip_names_and_rows_outside_the_bounds_are_counted(run: Run) -> None:
    mapping = (
        MAPPING + "skip: [{service: test}, {service: x, who: {empty: true}}]\nfrom: 2026-01-05\nuntil: 2026-01-06\n"
    )
    events = run(
        ROW,
        ROW.replace(",1,", ",test,"),
        ROW.replace(",1,budi", ",x,"),
        ROW.replace("05/01", "04/01"),
        ROW.replace("05/01", "06/01"),
        ROW.replace("05/01", "07/01"),
        "Kantor Pusat,A9,06/01/2026,23:59:00,0:10:00,,,1,-",
        mapping=mapping,
    )
    assert (run.report.left_out, run.report.outside, run.report.refused) == (2, 2, 0)
    assert len(events) == 6, "who came on the last day is there whole, though called after it"


def test_until_a_time_ends_before_it(run: Run) -> None:
    assert run(ROW, mapping=MAPPING + "until: 2026-01-05 08:00\n") == []
    assert len(run(ROW, mapping=MAPPING + "until: 2026-01-05 08:01\n")) == 2


def test_a_row_that_comes_again_is_a_repeat_and_one_that_says_something_else_is_refused(run: Run) -> None:
    events = run(ROW, ROW, ROW.replace("8:10:30", "8:10:31"))
    assert len(events) == 2
    assert (run.report.repeated, run.report.refused) == (1, 1)
    assert run.refused.line == 4
    assert "says something else than that of line 2" in run.refused.why
    assert "add a column to `subject`" in run.refused.why


@pytest.mark.parametrize(
    ("change", "column", "value", "says"),
    [
        (("8:00:00", "25:00:00"), "came", "25:00:00", "no such time of day"),
        (("8:00:00", "8 o'clock"), "came", "8 o'clock", "not of the format %H:%M:%S"),
        (("05/01/2026", "31/02/2026"), "day", "31/02/2026", "no such date"),
        (("05/01/2026", ""), "day", "", "a key column is empty"),
        (("0:20:00,", "-5,yes"), "stayed", "-5", "is not a duration"),
        (("Kantor Pusat", "???"), "branch", "???", "cannot be the event's unit"),
        ((",1,budi", ",Kartu Keluarga,budi"), "service", "Kartu Keluarga", "translate it by `values`"),
        (("8:00:00,8:10:30", ","), "", "", "no event of the mapping fits"),
        ((",budi", ",budi,more"), "", "Kantor Pusat,A1,05/01/2026,8:00:00,8:10:30,0:20:00,,1,budi,m", "has 10 columns"),
        ((",budi", ',"bu"di'), "", "", "quotation mark"),
        (("A1", ""), "number", "", "a key column is empty"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_and_the_others_come(
    run: Run, change: tuple[str, str], column: str, value: str, says: str
) -> None:
    assert change[0] in ROW
    events = run(ROW.replace("A1", "B1"), ROW.replace(*change), ROW.replace("A1", "B2"))
    assert len(events) == 4
    assert (run.refused.line, run.refused.column, run.refused.value) == (3, column, value)
    assert says in run.refused.why
    assert run.report.rows == 3


def test_a_quotation_mark_that_is_never_closed_says_which_lines_it_takes_with_it(run: Run) -> None:
    rows = [ROW.replace("A1", f"C{number}") for number in range(20)]
    events = run(rows[0], ROW.replace(",budi", ',"budi'), *rows[1:])
    assert len({event.subject for event in events}) == 1
    assert run.refused.line == 3
    assert "the 19 lines after this one, up to line 22, were taken for the same row" in run.refused.why
    assert "none of them is imported" in run.refused.why


def test_a_personal_number_is_in_no_id_and_in_no_report(run: Run) -> None:
    for number in ("3174012345678901", "3174 0123 4567 8901", "198001012005011001"):
        assert run(ROW.replace("A1", number)) == []
        assert "secret" in run.refused.why
        assert number not in repr(run.report)
        assert run(ROW.replace("budi", number.replace(" ", ""))) == []
        assert "hash: true" in run.refused.why
        assert number not in repr(run.report)


def test_with_a_secret_a_personal_number_becomes_a_keyed_hash(run: Run) -> None:
    mapping = "secret: S\n" + MAPPING.replace('nobody: ["-"]', 'nobody: ["-"], hash: true, prefix: p-')
    row = ROW.replace("A1", "3174012345678901").replace("budi", "198001012005011001")
    first, second = (run(row, mapping=mapping, secret=secret) for secret in (b"one", b"two"))
    assert len(first) == 2
    assert "3174012345678901" not in repr(first)
    assert "198001012005011001" not in repr(first)
    assert first[0].subject != second[0].subject
    assert first[1].data.employee.startswith("p-")  # type: ignore[union-attr]
    assert first == run(row, mapping=mapping, secret=b"one")


def test_with_the_key_of_the_devices_an_import_makes_the_pseudonyms_that_they_make(run: Run) -> None:
    mapping = "secret: S\n" + MAPPING.replace('nobody: ["-"]', 'nobody: ["-"], hash: true')
    mapping = mapping.replace("{columns: [branch, number, day], prefix: t-}", "{columns: [number], hash: always}")
    key = b"the key of this office, which is long enough"
    device = Pseudonyms(key)
    for written in ("198001012005011001", "19800101 200501 1 001"):
        _, called = run(ROW.replace("budi", written), mapping=mapping, secret=key)
        assert called.data.employee == device.pseudonym("employee", "198001012005011001")  # type: ignore[union-attr]
    _, called = run(ROW, mapping=mapping, secret=key)
    assert called.data.employee == device.pseudonym("employee", "budi")  # type: ignore[union-attr]
    assert called.subject == device.pseudonym("subject", "A1")


def test_key_columns_that_do_not_fit_an_id_are_hashed_and_stay_apart(run: Run) -> None:
    events = run(
        *(ROW.replace("A1", number) for number in ("é", "a/b", "a b", "x" * 200)),
        "a/b,c,05/01/2026,8:00:00,,,,1,-",
        "a,b/c,05/01/2026,8:00:00,,,,1,-",
    )
    subjects = {event.subject for event in events}
    assert len(subjects) == 6
    assert all(subject is not None and subject.startswith("t-") and len(subject) == 34 for subject in subjects)


def test_the_clock_that_goes_back_shows_an_hour_twice_and_a_call_is_not_before_its_issue(run: Run) -> None:
    # In Berlin 02:30 came twice on 25 October 2026.
    mapping = MAPPING.replace("Asia/Jakarta", "Europe/Berlin")
    issued, called = run("P,A1,25/10/2026,2:50:00,2:10:00,,,1,-", mapping=mapping)
    assert (called.time - issued.time) == 20 * 60_000
    issued, called = run("P,A1,24/10/2026,23:00:00,4:00:00,,,1,-", mapping=mapping)
    assert (called.time - issued.time) == 6 * 3_600_000


def test_a_time_over_which_clocks_went_forward_is_refused(run: Run) -> None:
    mapping = MAPPING.replace("Asia/Jakarta", "Europe/Berlin")
    assert run("P,A1,29/03/2026,2:30:00,,,,1,-", mapping=mapping) == []
    assert "went forward" in run.refused.why


def test_a_log_with_a_row_for_each_event_needs_a_column_more_in_its_ids(run: Run) -> None:
    mapping = """\
format: {delimiter: pipe}
zone: Asia/Jakarta
source: xivo
unit: {column: queue}
service: calls
employee: {column: agent, nobody: NONE}
subject: {columns: [call]}
times:
  at: {column: time, format: iso}
events:
  - {type: ticket.issued, time: at, when: {event: ENTERQUEUE}}
  - {type: ticket.called, time: at, when: {event: CONNECT}}
  - {type: service.held, time: at, when: {event: [HOLD, MUTE]}, id: [time]}
  - {type: ticket.abandoned, time: at, when: {event: ABANDON, data1: {above: 0}}}
"""
    events = run(
        "2012-07-04 07:33:23.085718 | 1.24 | q1 | Agent/3001 | CONNECT    | 2",
        "2012-07-04 07:33:21.165823 | 1.24 | q1 | NONE       | ENTERQUEUE |",
        "2012-07-04 07:34:21.165823 | 1.24 | q1 | Agent/3001 | HOLD       |",
        "2012-07-04 07:35:21.165823 | 1.24 | q1 | Agent/3001 | HOLD       |",
        "2012-07-04 07:35:21.165823 | 1.25 | q1 | NONE       | ABANDON    | x",
        mapping=mapping,
        header="time | call | queue | agent | event | data1",
    )
    assert kinds(events) == ["TicketIssued", "TicketCalled", "ServiceHeld", "ServiceHeld"]
    assert events[0].time == jakarta("2012-07-04T07:33:21") + 165
    assert len({event.id for event in events}) == 4
    assert run.refused.line == 6
    assert "is not a number" in run.refused.why


def test_columns_of_a_file_without_a_first_line_are_named_in_the_mapping(run: Run) -> None:
    columns = f"format: {{columns: [{HEADER.replace(',', ', ')}]}}\n"
    assert len(run(mapping=columns + MAPPING, header=ROW)) == 2


def test_empty_lines_spaces_and_line_ends_do_not_matter(run: Run) -> None:
    expected = run(ROW)
    run.path.write_bytes(f"\ufeff{HEADER}\r\n\r\n {ROW.replace(',', ' , ')}\r\n\r\n".encode())
    assert run.read() == expected


def test_cells_in_quotation_marks_may_hold_the_delimiter_and_line_ends(run: Run) -> None:
    events = run(ROW.replace("Kantor Pusat", '"Kantor, Pusat\nLantai 2"'), ROW.replace("8:00:00", "x"))
    assert events[0].data.unit == "kantor-pusat-lantai-2"
    assert run.refused.line == 4


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"", 0, "is empty"),
        (HEADER.replace(",", "\t").encode(), 1, r"has 1 column under ',' and 9 under '\t': write `delimiter: tab`"),
        (HEADER.replace(",", ";").encode(), 1, "has 1 column under ',' and 9 under ';': write `delimiter: semicolon`"),
        (HEADER.replace("who", "whom").encode(), 1, "no column `who` (did you mean `whom`?)"),
        (f"{ROW}\n{ROW}".encode(), 1, "if that is a row already, name the columns in `format.columns`"),
        (HEADER.replace("gone", "who").encode(), 1, "two columns are called `who`"),
        (f"{HEADER}\n{ROW}".encode("utf-16"), 1, "begins with the mark of utf-16"),
        (f"{HEADER}\n{ROW}".encode("utf-16-le"), 1, "write `encoding: utf-16-le`"),
        (f"{HEADER}\n{ROW}".encode("utf-16-be"), 1, "write `encoding: utf-16-be`"),
        (f"{HEADER}\n{ROW}\n{ROW.replace('budi', 'andré')}".encode("cp1252"), 3, "byte 0xe9 is not utf-8"),
        (b"PK\x03\x04" + bytes(30), 0, "a workbook"),
        (b"\x1f\x8b" + bytes(30), 0, "compressed"),
    ],
)
def test_a_file_that_is_not_what_the_mapping_says_is_refused_before_any_row(
    run: Run, content: bytes, line: int, says: str
) -> None:
    run.path.write_bytes(content)
    with pytest.raises(LogError) as caught:
        run.read()
    assert says in str(caught.value)
    assert caught.value.line == line
    assert caught.value.exit_status == 2
    assert run.report.rows == 0


def test_another_encoding_is_read_where_the_mapping_names_it(run: Run) -> None:
    for encoding in ("windows-1252", "utf-16"):
        run.path.write_bytes(f"{HEADER}\n{ROW.replace('Pusat', 'Pusát')}\n".encode(encoding))
        assert run.read(f"format: {{encoding: {encoding}}}\n" + MAPPING)[0].data.unit == "kantor-pus-t"
    run.path.write_bytes(f"\ufeff{HEADER}\n{ROW}\n".encode())
    with pytest.raises(LogError, match="begins with the mark of utf-8"):
        run.read("format: {encoding: windows-1252}\n" + MAPPING)


def test_a_zero_byte_here_and_there_is_its_rows_fault_and_no_other_encoding(run: Run) -> None:
    assert len(run(ROW.replace("Pusat", "Pus\0at").replace("budi", "bu\0di"), ROW)) == 2
    assert (run.refused.line, run.refused.column) == (2, "who")


def test_a_missing_log_is_a_wrong_call(run: Run) -> None:
    with pytest.raises(LogError, match="cannot be read"):
        run.read()


CELLS = st.text(alphabet="abc é,;\"'-/:0123456789\n", max_size=20)


@given(st.lists(st.lists(CELLS, min_size=9, max_size=9), max_size=6))
def test_whatever_stands_in_a_log_each_row_is_accounted_for_and_every_event_is_of_the_contract(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    run = Run(tmp_path_factory.mktemp("log"))
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    events = run(*quoted, ROW)
    report = run.report
    brought = len({event.subject for event in events})
    assert report.rows == len(rows) + 1
    assert report.rows == report.refused + report.left_out + report.outside + report.repeated + brought
    decoder = Decoder(1, clock="event", now=lambda: 1_800_000_000_000)
    for event in events:
        assert isinstance(event, TicketEvent)
        encoded = encode(event)
        record = WireRecord("loket.events", 0, 0, event.time, encoded.key, encoded.value, tuple(encoded.headers))
        assert decoder.decode(record) == event


@given(st.permutations(range(12)), st.integers(1, 30))
def test_ids_and_events_are_the_same_in_every_import_of_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], in_memory: int
) -> None:
    run = Run(tmp_path_factory.mktemp("log"))
    rows = [ROW.replace("A1", f"A{number}").replace("8:00:00", f"7:{number:02}:00") for number in range(12)]
    expected = run(*rows)
    run.path.write_bytes("\n".join([HEADER, *(rows[number] for number in order)]).encode())
    assert sorted(run.read(in_memory=in_memory), key=lambda event: event.id) == sorted(
        expected, key=lambda event: event.id
    )
