"""`/-/healthy` and `/-/ready`: progress, not that a process exists.

Healthy: the event loop comes round, what can be applied is applied, checkpoints succeed. A restart may mend the rest.
Ready: healthy, the broker answers, and every assigned partition is read up to the end that was found when it came.
"""

from __future__ import annotations

from loket.serving import Routes, progress_page
from loket_streams.worker import Worker

__all__ = ["doing", "pages"]


def doing(worker: Worker) -> str:
    """What the worker does now, in a line."""
    partitions = [partition.number for partition in worker.partitions]
    behind = sum(worker.lag(partition) or 0 for partition in worker.partitions)
    return f"reads {len(partitions)} partitions, {behind:,} events behind"


def pages(worker: Worker) -> Routes:
    """Return the two pages by their path: 200, or 503 with the reasons, one a line."""
    return {
        "/-/healthy": lambda: progress_page("healthy", worker.problems()),
        "/-/ready": lambda: progress_page("ready", worker.waits_for()),
    }
