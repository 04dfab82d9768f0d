"""What a figure of the tallies is called in the rows that leave the product, and its unit there."""

from __future__ import annotations

from typing import Final

from loket.domain.summary import OLDEST

__all__ = ["told"]

_NAMES: Final = {
    "tickets_issued": "issued",
    "calls_again": "called_again",
    "tickets_incomplete": "incomplete",
    "wait_seconds_count": "wait_stretches",
    "tickets_closed/completed": "closed.completed",
    "tickets_closed/no_show": "closed.no_show",
    "tickets_closed/abandoned": "closed.abandoned",
    "tickets_closed/transferred": "closed.transferred",
    "expired": "closed.expired",
    "staffed_ms": "staffed_s",
    "serving_ms": "serving_s",
}

_SECONDS: Final = 1_000
"""Milliseconds of one."""


def told(figure: str) -> tuple[str, int]:
    """The name of a figure in the rows of reports, and the divisor that makes its amount theirs (ms to seconds).

    A figure of which the rows have only a sum keeps the name of its metric (`waits_answered/yes`).
    """
    if figure in OLDEST:
        return f"{figure}_timestamp_s", _SECONDS
    if figure in ("staffed_ms", "serving_ms"):
        return _NAMES[figure], _SECONDS
    if figure.endswith("_ms"):
        return f"{figure.removesuffix('_ms').removesuffix('_seconds')}_s_sum", _SECONDS
    return _NAMES.get(figure, figure), 1
