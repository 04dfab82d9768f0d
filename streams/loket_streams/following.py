"""A running worker follows its targets: what is right comes in force, what is wrong is said and changes nothing."""

from __future__ import annotations

import logging

from loket.clock import Clock
from loket.targets import TargetsFile
from loket_streams.worker import Worker

__all__ = ["Following"]

logger = logging.getLogger("loket.streams")


class Following:
    """Looks at the targets' file for one worker."""

    def __init__(self, targets: TargetsFile, clock: Clock, worker: Worker) -> None:
        self._targets = targets
        self._clock = clock
        self._worker = worker
        self._told = ""

    def look(self) -> bool:
        """Take what has changed; whether anything has. Each fault is told once: who mends one and makes another hears
        of that too."""
        found = self._targets.reload(self._clock.now_ms())
        if found.changed:
            self._worker.partitions.follow(found.policy)
            logger.info("the targets were read anew and are in force")
        error = "" if found.error is None else str(found.error)
        if error and error != self._told:
            logger.error("the targets in force stay: %s", error)
        elif self._told and not error and not found.changed:
            logger.info("the targets' file says again what is in force")
        self._told = error
        self._worker.targets_valid = found.valid
        return found.changed
