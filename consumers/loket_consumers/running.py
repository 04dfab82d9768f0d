"""One sink process from its start to its end: everything is put together here, and nothing on import."""

from __future__ import annotations

import gc
import logging
import os
import signal
from contextlib import ExitStack
from threading import Event
from types import FrameType
from typing import Final

from loket.broker import EventConsumer, KafkaEventConsumer, check_topics, events_topic, partition_count
from loket.clock import Clock
from loket.errors import LoketError
from loket.serving import Server
from loket.settings import AlertsSettings, Connection, SinkSettings
from loket.supervision import Supervision, supervision
from loket.targets import TargetsFile
from loket.wire.cloudevents import Decoder
from loket_consumers.engines import connect, shown
from loket_consumers.errors import EventsCompacted
from loket_consumers.migrating import check_schema
from loket_consumers.reading import EventTime, ServiceTime
from loket_consumers.sink import Options, Sink
from loket_consumers.status import Status
from loket_consumers.terms import check_terms

__all__ = ["check_whole", "run", "stop_on_signals", "targets_of"]

logger = logging.getLogger("loket.sink")

MAX_POLL_INTERVAL_MS: Final = 600_000
"""A transaction may take so long before the group takes our partitions away."""

STATEMENT_TIMEOUT_S: Final = 120
"""A statement that takes longer is given up and tried again: a database that hangs must not hang the sink."""


def targets_of(settings: SinkSettings | AlertsSettings) -> TargetsFile:
    """The targets that the settings name. Raises TargetsError."""
    from pathlib import Path

    return TargetsFile(None if settings.targets is None else Path(settings.targets))


def run(settings: SinkSettings, clock: Clock, *, until_end: bool = False, accept_lost_events: bool = False) -> None:
    """Run a sink until SIGTERM or SIGINT, which let it finish its transaction; a second signal ends it at once.

    Raises LoketError: a target, the port, the schema, the database or the broker is not as it has to be.
    """
    manager = supervision(os.environ, clock)
    try:
        _run(settings, clock, manager, until_end=until_end, accept_lost_events=accept_lost_events)
    except LoketError as error:
        manager.ended(str(error))
        raise


def _run(
    settings: SinkSettings, clock: Clock, manager: Supervision, *, until_end: bool, accept_lost_events: bool
) -> None:
    targets = targets_of(settings)
    with ExitStack() as closing:
        engine = connect(settings.database, statement_timeout_s=STATEMENT_TIMEOUT_S, exists=True)
        closing.callback(engine.dispose)
        version = check_schema(engine)
        check_terms(engine, targets.policy)
        partitions = partition_count(settings.connection, settings.topic)
        check_whole(settings.connection, settings.topic, partitions)
        now_ms = None if settings.now is None else int(settings.now)
        decoder = Decoder(partitions, clock=settings.clock, now=lambda: clock.now_ms() if now_ms is None else now_ms)
        time = EventTime(now_ms) if settings.clock == "event" else ServiceTime()
        consumer: EventConsumer | None = None

        def highwater(partition: int) -> int | None:
            return None if consumer is None else consumer.highwater(partition)

        status = Status(clock, highwater)
        server = Server(
            settings.metrics_host, settings.metrics_port, status.routes(), setting="LOKET_SINK_METRICS_PORT"
        )
        stop = stop_on_signals(logger)
        server.start()
        closing.callback(server.stop)
        _collect_garbage_rarely()
        consumer = KafkaEventConsumer(
            settings.connection,
            settings.topic,
            settings.group_id,
            session_timeout_ms=int(settings.session_timeout_s * 1_000),
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
        )
        logger.info(
            "%s (schema %s) takes the record of %s; metrics on %s", shown(engine), version, settings.topic, server.url
        )
        options = Options(settings.topic, partitions, until_end, accept_lost_events)
        Sink(consumer, engine, decoder, time, targets, clock, status, options, manager).run(stop)
        logger.info("stopped")


def check_whole(connection: Connection, topic: str, partitions: int) -> None:
    """Raise EventsCompacted where Kafka compacts the topic: what that takes away could not be told from nothing."""
    for difference in check_topics(connection, [events_topic(topic, partitions)]):
        if difference.setting == "cleanup.policy":
            raise EventsCompacted(difference)


def _collect_garbage_rarely() -> None:
    """A batch makes some hundred thousand objects that go with it: looking through them again and again took a third of
    the time, for no cycle found."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def stop_on_signals(logger: logging.Logger) -> Event:
    """An event that SIGTERM or SIGINT sets; the next of them does what it does by itself."""
    stop = Event()

    def ask(number: int, _: FrameType | None) -> None:
        logger.info("%s: finishing what is under way", signal.Signals(number).name)
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop
