"""What opening hours do to the waits of a day: from where they are judged, and when nobody is called any more."""

from __future__ import annotations

from functools import lru_cache

from loket.domain.opening import OpeningHours, opening_hours
from loket.domain.policy import ServiceDays, UnitPolicy

__all__ = ["hall_closes_at", "hours_of", "opens_after", "service_days"]


@lru_cache(maxsize=512)
def _days(zone: str, day_starts_ms: int | None) -> ServiceDays:
    return ServiceDays(zone, day_starts_ms)


def service_days(policy: UnitPolicy) -> ServiceDays:
    """The service days of a unit."""
    return _days(policy.zone, policy.day_starts_ms)


def hours_of(policy: UnitPolicy) -> OpeningHours:
    """The service time of a unit."""
    return opening_hours(policy.zone, policy.calendar)


def opens_after(policy: UnitPolicy, day: int, issued_at: int) -> int | None:
    """The first opening of a service day, where waits are judged from there on and it is after an issue (rule 9)."""
    if not policy.waits_from_opening:
        return None
    opens_at = _edges(hours_of(policy), service_days(policy), day)[0]
    return opens_at if opens_at is not None and opens_at > issued_at else None


def hall_closes_at(policy: UnitPolicy, day: int) -> int | None:
    """When, after the hours of a service day, who still waits is not called any more (rule 6); None: never."""
    if policy.close_after_ms is None:
        return None
    closes_at = _edges(hours_of(policy), service_days(policy), day)[1]
    return None if closes_at is None else closes_at + policy.close_after_ms


@lru_cache(maxsize=8_192)
def _edges(hours: OpeningHours, days: ServiceDays, day: int) -> tuple[int | None, int | None]:
    """The first opening and the closing of a service day: every open ticket asks for them at each scrape."""
    begin, end = days.start(day), days.end(day)
    return hours.first_opening(begin, end), hours.closing(begin, end)
