"""Rebuilds that die by SIGKILL: `python -m support.dying_rebuild DATABASE PLACE:N …`.

PLACE names a function of the rebuild; the process dies when that returns for the Nth time, or right after the commit.
Each place has a process of its own, forked from this one. Exit status 0: each died where it should.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from sqlalchemy import event

from loket.wire.cloudevents import Decoder
from loket_consumers import bulk
from loket_consumers.engines import connect
from loket_consumers.reading import ServiceTime
from loket_consumers.rebuilding import builder, rebuild, scratch
from loket_consumers.rebuilding.rebuild import Meaning
from support.logs import POLICY

__all__ = ["MEANING", "Quiet"]


class Quiet:
    """Steps of a rebuild that nobody watches."""

    def step(self, description: str, total: int | None = None) -> None:
        pass

    def at(self, reached: int) -> None:
        pass


MEANING = Meaning(lambda partitions: Decoder(partitions, clock="event", now=lambda: 1 << 60), ServiceTime(), POLICY)


def die_after(place: str, number: int, engine: Any) -> None:
    """Have the process killed at a place."""
    passed = 0

    def dying(does: Any) -> Any:
        def do(*arguments: Any, **named: Any) -> Any:
            nonlocal passed
            found = does(*arguments, **named)
            passed += 1
            if passed >= number:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return do

    modules: dict[str, Any] = {"upgrade": scratch, "store": builder, "compare": rebuild, "swap": rebuild}
    if place in modules:
        setattr(modules[place], place, dying(getattr(modules[place], place)))
    elif place == "insert":
        take = bulk.insert

        def insert(connection: Any, *arguments: Any, **named: Any) -> Any:
            # Only those into the record itself: the scratch's are not in the transaction of the swap.
            write = counted if connection.engine.url == engine.url and engine is connection.engine else take
            return write(connection, *arguments, **named)

        counted = dying(take)
        bulk.insert = insert
    elif place == "commit":
        event.listen(engine, "commit", lambda connection: dying(connection.connection.driver_connection.commit)())


def main(database: str, *places: str) -> None:
    """Die at all places in turn."""
    for place in places:
        name, _, number = place.partition(":")
        child = os.fork()
        if child == 0:
            engine = connect(database)
            die_after(name, int(number), engine)
            rebuild.rebuild(engine, MEANING, Quiet())
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status != -signal.SIGKILL:
            sys.exit(f"the rebuild that should die at {place} ended with {status}")


if __name__ == "__main__":
    main(*sys.argv[1:])
