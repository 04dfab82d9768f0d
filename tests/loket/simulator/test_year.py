"""A simulated year is what a city could have told, and a sample of it is stored and rebuilt to the same record."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from loket.cli import main
from loket.domain.events import Event, EventCorrected, TicketEvent
from loket.domain.policy import DAY
from loket.domain.unit import Applied, UnitState, apply
from loket.simulator.year import year, year_targets
from loket.targets.reading import read_targets
from loket.wire.cloudevents import Decoder, WireRecord, encode

FIRST = date(2025, 3, 3)


def made(days: int = 10, units: int = 3, seed: int = 1) -> list[Event]:
    return list(year(seed, units, units * days * 80, first=FIRST, days=days))


def test_it_is_told_in_order_as_past_and_in_about_the_number_that_was_asked_for() -> None:
    events = made()
    times = [int(event.time) for event in events]
    assert times == sorted(times)
    assert all(event.imported for event in events)
    assert len({(event.source, event.id) for event in events}) == len(events)
    assert 0.8 < len(events) / (3 * 10 * 80) < 1.2
    assert len({event.data.unit for event in events}) == 3


def test_the_same_arguments_give_the_same_events_and_another_office_changes_none_of_the_others() -> None:
    assert made() == made()
    assert made(seed=2) != made()

    def said(units: int) -> list[object]:
        events = list(year(1, units, units * 1_200, first=FIRST, days=15))
        return [event.data for event in events if event.data.unit == "kantor-001"]

    assert said(2) == said(5)


def test_a_day_holds_whoever_was_there_and_not_the_year() -> None:
    """Events come as they are made: the first thousand of ten thousand years' worth cost no more than themselves."""
    begun = list(islice(year(1, 10, 10_000_000, first=FIRST, days=3_660), 1_000))
    assert len(begun) == 1_000


def test_every_kind_of_thing_happens_and_corrections_come_days_later() -> None:
    events = made(days=40)
    kinds = Counter(type(event).__name__ for event in events)
    assert kinds.keys() >= {
        *("TicketIssued", "TicketCalled", "TicketRecalled", "TicketNoShow", "TicketAbandoned", "TicketRequeued"),
        *("TicketTransferred", "TicketVoided", "ServiceStarted", "ServiceHeld", "ServiceResumed", "ServiceCompleted"),
        *("RequestSubmitted", "RequestAccepted", "RequestWorked", "RequestSuspended", "RequestResumed"),
        *("RequestCompleted", "RequestReopened", "RequestCancelled", "FeedbackGiven", "EventCorrected"),
        *("SessionStarted", "SessionPaused", "SessionResumed", "SessionEnded"),
    }
    told = {(event.source, event.id): event for event in events}
    for event in events:
        if isinstance(event, EventCorrected):
            assert event.time > told[event.data.of.source, event.data.of.id].time + DAY // 2


def test_every_event_is_of_the_contract_and_of_open_days_all_but_what_comes_days_later_counts() -> None:
    targets = read_targets("targets.yaml", year_targets(3, FIRST).encode())
    states = {unit: UnitState(unit, targets.policy.unit(unit)) for unit in targets.policy.units}
    decoder = Decoder(1, clock="event", now=lambda: 1 << 60)
    became: Counter[Applied] = Counter()
    for offset, event in enumerate(made()):
        encoded = encode(event)
        record = WireRecord("t", 0, offset, int(event.time), encoded.key, encoded.value, tuple(encoded.headers))
        assert decoder.decode(record) == event
        result = apply(states[event.data.unit], event, event.time)
        became[result] += 1
        if result is not Applied.APPLIED:
            assert not isinstance(event, TicketEvent) or type(event).__name__ == "TicketVoided"
    assert became[Applied.APPLIED] > 0.97 * sum(became.values())


def test_the_command_writes_a_log_that_can_be_imported_and_targets_that_are_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "city.jsonl"
    with pytest.raises(SystemExit) as ended:
        main(["simulate", str(log), "--units", "3", "--events", "900", "--days", "5", "--from", "2025-03-03"])
    assert ended.value.code in (0, None)
    said = capsys.readouterr().out
    lines = log.read_bytes().splitlines()
    assert f"{len(lines):,} events of 3 units" in said
    assert [*lines] == [encode(event).value for event in year(1, 3, 900, first=FIRST, days=5)]
    assert len(read_targets("t", (tmp_path / "city.targets.yaml").read_bytes()).policy.units) == 3
    for wrong in ("city.csv", "none/city.jsonl"):
        with pytest.raises(SystemExit) as ended:
            main(["simulate", str(tmp_path / wrong)])
        assert ended.value.code == 2
