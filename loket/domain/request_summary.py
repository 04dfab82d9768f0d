"""The figures of a service's requests under the names that leave the product (rules.md, "Names")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from loket.domain.request_course import OUTCOMES

__all__ = [
    "OF_THE_RECORD",
    "QuarterFigures",
    "RequestFigures",
    "has_request_figures",
    "request_figures",
    "request_row",
    "request_rows",
]

OF_THE_RECORD = frozenset(
    {
        "citizen_median_s",
        "citizen_p90_s",
        "km_citizen_median_s",
        "citizen_service_median_s",
        "legal_median_s",
        "task_median_s",
        "task_p90_s",
        "first_time_right_provisional",
        "quarters",
    }
)
"""Figures that only the record can tell."""


class _Clocks(Struct, frozen=True, kw_only=True):
    submitted: int
    open: int
    completed: int
    cancelled: int
    reopened: int
    judged: int | UnsetType = UNSET
    breached: int | UnsetType = UNSET
    over_target: int | UnsetType = UNSET
    oldest_s: float | None
    citizen_s_sum: float
    citizen_service_s_sum: float
    citizen_median_s: float | UnsetType | None = UNSET
    citizen_p90_s: float | UnsetType | None = UNSET
    km_citizen_median_s: float | UnsetType | None = UNSET
    citizen_service_median_s: float | UnsetType | None = UNSET
    legal_s_sum: float
    legal_median_s: float | UnsetType | None = UNSET
    task_s_sum: float
    task_median_s: float | UnsetType | None = UNSET
    task_p90_s: float | UnsetType | None = UNSET
    first_time_right: float | None
    first_time_right_provisional: int | UnsetType = UNSET


class QuarterFigures(_Clocks, frozen=True, kw_only=True):
    """The requests that were submitted in one quarter of a year, by the date in the unit's zone."""

    quarter: str


class RequestFigures(_Clocks, frozen=True, kw_only=True):
    """The requests of one unit and service. What needs a target is absent where there is none (rule 22).

    `reopened` counts reopenings. `first_time_right` is the share of the requests ever completed that were not reopened
    within 30 days of their first completion; of `first_time_right_provisional` of them the 30 days are not over.
    Medians are of completed requests; the Kaplan-Meier median takes the open and the cancelled ones as censored.
    Quantiles and quarters come from the record only.
    """

    unit: str
    service: str
    quarters: list[QuarterFigures] | UnsetType = UNSET


def has_request_figures(flat: Mapping[str, int]) -> bool:
    """Whether flat figures of a service have any of requests that is not 0."""
    return any(amount and name.startswith("request") for name, amount in flat.items())


def request_figures(flat: Mapping[str, int], now: int, *, judges: bool) -> dict[str, Any]:
    """The figures of some requests by name, from flat figures at `now` (ms)."""

    def get(name: str) -> int:
        return flat.get(name, 0)

    oldest = flat.get("oldest_request_start")
    ever = get("requests_ever_completed")
    found: dict[str, Any] = {
        "submitted": get("requests_submitted"),
        "open": get("requests_open"),
        "completed": sum(get(f"requests_completed/{outcome}") for outcome in OUTCOMES),
        "cancelled": get("requests_cancelled"),
        "reopened": get("requests_reopened"),
        "oldest_s": None if oldest is None else max(0, now - oldest) / 1000,
        "citizen_s_sum": get("request_citizen_seconds_ms") / 1000,
        "citizen_service_s_sum": get("request_citizen_service_seconds_ms") / 1000,
        "legal_s_sum": get("request_legal_seconds_ms") / 1000,
        "task_s_sum": get("request_task_seconds_ms") / 1000,
        "first_time_right": None if not ever else (ever - get("requests_reopened_early")) / ever,
    }
    if judges:
        found |= {name: get(f"requests_{name}") for name in ("judged", "breached", "over_target")}
    return found


def request_row(unit: str, service: str, flat: Mapping[str, int], now: int, *, judges: bool) -> RequestFigures:
    """The row of one unit and service, without what only the record tells."""
    return RequestFigures(unit=unit, service=service, **request_figures(flat, now, judges=judges))


def request_rows(
    unit: str, services: Mapping[str, Mapping[str, int]], promised: Iterable[str], judging: Iterable[str], now: int
) -> list[RequestFigures]:
    """The rows of a unit: of the services that give documents, and of those of which somebody has asked for one."""
    judging, named = set(judging), set(promised)
    named |= {service for service, flat in services.items() if has_request_figures(flat)}
    return [
        request_row(unit, service, services.get(service, {}), now, judges=service in judging)
        for service in sorted(named)
    ]
