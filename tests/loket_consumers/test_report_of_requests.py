"""What `loket report` says of requests, against what a person finds with a pencil, in whichever form."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from loket.cli import main
from loket.domain.estimates import kaplan_meier_quantile, kaplan_meier_share
from loket.domain.events import Event
from loket.domain.satisfaction import skm
from loket.targets import TargetsFile
from loket.testing.builders import Office
from loket.wire.instant import format_instant
from loket_consumers.engines import connect
from loket_consumers.migrating import upgrade
from loket_consumers.reports.report import Report
from loket_consumers.reports.words import LANGUAGES
from support.recorded import empty, store_all
from support.report_sheets import workbook

HOUR_S, DAY_S = 3_600.0, 86_400.0
TARGETS = """
units:
  u:
    name: {id: Kantor, en: Office}
    services:
      ktp:
        kind: request
        turnaround: [{valid_from: 2026-01-01, within: 2h, objective: 0.9}]
      kk: {kind: request}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def now(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An office of documents alone, on its third day at noon.

    ktp: R1 took 30 minutes and was accepted 10 minutes after it came, R2 took 5 hours, R3 of the next day is open since
    08:00, R4 was cancelled after 10 minutes. kk: R5 of the first day is open.
    """
    url = f"sqlite:///{tmp_path / 'record.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("database")
    engine = connect(url)
    upgrade(engine)
    empty(engine)
    targets = tmp_path / "targets.yaml"
    targets.write_text(TARGETS, encoding="utf-8")
    o = Office()
    log: list[Event] = [
        o.request_submitted("R1", at="08:00"),
        o.request_submitted("R2", at="08:00"),
        o.request_submitted("R5", at="08:00", service="kk"),
        o.request_accepted("R1", at="08:10", employee="sari"),
        o.request_completed("R1", at="08:30", outcome="handed_over"),
        o.feedback(4, at="09:00", service="ktp"),
        o.feedback(3, at="09:10"),
        o.request_completed("R2", at="13:00", outcome="refused"),
        o.request_submitted("R3", at="+1 08:00"),
        o.request_submitted("R4", at="+1 08:00"),
        o.request_cancelled("R4", at="+1 08:10"),
    ]
    store_all(engine, [(event, int(event.time)) for event in log], policy=TargetsFile(targets).policy)
    engine.dispose()
    monkeypatch.setenv("LOKET_DATABASE", url)
    monkeypatch.setenv("LOKET_TARGETS", str(targets))
    monkeypatch.setenv("COLUMNS", "80")
    return format_instant(o.at("+2 12:00"))


FIRST, SECOND = (Office().day.fromordinal(Office().day.toordinal() + days).isoformat() for days in (0, 1))


def call(capsysbinary: pytest.CaptureFixture[bytes], now: str, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["report", "--unit", "u", *arguments, "--now", now])
    said = capsysbinary.readouterr()
    return int(ended.value.code or 0), said.out.decode(), said.err.decode()


def told(capsysbinary: pytest.CaptureFixture[bytes], now: str, *arguments: str) -> Report:
    status, out, err = call(capsysbinary, now, *arguments, "--json")
    assert (status, err) == (0, "")
    return msgspec.json.decode(out, type=Report)


def test_requests_are_told_by_the_day_of_submission_and_the_backlog_as_it_was_then(
    now: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    report = told(capsysbinary, now, "--from", FIRST, "--to", SECOND, "--by", "day")
    kk, ktp, every = report.requests
    assert (kk.service, ktp.service, every.service) == ("kk", "ktp", None)
    assert (ktp.submitted, ktp.completed, ktp.cancelled, ktp.open, ktp.completions) == (4, 2, 1, 1, 2)
    assert (ktp.judged, ktp.breached, ktp.over_target) == (3, 2, 1)  # R1; R2 and R3, whose two hours have passed
    assert ktp.met == pytest.approx(1 / 3)
    assert (kk.judged, kk.met) == (UNSET, UNSET)
    assert (ktp.citizen_median_s, ktp.citizen_p90_s) == (HOUR_S / 2, 5 * HOUR_S)
    assert ktp.legal_median_s == HOUR_S / 3
    assert (ktp.first_time_right, ktp.first_time_right_provisional) == (1.0, 2)
    # As at the end of the second day: R3 for 16 hours, R5 for a day more.
    assert (ktp.backlog, every.backlog) == (1, 2)
    assert ktp.oldest_s == pytest.approx(16 * HOUR_S, abs=1)
    assert every.oldest_s == pytest.approx(16 * HOUR_S + DAY_S, abs=1)
    first, second = report.request_periods
    assert (first.period, second.period) == (FIRST, SECOND)
    assert [row.submitted for row in first.requests] == [1, 2, 3]
    assert [row.completions for row in first.requests] == [0, 2, 2]
    assert [row.backlog for row in first.requests] == [1, 0, 1]
    assert [row.provisional for row in first.requests] == [True, False, True]
    assert [row.backlog for row in second.requests] == [1, 1, 2]


def test_who_is_open_is_censored_and_in_every_share(now: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    _, ktp, every = told(capsysbinary, now, "--from", FIRST, "--to", SECOND).requests
    # R4 left after 10 minutes, three are left, of whom R1 ends; then two, of whom R2 ends; R3 is open longer.
    assert ktp.citizen_within_1h == pytest.approx(1 / 3)
    assert ktp.citizen_within_6h == ktp.citizen_within_24h == pytest.approx(2 / 3)
    assert every.citizen_within_24h == pytest.approx(1 - 3 / 4 * 2 / 3)  # R5 is open too
    assert ktp.legal_within_1h == 1.0
    assert ktp.km_citizen_median_s == 5 * HOUR_S
    assert ktp.km_citizen_p90_s is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_pages_and_the_daily_page_fit_80_columns_in_both_languages(
    now: str, capsysbinary: pytest.CaptureFixture[bytes], language: str
) -> None:
    for options in (("--daily", "--from", FIRST), ("--from", FIRST, "--to", SECOND, "--by", "month")):
        status, out, err = call(capsysbinary, now, *options, "--language", language)
        assert (status, err) == (0, "")
        assert max(map(len, out.splitlines())) <= 80
        for row in ("ktp", "100.0" if language == "en" else "100,0", "87.50" if language == "en" else "87,50"):
            assert row in out
    _, out, _ = call(capsysbinary, now, "--daily", "--from", FIRST)
    text = " ".join(out.split())
    assert "3 documents were asked for, 2 completed that day; 1 open, the oldest 16.0 h." in text
    assert "2 citizens answered: SKM 87.50 (band B)." in text
    assert "came" not in text.replace("nobody came", "")  # nobody did: there are no tickets here


def test_csv_and_workbook_hold_the_rows_of_the_json(
    now: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    period = ("--from", FIRST, "--to", SECOND, "--by", "week")
    report = told(capsysbinary, now, *period)

    def lines(*more: str) -> list[dict[str, str]]:
        out = call(capsysbinary, now, *period, "--format", "csv", *more)[1]
        return list(csv.DictReader(io.StringIO(out, newline="")))

    rows = [row for each in report.request_periods for row in each.requests]
    for line, row in zip(lines(), rows, strict=True):  # of requests by itself, as there are no visits
        assert (line["service"], line["submitted"]) == (row.service or "", str(row.submitted))
        assert line["citizen_within_6h"] == str(row.citizen_within_6h)
    answers = lines("--table", "satisfaction")
    assert [(line["service"], line["answers"], line["band"]) for line in answers] == [
        ("", "1", "C"),
        ("ktp", "1", "A"),
        ("", "2", "B"),
    ]
    book = tmp_path / "report.xlsx"
    assert call(capsysbinary, now, *period, "--output", str(book))[0] == 0
    sheets = workbook(book.read_bytes())
    assert list(sheets) == ["requests", "requests by week", "satisfaction", "about"]
    assert [row[4] for row in sheets["requests by week"][1:3]] == ["kk", "ktp"]
    assert len(sheets["requests by week"]) == len(rows) + 1


def test_a_service_alone_and_a_period_without_data(now: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (row,) = told(capsysbinary, now, "--from", FIRST, "--service", "ktp").requests
    assert (row.service, row.submitted) == ("ktp", 2)
    status, _, err = call(capsysbinary, now, "--from", FIRST, "--service", "sim")
    assert status == 2
    assert "its services are kk, ktp" in " ".join(err.split())
    for day in ("2025-01-01", "2030-01-01"):
        status, out, err = call(capsysbinary, now, "--from", day)
        assert (status, out) == (1, "")
        assert f"nothing of u on {day}; it tells of days from {FIRST} to {SECOND}" in " ".join(err.split())


@given(
    ended=st.lists(st.integers(0, 20), max_size=12),
    censored=st.lists(st.integers(0, 20), max_size=12),
    within=st.integers(0, 20),
)
def test_a_share_is_the_product_over_the_ends_and_agrees_with_the_quantile(
    ended: list[int], censored: list[int], within: int
) -> None:
    share = kaplan_meier_share(ended, censored, within)
    if share is None:
        assert not ended + censored
        return
    survival = 1.0
    for at in sorted({end for end in ended if end <= within}):
        survival *= 1 - ended.count(at) / sum(other >= at for other in ended + censored)
    assert share == pytest.approx(1 - survival)
    median = kaplan_meier_quantile(ended, censored, 0.5)
    assert (share >= 0.5 - 1e-9) == (median is not None and median <= within)
    if not censored:
        assert share == pytest.approx(sum(end <= within for end in ended) / len(ended))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({}, None),
        ({4: 3}, (100.0, "A")),
        ({1: 1}, (25.0, "D")),
        ({2: 1, 3: 2}, (66.67, "C")),
        ({3: 1, 4: 1}, (87.5, "B")),
    ],
)
def test_answers_have_the_index_of_the_skm_and_its_band(scores: dict[int, int], expected: Any) -> None:
    assert skm(scores) == expected
