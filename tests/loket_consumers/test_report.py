"""`loket report`: what it says is what the domain says, in whichever form, and of nobody more than is fair."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from loket.cli import main
from loket.domain.days import service_days
from loket.domain.policy import DAY, HOUR, MINUTE
from loket.domain.summary import UnitFigures
from loket.targets import TargetsFile
from loket_consumers.engines import connect, reading
from loket_consumers.migrating import upgrade
from loket_consumers.reports.building import build
from loket_consumers.reports.daily import daily_page
from loket_consumers.reports.files import to_csv, to_xlsx
from loket_consumers.reports.pages import report_page
from loket_consumers.reports.period_sums import Span
from loket_consumers.reports.rendering import to_html, to_markdown
from loket_consumers.reports.report import Report
from loket_consumers.reports.words import LANGUAGES, TEXTS, Words
from support.by_period import rows
from support.logs import DAY_BEGINS, POLICY, UNITS, arrivals, log_of, make, whole_policy
from support.oracle import Oracle, without_zeros
from support.recorded import empty, figures, store_all
from support.report_sheets import workbook

AT = DAY_BEGINS + 6 * HOUR
"""09:00 of the first day, in Jakarta."""

FIRST = service_days(POLICY.unit("clinic")).day(AT)
PERSON = {"employee": "eni"}


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = connect(f"sqlite:///{tmp_path_factory.mktemp('reports') / 'record.db'}")
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    made = connect(request.getfixturevalue("database"))
    upgrade(made)
    yield made
    made.dispose()


def report_of(engine: Engine, unit: str, first: int, last: int, now: int, **options: Any) -> Report:
    with reading(engine) as connection:
        return build(connection, Span(unit, first, last, now), POLICY.unit(unit), **options)


def visits(people: int, *, day: int = 0, employees: int = 1) -> list[Any]:
    """People who come every five minutes, wait as many minutes as their number, and are served for six."""
    log = []
    for n in range(people):
        at = AT + day * DAY + n * 5 * MINUTE
        who = f"e{n % employees}"
        of = f"{day}-{n}"
        log += [
            make("ticket.issued", f"i{of}", at, f"A{n}", "clinic", service="general"),
            make("ticket.called", f"c{of}", at + n * MINUTE, f"A{n}", "clinic", employee=who),
            make("service.started", f"s{of}", at + n * MINUTE, f"A{n}", "clinic", employee=who),
            make("service.completed", f"e{of}", at + (n + 6) * MINUTE, f"A{n}", "clinic", employee=who),
        ]
    return [(event, int(event.time)) for event in sorted(log, key=lambda event: event.time)]


def reports_say_what_the_domain_says(engine: Engine, data: st.DataObject) -> None:
    arrived = data.draw(arrivals(data.draw(log_of(conflicts=False))))
    now = max(received for _, received in arrived) + data.draw(st.integers(0, 60)) * HOUR
    oracle = Oracle(whole_policy())
    oracle.apply_all(arrived)
    empty(engine)
    store_all(engine, arrived)
    recorded = figures(engine, now)
    for unit in sorted(oracle.units):
        told = report_of(engine, unit, FIRST - 2, FIRST + 9, now, people="each")
        expected, people = oracle.rows(now)
        mine = [row for row in without_zeros(expected) if row["unit"] == unit]
        assert without_zeros(told.units) == mine
        assert told.units == [
            msgspec.structs.replace(row, level_counts=mine_.level_counts)
            for row, mine_ in zip([row for row in recorded.units if row.unit == unit], told.units, strict=True)
        ]
        assert not isinstance(told.employees, msgspec.UnsetType)
        each = told.employees.each
        assert not isinstance(each, msgspec.UnsetType)
        assert without_zeros(each) == [row for row in without_zeros(people) if row["unit"] == unit]


def test_a_report_of_all_days_says_what_the_domain_says(sqlite: Engine) -> None:
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        reports_say_what_the_domain_says(sqlite, data)

    law()


def test_a_report_says_what_the_domain_says_on_postgresql(database: str) -> None:
    made = connect(database)
    upgrade(made)

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        reports_say_what_the_domain_says(made, data)

    try:
        law()
    finally:
        made.dispose()


def test_periods_are_those_of_the_views(sqlite: Engine) -> None:
    """The same log by two ways that share the stored rows alone: SQL's periods, and the domain's."""

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        arrived = data.draw(arrivals(data.draw(log_of(conflicts=False))))
        empty(sqlite)
        store_all(sqlite, arrived)
        now = DAY_BEGINS + 60 * DAY
        by = data.draw(st.sampled_from(["hour", "day", "week", "month"]))
        label = {"hour": "printf('%02d', hour)"}.get(by, by)
        for unit in UNITS:
            told = report_of(sqlite, unit, FIRST - 2, FIRST + 9, now, by=by)
            found = {
                (row["period"], row["service"]): row
                for row in rows(
                    sqlite,
                    f"SELECT {label} AS period, service, sum(judged) AS judged, sum(breached) AS breached, "
                    f"sum(answered) AS answered, sum(issued) AS issued, sum(served) AS served "
                    f"FROM service_levels_by_{by} WHERE unit = '{unit}' GROUP BY 1, 2",
                )
            }
            reported = {
                (period.period, row.service): row for period in told.periods for row in period.units if any_of(row)
            }
            assert reported.keys() == {key for key, row in found.items() if any(list(row.values())[2:])}
            for key, row in reported.items():
                for figure in ("answered", "issued", "served"):
                    assert getattr(row, figure) == found[key][figure]
                if not isinstance(row.judged, msgspec.UnsetType):
                    assert (row.judged, row.breached) == (found[key]["judged"], found[key]["breached"])

    law()


def any_of(row: UnitFigures) -> bool:
    return bool(row.issued or row.answered or row.served or row.judged)


def test_employees_are_told_as_a_distribution_from_five_on_and_by_name_only_where_asked(engine: Engine) -> None:
    empty(engine)
    store_all(engine, visits(8, employees=4))
    told = report_of(engine, "clinic", FIRST, FIRST, AT + DAY).employees
    assert not isinstance(told, msgspec.UnsetType)
    assert (told.people, told.distributions, told.each) == (4, [], msgspec.UNSET)

    empty(engine)
    store_all(engine, visits(16, employees=6))
    told = report_of(engine, "clinic", FIRST, FIRST, AT + DAY).employees
    assert not isinstance(told, msgspec.UnsetType)
    assert {row.figure: (row.people, row.cases, row.median) for row in told.distributions} == {
        "served": (6, 16, 3),
        "service_mean_s": (6, 16, 360),
    }
    assert told.each is msgspec.UNSET
    told = report_of(engine, "clinic", FIRST, FIRST, AT + DAY, people="each").employees
    assert not isinstance(told, msgspec.UnsetType)
    assert not isinstance(told.each, msgspec.UnsetType)
    assert [row.employee for row in told.each] == [f"e{n}" for n in range(6)]
    assert report_of(engine, "clinic", FIRST, FIRST, AT + DAY, people="none").employees is msgspec.UNSET
    assert report_of(engine, "clinic", FIRST, FIRST, AT + DAY, service="general").employees is msgspec.UNSET


def test_time_in_session_of_a_day_that_goes_on_is_told_too(engine: Engine) -> None:
    log = [make("session.started", "s", AT, None, "clinic", counter="1", employee="e0")]
    empty(engine)
    store_all(engine, sorted([(log[0], AT), *visits(3)], key=lambda each: each[1]))
    told = report_of(engine, "clinic", FIRST, FIRST, AT + HOUR, people="each").employees
    assert not isinstance(told, msgspec.UnsetType)
    assert not isinstance(told.each, msgspec.UnsetType)
    assert told.each[0].staffed_s == 3_600


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of eight days with six people each, and targets with names."""
    url = f"sqlite:///{tmp_path / 'record.db'}"
    engine = connect(url)
    upgrade(engine)
    empty(engine)
    arrived = sorted((each for day in range(8) for each in visits(6, day=day, employees=5)), key=lambda each: each[1])
    targets = tmp_path / "targets.yaml"
    targets.write_text(
        "units:\n  clinic:\n    name: {id: 'Klinik <Sehat> | *a*', en: 'Clinic'}\n    services:\n      general:\n"
        "        name: {id: Umum, en: General}\n        wait:\n"
        "          - {valid_from: 2026-01-01, seconds: 240, objective: 0.8}\n",
        encoding="utf-8",
    )
    store_all(engine, arrived, policy=TargetsFile(targets).policy)
    engine.dispose()
    monkeypatch.setenv("LOKET_DATABASE", url)
    monkeypatch.setenv("LOKET_TARGETS", str(targets))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


