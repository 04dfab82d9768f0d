"""`loket report --unusual`: a week in which somebody cheats in three ways, and one in which nobody does."""

import csv
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loket.cli import main
from loket.domain.durations import DAY, HOUR, MINUTE, SECOND
from loket.targets import TargetsFile
from loket_consumers.engines import connect
from loket_consumers.migrating import upgrade
from loket_consumers.reports.unusual import UnusualReport
from loket_consumers.reports.unusual_words import UNUSUAL
from support.logs import DAY_BEGINS, make
from support.recorded import empty, store_all

MONDAY = DAY_BEGINS + 2 * DAY + 5 * HOUR
"""08:00 of 2 February 2026 in Jakarta; its week ends on the 8th."""

TARGET = 10 * MINUTE
NOW = ("--now", "2026-02-10T12:00:00+07:00")


def _visit(of: str, at: int, wait: int, service: int, employee: str, counter: str) -> list[Any]:
    by = {"employee": employee, "counter": counter}
    called = at + wait
    return [
        make("ticket.issued", f"i{of}", at, of, "clinic", service="general"),
        make("ticket.called", f"c{of}", called, of, "clinic", **by),
        make("service.started", f"s{of}", called, of, "clinic", **by),
        make("service.completed", f"e{of}", called + service, of, "clinic", **by),
    ]


def _week(*, honest: bool) -> list[Any]:
    """Each hour of five days waits of every length up to 1.4 T, and services of two to nine minutes by two people."""
    log = []
    for day in range(5):
        for hour in range(6):
            begins = MONDAY + day * DAY + hour * HOUR
            for tenth in range(14):
                wait = tenth * TARGET // 10 + 30 * SECOND
                at, employee = begins + 4 * tenth * MINUTE, f"e{tenth % 2}"
                service = (2 + 7 * (tenth % 5) // 4) * MINUTE
                if not honest and wait > TARGET:
                    wait = TARGET - 20 * SECOND  # called on the screen, before anybody could come
                if not honest and employee == "e1" and tenth % 4 == 1:
                    service = 4 * SECOND  # completed at once
                log += _visit(f"{day}-{hour}-{tenth}", at, wait, service, employee, employee)
                if not honest and tenth == 0 and hour == 0:
                    log += _visit(f"x{day}", at + wait, 0, 2 * MINUTE, employee, "9")
    return [(event, int(event.time)) for event in sorted(log, key=lambda event: event.time)]


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'record.db'}"
    return str(request.getfixturevalue("database"))


@pytest.fixture
def office(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    targets = tmp_path / "targets.yaml"
    targets.write_text(
        "units:\n  clinic:\n    name: {id: 'Klinik \"Sehat\" / 1', en: Clinic}\n    services:\n      general:\n"
        "        name: {id: Umum, en: General}\n        wait:\n"
        "          - {valid_from: 2026-01-01, seconds: 600, objective: 0.8}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("LOKET_DATABASE", address)
    monkeypatch.setenv("LOKET_TARGETS", str(targets))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def _store(office: Path, address: str, *, honest: bool) -> None:
    engine = connect(address)
    upgrade(engine)
    empty(engine)
    store_all(engine, _week(honest=honest), policy=TargetsFile(office / "targets.yaml").policy)
    engine.dispose()


def _call(capsysbinary: pytest.CaptureFixture[bytes], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["report", "--unit", "clinic", "--unusual", *arguments, *NOW])
    said = capsysbinary.readouterr()
    return int(ended.value.code or 0), said.out.decode(), said.err.decode()


def test_a_cheat_is_found_in_all_three_ways_and_named_only_where_each_was_asked_for(
    office: Path, address: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    _store(office, address, honest=False)
    status, out, _ = _call(capsysbinary, "--json")
    told = msgspec.json.decode(out, type=UnusualReport)
    assert (status, told.first, told.last) == (0, "2026-02-02", "2026-02-08")  # the last whole week
    near, short, two = told.findings
    assert (near.kind, near.service, near.cases, near.of) == ("near_target", "general", 150, 150)
    assert near.hours == near.of_hours == 35  # as the clock shows them
    assert (short.kind, short.service, short.cases, short.of) == ("short_services", "general", 120, 210)
    assert (two.kind, two.cases, two.counters, two.seconds) == ("two_counters", 5, ["9", "e0"], 600)
    assert {finding.employee for finding in told.findings} == {None}
    assert (told.calls, told.services, told.works) == (425, 425, 425)
    _, out, _ = _call(capsysbinary, "--employees", "each", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [row["employee"] for row in rows] == ["", "e1", "e0"]
    assert rows[2]["counters"] == "9 e0"


def test_an_honest_week_says_that_nothing_is_unusual_and_what_was_looked_at(
    office: Path, address: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    _store(office, address, honest=True)
    status, out, _ = _call(capsysbinary)
    assert status == 0
    assert "Nothing unusual was found." in out
    assert "420 calls with a target" in out
    status, out, _ = _call(capsysbinary, "--from", "2026-02-02", "--to", "2026-02-04", "--language", "id")
    assert 'Klinik "Sehat" / 1, 2026-02-02 s.d. 2026-02-04' in out
    assert "Tidak ada yang tidak biasa ditemukan." in out


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_words_are_careful_in_both_languages(
    office: Path, address: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    _store(office, address, honest=False)
    for language, words in (("en", "no proof and no accusation"), ("id", "bukan bukti dan bukan tuduhan")):
        _, out, _ = _call(capsysbinary, "--language", language, "--format", "md")
        assert words in out
        assert out.count("\n- ") == 3
    for both in UNUSUAL.values():
        for text in both:
            for word in ("fraud", "cheat", "curang", "manipul", "guilty"):
                assert word not in text.casefold()


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--by", "day"), "leave --by, --daily and --service away"),
        (("--daily",), "leave --by, --daily and --service away"),
        (("--service", "general"), "leave --by, --daily and --service away"),
        (("--output", "week.xlsx"), "no workbook"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(
    office: Path, address: str, capsysbinary: pytest.CaptureFixture[bytes], options: tuple[str, ...], told: str
) -> None:
    _store(office, address, honest=True)
    status, out, err = _call(capsysbinary, *options)
    assert (status, out) == (2, "")
    assert told in " ".join(err.split())


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_a_week_without_data_says_which_days_the_record_has(
    office: Path, address: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    _store(office, address, honest=True)
    status, out, err = _call(capsysbinary, "--from", "2025-01-01")
    assert (status, out) == (1, "")
    assert "from 2026-02-02 to 2026-02-06" in " ".join(err.split())
