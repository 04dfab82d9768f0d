"""What the receiver of alerts (`loket alerts receive`) knows of a unit, and telling it that somebody takes care.

```
GET  /alerts?unit=U                  [{"id", "name", "unit", "service", "severity", "started", "ended", "summary",
                                       "runbook_url", "acknowledged"}, …]
POST /alerts/{id}/acknowledgement    {"by", "note"}, Authorization: Bearer …
     201 taken, 401 token, 404 no such alert, 409 somebody else has it, 422 not valid
```

Asked by the worker, so that the browser speaks to one origin. What it answers is bounded before it is read.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import quote

import aiohttp
import msgspec

from loket.domain.policy import Names
from loket.wire.alerts import AlertShown
from loket_streams.board.steps import runbook_steps
from loket_streams.board.told import Alerts, AlertTold, Taken

__all__ = ["MAX_ANSWER", "NO_RECEIVER", "Answer", "Receiver"]

MAX_ANSWER: Final = 256 * 1024
"""Bytes of an answer that are read."""

MAX_SHOWN: Final = 20
MAX_TEXT: Final = 600
TIMEOUT: Final = aiohttp.ClientTimeout(total=5.0)

NO_RECEIVER: Final = Alerts("none")
_AWAY: Final = Alerts("away")
_UNREADABLE: Final = Alerts("unreadable")


_ALERTS: Final = msgspec.json.Decoder(list[AlertShown])


class _TooLong(Exception):
    """The answer has more bytes than are read."""


class Answer(NamedTuple):
    """What the receiver said to an acknowledgement; `status` 502: nothing that can be used."""

    status: int
    by: str | None = None


class Receiver:
    """The receiver at `url`; used within one event loop, and closed there."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def alerts(self, unit: str) -> Alerts:
        """The alerts of a unit: those that fire first, then the newest. Never raises for what the receiver does."""
        try:
            async with self._open().get(
                f"{self._url}/alerts", params={"unit": unit}, timeout=TIMEOUT, allow_redirects=False
            ) as answer:
                if answer.status != 200:  # 503: its database is away
                    return _AWAY if answer.status >= 500 else _UNREADABLE
                content = await _read(answer)
        except (TimeoutError, aiohttp.ClientError, OSError):
            return _AWAY
        except _TooLong:
            return _UNREADABLE
        try:
            found = [_told(alert) for alert in _ALERTS.decode(content)]
        except msgspec.MsgspecError:
            return _UNREADABLE
        found.sort(key=lambda alert: alert.started, reverse=True)
        found.sort(key=lambda alert: alert.ended is not None)
        return Alerts("ok", tuple(found[:MAX_SHOWN]), len(found[MAX_SHOWN:]))

    async def acknowledge(self, alert: str, by: str, note: str, token: str) -> Answer:
        """Tell that somebody takes care of an alert. Never raises for what the receiver does."""
        try:
            async with self._open().post(
                f"{self._url}/alerts/{quote(alert, safe='')}/acknowledgement",
                json={"by": by, "note": note},
                headers={"Authorization": f"Bearer {token}"},
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as answer:
                status, content = answer.status, await _read(answer)
        except (TimeoutError, aiohttp.ClientError, OSError, _TooLong):
            return Answer(502)
        if status == 403:  # no token is set there: as good as another one
            status = 401
        if status not in (201, 401, 404, 409, 422):
            return Answer(502)
        return Answer(status, _by(content) if status == 409 else None)

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # No proxy of the environment, no cookies: it is a service of ours. Each request has a connection of its
            # own, as one that is kept may be closed in the moment in which somebody presses the button.
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=8, force_close=True),
                trust_env=False,
            )
        return self._session


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    content = await answer.content.read(MAX_ANSWER + 1)
    while len(content) <= MAX_ANSWER and (more := await answer.content.read(MAX_ANSWER + 1)):
        content += more
    if len(content) > MAX_ANSWER:
        answer.close()
        raise _TooLong
    return content


def _told(alert: AlertShown) -> AlertTold:
    taken = alert.acknowledged
    url = alert.runbook_url
    return AlertTold(
        id=str(alert.id),
        name=_cut(alert.name),
        severity=_cut(alert.severity or ""),
        service=alert.service,
        started=_cut(alert.started),
        ended=alert.ended,
        summary=Names(_cut(alert.summary.id), _cut(alert.summary.en)),
        steps=runbook_steps().get(alert.name, {}),
        runbook_url=url if url is not None and url.startswith(("https://", "http://")) else None,
        taken=None if taken is None else Taken(_cut(taken.at), _cut(taken.by), _cut(taken.note or "") or None),
    )


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _by(content: bytes) -> str | None:
    """Who has the alert already, as far as the answer says it."""
    try:
        told = msgspec.json.decode(content)
    except msgspec.MsgspecError:
        return None
    for place in (told, told.get("acknowledged") if isinstance(told, dict) else None):
        if isinstance(place, dict) and isinstance(place.get("by"), str):
            return _cut(place["by"])
    return None
