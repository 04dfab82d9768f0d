"""Dates of `targets.yaml`."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from loket.documents import Node

__all__ = ["DATE_PATTERN", "day_of"]

DATE_PATTERN: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DATE = re.compile(DATE_PATTERN)


def day_of(node: Node) -> int | None:
    """A date, with quotes or without, as its ordinal."""
    text = node.text("a date such as 2026-01-31")
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text) is None or not "1900" <= text <= "2999":
            raise ValueError
        return date.fromisoformat(text).toordinal()
    except ValueError:
        node.fault(f"`{text}` is not a date from 1900 to 2999: write year-month-day, such as 2026-01-31")
        return None
