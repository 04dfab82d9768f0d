"""The pages over HTTP: who may see what, and how much of it at once.

| path | staff | public |
|---|---|---|
| `/`, `/unit?unit=U` | overview, a unit | |
| `/hall?unit=U` | the hall's page | the same |
| `/api/overview`, `/api/unit`, `/api/hall` | what they tell; `…/events`: as server-sent events | `/api/hall` |
| `POST /api/alerts/ID/acknowledgement` | "I take it", with the token | |

A unit is a parameter, as its id may hold slashes and dots. Nothing of it is in a page: pages are files, and what they
show comes as JSON and is put in as text.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from loket.clock import Clock
from loket.domain.events import ID_PATTERN
from loket.wire.alerts import By, Note
from loket_streams.board.alerts import Receiver
from loket_streams.board.feeds import MAX_READERS, Feeds, Full

__all__ = ["SEND_S", "Site"]

SEND_S: Final = 10.0
"""A frame has to be taken in this time, else the connection is given up."""

MAX_BODY: Final = 8 * 1024
BUFFER_BYTES: Final = 32 * 1024

_PAGES: Final = {"/": "overview.html", "/unit": "unit.html", "/hall": "hall.html"}
_PUBLIC_PAGES: Final = {"/": "hall.html", "/hall": "hall.html"}
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; "
)
_ID: Final = re.compile(ID_PATTERN)
_ALERT_ID: Final = re.compile(r"\A[A-Za-z0-9._:-]{1,128}\Z")


class _Given(Struct, forbid_unknown_fields=True):
    """The body of an acknowledgement."""

    unit: Annotated[str, Meta(min_length=1, max_length=128)]
    by: By
    note: Note = ""


_GIVEN: Final = msgspec.json.Decoder(_Given)


class Site:
    """The handlers of both audiences. `token` None: nobody can take an alert here."""

    def __init__(self, feeds: Feeds, clock: Clock, receiver: Receiver | None, token: str | None) -> None:
        self._feeds = feeds
        self._clock = clock
        self._receiver = receiver
        self._token = token
        folder = files("loket_streams.board").joinpath("static")
        self._files = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}

    def staff(self) -> web.Application:
        """Everything."""
        app = self._app(_PAGES, ("overview", "unit", "hall"))
        app.router.add_post("/api/alerts/{id}/acknowledgement", self._acknowledge)
        return app

    def public(self) -> web.Application:
        """The hall's page alone."""
        return self._app(_PUBLIC_PAGES, ("hall",))

    def _app(self, pages: dict[str, str], told: tuple[str, ...]) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        app.on_response_prepare.append(_harden)
        for path, name in pages.items():
            app.router.add_get(path, self._file(name))
        for name in self._files:
            if not name.endswith(".html"):
                app.router.add_get(f"/static/{name}", self._file(name))
        for what in told:
            app.router.add_get(f"/api/{what}", self._once(what))
            app.router.add_get(f"/api/{what}/events", self._events(what), allow_head=False)
        return app

    def _file(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        body, kind = self._files[name], _TYPES[name.rpartition(".")[2]]

        async def answer(_request: web.Request) -> web.Response:
            return web.Response(body=body, headers={"Content-Type": kind, "Cache-Control": "no-cache"})

        return answer

    def _once(self, what: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.Response:
            unit = _unit(request, what)
            if unit is None:
                return _refused(400, "unit")
            return _json(200, await self._feeds.once(what, unit))

        return answer

    def _events(self, what: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            unit = _unit(request, what)
            if unit is None:
                return _refused(400, "unit")
            try:
                with self._feeds.reading(what, unit) as frames:
                    return await self._send(request, frames)
            except Full:
                refused = _refused(503, "full")
                refused.headers["Retry-After"] = "15"
                return refused

        return answer

    async def _send(self, request: web.Request, frames: AsyncIterator[bytes]) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        if request.transport is not None:
            request.transport.set_write_buffer_limits(high=BUFFER_BYTES)
        await response.prepare(request)
        try:
            await response.write(b"retry: 3000\n\n")
            async for frame in frames:
                data = b"data: " + frame + b"\n\n" if frame else b""
                beat = f"event: beat\ndata: {self._clock.now_ms()}\n\n".encode()
                async with asyncio.timeout(SEND_S):
                    await response.write(data + beat)
                    if request.transport is not None and request.transport.get_write_buffer_size() > BUFFER_BYTES:
                        await response.drain()
        except (TimeoutError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _acknowledge(self, request: web.Request) -> web.Response:
        if self._receiver is None:
            return _refused(503, "no_receiver")
        if self._token is None:
            return _refused(403, "read_only")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        is_right = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self._token.encode())
        if scheme.lower() != "bearer" or not is_right:
            return _refused(401, "token")
        alert = request.match_info["id"]
        if not _ALERT_ID.match(alert):
            return _refused(404, "unknown")
        try:
            told = _GIVEN.decode(await request.read())
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return _refused(422, "body")
        if not told.by.strip() or not _ID.match(told.unit):
            return _refused(422, "body")
        answer = await self._receiver.acknowledge(alert, told.by.strip(), told.note.strip(), self._token)
        await self._feeds.refresh(told.unit)
        if answer.status == 201:
            return _json(201, b"{}")
        said = {401: "receiver_token", 404: "unknown", 409: "taken", 422: "body", 502: "away"}[answer.status]
        # A 401 of the receiver is not about what this person gave.
        return _refused(502 if answer.status == 401 else answer.status, said, by=answer.by)


def _unit(request: web.Request, what: str) -> str | None:
    """The unit that is asked for; None: it is none. The overview has none to name."""
    if what == "overview":
        return ""
    unit = request.query.get("unit", "")
    return unit if _ID.match(unit) else None


def _json(status: int, body: bytes) -> web.Response:
    return web.Response(
        status=status, body=body, headers={"Content-Type": "application/json", "Cache-Control": "no-store"}
    )


def _refused(status: int, error: str, by: str | None = None) -> web.Response:
    told: dict[str, str | int] = {"error": error, "readers": MAX_READERS} if error == "full" else {"error": error}
    if by is not None:
        told["by"] = by
    return _json(status, msgspec.json.encode(told))


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer says: no scripts but ours, no guessing of types, no address told to others."""
    # A hall's page has nothing to press: it may stand in the frame of a signage system. Staff's pages may not.
    ancestors = "*" if request.path == "/hall" else "'none'"
    response.headers["Content-Security-Policy"] = f"{_POLICY}frame-ancestors {ancestors}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Server"] = "loket"
