"""Logs of the components: to standard error, ours from INFO, and of the libraries what an operator can use.

Levels are set here and nowhere else: Faust's own set-up turns everything to DEBUG and costs a tenth of the CPU.
"""

from __future__ import annotations

import logging
from typing import Final

__all__ = ["LIBRARIES", "Rarely", "set_up_logs"]

LIBRARIES: Final = {
    "aiokafka": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "faust": logging.WARNING,
    "kafka": logging.CRITICAL,
    "loket_streams": logging.WARNING,
    "mode": logging.WARNING,
}
"""From which level libraries, and the services of ours that Faust starts, are heard. kafka-python says with tracebacks,
dozens of times a second, that a broker is away; the components say it once, and what to do."""

EVERY_S: Final = 30.0


class Rarely(logging.Filter):
    """Lets each message of a library through once in 30 s: while a broker is away they repeat themselves."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(tuple(LIBRARIES)):
            return True
        key = (record.name, str(record.msg))
        if record.created - self._last.get(key, -EVERY_S) < EVERY_S:
            return False
        self._last[key] = record.created
        return True


def set_up_logs(*, verbose: bool) -> None:
    """Log to standard error: ours from INFO, libraries from their level and rarely; with `verbose` all from INFO."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z")
    )
    if not verbose:
        handler.addFilter(Rarely())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name, level in LIBRARIES.items():
        logging.getLogger(name).setLevel(logging.INFO if verbose else level)
