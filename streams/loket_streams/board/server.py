"""The server of the pages: one thread with an event loop of its own, two ports, and a bound for each.

The staff's port has everything, the public one the hall's page alone: which network reaches which port is a matter of
addresses and firewalls, not of secrets in a link.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from threading import Event, Thread
from typing import Any, Final, NamedTuple

from aiohttp import web

from loket.clock import Clock
from loket.serving import PortTaken
from loket.settings import WorkerSettings
from loket_streams.board.alerts import Receiver
from loket_streams.board.feeds import Feeds
from loket_streams.board.looks import Looks
from loket_streams.board.web import Site
from loket_streams.worker import Worker

__all__ = ["BoardServer"]

logger = logging.getLogger("loket.streams")

MAX_CONNECTIONS: Final = 400
"""Of each port: the worker's own connections have to find file descriptors left."""

REFUSED_S: Final = 1.0
"""One too many is closed after so long at the latest."""

IDLE_S: Final = 15.0
"""A connection on which nothing is asked for so long is closed, one that never asked anything too."""

_SAID: Final = b"Too many connections to this board for now.\n"
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 15\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_SAID), _SAID)
)


class _Door(NamedTuple):
    """A socket that is bound, and who is let in there."""

    listening: socket.socket
    is_public: bool


class _Refusing(asyncio.Protocol):
    """Says that there are too many connections, and closes once something was asked: before, the answer may be lost."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            transport.write(_FULL)
        asyncio.get_running_loop().call_later(REFUSED_S, transport.close)

    def data_received(self, _data: bytes) -> None:
        if self._transport is not None:
            self._transport.close()


class BoardServer:
    """Serves the board where the settings ask for it. Raises PortTaken when made."""

    def __init__(self, settings: WorkerSettings, worker: Worker, clock: Clock) -> None:
        self._settings = settings
        self._worker = worker
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._started = Event()
        self._doors: list[_Door] = []
        for host, port, setting, is_public in (
            (settings.board_host, settings.board_port, "LOKET_BOARD_PORT", False),
            (settings.board_public_host, settings.board_public_port, "LOKET_BOARD_PUBLIC_PORT", True),
        ):
            if port is not None:
                self._doors.append(_Door(_bind(host, port, setting), is_public))
        self._thread = Thread(target=self._run, name="loket-board", daemon=True)

    @property
    def urls(self) -> list[str]:
        """Where it serves: the staff's address, then the public one, as far as they are asked for."""
        return [_url(door.listening) for door in self._doors]

    def start(self) -> None:
        """Serve from now on, if anything is asked for; return when it does."""
        if self._doors:
            self._thread.start()
            self._started.wait(30)

    def stop(self) -> None:
        """Serve no longer."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(30)
        for door in self._doors:
            door.listening.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            logger.exception("the board has ended; the worker goes on without it")

    async def _serve(self) -> None:
        settings = self._settings
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        receiver = None if settings.board_alerts_url is None else Receiver(settings.board_alerts_url)
        can_take = settings.board_token is not None
        feeds = Feeds(Looks(self._worker), self._clock, receiver, can_take=can_take)
        site = Site(feeds, self._clock, receiver, settings.board_token)
        work = [self._loop.create_task(feeds.make()), self._loop.create_task(feeds.ask())]
        runners: list[Any] = []
        servers = []
        try:
            for door in self._doors:
                runner = web.AppRunner(
                    site.public() if door.is_public else site.staff(),
                    access_log=None,
                    keepalive_timeout=IDLE_S,
                    handler_cancellation=True,
                    shutdown_timeout=1.0,
                )
                await runner.setup()
                runners.append(runner)
                servers.append(await self._loop.create_server(_bounded(runner), sock=door.listening))
            self._started.set()
            await self._stop.wait()
        finally:
            for server in servers:
                server.close()
            for runner in runners:
                await runner.cleanup()
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            if receiver is not None:
                await receiver.close()


def _bounded(runner: Any) -> Callable[[], asyncio.Protocol]:
    """Make protocols for connections, and turn away those beyond MAX_CONNECTIONS."""

    def make() -> asyncio.Protocol:
        if len(runner.server.connections) >= MAX_CONNECTIONS:
            return _Refusing()
        made: asyncio.Protocol = runner.server()
        return made

    return make


def _bind(host: str, port: int, setting: str) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise PortTaken("the board", host, port, error, setting=setting) from error


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
