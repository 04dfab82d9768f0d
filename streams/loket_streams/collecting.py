"""When Python looks for cycles in the worker: seldom."""

from __future__ import annotations

import gc
from typing import Final

__all__ = ["collect_seldom"]

THRESHOLDS: Final = (50_000, 20, 20)
"""New objects before the youngest are looked through, and how often that is before older ones are."""


def collect_seldom() -> None:
    """Look for cycles seldom, and never in what was imported.

    Units hold millions of objects and no cycle: looking through them at Python's own pace takes a sixth of the worker's
    time. What Faust and exceptions leave behind is still found.
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
