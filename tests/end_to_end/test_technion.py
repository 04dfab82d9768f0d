"""The main job on real input: 33,344 calls through `loket try`, to the numbers that the definitions give."""

import random
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaAdminClient

from loket.domain.events import Event
from loket.domain.policy import HOUR
from loket.importing import Report, events_of, read_mapping
from loket.wire.figures import TryReport
from support.kafka import KafkaBroker
from support.technion import MAPPING, TARGETS, technion_log
from support.trying import try_json, write_jsonl

GOLDEN = {
    "answered": 0.77075,
    "offered": 0.67328,
    "excluding_short": 0.68527,
    "abandoned_ok": 0.75246,
    "excluding_early": 0.73117,
    "live": 0.73117,
}


@pytest.fixture
def log() -> Path:
    """The log as it was published."""
    return technion_log()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where the commands of a test put what is temporary."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@cache
def _events(log: Path) -> tuple[Event, ...]:
    return tuple(events_of(read_mapping(MAPPING), log, Report()))


def _is_golden(report: TryReport) -> None:
    (whole,) = (row for row in report.units if row.service is None)
    assert msgspec.to_builtins(whole.levels) == pytest.approx(GOLDEN, abs=5e-6)
    assert (whole.issued, whole.answered, whole.left, whole.closed.abandoned) == (31_094, 27_162, 3_932, 3_932)
    assert (whole.wait_median_s, whole.wait_p90_s, whole.km_median_s, whole.km_p90_s) == (6, 131, 16, 174)
    assert len(report.employees) == 24
    assert (whole.waiting, whole.nobody_came) == (0, 0)
    assert sum(row.served for row in report.employees) <= whole.served == 27_162


def _figures(report: TryReport) -> tuple[Any, Any]:
    return msgspec.to_builtins(report.units), msgspec.to_builtins(report.employees)


@pytest.mark.embedded
def test_the_log_comes_to_the_golden_numbers_on_the_embedded_broker(log: Path, scratch: Path) -> None:
    report = try_json(log, "--mapping", MAPPING, "--targets", TARGETS, scratch=scratch)
    _is_golden(report)
    assert report.agreement.differences == []
    assert (report.duplicates, report.late, report.rejected) == (0, 0, [])


@pytest.mark.long
def test_the_log_comes_to_the_same_on_kafka_and_a_second_import_changes_no_figure(
    log: Path, scratch: Path, kafka: KafkaBroker
) -> None:
    embedded = try_json(log, "--mapping", MAPPING, "--targets", TARGETS, scratch=scratch)
    before = _topics(kafka)
    arguments = (log, "--mapping", MAPPING, "--targets", TARGETS, "--bootstrap", kafka.bootstrap)
    on_kafka = try_json(*arguments, scratch=scratch)
    _is_golden(on_kafka)
    assert _figures(on_kafka) == _figures(embedded)
    assert _topics(kafka) == before

    once = try_json(*arguments, "--topic", "technion", scratch=scratch)
    twice = try_json(*arguments, "--topic", "technion", scratch=scratch)

    assert _topics(kafka) == before | {"technion"}
    assert _figures(once) == _figures(twice) == _figures(embedded)
    assert once.duplicates + once.late == 0
    assert twice.duplicates == len(_events(log))
    assert twice.agreement.differences == []


@pytest.mark.long
@pytest.mark.embedded
def test_duplicates_and_arrival_shuffled_within_an_hour_change_no_figure(
    log: Path, tmp_path: Path, scratch: Path
) -> None:
    events = _events(log)
    shaken = random.Random(1999)
    arrived = sorted(
        [*events, *shaken.sample(events, len(events) // 10)], key=lambda event: event.time + shaken.randint(0, HOUR)
    )
    report = _try(arrived, tmp_path, scratch)
    _is_golden(report)
    assert _figures(report) == _figures(_try(events, tmp_path, scratch))
    assert (report.duplicates, report.late) == (len(events) // 10, 0)
    assert report.agreement.differences == []


@pytest.mark.long
@pytest.mark.embedded
def test_the_whole_log_shuffled_changes_none_of_the_records_figures(log: Path, tmp_path: Path, scratch: Path) -> None:
    events = list(_events(log))
    random.Random(2).shuffle(events)
    report = _try(events, tmp_path, scratch)
    _is_golden(report)
    assert _figures(report) == _figures(_try(_events(log), tmp_path, scratch))
    assert report.late > 0
    assert all(difference.late for difference in report.agreement.differences)


def _try(events: Iterable[Event], tmp_path: Path, scratch: Path) -> TryReport:
    return try_json(write_jsonl(tmp_path / "log.jsonl", events), "--targets", TARGETS, scratch=scratch)


def _topics(kafka: KafkaBroker) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    try:
        return {name for name in admin.list_topics() if not name.startswith("__")}
    finally:
        admin.close()
