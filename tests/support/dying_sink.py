"""Sinks that die by SIGKILL inside their transaction: `python -m support.dying_sink DATABASE PLACE:N …`.

PLACE names a function of the transaction; the process dies when that returns for the Nth time, or, for `commit`, right
after that commit. Each place has a process of its own, forked from this one, and the last stores everything. The log is
in memory and always the same. Exit status 0: each died where it should.
"""

from __future__ import annotations

import os
import signal
import sys
from threading import Event as Flag
from typing import Any

from sqlalchemy import event

from loket.targets import TargetsFile
from loket.testing.clock import FrozenClock
from loket.wire.cloudevents import Decoder
from loket_consumers import bulk, storing
from loket_consumers.engines import connect
from loket_consumers.reading import ServiceTime
from loket_consumers.sink import Options, Sink
from loket_consumers.status import Status
from loket_consumers.workspace import Workspace
from support.fake_consumer import FakeConsumer, FakeLog
from support.logs import DAY_BEGINS, to_records
from support.recorded import TOPIC
from support.sinks import visits

LOG = [(told, int(told.time)) for told in visits(60, DAY_BEGINS)]
RECORDS_AT_A_TIME = 40


def die_after(place: str, transaction: int, engine: Any) -> None:
    """Have the process killed at a place."""
    passed = 0

    def dying(does: Any) -> Any:
        def do(*arguments: Any, **named: Any) -> Any:
            nonlocal passed
            found = does(*arguments, **named)
            passed += 1
            if passed >= transaction:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return do

    if place == "_guard":
        storing._guard = dying(storing._guard)
    elif place in ("load", "save"):
        setattr(Workspace, place, dying(getattr(Workspace, place)))
    elif place == "insert":
        bulk.insert = dying(bulk.insert)
    elif place == "commit":
        event.listen(engine, "commit", lambda connection: dying(connection.connection.driver_connection.commit)())


def run(database: str, place: str = "", transaction: int = 0) -> None:
    """Store the log, or die on the way."""
    engine = connect(database)
    if place:
        die_after(place, transaction, engine)
    clock = FrozenClock(DAY_BEGINS)
    log = FakeLog(1)
    log.append(to_records(LOG, topic=TOPIC))
    consumer = FakeConsumer(log, clock)
    status = Status(clock, consumer.highwater)
    options = Options(TOPIC, 1, until_end=True, records=RECORDS_AT_A_TIME)
    decoder = Decoder(1, clock="event", now=lambda: 1 << 60)
    Sink(consumer, engine, decoder, ServiceTime(), TargetsFile(None), clock, status, options).run(Flag())


def main(database: str, *places: str) -> None:
    """Die at all places in turn, then store everything."""
    for place in places:
        name, _, number = place.partition(":")
        child = os.fork()
        if child == 0:
            run(database, name, int(number))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status != -signal.SIGKILL:
            sys.exit(f"the sink that should die at {place} ended with {status}")
    run(database)


if __name__ == "__main__":
    main(*sys.argv[1:])
