"""`loket try` end to end: metrics, record and domain tell the same of a small log, and nothing is left of it."""

import json
import os
import random
import signal
import socket
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from msgspec import UnsetType

from loket import cli
from loket.agreement.metrics import Sample, figures_of
from loket.domain.events import CorrectedData, Event, EventCorrected, EventReference, Instant, TicketCalled
from loket.domain.policy import DAY, HOUR
from loket.importing import Report, events_of, read_mapping
from loket.simulator import workload, workload_targets
from loket.targets import load_targets
from loket.testing.builders import Office
from loket.wire.cloudevents import encode
from loket.wire.figures import SCHEMA_FILE, Agreement, LiveFigures
from support.kafka import KafkaBroker
from support.process import wait_until
from support.trying import Tried, figures_of_oracle, left_by, loket_process, rows, run_loket, try_json, write_jsonl

pytestmark = pytest.mark.embedded

START_MS = 1_767_578_400_000
"""2026-01-05T02:00:00Z, nine o'clock in Jakarta."""

MAPPING = """
format: {delimiter: semicolon}
zone: Asia/Jakarta
source: counter-hall
unit: hall
service: {column: service}
employee: {column: who}
subject: {columns: [ticket, date]}
date: {column: date, format: "%d/%m/%Y"}
time_format: "%H:%M:%S"
times:
  came: {column: came}
  called: {column: called, after: came}
  ended: {column: ended, after: called}
events:
  - {type: ticket.issued, time: came}
  - {type: ticket.called, time: called}
  - {type: service.started, time: called}
  - {type: service.completed, time: ended}
"""

TARGETS = """
defaults: {zone: Asia/Jakarta}
units:
  hall:
    services:
      card: {wait: [{valid_from: 2026-01-01, seconds: 300, objective: 0.8}]}
"""

