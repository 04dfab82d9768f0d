"""One worker process from its call to its end.

```
targets, port, broker, topics ─▶ WorkerProcess.serve ─▶ exit 0 after SIGTERM or SIGINT
  wrong: one message, exit 1 or 2         └─ else: one message, exit 1
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
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

from loket.clock import Clock
from loket.errors import LoketError
from loket.serving import Routes, Server
from loket.settings import WorkerSettings
from loket.supervision import Supervision, supervision
from loket.targets import TargetsFile
from loket_streams import health
from loket_streams.board import BoardServer
from loket_streams.collecting import collect_seldom
from loket_streams.partitions import Partitions
from loket_streams.process import WorkerProcess
from loket_streams.startup import prepare
from loket_streams.tallies import Tallies
from loket_streams.worker import NO_SOURCE, Worker

__all__ = ["run"]

logger = logging.getLogger("loket.streams")

STOP_S: Final = 15.0
"""From SIGTERM to the end, whatever hangs: what is not durable by then is read again by who comes next."""

Pages = Callable[[Worker], Routes]


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
    """Run a worker until it is told to stop, then end the process.

    `pages` gives what is served beside health. Raises an error of Loket's tree where the worker cannot start; what ends
    it later is printed here, as threads of Faust's may hang.
    """
    targets = TargetsFile(None if settings.targets is None else Path(settings.targets))
    in_service = settings.clock == "service"  # a replay ends, and by the events' own clock days are each unit's own
    worker = Worker(
        Partitions(
            settings.topic,
            targets.policy,
            accept_lost_events=accept_lost_events,
            unit_budget=settings.unit_budget if in_service else None,
        ),
        Tallies(),
        NO_SOURCE,
        clock,
        event_clock=settings.clock == "event",
        fixed_now_ms=None if settings.now is None else int(settings.now),
        checkpoint_interval_s=settings.checkpoint_interval_s,
    )
    worker.until_end = until_end
    worker.unit_budget = settings.unit_budget
    routes = {**health.pages(worker), **pages(worker)}
    server = Server(settings.metrics_host, settings.metrics_port, routes, setting="LOKET_WORKER_METRICS_PORT")
    board = BoardServer(settings, worker, clock)
    worker.partition_count = prepare(settings, clock, time.sleep, patience_s=patience_s)
    server.start()
    board.start()
    collect_seldom()
    logger.info("metrics on %s/metrics; reading %s at %s", server.url, settings.topic, settings.bootstrap)
    for url in board.urls:
        logger.info("board on %s", url)
    manager = supervision(os.environ, clock)
    process = WorkerProcess(
        settings,
        clock,
        targets,
        worker,
        partitions=worker.partition_count,
        supervision=manager,
        ready_file=ready_file,
        member_id=member_id,
    )
    _end(_status(process.serve(_on_stop_signal), manager))


def _status(work: Coroutine[Any, Any, None], manager: Supervision) -> int:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(work)
    except LoketError as error:
        manager.ended(str(error))
        print(error, file=sys.stderr)
        return error.exit_status
    except Exception:
        manager.ended("the worker failed: see its log")
        logger.exception("the worker failed")
        return 1
    return 0


def _on_stop_signal(tell: Callable[[], object]) -> None:
    """Have SIGTERM and SIGINT call `tell`; from the first on the process has its deadline, even if the loop hangs."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
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
