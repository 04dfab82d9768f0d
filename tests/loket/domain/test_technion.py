"""The real log of a bank's call centre against the numbers of definitions.md, by the domain alone.

The log is not part of the project: without it (`LOKET_DATA`, or `shared/data` beside the checkout) these are skipped.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from loket.domain.calendar import Calendar, DayHours, Schedule
from loket.domain.durations import DAY, HOUR, MINUTE, SECOND
from loket.domain.estimates import kaplan_meier, kaplan_meier_quantile, quantile
from loket.domain.events import Event
from loket.domain.halls import hours_of
from loket.domain.levels import Levels
from loket.domain.windows import evaluate_windows
from loket.testing.builders import Desk, Office, unit_policy
from support.telling import Told

NAME = "technion_anonymous_bank_1999_02.tsv"
FOLDERS = (os.environ.get("LOKET_DATA", ""), str(Path(__file__).parents[3].parent / "shared" / "data"))


class Call(NamedTuple):
    arrived: int
    waited: int
    outcome: str
    server: str


def rows() -> Iterator[Call]:
    """Each call that reached the queue: arrival q_start, or vru_exit where nobody waited; PHANTOM is left out."""
    path = next((Path(folder) / NAME for folder in FOLDERS if folder and (Path(folder) / NAME).is_file()), None)
    if path is None:
        pytest.skip(f"the log {NAME} is not here")
    with path.open(encoding="utf-8", newline="") as log:
        for row in csv.DictReader(log, delimiter="\t"):
            waited = int(row["q_time"])
            if row["outcome"] == "PHANTOM" or (row["outcome"] == "HANG" and waited == 0):
                continue
            clock = row["vru_exit"] if row["q_start"] == "0:00:00" else row["q_start"]
            hour, minute, second = (int(part) for part in clock.split(":"))
            date = row["date"]
            midnight = datetime(1900 + int(date[:2]), int(date[2:4]), int(date[4:]), tzinfo=UTC)
            arrived = int(midnight.timestamp()) + 3600 * hour + 60 * minute + second
            server = row["server"] if row["server"] != "NO_SERVER" else ""
            yield Call(arrived * SECOND, waited * SECOND, row["outcome"], server)


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return list(rows())


def test_the_levels_of_the_technion_log(calls: list[Call]) -> None:
    told = Told(unit_policy({"s": 60}, zone="UTC", day_starts="03:00"), Office(day="1999-02-01"))
    office = told.office
    log: list[Event] = []
    for number, call in enumerate(calls):
        log.append(office.issued(f"c{number}", at=call.arrived))
        at = call.arrived + call.waited
        if call.outcome == "AGENT":
            desk: Desk = {"employee": call.server} if call.server else {}
            log.append(office.called(f"c{number}", at=at, **desk))
            log.append(office.completed(f"c{number}", at=at, **desk))
        else:
            log.append(office.abandoned(f"c{number}", at=at))
    told.tell(*sorted(log, key=lambda event: int(event.time)))
    report = told.report("s", now=told.now + 2 * DAY)
    assert isinstance(report.levels, Levels)
    assert {name: round(value, 5) for name, value in msgspec.structs.asdict(report.levels).items()} == {
        "answered": 0.77075,
        "offered": 0.67328,
        "excluding_short": 0.68527,
        "abandoned_ok": 0.75246,
        "excluding_early": 0.73117,
        "live": 0.73117,
    }
    assert report.answered + report.left == report.issued == len(calls)
    assert report.waiting == 0
    assert len(told.state.people) == 24
    assert told.state.late == 0
    # The days of four weeks are closed but for the last one or two: nobody's ticket is left of them.
    assert max(key[0] for key in told.state.tickets) - min(key[0] for key in told.state.tickets) <= 1


def test_the_quantiles_of_the_technion_log(calls: list[Call]) -> None:
    bounds = {False: [(15, 17), (170, 178)], True: [(63, 66), (221, 229)]}  # 95 %; the same by lifelines 0.30.3
    for queued, expected in ((False, (6, 131, 16, 174)), (True, (52, 186, 64, 226))):
        counted = [call for call in calls if call.waited > 0 or not queued]
        answered = [call.waited // SECOND for call in counted if call.outcome == "AGENT"]
        left = [call.waited // SECOND for call in counted if call.outcome != "AGENT"]
        assert (
            quantile(answered, 0.5),
            quantile(answered, 0.9),
            kaplan_meier_quantile(answered, left, 0.5),
            kaplan_meier_quantile(answered, left, 0.9),
        ) == expected
        estimates = [kaplan_meier(answered, left, q) for q in (0.5, 0.9)]
        assert [(estimate.low, estimate.high) for estimate in estimates] == bounds[queued]


def opened(weekday: int, hour: int) -> bool:
    """By the clock on the wall: Sunday to Thursday 7 to 24, Friday 7 to 14, Saturday 19 to 24."""
    if weekday == 4:
        return 7 <= hour < 14
    return hour >= (19 if weekday == 5 else 7)


def test_windows_of_the_technion_log_in_its_own_hours(calls: list[Call]) -> None:
    """Beside the engine each minute is looked up on the wall, and each call judged by its own arrival and wait."""
    policy = unit_policy({"s": 60}, zone="Asia/Jerusalem")
    long, short = DayHours(((7 * HOUR, 24 * HOUR),)), DayHours(((7 * HOUR, 14 * HOUR),))
    week = (long, long, long, long, short, DayHours(((19 * HOUR, 24 * HOUR),)), long)
    policy = msgspec.structs.replace(policy, calendar=Calendar((Schedule(1, week),)))
    office = Office(day="1999-02-01", zone="Asia/Jerusalem")
    utc_is_behind = int(office.at("00:00")) - int(Office(day="1999-02-01", zone="UTC").at("00:00"))
    log: list[Event] = []
    judged: list[tuple[int, bool]] = []
    for number, call in enumerate(calls):
        arrived = call.arrived + utc_is_behind
        log.append(office.issued(f"c{number}", at=arrived))
        at = arrived + call.waited
        log.append((office.called if call.outcome == "AGENT" else office.abandoned)(f"c{number}", at=at))
        if call.waited > 60 * SECOND:
            judged.append((arrived + 60 * SECOND, True))
        elif call.outcome == "AGENT":
            judged.append((at, False))
    log.sort(key=lambda event: int(event.time))
    hours = hours_of(policy)
    assert hours.between(int(office.at("00:00")), int(office.at("+28 00:00"))) == 388 * HOUR  # 20 · 17 + 4 · 7 + 4 · 5
    minutes = [0] * (29 * 24 * 60)
    start = int(office.at("00:00"))
    for minute in range(len(minutes)):
        day, rest = divmod(minute, 24 * 60)
        minutes[minute] = opened(day % 7, rest // 60)
    told = Told(policy, office)
    asked = [office.at(time) for time in ("+3 12:30", "+5 20:15", "+6 08:00", "+15 23:59", "+21 07:10")]
    for event in log:
        if asked and int(event.time) > asked[0]:
            now = int(asked.pop(0))
            found = evaluate_windows(told.state, now)["s"]
            for rule in policy.burn.rules:
                begin, left = (now - start) // MINUTE, rule.window_ms // MINUTE
                while left:
                    begin -= 1
                    left -= minutes[begin]
                inside = [
                    breached
                    for at, breached in judged
                    if begin <= (at - start) // MINUTE and at < now and minutes[(at - start) // MINUTE]
                ]
                assert (found.judged[rule.name], found.breached[rule.name]) == (len(inside), sum(inside)), rule.name
        told.tell(event)
    assert not asked