NOW = ("--now", "2026-02-08T12:00:00+07:00")


def call(capsysbinary: pytest.CaptureFixture[bytes], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["report", *arguments, *NOW])
    said = capsysbinary.readouterr()
    return int(ended.value.code or 0), said.out.decode(), said.err.decode()


def test_a_unit_that_nobody_knows_is_a_wrong_call_with_names_that_are_near(
    called: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    status, out, err = call(capsysbinary, "--unit", "Clinik")
    assert (status, out) == (2, "")
    assert "did you mean clinic?" in err
    status, _, err = call(capsysbinary, "--unit", "pkm-xyz")
    assert status == 2
    assert "loket record figures" in err


def test_a_period_without_data_says_which_days_the_record_has(
    called: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    status, out, err = call(capsysbinary, "--unit", "clinic", "--from", "2025-01-01", "--to", "2025-01-31")
    assert (status, out) == (1, "")
    assert "nothing of clinic from 2025-01-01 to 2025-01-31" in err
    assert "from 2026-01-31 to 2026-02-07" in err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--from", "2026-02-02", "--to", "2026-02-01"), "after --to"),
        (("--from", "01.02.2026"), "write it like 2026-01-31"),
        (("--from", "2026-02-30"), "write it like 2026-01-31"),
        (("--from", "1999-01-01", "--to", "2026-02-01"), "ask for less"),
        (("--from", "2026-02-01", "--service", "dental2"), "no service dental2"),
        (("--daily", "--from", "2026-02-01", "--to", "2026-02-02"), "give one day"),
        (("--daily", "--from", "2026-02-01", "--format", "csv"), "--by hour"),
        (("--from", "2026-02-01", "--format", "xlsx"), "--output report.xlsx"),
        (("--from", "2026-02-01", "--output", "report"), "--format"),
        (("--from", "2026-02-01", "--output", "no/folder/report.csv"), "make its folder"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(
    called: Path, capsysbinary: pytest.CaptureFixture[bytes], options: tuple[str, ...], told: str
) -> None:
    status, out, err = call(capsysbinary, "--unit", "clinic", *options)
    assert (status, out) == (2, "")
    assert told in " ".join(err.split())


def test_days_are_those_of_the_unit_today_too(called: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    status, out, _ = call(capsysbinary, "--unit", "clinic", "--from", "yesterday", "--json")
    told = msgspec.json.decode(out)
    assert (status, told["from"], told["to"], told["units"][-1]["issued"]) == (0, "2026-02-07", "2026-02-07", 6)
    status, _, err = call(capsysbinary, "--unit", "clinic")
    assert status == 1  # today nobody has come yet
    assert "2026-02-08" in err


def test_csv_json_and_workbook_hold_the_same_rows(called: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    period = ("--unit", "clinic", "--from", "2026-01-31", "--to", "2026-02-07", "--by", "week")
    told = msgspec.json.decode(call(capsysbinary, *period, "--format", "json")[1], type=Report)
    lines = list(csv.DictReader(io.StringIO(call(capsysbinary, *period, "--format", "csv")[1], newline="")))
    assert [line["period"] for line in lines] == ["2026-W05"] * 2 + ["2026-W06"] * 2
    assert [line["from"] for line in lines[::2]] == ["2026-01-31", "2026-02-02"]  # weeks are cut to what was asked for
    assert list(lines[0])[5:7] == ["level_live", "level_answered"]
    for line, row in zip(lines, [row for period in told.periods for row in period.units], strict=True):
        assert line["service"] == (row.service or "")
        assert int(line["issued"]) == row.issued
        assert not isinstance(row.levels, msgspec.UnsetType)
        assert float(line["level_live"]) == row.levels.live
        assert int(line["count_judged"]) == row.judged
        assert float(line["km_median_high_s"] or "nan") == pytest.approx(
            row.km_median_high_s or float("nan"), nan_ok=True
        )

    book = called / "report.xlsx"
    assert call(capsysbinary, *period, "--output", str(book))[0] == 0
    sheets = workbook(book.read_bytes())
    assert list(sheets) == ["whole", "by week", "employees", "about"]
    assert sheets["by week"][0] == list(lines[0])
    assert [row[0] for row in sheets["by week"][1:]] == [line["period"] for line in lines]
    live = sheets["by week"][0].index("level_live")
    assert [float(row[live]) for row in sheets["by week"][1:]] == pytest.approx([float(x["level_live"]) for x in lines])
    assert to_xlsx(told) == to_xlsx(told)


def test_no_cell_is_a_formula(sqlite: Engine) -> None:
    at = AT
    log = [make("ticket.issued", "1", at, "A1", "clinic", service="-1")]
    empty(sqlite)
    store_all(sqlite, [(event, at) for event in log])
    told = report_of(sqlite, "clinic", FIRST, FIRST, AT + DAY)
    assert ",'-1," in to_csv(told).decode()
    assert "-1" in {cell for row in workbook(to_xlsx(told))["whole"] for cell in row}
    with zipfile.ZipFile(io.BytesIO(to_xlsx(told))) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_and_pages_fit_80_columns_in_both_languages(
    called: Path, capsysbinary: pytest.CaptureFixture[bytes], language: str
) -> None:
    for options in (("--daily", "--from", "2026-02-07"), ("--from", "2026-01-31", "--to", "2026-02-07", "--by", "day")):
        for people in ("summary", "each"):
            status, out, err = call(
                capsysbinary, "--unit", "clinic", *options, "--employees", people, "--language", language
            )
            assert (status, err) == (0, "")
            assert max(map(len, out.splitlines())) <= 80
            assert "83.3" in out or "83,3" in out  # within 4 minutes are five of six: after 0, 1, 2, 3 and 4, not 5


def test_the_daily_page_says_what_happened_beside_the_week_before(
    called: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    _, out, _ = call(capsysbinary, "--unit", "clinic", "--daily", "--from", "2026-02-07")
    text = " ".join(out.split())
    assert "Daily report of Clinic, Saturday, 7 February 2026" in text
    assert "6 people came, 6 were called, 0 left before that" in text
    assert "Half of those called waited no longer than 2 min, nine of ten no longer than 5 min." in text
    assert "The same weekday before (Saturday, 31 January 2026): 6 people" in text
    assert "09:00" in text


def test_files_of_the_daily_page_hold_no_markup_of_others(
    called: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    page = called / "day.html"
    daily = ("--unit", "clinic", "--daily", "--from", "2026-02-07", "--language", "id")
    assert call(capsysbinary, *daily, "--output", str(page))[0] == 0
    html = page.read_text(encoding="utf-8")
    assert "Klinik &lt;Sehat&gt; | *a*" in html
    assert '<html lang="id">' in html
    assert "http" not in html.replace("http-equiv", "")  # it needs no other file
    _, markdown, _ = call(capsysbinary, *daily, "--format", "md")
    assert r"Klinik \<Sehat\> \| \*a\*" in markdown
    columns = {line.count(" | ") for line in markdown.splitlines() if line.startswith("| ") and "09:00" in line}
    assert columns == {8}


def test_every_text_is_there_in_both_languages_and_takes_the_same_words() -> None:
    for key, text in TEXTS.items():
        assert text.id, key
        assert text.en, key
        fills = [sorted(re.findall(r"{(\w+)}", told)) for told in text]
        assert fills[0] == fills[1], key
    assert Words("id").day("2026-08-17") == "Senin, 17 Agustus 2026"
    assert Words("id").number(1_234_567) == "1.234.567"
    assert (Words("id").duration(126), Words("en").duration(3_661)) == ("2 mnt 6 dtk", "1 h 1 min")


def test_a_page_of_a_unit_without_targets_says_that_nobody_was_judged(sqlite: Engine) -> None:
    empty(sqlite)
    store_all(sqlite, [(make("ticket.issued", "1", AT, "A1", "hall", service="x"), AT)])
    told = report_of(sqlite, "hall", FIRST, FIRST, AT + HOUR, by="hour")
    for page in (report_page(told, Words("en")), daily_page(told, told, POLICY.unit("hall"), Words("en"))):
        assert any("Nobody was judged" in sentence for sentence in page.sentences)
        assert "Service levels" not in to_html(page, "en") + to_markdown(page)


def test_hours_of_a_service_day_begin_with_its_start(sqlite: Engine) -> None:
    log = [
        (make("ticket.issued", f"{n}", AT + n * HOUR, f"A{n}", "clinic", service="general"), AT + n * HOUR)
        for n in range(17)
    ]
    empty(sqlite)
    store_all(sqlite, log)
    told = report_of(sqlite, "clinic", FIRST, FIRST, AT + 3 * DAY, by="hour")
    assert [period.period for period in told.periods] == [f"{(9 + n) % 24:02}" for n in range(17)]
    assert {period.first for period in told.periods} == {date.fromordinal(FIRST).isoformat()}