LOG = """ticket;date;service;came;called;ended;who
A1;05/01/2026;card;09:00:00;09:04:00;09:10:00;ani
A2;05/01/2026;card;09:01:00;09:10:00;09:20:00;ani
A3;05/01/2026;birth;09:02:00;09:03:00;09:09:00;budi
A4;05/01/2026;card;09:02:30;;;
A5;05/01/2026;card;nine o'clock;09:21:00;09:25:00;ani
A6;05/01/2026;card;09:03:00;09:23:00;09:30:00;ani;extra
A1;05/01/2026;card;09:00:00;09:04:00;09:10:00;ani
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where the commands of a test put what is temporary."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def _office(folder: Path) -> list[str]:
    for name, text in (("mapping.yaml", MAPPING), ("targets.yaml", TARGETS), ("log.csv", LOG)):
        (folder / name).write_text(text, encoding="utf-8")
    return [f"{folder}/log.csv", "--mapping", f"{folder}/mapping.yaml", "--targets", f"{folder}/targets.yaml"]


@pytest.fixture
def office(tmp_path: Path) -> list[str]:
    """The arguments to try a small log of a hall."""
    return _office(tmp_path)


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """That log, tried once for all who look at its JSON."""
    folder = tmp_path_factory.mktemp("office")
    tried = run_loket("try", *_office(folder), "--json", scratch=folder / "scratch")
    assert left_by(folder / "scratch") == []
    return tried


def test_a_delimited_log_is_told_as_the_domain_tells_it(office: list[str], tried: Tried) -> None:
    report = tried.report

    assert report.agreement == Agreement(True, [])
    events = list(events_of(read_mapping(Path(office[2])), Path(office[0]), Report()))
    newest = max(event.time for event in events)
    assert report.now == "2026-01-05T02:20:00.000Z"
    assert rows(report) == figures_of_oracle(load_targets(Path(office[4])), events, newest)
    (card,) = (row for row in report.units if row.service == "card")
    assert (card.issued, card.answered, card.waiting, card.over_target, card.judged, card.breached) == (
        3,
        2,
        1,
        1,
        3,
        2,
    )
    assert card.oldest_wait_s == 17.5 * 60
    assert (card.wait_median_s, card.wait_p90_s) == (240, 540)
    assert [(row.employee, row.served) for row in report.employees] == [("ani", 2), ("budi", 1)]


def test_refused_rows_are_listed_and_never_fatal(tried: Tried) -> None:
    rejected = tried.report.rejected
    assert [(row.source, row.id, row.field) for row in rejected] == [
        ("log.csv", "line 6", "came"),
        ("log.csv", "line 7", None),
    ]
    assert all(row.reason for row in rejected)


def test_a_log_of_which_every_row_is_refused_has_no_figures_and_is_no_failure(office: list[str], scratch: Path) -> None:
    Path(office[0]).write_text("\n".join(LOG.splitlines()[i] for i in (0, 5, 6)) + "\n", encoding="utf-8")
    report = try_json(*office, scratch=scratch)
    assert len(report.rejected) == 2
    assert rows(report) == ([], [])


def test_the_json_fits_its_schema_and_is_all_that_is_printed(tried: Tried) -> None:
    assert tried.status == 0, tried.err
    jsonschema.validate(json.loads(tried.out), json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


def test_the_tables_tell_levels_waits_employees_refusals_and_the_verdict(office: list[str], scratch: Path) -> None:
    tried = run_loket("try", *office, scratch=scratch)
    assert tried.status == 0, tried.err
    for told in ("Service levels", "33.333", "50.000", "KM", "17:30", "budi", "line 6", "Metrics and record agree."):
        assert told in tried.out
    assert "1 row repeats an earlier one: left out, as an event counts once\n" in tried.err


def test_now_may_be_given_and_what_is_ahead_of_it_is_in_no_figure(office: list[str], scratch: Path) -> None:
    report = try_json(*office, "--now", "2026-01-05T09:06:00+07:00", scratch=scratch)
    (card,) = (row for row in report.units if row.service == "card")
    assert report.now == "2026-01-05T02:06:00.000Z"
    assert (card.issued, card.answered, card.waiting, card.served, card.judged) == (3, 1, 2, 0, 1)


def _lines(tickets: int = 400) -> list[Event]:
    return list(workload(7, 3, 2, 4, tickets, start_ms=START_MS, span_ms=DAY + 6 * HOUR))


@pytest.fixture
def targets(tmp_path: Path) -> Path:
    """Targets for the workload."""
    path = tmp_path / "targets.yaml"
    path.write_text(workload_targets(3, 2), encoding="utf-8")
    return path


def _shifts() -> list[Event]:
    """Sessions of the workload's employees over two days, with breaks, a session that nobody ends, and heartbeats."""
    made: list[Event] = []
    for unit in ("unit-0000", "unit-0001", "unit-0002"):
        office = Office(unit, day="2026-01-05", source=f"desks/{unit}")
        for number in range(3):
            employee, counter = f"{unit}.emp-{number:03}", f"counter-{number}"
            services = ("service-0",) if number == 1 else None
            made += [
                office.counter_opened(at="08:50", counter=counter),
                office.session_started(employee, at="08:55", counter=counter, services=services),
                office.session_paused(employee, at="12:00", counter=counter),
                office.session_resumed(employee, at="13:00", counter=counter),
                office.heartbeat(at="13:01", counter=counter, pending=number),
                office.session_started(employee, at="+1 09:00", counter=counter),
            ]
            if number:
                made.append(office.session_ended(employee, at="16:00", counter=counter))
    return made


def test_sessions_make_staffed_time_and_call_gaps_that_metrics_and_record_tell_alike(
    tmp_path: Path, targets: Path, scratch: Path
) -> None:
    targets.write_text(targets.read_text().replace("units:", "  wrap_up_seconds: 20\nunits:"), encoding="utf-8")
    events = sorted([*_lines(), *_shifts()], key=lambda event: event.time)
    report = try_json(write_jsonl(tmp_path / "log.jsonl", events), "--targets", targets, scratch=scratch)

    assert report.agreement == Agreement(True, [])
    assert report.not_yet == 0
    newest = max(event.time for event in events)
    assert rows(report) == figures_of_oracle(load_targets(targets), events, newest)
    in_session = [row for row in report.employees if not isinstance(row.staffed_s, UnsetType)]
    assert len(in_session) == 9
    assert len(report.employees) > 9  # the fourth of each unit never had a session, and no such figures
    for row in in_session:
        assert isinstance(row.call_gap_s_sum, float)
        assert isinstance(row.serving_s, float)
        assert isinstance(row.call_gaps, int)
        assert row.call_gap_s_sum > 0
        assert row.serving_s > 0
        assert row.call_gaps > 0


