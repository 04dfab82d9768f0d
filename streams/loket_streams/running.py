"""One worker process from its start to its end.

```
targets, port, broker and topics ─▶ Faust's app ─▶ assignment, recovery, reading …  ─▶ SIGTERM: hold, checkpoint, commit,
      each wrong: one message,           │                                              leave the group; exit 0
      exit status 1 or 2                 └─ failure or crash: hold; one message, exit 1, nothing more is committed
```

Faust's own command line is not used: its start-up spinner turns every logger to DEBUG, and its signal handlers stop the
flow without a last checkpoint.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

from faust.types import TP

from loket.clock import Clock
from loket.errors import LoketError
from loket.settings import WorkerSettings
from loket.targets import TargetsFile
from loket.wire.cloudevents import Decoder
from loket_streams import health
from loket_streams.app import Broker, LoketApp, build_app
from loket_streams.checkpoints import Checkpointer
from loket_streams.errors import CheckpointError, StreamError
from loket_streams.partitions import Partitions
from loket_streams.processing import EventTime, Processor, ServiceTime
from loket_streams.server import Page, Server
from loket_streams.startup import prepare
from loket_streams.tallies import Tallies
from loket_streams.worker import Worker

__all__ = ["run"]

logger = logging.getLogger("loket.streams")

CHECKPOINT_S: Final = 60.0
"""A checkpoint may take so long before it counts as failed."""

STOP_S: Final = 15.0
"""From SIGTERM to the end, whatever hangs."""

BEAT_S: Final = 1.0
RELOAD_S: Final = 5.0
END_S: Final = 0.05

Pages = Callable[[Worker], Mapping[str, Callable[[], Page]]]


class ConsumerSource:
    """What the consumer of a running app knows, for a Worker; nothing before it runs."""

    def __init__(self) -> None:
        self.app: LoketApp | None = None

    def end_offset(self, partition: int) -> int | None:
        if self.app is None or self.app._consumer is None:
            return None
        end: int | None = self.app.consumer.end_offset(TP(self.app.source_topic, partition))
        return end

    def answered_ms(self) -> int | None:
        if self.app is None or self.app._consumer is None:
            return None
        answered: int | None = self.app.consumer.answered_ms()
        return answered


class Process:
    """A worker that runs; made by `run`."""

    def __init__(
        self,
        settings: WorkerSettings,
        clock: Clock,
        targets: TargetsFile,
        partitions: int,
        worker: Worker,
        source: ConsumerSource,
        *,
        ready_file: Path | None,
        member_id: str | None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._targets = targets
        self._worker = worker
        self._ready_file = ready_file
        event_clock = settings.clock == "event"
        now_ms = None if settings.now is None else int(settings.now)
        decoder = Decoder(partitions, clock=settings.clock, now=lambda: clock.now_ms() if now_ms is None else now_ms)
        processor = Processor(
            worker.partitions, decoder, worker.tallies, EventTime(now_ms) if event_clock else ServiceTime()
        )
        session_s = settings.session_timeout_s
        self._app, self._checkpoints = build_app(
            settings.app_id,
            source=settings.topic,
            partitions=worker.partitions,
            process=processor.process,
            broker=Broker(
                settings.connection,
                session_timeout_s=session_s,
                heartbeat_interval_s=min(3.0, session_s / 6),
                rebalance_timeout_s=min(60.0, max(3.0, session_s / 2)),
                fetch_min_bytes=settings.fetch_min_bytes,
                fetch_max_wait_ms=settings.fetch_max_wait_ms,
                member_id=member_id,
            ),
            checkpointer=lambda changelog: Checkpointer(
                worker.partitions, changelog, clock, interval_s=settings.checkpoint_interval_s
            ),
        )
        worker.checkpoints = self._checkpoints.figures
        source.app = self._app

    async def serve(self) -> None:
        """Run until a signal to stop or a failure, which is raised."""
        loop = asyncio.get_running_loop()
        failure = self._app.failure = loop.create_future()
        stop = asyncio.Event()
        _on_stop_signal(lambda: loop.call_soon_threadsafe(stop.set))
        start = loop.create_task(self._app.start())
        background = [
            loop.create_task(work) for work in (self._beat(), self._checkpoint_timer(), self._reload(), self._until_ready())
        ]
        stopped, crashed = loop.create_task(stop.wait()), loop.create_task(self._app._crashed.wait())
        await _first(start, failure, stopped, crashed)
        if not failure.done() and not stopped.done() and not crashed.done() and start.exception() is None:
            await _first(failure, stopped, crashed, *background)
        if failure.done():
            raise failure.result()
        if crashed.done() or (start.done() and not start.cancelled() and start.exception() is not None):
            self._app.hold()
            reason = self._app._crash_reason or (start.exception() if start.done() else None)
            raise StreamError(
                f"the worker's connection to Kafka ended with {reason!r}: start it again when Kafka at "
                f"{self._settings.bootstrap} answers; nothing was lost"
            ) from reason
        for work in background:
            if work.done() and (error := work.exception()) is not None:
                raise error
        await self._stop()

    async def _stop(self) -> None:
        """Make what is applied durable and leave; the deadline is the caller's."""
        logger.info("stopping: a last checkpoint, then this worker leaves its group")
        self._worker.stopping = True
        if not any(partition.loaded for partition in self._worker.partitions):
            return
        self._app.hold()
        await asyncio.sleep(0)
        await self._checkpoints.checkpoint(STOP_S * 2 / 3)
        await self._app.consumer.commit()
        logger.info("everything that was applied is durable and committed")
        await self._app.stop()

    async def _beat(self) -> None:
        while True:
            self._worker.beat()
            await asyncio.sleep(BEAT_S)

    async def _checkpoint_timer(self) -> None:
        while True:
            await asyncio.sleep(self._checkpoints.interval_s)
            await self._checkpoint()

    async def _checkpoint(self) -> bool:
        if not any(partition.loaded for partition in self._worker.partitions):
            return False
        try:
            await self._checkpoints.checkpoint(CHECKPOINT_S)
        except CheckpointError as error:
            logger.warning("%s; what was not written is written by the next one, and nothing is committed till then", error)
            return False
        return True

    async def _reload(self) -> None:
        valid = True
        while True:
            await asyncio.sleep(RELOAD_S)
            found = self._targets.reload(self._clock.now_ms())
            if found.changed:
                self._worker.partitions.follow(found.policy)
                logger.info("the targets were read anew and are in force")
            if found.error is not None and valid:
                logger.error("the targets in force stay: %s", found.error)
            valid = self._worker.targets_valid = found.valid

    async def _until_ready(self) -> None:
        """Tell when the worker is ready; run to the end where that was asked."""
        worker = self._worker
        while not worker.partitions.ready:
            await asyncio.sleep(END_S)
        while worker.until_end and not worker.at_end:
            ends = {partition.number: partition.end for partition in worker.partitions}
            if worker.partitions.ready and await self._checkpoint():
                await self._app.consumer.commit()
                worker.at_end = all(
                    partition.durable is not None and partition.durable >= (ends.get(partition.number) or 0)
                    for partition in worker.partitions
                )
            await asyncio.sleep(END_S)
        logger.info("ready: %d partitions are read to their ends", len(worker.partitions.assigned))
        if self._ready_file is not None:
            self._ready_file.write_text("ready\n", encoding="utf-8")
        await asyncio.Event().wait()


