"""A connection to PostgreSQL that does not wait for ever for a server that says nothing.

A frozen machine, or what stands between it and us, takes what we send and acknowledges it, so that neither the kernel's
keepalives nor the server's own `statement_timeout` end a wait.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

from loket.clock import SYSTEM_CLOCK

__all__ = ["patient"]

Result = TypeVar("Result")


def patient(silence_s: float) -> type[psycopg.Connection[Any]]:
    """A class of connections that are given up, with OperationalError, once nothing has come for so many seconds.

    It has to be more than the server's `statement_timeout`, as a statement that runs is silent too.
    """

    class PatientConnection(psycopg.Connection[Any]):
        def wait(self, gen: Generator[Any, Any, Result], *args: Any, **options: Any) -> Result:
            return super().wait(self._listening(gen), *args, **options)

        def _listening(self, gen: Generator[Any, Any, Result]) -> Generator[Any, Any, Result]:
            heard_at = SYSTEM_CLOCK.monotonic()
            try:
                wanted = next(gen)
                while True:
                    ready = yield wanted  # nothing, several times a second, while nothing comes
                    now = SYSTEM_CLOCK.monotonic()
                    if ready:
                        heard_at = now
                    elif now - heard_at > silence_s:
                        self.pgconn.finish()
                        raise psycopg.OperationalError(f"it has answered nothing for {silence_s:.0f} s")
                    wanted = gen.send(ready)
            except StopIteration as end:
                result: Result = end.value
                return result

    return PatientConnection
