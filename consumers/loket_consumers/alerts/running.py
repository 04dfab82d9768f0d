"""One receiver from its start to its end.

Threads and the server that the sink's metrics have: an answer is one short transaction, Alertmanager asks a few times
a minute and a page every few seconds. Loket's only other server, aiohttp, is known to the stream alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from typing import Final

from loket.clock import Clock
from loket.domain.policy import ServiceDays
from loket.errors import LoketError
from loket.serving import Server
from loket.settings import AlertsSettings
from loket.supervision import Supervision, supervision
from loket.targets import TargetsFile
from loket_consumers.alerts.site import Site
from loket_consumers.alerts.status import Status
from loket_consumers.engines import connect, shown
from loket_consumers.errors import RecordError
from loket_consumers.migrating import check_schema
from loket_consumers.running import stop_on_signals, targets_of

__all__ = ["run"]

logger = logging.getLogger("loket.alerts")

STATEMENT_TIMEOUT_S: Final = 10
"""Alertmanager is told to come again rather than left waiting."""

TURN_S: Final = 1.0
CHECK_EVERY: Final = 10
"""Turns between two questions to the database; each turn while it is away."""


def run(settings: AlertsSettings, clock: Clock) -> None:
    """Receive alerts until SIGTERM or SIGINT; a second signal ends it at once.

    Raises LoketError: a target, the port, the schema or the database is not as it has to be.
    """
    manager = supervision(os.environ, clock)
    try:
        _run(settings, clock, manager)
    except LoketError as error:
        manager.ended(str(error))
        raise


def _run(settings: AlertsSettings, clock: Clock, manager: Supervision) -> None:
    targets = targets_of(settings)
    with ExitStack() as closing:
        engine = connect(settings.database, statement_timeout_s=STATEMENT_TIMEOUT_S)
        closing.callback(engine.dispose)
        version = check_schema(engine)
        status = Status(clock)
        site = Site(engine, clock, status, _days(targets), token=settings.board_token, runbook=settings.runbook_url)
        server = Server(
            settings.listen_host,
            settings.listen_port,
            status.routes(),
            setting="LOKET_ALERTS_LISTEN_PORT",
            what="alerts",
            option="--listen-port",
            answers=site.answer,
        )
        stop = stop_on_signals(logger)
        server.start()
        closing.callback(server.stop)
        logger.info("receives alerts on %s/alerts and keeps them in %s (schema %s)", server.url, shown(engine), version)
        if settings.board_token is None:
            logger.info("nobody can take an alert over HTTP, as LOKET_BOARD_TOKEN is not set")
        turns = 0
        while not stop.is_set():
            if turns % CHECK_EVERY == 0 or status.away:
                try:
                    check_schema(engine)
                    status.away = ""
                except RecordError as error:
                    status.away = str(error)
            manager.turn([], status.waits_for(), status.doing())
            turns += 1
            stop.wait(TURN_S)
        manager.stopping()
        logger.info("stopped")


def _days(targets: TargetsFile) -> Callable[[str, int], date]:
    """The service day of a unit at an instant."""
    policy = targets.policy

    def day_of(unit: str, instant: int) -> date:
        of_unit = policy.unit(unit)
        return date.fromordinal(ServiceDays(of_unit.zone, of_unit.day_starts_ms).day(instant))

    return day_of
