"""Holidays, joint leave and Ramadan as days, computed by the library `holidays`; what it estimates it says itself."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Final

__all__ = ["YEARS", "countries", "days_off", "named_days_off", "ramadan"]

YEARS: Final = range(1990, 2061)
"""For which holidays are known; those of years to come that depend on the moon are estimates."""

_JOINT_LEAVE: Final = "government"
_FEAST: Final = frozenset({"Eid al-Fitr", "Eid al-Fitr (estimated)"})

_FASTING_BEGAN: Final = {
    2020: (4, 24),
    2021: (4, 13),
    2022: (4, 3),
    2023: (3, 23),
    2024: (3, 12),
    2025: (3, 1),
    2026: (2, 19),
}
"""First days of Ramadan by the decrees of Indonesia's Ministry of Religious Affairs (sidang isbat)."""

_FASTING_DAYS: Final = 30
"""Of a year without such a date; it may also have 29."""


@cache
def countries() -> frozenset[str]:
    """The countries whose holidays are known, by their two letters."""
    import holidays

    return frozenset(code for code in holidays.list_supported_countries() if len(code) == 2)


@cache
def named_days_off(country: str, *, joint_leave: bool) -> dict[int, str]:
    """Public holidays of a country, with joint leave on request: day (a proleptic ordinal) and English name."""
    import holidays

    made = getattr(holidays, country)
    categories = ["public"]
    if joint_leave and _JOINT_LEAVE in made.supported_categories:
        categories.append(_JOINT_LEAVE)
    language = "en_US" if "en_US" in made.supported_languages else None
    found = holidays.country_holidays(country, years=YEARS, categories=categories, language=language)
    return {day.toordinal(): name for day, name in sorted(found.items())}


@cache
def days_off(country: str, *, joint_leave: bool) -> frozenset[int]:
    """As `named_days_off`, the days alone."""
    return frozenset(named_days_off(country, joint_leave=joint_leave))


@cache
def ramadan() -> frozenset[int]:
    """The days of Ramadan in Indonesia: until the day before Eid al-Fitr, from the decreed day or 30 days before."""
    days: set[int] = set()
    for feast, name in named_days_off("ID", joint_leave=False).items():
        if not _FEAST.isdisjoint(name.split("; ")):
            decreed = _FASTING_BEGAN.get(date.fromordinal(feast).year)
            first = date(date.fromordinal(feast).year, *decreed).toordinal() if decreed else feast - _FASTING_DAYS
            days.update(range(first, feast))
    return frozenset(days)