def test_repeats_and_any_order_within_an_hour_change_no_figure(tmp_path: Path, targets: Path, scratch: Path) -> None:
    events = _lines()
    shaken = random.Random(3)
    arrived = sorted(
        events + shaken.sample(events, len(events) // 10), key=lambda event: event.time + shaken.randint(0, HOUR)
    )
    log = write_jsonl(tmp_path / "log.jsonl", arrived)

    report = try_json(log, "--targets", targets, scratch=scratch)

    newest = max(event.time for event in events)
    assert rows(report) == figures_of_oracle(load_targets(targets), events, newest)
    assert report.duplicates == len(events) // 10
    assert report.agreement.differences == []


def test_late_events_change_the_record_only_and_explain_what_differs(
    tmp_path: Path, targets: Path, scratch: Path
) -> None:
    events = _lines()
    in_order = try_json(write_jsonl(tmp_path / "log.jsonl", events), "--targets", targets, scratch=scratch)
    random.Random(5).shuffle(events)

    shuffled = try_json(write_jsonl(tmp_path / "log.jsonl", events), "--targets", targets, scratch=scratch)

    assert rows(shuffled) == rows(in_order)
    assert in_order.late == 0
    assert shuffled.late > 0
    assert shuffled.agreement.differences
    assert all(difference.late for difference in shuffled.agreement.differences)


def test_corrections_change_metrics_and_record_alike_and_days_later_the_record_alone(
    tmp_path: Path, targets: Path, scratch: Path
) -> None:
    events = _lines()
    calls = [event for event in events if isinstance(event, TicketCalled)][:40]
    soon = [_corrected(call, n, HOUR, {"employee": "siti"}) for n, call in enumerate(calls[:20])]
    late = [_corrected(call, n, 4 * DAY, {"employee": "budi"}) for n, call in enumerate(calls[20:], start=20)]

    in_time = sorted([*events, *soon], key=lambda event: event.time)

    told = try_json(write_jsonl(tmp_path / "log.jsonl", in_time), "--targets", targets, scratch=scratch)
    assert (told.late, told.agreement.differences) == (0, [])
    assert sum(row.served for row in told.employees if row.employee == "siti") == 0
    assert sum(row.way_s_sum for row in told.employees) < sum(row.way_s_sum for row in told.units if not row.service)

    both = try_json(write_jsonl(tmp_path / "log.jsonl", [*in_time, *late]), "--targets", targets, scratch=scratch)
    assert both.agreement.metrics_equal_record
    assert (both.late, bool(both.agreement.differences)) == (20, True)


def test_requests_are_corrected_weeks_later_in_both_and_after_they_are_forgotten_in_the_record_alone(
    tmp_path: Path, targets: Path, scratch: Path
) -> None:
    office = Office("unit-0000", day="2026-01-05", source="desk")
    log: list[Event] = []
    for number in range(12):
        subject = f"R{number}"
        asked = office.request_submitted(subject, at="09:00", service="service-0")
        done = office.request_completed(subject, at="+3 09:00", outcome="handed_over")
        after = "+100 09:00" if number < 3 else "+20 09:00"
        told: dict[str, str | int | None] = {"time": "+2 09:00", "outcome": "refused"}
        log += [asked, done, office.corrected(subject, at=after, of=done, set=told)]
    log.sort(key=lambda event: event.time)

    report = try_json(write_jsonl(tmp_path / "log.jsonl", log), "--targets", targets, scratch=scratch)

    assert report.agreement.metrics_equal_record
    assert (report.late, report.not_yet, bool(report.agreement.differences)) == (3, 0, True)
    (row,) = report.requests
    assert (row.completed, row.citizen_s_sum) == (12, 12 * 2 * 86_400)
    in_time = [event for event in log if event.time < office.at("+50 09:00")]
    report = try_json(write_jsonl(tmp_path / "log.jsonl", in_time), "--targets", targets, scratch=scratch)
    assert report.agreement == Agreement(True, [])
    assert [row.citizen_s_sum for row in report.requests] == [(9 * 2 + 3 * 3) * 86_400]


def _corrected(event: Event, number: int, after: int, told: dict[str, str | int | float | bool | None]) -> Event:
    of = EventReference(source=event.source, id=event.id)
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=event.time + 4 * HOUR)).date().isoformat()
    return EventCorrected(
        source="desk",
        id=f"k{number}",
        time=Instant(event.time + after),
        subject=event.subject,
        data=CorrectedData(unit=event.data.unit, of=of, set=told, day=day),
    )