async def _first(*waited: asyncio.Future[Any]) -> None:
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)


def run(
    settings: WorkerSettings,
    clock: Clock,
    *,
    pages: Pages,
    until_end: bool = False,
    accept_lost_events: bool = False,
    patience_s: float = 60.0,
    ready_file: Path | None = None,
    member_id: str | None = None,
) -> NoReturn:
    """Run a worker in this process until it is told to stop, then end the process.

    `pages` gives what is served beside health. Raises an error of Loket's tree where the worker cannot start; later
    errors are printed, as threads of Faust's may hang: exit status 0 after SIGTERM or SIGINT, else what the error says.
    """
    targets = TargetsFile(None if settings.targets is None else Path(settings.targets))
    worker_partitions = Partitions(settings.topic, targets.policy, accept_lost_events=accept_lost_events)
    source = ConsumerSource()
    worker = Worker(
        worker_partitions,
        Tallies(),
        source,
        clock,
        event_clock=settings.clock == "event",
        fixed_now_ms=None if settings.now is None else int(settings.now),
        checkpoint_interval_s=settings.checkpoint_interval_s,
    )
    worker.until_end = until_end
    worker.unit_budget = settings.unit_budget
    server = Server(settings.metrics_host, settings.metrics_port, {**health.pages(worker), **pages(worker)})
    partitions = prepare(settings, clock, time.sleep, patience_s=patience_s)
    worker.partition_count = partitions
    server.start()
    logger.info("metrics on %s/metrics; reading %s at %s", server.url, settings.topic, settings.bootstrap)
    process = Process(
        settings, clock, targets, partitions, worker, source, ready_file=ready_file, member_id=member_id
    )
    _end(_status(process.serve()))


def _status(work: Coroutine[Any, Any, None]) -> int:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(work)
    except LoketError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except Exception:
        logger.exception("the worker failed")
        return 1
    return 0


def _on_stop_signal(tell: Callable[[], object]) -> None:
    """Have SIGTERM and SIGINT call `tell`; from the first on the process has its deadline, even if the loop hangs."""

    def stop(signal_number: int, _frame: FrameType | None) -> None:
        timer = threading.Timer(STOP_S, _end, [1])
        timer.daemon = True
        timer.start()
        tell()

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, stop)


def _end(status: int) -> NoReturn:
    # Not sys.exit: it would wait for Faust's threads, and the state is safe.
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)
