"""The levels of all loggers, set by us: Faust's own set-up turns everything to DEBUG and costs a tenth of the CPU."""

from __future__ import annotations

import logging
from typing import Final

__all__ = ["set_up_logs"]

LIBRARIES: Final = ("aiokafka", "faust", "kafka", "loket_streams", "mode", "asyncio")
"""Libraries, and the services of ours that Faust starts: each tells of its start and stop."""

EVERY_S: Final = 30.0


class Rarely(logging.Filter):
    """Lets each message of a library through once in 30 s: while a broker is away they repeat themselves."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(LIBRARIES):
            return True
        key = (record.name, str(record.msg))
        if record.created - self._last.get(key, -EVERY_S) < EVERY_S:
            return False
        self._last[key] = record.created
        return True


def set_up_logs(*, verbose: bool) -> None:
    """Log to standard error: ours from INFO, the libraries from WARNING and rarely; with `verbose` all from INFO."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z")
    )
    if not verbose:
        handler.addFilter(Rarely())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.WARNING)