def test_every_kind_of_event_is_counted_as_what_it_is(tmp_path: Path, scratch: Path) -> None:
    events = _lines(20)
    first = json.loads(encode(events[0]).value)
    lines: list[Event | bytes] = [
        *events,
        events[0],
        b"not json",
        json.dumps(first | {"id": "n1", "time": "2026-01-05T09:00:00"}).encode(),
        json.dumps(first | {"id": "n2", "type": "loket.ticket.eaten"}).encode(),
        json.dumps(first | {"id": "n3", "subject": "3201234567890001"}).encode(),
        json.dumps(first | {"id": "n4", "type": "org.example.weather"}).encode(),
        json.dumps(first | {"data": first["data"] | {"service": "another"}}).encode(),
        json.dumps(  # without a subject: of a session, or a queue's closing
            {name: told for name, told in first.items() if name != "subject"}
            | {
                "id": "n5",
                "type": "loket.event.corrected",
                "data": {"unit": first["data"]["unit"], "of": {"source": "a", "id": "b"}, "set": {"service": "card"}},
            }
        ).encode(),
    ]
    report = try_json(write_jsonl(tmp_path / "log.jsonl", lines), scratch=scratch)

    assert Counter(row.reason for row in report.rejected) == Counter(
        ["not_json", "naive_time", "unknown_type", "personal_id", "conflicting_repeat"]
    )
    assert "3201234567890001" not in str(report.rejected)
    assert (report.duplicates, report.foreign, report.not_yet) == (1, 1, 1)
    assert set(report.unknown_units) == {event.data.unit for event in events}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.csv"], "missing.csv does not exist"),
        (["."], "is a folder"),
        (["empty.jsonl"], "is empty"),
        (["header.csv", "--mapping", "mapping.yaml"], "it has no rows"),
        (["log.csv"], "needs a mapping"),
        (["log.csv", "--mapping", "missing.yaml"], "missing.yaml: cannot be read"),
        (["log.csv", "--mapping", "targets.yaml"], "unknown key"),
        (["log.csv", "--mapping", "mapping.yaml", "--targets", "mapping.yaml"], "unknown key"),
        (["log.csv", "--mapping", "mapping.yaml", "--now", "2026-01-05T09:00:00"], "without an offset"),
        (["comma.csv", "--mapping", "mapping.yaml"], "comma.csv, line 1"),
        (["utf16.csv", "--mapping", "mapping.yaml"], "utf16.csv, line 1"),
        (["log.csv", "--topic", "mine"], "--bootstrap"),
        (["log.csv", "--no-such-option"], "no-such-option"),
        ([], "file"),
    ],
    ids=str,
)
def test_a_wrong_call_or_file_is_told_at_once_and_starts_nothing(
    arguments: list[str], told: str, office: list[str], tmp_path: Path, scratch: Path
) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "header.csv").write_text(LOG.splitlines()[0] + "\n", encoding="utf-8")
    (tmp_path / "comma.csv").write_text(LOG.replace(";", ","), encoding="utf-8")
    (tmp_path / "utf16.csv").write_text(LOG, encoding="utf-16")
    given = [argument if argument.startswith("--") or argument[0].isdigit() or argument == "mine"
             else str(tmp_path / argument) for argument in arguments]  # fmt: skip

    tried = run_loket("try", *given, scratch=scratch)

    assert tried.status == 2, tried.err
    assert told.casefold() in " ".join(tried.err.casefold().split())
    assert tried.out == ""
    assert "Traceback" not in tried.err
    assert left_by(scratch) == []


