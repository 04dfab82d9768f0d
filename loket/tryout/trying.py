"""A try: a log through broker, worker and sink in a temporary folder, and what metrics and record say of it.

```
file, mapping, targets: looked at first ─▶ broker ─▶ worker and sink start ─▶ import ─▶ both at the end ─▶ compare
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from loket.broker import BrokerError, EventProducer, TopicMissing, answers, partition_count
from loket.broker.removal import end_offsets
from loket.clock import Clock
from loket.companions import Run
from loket.companions.ports import free_port
from loket.embedded import EmbeddedBroker
from loket.importing import Outgoing, Report
from loket.pipeline import Pipeline, Places
from loket.pipeline.removing import Leftovers
from loket.settings import Connection, TopicsSettings, load
from loket.tryout.asked import Asked, open_log
from loket.tryout.lines import with_lines
from loket.tryout.progress import Progress
from loket.wire.figures import Rejection, TryReport

__all__ = ["run_try"]

PARTITIONS: Final = 4
"""Of a try's own topics: more than one, as in service."""

DELIVERY_MS: Final = 20_000
"""A broker that takes nothing for so long is taken to be gone."""


def run_try(asked: Asked, clock: Clock, progress: Progress) -> TryReport:
    """Try a log and return the report; nothing is left of it, however it ends, but a topic that was named.

    Raises UsageError for what is asked wrongly, before anything is started; CompanionFailed, Unfinished and BrokerError
    where it cannot be finished.
    """
    asked.check()
    report = Report()
    progress.step("reading the log", asked.file.stat().st_size)
    records = open_log(asked, report, progress.at)
    with Run("try") as run:
        broker = None if asked.bootstrap is not None else run.stack.enter_context(EmbeddedBroker())
        connection = _connection(asked) if broker is None else broker.connection
        places = _places(asked, connection, run)
        partitions = _partitions(asked, connection)
        pipeline = Pipeline(
            run, places, clock, partitions=partitions, broker_runs=lambda: broker is None or broker.running
        )
        progress.step("starting worker and sink")
        pipeline.start()
        progress.step("sending events", report.events)
        try:
            ends = _send(records, places, pipeline, progress)
        except BrokerError:
            pipeline.check()  # why it does not answer is known better where it is ours
            raise
        if report.repeated:
            repeat = "row repeats an earlier one" if report.repeated == 1 else "rows repeat earlier ones"
            progress.note(f"{report.repeated:,} {repeat}: left out, as an event counts once")
        if asked.topic is not None:  # with what was there before
            ends = end_offsets(connection, places.topic, partitions)
        pipeline.wait_until_serving()
        progress.step("worker and sink", sum(ends.values()))
        pipeline.settle(ends, lambda worker, sink: progress.at(min(worker, sink)))
        progress.step("comparing metrics and record")
        found = pipeline.answers(ends)
    progress.done()
    refused = [
        Rejection(asked.file.name, f"line {row.line}", row.why, row.column or None) for row in report.refused_rows
    ]
    told = found.report(refused)
    if asked.mapping is None and asked.topic is None:  # every record is a line of the file
        told = replace(told, rejected=with_lines(told.rejected, asked.file))
    return told


def _connection(asked: Asked) -> Connection:
    connection = load(TopicsSettings, options={"bootstrap": asked.bootstrap}).connection
    answers(connection)
    return connection


def _places(asked: Asked, connection: Connection, run: Run) -> Places:
    name = Places.unique("try")
    places = Places(
        connection=connection,
        topic=asked.topic or name,
        app_id=f"{name}-worker",
        group_id=f"{name}-sink",
        database=f"sqlite:///{run.folder / 'record.db'}",
        worker_port=free_port(),
        sink_port=free_port(),
        clock="event",
        targets=asked.targets,
        now=asked.now,
        embedded=asked.bootstrap is None,
    )
    if not places.embedded:
        own = [places.changelog] if asked.topic else [places.topic, places.changelog]
        leftovers = Leftovers(connection, own, [places.app_id, places.group_id])
        run.undo(leftovers.write(run.folder / "leftovers.json"))
        run.stack.callback(leftovers.remove)
    return places


def _partitions(asked: Asked, connection: Connection) -> int:
    if asked.topic is None:
        return PARTITIONS
    try:
        return partition_count(connection, asked.topic)
    except TopicMissing:
        return PARTITIONS


def _send(records: Iterator[Outgoing], places: Places, pipeline: Pipeline, progress: Progress) -> dict[int, int]:
    """Send the log; the offset after the last record of each partition."""
    with EventProducer(places.connection, places.topic, delivery_timeout_ms=DELIVERY_MS) as producer:
        for number, record in enumerate(records):
            # Dated by its arrival on every broker, as `now` depends on what is ahead of the broker's time (rule 4).
            producer.send(record.key, record.value, record.headers)
            if number % 1_000 == 0:
                pipeline.check()
                progress.at(number)
        producer.flush()
        return producer.ends
