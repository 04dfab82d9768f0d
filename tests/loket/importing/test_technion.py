"""The mapping of the Technion log brings exactly what the definitions count (golden numbers of definitions.md)."""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from loket.domain.events import (
    Event,
    ServiceCompleted,
    ServiceStarted,
    TicketAbandoned,
    TicketCalled,
    TicketEvent,
    TicketIssued,
)
from loket.importing import Report, events_of, read_mapping
from loket.targets import load_targets

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "technion"
NAME = "technion_anonymous_bank_1999_02.tsv"


@pytest.fixture(scope="module")
def log() -> Path:
    folders = [Path(os.environ["LOKET_DATA"])] if "LOKET_DATA" in os.environ else []
    for folder in (*folders, ROOT.parent / "shared" / "data"):
        if (folder / NAME).is_file():
            return folder / NAME
    pytest.skip(f"{NAME} is not here; name its folder by LOKET_DATA")


@pytest.fixture(scope="module")
def imported(log: Path) -> tuple[list[Event], Report]:
    report = Report()
    return list(events_of(read_mapping(EXAMPLE / "mapping.yaml"), log, report)), report


def seconds_by_subject(events: list[Event], kind: type[TicketEvent]) -> dict[str, int]:
    return {event.subject: event.time // 1_000 for event in events if isinstance(event, kind)}


def test_every_row_is_counted_and_none_refused(imported: tuple[list[Event], Report]) -> None:
    events, report = imported
    assert (report.rows, report.left_out, report.refused, report.repeated) == (33_344, 278 + 1_972, 0, 0)
    kinds = Counter(type(event) for event in events)
    assert kinds[TicketIssued] == 33_344 - 278 - 1_972
    assert kinds[TicketCalled] == kinds[ServiceStarted] == kinds[ServiceCompleted] == 27_162
    assert kinds[TicketAbandoned] == 3_932
    assert report.events == len(events)
    assert all(event.imported for event in events)


def test_the_five_service_levels_come_out_to_five_digits(imported: tuple[list[Event], Report]) -> None:
    events, _ = imported
    issued = seconds_by_subject(events, TicketIssued)
    called = seconds_by_subject(events, TicketCalled)
    left = seconds_by_subject(events, TicketAbandoned)
    waits = [at - issued[subject] for subject, at in called.items()]
    patience = [at - issued[subject] for subject, at in left.items()]
    within, answered = sum(wait <= 60 for wait in waits), len(waits)
    left_within, left_short = sum(wait <= 60 for wait in patience), sum(wait < 10 for wait in patience)
    offered = answered + len(patience)
    assert [
        round(level, 5)
        for level in (
            within / answered,
            within / offered,
            within / (offered - left_short),
            (within + left_within) / offered,
            within / (answered + len(patience) - left_within),
        )
    ] == [0.77075, 0.67328, 0.68527, 0.75246, 0.73117]
    ordered = sorted(waits)
    assert [ordered[-(-answered * q // 10) - 1] for q in (5, 9)] == [6, 131]
    queued = sorted(wait for wait in waits if wait > 0)
    assert [queued[-(-len(queued) * q // 10) - 1] for q in (5, 9)] == [52, 186]


def test_services_are_those_of_the_log_second_for_second(imported: tuple[list[Event], Report]) -> None:
    events, _ = imported
    started, ended = seconds_by_subject(events, ServiceStarted), seconds_by_subject(events, ServiceCompleted)
    by: defaultdict[str | None, list[int]] = defaultdict(list)
    for event in events:
        if isinstance(event, ServiceCompleted):
            by[event.data.employee].append(ended[event.subject] - started[event.subject])
    assert len(by.pop(None)) == 491
    assert len(by) == 24
    took = [seconds for services in by.values() for seconds in services]
    assert round(sum(seconds < 10 for seconds in took) / len(took), 6) == 0.055304
    assert min(took) == 0
    assert max(took) == 4_264


def test_calls_over_midnight_end_on_the_next_day(imported: tuple[list[Event], Report]) -> None:
    events, _ = imported
    started, ended = seconds_by_subject(events, ServiceStarted), seconds_by_subject(events, ServiceCompleted)
    jerusalem = 2 * 3_600  # in February
    over = [s for s in ended if (started[s] + jerusalem) // 86_400 != (ended[s] + jerusalem) // 86_400]
    assert len(over) == 16
    issued = seconds_by_subject(events, TicketIssued)
    assert all(abs(started[subject] - issued[subject]) < 3_600 for subject in started)


def test_the_services_of_the_log_are_those_of_the_targets(imported: tuple[list[Event], Report]) -> None:
    events, _ = imported
    unit = load_targets(EXAMPLE / "targets.yaml").units["bank"]
    assert unit.short_ms == 10_000
    assert {event.data.service for event in events if isinstance(event, TicketIssued)} == set(unit.services)
    assert {target.within_ms for service in unit.services.values() for target in service.targets} == {60_000}


def test_the_log_in_another_order_brings_the_same_events(
    imported: tuple[list[Event], Report], log: Path, tmp_path: Path
) -> None:
    events, _ = imported
    header, *rows = log.read_bytes().splitlines(keepends=True)
    random.Random(4).shuffle(rows)
    shuffled = tmp_path / NAME
    shuffled.write_bytes(header + b"".join(rows))
    again = list(events_of(read_mapping(EXAMPLE / "mapping.yaml"), shuffled, Report(), in_memory=50_000))
    assert [event.time for event in again] == sorted(event.time for event in again)
    assert {event.id: event for event in again} == {event.id: event for event in events}