def test_a_broker_that_does_not_answer_is_status_3(office: list[str], scratch: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        tried = run_loket("try", *office, "--bootstrap", f"127.0.0.1:{closed.getsockname()[1]}", scratch=scratch)
    assert tried.status == 3, tried.err
    assert "no Kafka broker answers" in tried.err
    assert left_by(scratch) == []


def test_a_process_that_fails_is_status_3_with_the_end_of_its_log(
    office: list[str], tmp_path: Path, scratch: Path
) -> None:
    # A worker that cannot import its component: the file in the way is found before the package.
    (tmp_path / "in_the_way").mkdir()
    (tmp_path / "in_the_way" / "uvloop.py").write_text("raise SystemError('uvloop is broken here')\n", encoding="utf-8")
    tried = run_loket("try", *office, scratch=scratch, environment={"PYTHONPATH": str(tmp_path / "in_the_way")})
    assert tried.status == 3, tried.err
    assert "worker ended with" in tried.err
    assert "uvloop is broken here" in tried.err
    assert left_by(scratch) == []


@pytest.mark.parametrize("log_of_it", ["record.log", "sink.log"])
def test_an_embedded_broker_that_dies_is_status_3(log_of_it: str, tmp_path: Path, scratch: Path) -> None:
    log = write_jsonl(tmp_path / "log.jsonl", _lines(2_000))
    with loket_process(["try", log], scratch) as process:
        wait_until(lambda: any(scratch.glob(f"loket-try-*/{log_of_it}")), 120, f"{log_of_it} to be written")
        (broker,) = (child for child in _children(process.pid) if _name(child) == "tansu")
        os.kill(broker, signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (3, ""), err
    assert "the embedded broker ended by itself" in err
    assert left_by(scratch) == []


def _children(process: int) -> list[int]:
    return [
        int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    ]


def _name(process: int) -> str:
    return Path(f"/proc/{process}/comm").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_try_that_is_ended(how: signal.Signals, tmp_path: Path, scratch: Path) -> None:
    log = write_jsonl(tmp_path / "log.jsonl", _lines(20))
    with loket_process(["try", log], scratch) as process:
        wait_until(lambda: any(scratch.glob("loket-try-*/sink.log")), 120, "the sink to start")
        process.send_signal(how)
        out, err = process.communicate(timeout=120)
    assert process.returncode == (-how if how == signal.SIGKILL else 128 + how), err
    assert out == ""
    wait_until(lambda: left_by(scratch) == [], 90, f"all of it to go: {left_by(scratch)}")


def test_nothing_is_left_on_a_kafka_of_a_try_that_is_killed(
    tmp_path: Path, targets: Path, scratch: Path, kafka: KafkaBroker
) -> None:
    log = write_jsonl(tmp_path / "log.jsonl", _lines(20))

    def left() -> list[str]:
        return [name for name in kafka.contents() if "loket-try-" in name]

    assert left() == []
    with loket_process(["try", log, "--targets", targets, "--bootstrap", kafka.bootstrap], scratch) as process:
        wait_until(lambda: len(left()) == 4, 120, "topics and groups of the try")
        process.kill()
        process.communicate(timeout=120)
    wait_until(lambda: left_by(scratch) == [], 120, "folder and processes to go")
    assert left() == []


def test_names_beyond_the_label_budget_are_told_by_the_record_and_compared_as_other(
    tmp_path: Path, targets: Path, scratch: Path
) -> None:
    text = targets.read_text(encoding="utf-8").replace(
        "defaults:\n", "defaults:\n  budget: {services: 2, employees: 2}\n"
    )
    targets.write_text(text, encoding="utf-8")
    events = list(workload(3, 3, 4, 5, 120, start_ms=START_MS))  # four services, of which the targets know two
    report = try_json(write_jsonl(tmp_path / "log.jsonl", events), "--targets", targets, scratch=scratch)
    assert report.agreement.differences == []
    assert "other" not in {row.service for row in report.units} | {row.employee for row in report.employees}
    assert len({row.service for row in report.units if row.service is not None}) == 4


def test_a_disagreement_is_status_1(
    office: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def one_more(samples: Iterable[Sample]) -> dict[str, LiveFigures]:
        found = figures_of(samples)
        found["hall"].services["card"]["served"] += 1
        return found

    monkeypatch.setattr("loket.pipeline.pipeline.figures_of", one_more)
    with pytest.raises(SystemExit) as ended:
        cli.main(["try", *office, "--json"])
    assert ended.value.code == 1
    agreement = json.loads(capsys.readouterr().out)["agreement"]
    assert agreement == {
        "metrics_equal_record": False,
        "differences": [
            {"table": "units", "unit": "hall", "service": "card", "figure": "served", "metrics": 3.0, "record": 2.0,
             "late": False}
        ],
    }  # fmt: skip
