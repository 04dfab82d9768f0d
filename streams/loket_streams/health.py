"""`/-/healthy` and `/-/ready`: progress, not that a process exists.

Healthy: the event loop comes round, what can be applied is applied, checkpoints succeed. A restart may mend the rest.
Ready: healthy, the broker answers, and every assigned partition is read up to the end that was found when it came.
"""

from __future__ import annotations

from loket.serving import Routes, progress_page
from loket_streams.worker import Worker

__all__ = ["pages"]


def pages(worker: Worker) -> Routes:
    """Return the two pages by their path: 200, or 503 with the reasons, one a line."""
    return {
        "/-/healthy": lambda: progress_page("healthy", worker.problems()),
        "/-/ready": lambda: progress_page("ready", worker.waits_for()),
    }
