"""The rows of requests of the record: clocks side by side, medians, and the same by quarter of submission."""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec import Struct, field
from sqlalchemy import ColumnElement, Connection, RowMapping, select

from loket.domain.estimates import kaplan_meier_quantile, quantile
from loket.domain.policy import Policy, Produces
from loket.domain.request_course import FIRST_TIME_RIGHT_MS
from loket.domain.request_summary import QuarterFigures, RequestFigures, request_figures
from loket_consumers.request_schema import requests

__all__ = ["SomeRequests", "request_rows"]

_CLOCKS = ("citizen", "citizen_service", "legal", "task")


class SomeRequests(Struct):
    """Some requests added up: flat figures, and the single durations of which quantiles are wanted."""

    flat: dict[str, int] = field(default_factory=dict)
    clocks: dict[str, list[int]] = field(default_factory=lambda: {clock: [] for clock in _CLOCKS})
    censored: list[int] = field(default_factory=list)
    provisional: int = 0
    judges: bool = False

    def add(self, row: RowMapping, now: int) -> None:
        """Add a request."""
        self._rise("requests_submitted")
        self._rise("requests_reopened", row["reopened"])
        first, ended_at, breach_at = row["first_completed_at"], row["ended_at"], row["breach_at"]
        if first is not None:
            self._rise("requests_ever_completed")
            self._rise("requests_reopened_early", int(row["reopened_early"]))
            self.provisional += not row["reopened_early"] and now <= first + FIRST_TIME_RIGHT_MS
        if ended_at is None:
            self._rise("requests_open")
            self._rise("requests_suspended", int(row["suspended_since"] is not None))
            oldest = self.flat.get("oldest_request_start", now)
            self.flat["oldest_request_start"] = min(oldest, row["submitted_at"])
        elif row["completed"]:
            self._rise(f"requests_completed/{row['outcome_label']}")
        else:
            self._rise("requests_cancelled")
        for clock in _CLOCKS:
            ms = row[f"{clock}_ms"]
            if ms is not None:
                self.clocks[clock].append(ms)
                self._rise(f"request_{clock}_seconds_ms", ms)
        if not row["completed"]:
            self.censored.append(max(0, (now if ended_at is None else ended_at) - row["submitted_at"]))
        if row["target_ms"] is not None:
            self.judges = True
            breached = breach_at is not None and (now if ended_at is None else ended_at) > breach_at
            self._rise("requests_breached", int(breached))
            self._rise("requests_over_target", int(breached and ended_at is None))
            self._rise("requests_judged", int(breached or bool(row["completed"])))

    def _rise(self, figure: str, amount: int = 1) -> None:
        self.flat[figure] = self.flat.get(figure, 0) + amount

    def told(self, now: int) -> dict[str, Any]:
        """The figures by name."""
        citizen, task = self.clocks["citizen"], self.clocks["task"]
        return request_figures(self.flat, now, judges=self.judges) | {
            "citizen_median_s": _seconds(quantile(citizen, 0.5)),
            "citizen_p90_s": _seconds(quantile(citizen, 0.9)),
            "km_citizen_median_s": _seconds(kaplan_meier_quantile(citizen, self.censored, 0.5)),
            "citizen_service_median_s": _seconds(quantile(self.clocks["citizen_service"], 0.5)),
            "legal_median_s": _seconds(quantile(self.clocks["legal"], 0.5)),
            "task_median_s": _seconds(quantile(task, 0.5)),
            "task_p90_s": _seconds(quantile(task, 0.9)),
            "first_time_right_provisional": self.provisional,
        }


def request_rows(
    connection: Connection, policy: Policy, rows: ColumnElement[bool], names: list[str], now: int
) -> list[RequestFigures]:
    """The rows of all units and services that have requests, or are said to give documents, at `now` (ms)."""
    whole: dict[tuple[str, str], SomeRequests] = {}
    quarters: dict[tuple[str, str], dict[str, SomeRequests]] = {}
    for name in names:
        for service, promised in policy.unit(name).services.items():
            if promised.produces is Produces.REQUEST:
                whole[name, service] = SomeRequests(judges=bool(promised.turnarounds))
    for row in connection.execute(select(requests).where(rows)).mappings():
        key = (row["unit"], row["service"])
        some = whole.setdefault(key, SomeRequests())
        some.add(row, now)
        quarter = quarters.setdefault(key, {}).setdefault(_quarter(row["submitted_on"]), SomeRequests())
        quarter.add(row, now)
    return [
        RequestFigures(
            unit=unit,
            service=service,
            quarters=[
                QuarterFigures(quarter=name, **_judging(some, whole[unit, service]).told(now))
                for name, some in sorted(quarters.get((unit, service), {}).items())
            ],
            **whole[unit, service].told(now),
        )
        for unit, service in sorted(whole)
    ]


def _judging(quarter: SomeRequests, whole: SomeRequests) -> SomeRequests:
    quarter.judges = whole.judges
    return quarter


def _quarter(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
