"""How a database holds what the domain counts otherwise: hashes of 64 bits, and days."""

from __future__ import annotations

from datetime import date

__all__ = ["ordinal", "signed", "unsigned"]


def signed(number: int) -> int:
    """A 64-bit hash as a database holds it."""
    return number - (1 << 64) if number >= 1 << 63 else number


def unsigned(number: int) -> int:
    """A 64-bit hash as the domain holds it."""
    return number + (1 << 64) if number < 0 else number


def ordinal(day: date | str) -> int:
    """A service day (proleptic ordinal) from what a row has: SQLite's text, PostgreSQL's date."""
    return (date.fromisoformat(day) if isinstance(day, str) else day).toordinal()
