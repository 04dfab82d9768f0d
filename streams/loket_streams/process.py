"""A worker that runs: Faust's app, checkpoints on a timer, targets read anew, and how all of it ends.

```
start ─▶ assignment, recovery, reading … ─▶ SIGTERM: hold, checkpoint, commit, leave the group
                     │
                     └─ failure, crash: hold, and the reason is raised; nothing more is committed
```
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from loket.clock import Clock
from loket.settings import WorkerSettings
from loket.supervision import Supervision
from loket.targets import TargetsFile
from loket.wire.cloudevents import Decoder
from loket_streams.app import Broker, build_app
from loket_streams.checkpoints import Checkpointer
from loket_streams.errors import CheckpointError, StreamError
from loket_streams.following import Following
from loket_streams.health import doing
from loket_streams.processing import EventTime, Processor, ServiceTime
from loket_streams.worker import Worker

__all__ = ["WorkerProcess"]

logger = logging.getLogger("loket.streams")

CHECKPOINT_S: Final = 60.0
"""A checkpoint may take so long before it counts as failed."""

LAST_CHECKPOINT_S: Final = 10.0
"""And so long when the worker stops: the process has 15 s from the signal to its end."""

BEAT_S: Final = 1.0
SILENCE_S: Final = 15.0
"""After so long without an answer of the broker it is said, and again each time that it has lasted so much longer."""

RELOAD_S: Final = 5.0
END_S: Final = 0.05


class WorkerProcess:
    """The running part of a worker; `partitions` is how many the events have."""

    def __init__(
        self,
        settings: WorkerSettings,
        clock: Clock,
        targets: TargetsFile,
        worker: Worker,
        *,
        partitions: int,
        supervision: Supervision | None = None,
        ready_file: Path | None = None,
        member_id: str | None = None,
    ) -> None:
        self._supervision = supervision or Supervision(clock, None)
        self._settings = settings
        self._clock = clock
        self._targets = targets
        self._worker = worker
        self._ready_file = ready_file
        self._count = partitions
        now_ms = None if settings.now is None else int(settings.now)
        decoder = Decoder(partitions, clock=settings.clock, now=lambda: clock.now_ms() if now_ms is None else now_ms)
        time = EventTime(now_ms) if settings.clock == "event" else ServiceTime()
        processor = Processor(worker.partitions, decoder, worker.tallies, time)
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
        worker.source = self._app

    async def serve(self, on_stop: Callable[[Callable[[], object]], None]) -> None:
        """Run until told to stop, or raise what ended the worker.

        `on_stop` is given what to call when the process is told to stop; it may be called from a signal handler.
        """
        loop = asyncio.get_running_loop()
        failure = self._app.failure = loop.create_future()
        stop = asyncio.Event()
        on_stop(lambda: loop.call_soon_threadsafe(stop.set))
        stopped, crashed = loop.create_task(stop.wait()), loop.create_task(self._app._crashed.wait())
        # Its start ends when the first assignment is recovered; a start that fails ends the worker.
        start = loop.create_task(self._started())
        work = (start, *(loop.create_task(task()) for task in (self._beat, self._checkpoint_timer, self._reload)))
        await asyncio.wait((failure, stopped, crashed, *work), return_when=asyncio.FIRST_COMPLETED)
        if failure.done():
            raise failure.result()
        broken = next((task.exception() for task in work if task.done()), None)
        if crashed.done() or broken is not None:
            self._app.hold()
            reason = broken or self._app._crash_reason
            raise StreamError(
                f"the worker ended with {reason!r}: start it again when Kafka at {self._settings.bootstrap} answers; "
                f"nothing is lost, as it reads on from its last checkpoint"
            ) from reason
        await self._stop()

    async def _started(self) -> None:
        await self._app.start()
        await self._tell_when_ready()
        await asyncio.Event().wait()

    async def _stop(self) -> None:
        """Make what is applied durable and leave; the deadline is the caller's."""
        self._supervision.stopping()
        logger.info("stopping: a last checkpoint, then this worker leaves its group")
        self._worker.stopping = True
        if not any(partition.loaded for partition in self._worker.partitions):
            return
        self._app.hold()
        await asyncio.sleep(0)
        await self._checkpoints.checkpoint(LAST_CHECKPOINT_S)
        await self._app.consumer.commit()
        logger.info("everything that was applied is durable and committed")
        try:
            await self._app.stop()
        except Exception as error:  # noqa: BLE001 (nothing depends on it: the group finds out by itself)
            logger.warning("the group was not left in order: %r", error)

    async def _beat(self) -> None:
        told_s = 0.0
        while True:
            self._worker.beat()
            self._supervision.turn(self._worker.problems(), self._worker.waits_for(), doing(self._worker))
            self._refuse_company()
            silence = self._worker.silence_s() if self._worker.partitions.assigned else None
            if silence is None or silence < SILENCE_S:
                if told_s:
                    logger.info("Kafka at %s answers again", self._settings.bootstrap)
                told_s = 0.0
            elif silence >= told_s + SILENCE_S:
                told_s = silence
                logger.warning(
                    "Kafka at %s has not answered for %.0f s; the worker goes on trying; its figures stand",
                    self._settings.bootstrap,
                    silence,
                )
            await asyncio.sleep(BEAT_S)

    def _refuse_company(self) -> None:
        """With the events' clock one worker reads everything, as it alone can know the newest event (rule 4)."""
        partitions = self._worker.partitions
        if self._settings.clock == "event" and partitions.generations == 1 and len(partitions.assigned) < self._count:
            self._app.fail(
                StreamError(
                    f"with clock: event one worker reads all partitions, and another one is in the group "
                    f"{self._settings.app_id}: stop that one, or set another LOKET_APP_ID"
                )
            )

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
            logger.warning("%s; the next one writes what this one could not, and nothing is committed till then", error)
            return False
        return True

    async def _reload(self) -> None:
        following = Following(self._targets, self._clock, self._worker)
        while True:
            await asyncio.sleep(RELOAD_S)
            if following.look():
                self._supervision.reloaded()

    async def _tell_when_ready(self) -> None:
        """Tell that everything found at the start is applied, and durable where that was asked."""
        worker = self._worker
        # Looked at now and then: an event would be set at every batch.
        while not worker.partitions.ready or (worker.until_end and not await self._is_durable()):  # noqa: ASYNC110
            await asyncio.sleep(END_S)
        worker.at_end = True
        logger.info("ready: %d partitions are read to their ends", len(worker.partitions.assigned))
        if self._ready_file is not None:
            self._ready_file.write_text("ready\n", encoding="utf-8")

    async def _is_durable(self) -> bool:
        """Write a checkpoint and commit it; whether that is all that was found at the start."""
        ends = {partition.number: partition.end for partition in self._worker.partitions}
        if not await self._checkpoint():
            return False
        await self._app.consumer.commit()
        return all(_reaches(partition, ends.get(partition.number)) for partition in self._worker.partitions)


def _reaches(partition: Any, end: int | None) -> bool:
    return end is not None and partition.durable is not None and partition.durable >= end
