"""Requests on real input: a municipality's 1,434 permits through `loket try`, against a computation of another kind.

What is expected is computed here from the file by dates and `datetime` alone: nothing of the product is called for it.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from support.technion import public_log
from support.trying import try_json

EXAMPLE = Path(__file__).parents[2] / "examples" / "receipt"
HERE = ZoneInfo("Europe/Amsterdam")
TARGET = timedelta(days=56)
QUARTERS = ["2010-Q4", "2011-Q1", "2011-Q2", "2011-Q3", "2011-Q4", "2012-Q1"]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where the commands of a test put what is temporary."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


class Case:
    """One permit as the file tells it."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.submitted = _instant(rows[0]["case:startdate"])
        end = rows[0]["case:enddate"]
        self.completed = _instant(end) if end else None
        work = sorted(_instant(row["time:timestamp"]) for row in rows)
        self.first, self.last = work[0], work[-1]
        day = self.submitted.astimezone(HERE).date()
        self.quarter = f"{day.year}-Q{1 + (day.month - 1) // 3}"


def _instant(text: str) -> datetime:
    """To the millisecond, cut."""
    found = datetime.fromisoformat(text).astimezone(UTC)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def _service(begin: datetime, end: datetime) -> timedelta:
    """From 8 to 17 of each weekday's local time between two instants, day by day."""
    total, day = timedelta(), begin.astimezone(HERE).date()
    while end > begin and day <= end.astimezone(HERE).date():
        if day.isoweekday() <= 5:
            opens, closes = (_local(day, hour) for hour in (8, 17))
            total += max(timedelta(), min(end, closes) - max(begin, opens))
        day += timedelta(days=1)
    return total


def _local(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), HERE).astimezone(UTC)


def _smallest(values: Iterable[timedelta], share: float) -> float | None:
    """The smallest value with at least this share of all at or below it."""
    ordered = sorted(values)
    for index, value in enumerate(ordered, 1):
        if index >= share * len(ordered):
            return value.total_seconds()
    return None


def _kaplan_meier(ended: list[timedelta], still_open: list[timedelta]) -> float | None:
    survival = 1.0
    for at in sorted(set(ended)):
        at_risk = sum(other >= at for other in ended) + sum(other >= at for other in still_open)
        survival *= 1 - ended.count(at) / at_risk
        if survival <= 0.5 + 1e-12:
            return at.total_seconds()
    return None


def _expected(cases: list[Case], now: datetime) -> dict[str, Any]:
    completed = [case for case in cases if case.completed is not None]
    still_open = [case for case in cases if case.completed is None]
    wall: list[timedelta] = []
    service: list[timedelta] = []
    task: list[timedelta] = []
    breached = over = 0
    for case in completed:
        assert case.completed is not None
        wall.append(max(timedelta(), case.completed - case.submitted))
        service.append(_service(case.submitted, case.completed))
        task.append(_service(case.first, case.last))
        breached += case.completed > case.submitted + TARGET
    over = sum(now > case.submitted + TARGET for case in still_open)
    ages = [now - case.submitted for case in still_open]
    return {
        "submitted": len(cases),
        "open": len(still_open),
        "completed": len(completed),
        "cancelled": 0,
        "reopened": 0,
        "judged": len(completed) + over,
        "breached": breached + over,
        "over_target": over,
        "oldest_s": max(ages).total_seconds() if ages else None,
        "citizen_s_sum": sum(wall, timedelta()).total_seconds(),
        "citizen_service_s_sum": sum(service, timedelta()).total_seconds(),
        "citizen_median_s": _smallest(wall, 0.5),
        "citizen_p90_s": _smallest(wall, 0.9),
        "km_citizen_median_s": _kaplan_meier(wall, ages),
        "citizen_service_median_s": _smallest(service, 0.5),
        "legal_s_sum": 0.0,
        "legal_median_s": None,
        "task_s_sum": sum(task, timedelta()).total_seconds(),
        "task_median_s": _smallest(task, 0.5),
        "task_p90_s": _smallest(task, 0.9),
        "first_time_right": 1.0 if completed else None,
        "first_time_right_provisional": sum(
            case.completed is not None and now <= case.completed + timedelta(days=30) for case in completed
        ),
    }


@pytest.mark.embedded
def test_the_permits_of_a_municipality_come_to_the_figures_of_a_second_computation(scratch: Path) -> None:
    log = public_log("pm4py_receipt.csv")
    by_case: dict[str, list[dict[str, str]]] = defaultdict(list)
    with log.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            by_case[row["case:concept:name"]].append(row)
    cases = [Case(rows) for rows in by_case.values()]

    report = try_json(
        log, "--mapping", EXAMPLE / "mapping.yaml", "--targets", EXAMPLE / "targets.yaml", scratch=scratch
    )
    assert report.agreement.differences == []
    assert (report.late, report.rejected, report.not_yet, report.duplicates) == (0, [], 0, 0)
    assert report.skewed == 2  # two cases end before they start
    newest = max(max(case.submitted, case.completed or case.submitted, case.last) for case in cases)
    assert datetime.fromisoformat(report.now) == newest

    (row,) = msgspec.to_builtins(report.requests)
    quarters = {quarter.pop("quarter"): quarter for quarter in row.pop("quarters")}
    assert (row.pop("unit"), row.pop("service")) == ("municipality", "permit")
    assert row == pytest.approx(_expected(cases, newest), abs=1e-6)
    assert (row["submitted"], row["completed"], row["open"]) == (1434, 1329, 105)
    assert list(quarters) == QUARTERS
    for name, quarter in quarters.items():
        mine = [case for case in cases if case.quarter == name]
        assert quarter == pytest.approx(_expected(mine, newest), abs=1e-6), name
