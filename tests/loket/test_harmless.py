"""What others wrote does nothing to a terminal: in every place where Loket shows it."""

import re
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from loket.agreement.report import print_report
from loket.board import board_of, render
from loket.cli import main
from loket.domain.policy import Names, ServicePolicy, UnitPolicy
from loket.domain.unit import UnitState
from loket.exposition import labels
from loket.harmless import LINE, MESSAGE, harmless
from loket.scrape import read
from loket.targets import TargetsError, load_targets
from loket.testing.builders import Office
from loket.wire.figures import Agreement, Rejection, TryReport
from loket_streams.exporter import Exporter
from support.exported import worker_of
from support.fuzzing import TEXTS, shown_harmlessly

# The last few are what the console itself may write: it colours what is ours.
STYLES = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")
HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\n\x9b31m\u202eevil\u2066 [bold red]no[/bold red] [link=http://x]y[/link] \\x41"
o = Office()


@given(st.text())
def test_what_is_harmless_is_printable_and_says_what_it_was(text: str) -> None:
    found = harmless(text)
    assert found.isprintable()
    assert found.encode("latin-1", "backslashreplace").decode("unicode_escape") == text
    assert harmless(text, MESSAGE).replace("\n", "").isprintable()
    assert harmless(text, LINE).isprintable()


@pytest.mark.parametrize("text", ["Puskesmas Ciputat", "Kantor é ü ñ", "القسم", "窓口", "a/b:c-d_e.f", ""])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def shown(console: Console) -> str:
    text = STYLES.sub("", console.export_text(styles=True))
    assert shown_harmlessly(text), ascii(text)
    return " ".join(text.split())


def recorder() -> Console:
    return Console(record=True, file=StringIO(), width=400, force_terminal=True)


def page_of(policy: UnitPolicy) -> str:
    return Exporter(worker_of([UnitState("u", policy)], int(o.at("12:00")))).render_units().decode()


def test_a_report_shows_refused_events_harmlessly() -> None:
    report = TryReport(
        now="2026-01-31T09:00:00Z",
        units=[],
        employees=[],
        rejected=[Rejection(source=HOSTILE, id=HOSTILE, reason="malformed_id", field=HOSTILE)],
        duplicates=0,
        contradictions=0,
        late=0,
        foreign=0,
        not_yet=0,
        skewed=0,
        unknown_units=[HOSTILE],
        agreement=Agreement(metrics_equal_record=True, differences=[]),
    )
    console = recorder()
    print_report(report, console)
    text = shown(console)
    assert "[bold red]no[/bold red]" in text  # as it was written, and not bold
    assert "\\x1b[2J" in text
    assert "\\u202eevil" in text


def test_a_board_shows_names_harmlessly() -> None:
    policy = UnitPolicy(
        names=Names(HOSTILE, HOSTILE), services={"s": ServicePolicy(names=Names(HOSTILE, HOSTILE))}, known=True
    )
    console = recorder()
    console.print(render(board_of(read(page_of(policy))), people=True))
    assert shown(console).count("\\u202eevil") == 2


@given(
    st.dictionaries(st.sampled_from(["source", "name_id", "service"]), st.text() | st.sampled_from(TEXTS), min_size=1)
)
def test_a_label_holds_any_text_and_ends_where_it_ends(values: dict[str, str]) -> None:
    page = f"# TYPE loket_x gauge\nloket_x{{{labels(**values)}}} 1\n# TYPE loket_y gauge\nloket_y 2\n"
    first, second = read(page.encode(errors="replace").decode())
    expected = {name: value.encode(errors="replace").decode() for name, value in values.items()}
    assert (first.name, first.labels, first.value) == ("loket_x", expected, 1)
    assert (second.name, second.labels, second.value) == ("loket_y", {}, 2)


@pytest.mark.parametrize("escaped", ["\\e[31m", "\\u202e", "\\n", "\\x9b", "\\0", "\\u2028"])
def test_targets_take_no_name_that_would_not_print(tmp_path: Path, escaped: str) -> None:
    file = tmp_path / "targets.yaml"
    file.write_text(f'units: {{u: {{name: {{id: "a{escaped}b", en: b}}}}}}\n')
    with pytest.raises(TargetsError, match="control characters") as caught:
        load_targets(file)
    assert shown_harmlessly(str(caught.value))


def test_names_with_quotation_marks_and_backslashes_are_names(tmp_path: Path) -> None:
    name = 'Kantor "Pusat" \\ {unit="x"} #1'
    file = tmp_path / "targets.yaml"
    file.write_text(f"units: {{u: {{name: {{id: '{name}', en: '{name}'}}}}}}\n")
    policy = load_targets(file).unit("u")
    (info,) = [sample for sample in read(page_of(policy)) if sample.name == "loket_unit_info"]
    assert info.labels == {"unit": "u", "name_id": name, "name_en": name}


def test_the_command_line_quotes_harmlessly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text('"\\e[2J\\u202e [red]": 1\n')
    log = tmp_path / "log.csv"
    log.write_text("a\n")
    with pytest.raises(SystemExit) as caught:
        main(["import", str(log), "--mapping", str(mapping), "--dry-run"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert shown_harmlessly(error)
    assert "\\x1b[2J\\u202e [red]: unknown key" in error


def test_import_shows_rows_and_events_harmlessly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'{"data":{"unit":"u"},"x":"\xc2\x9b2J\xe2\x80\xae"}\n' + b"\x1b[2J" + b"x" * 1_000_001 + b"\n")
    with pytest.raises(SystemExit) as caught:
        main(["import", str(log), "--dry-run"])
    assert caught.value.code == 0
    printed = capsys.readouterr()
    assert shown_harmlessly(printed.out)
    assert '"\\x9b2J\\u202e"' in printed.out
    assert shown_harmlessly(printed.err)
    assert "\\x1b[2J" in printed.err
