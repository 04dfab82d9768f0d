"""`/-/healthy` and `/-/ready`: progress, not that a process exists.

Healthy: the event loop comes round, what can be applied is applied, checkpoints succeed. A restart may mend the rest.
Ready: healthy, the broker answers, and every assigned partition is read up to the end that was found when it came.
"""

from __future__ import annotations

from collections.abc import Callable

from loket_streams.server import Page, text
from loket_streams.worker import Worker

__all__ = ["pages"]


def pages(worker: Worker) -> dict[str, Callable[[], Page]]:
    """Return the two pages by their path: 200, or 503 with the reasons, one a line."""
    return {
        "/-/healthy": lambda: _page("healthy", worker.problems()),
        "/-/ready": lambda: _page("ready", worker.waits_for()),
    }


def _page(state: str, reasons: list[str]) -> Page:
    if not reasons:
        return text(200, f"{state}\n")
    return text(503, "".join(f"{reason}\n" for reason in reasons))
