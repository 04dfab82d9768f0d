"""The receiver over HTTP.

```
POST /alerts                         Alertmanager's webhook: 200 kept, 400 malformed, 413, 415, 503 tell it again
GET  /alerts?unit=U                  [{"id", "name", "unit", "service", "severity", "started", "ended", "summary",
                                       "runbook_url", "acknowledged"}, …]: those that fire, and the last hours' others
POST /alerts/{id}/acknowledgement    {"by", "note"}, Authorization: Bearer …
     201 taken, 401 token, 403 no token is set, 404, 409 somebody else has it, 415, 422 not valid, 503
```

A body has to be application/json, which a page of somebody else's in a browser cannot send here unasked.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import Engine

from loket.clock import Clock
from loket.domain.policy import HOUR, Names
from loket.errors import LoketError
from loket.serving import Request, Response
from loket.wire.alerts import Acknowledged, Acknowledgement, AlertShown
from loket.wire.instant import format_instant
from loket_consumers.alerts.keeping import AlreadyTaken, Kept, NoSuchAlert, acknowledge, keep, kept
from loket_consumers.alerts.status import Status
from loket_consumers.alerts.told import MalformedDelivery, read_delivery
from loket_consumers.errors import RecordError

__all__ = ["Site", "shown"]

logger = logging.getLogger("loket.alerts")

RECENT_MS: Final = 4 * HOUR
"""Of those that ended, the page is told for so long."""

MAX_SHOWN: Final = 100


_GIVEN: Final = msgspec.json.Decoder(Acknowledgement)


class Site:
    """Answers what is no page. `token` None: nobody can take an alert over HTTP."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        status: Status,
        day_of: Callable[[str, int], date],
        *,
        token: str | None,
        runbook: str | None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._status = status
        self._day_of = day_of
        self._token = token
        self._runbook = runbook

    def answer(self, request: Request) -> Response | None:
        """The answer to a request; None where there is nothing of that path."""
        match request.method, request.parts:
            case "GET", ("alerts",):
                return self._listed(request.query.get("unit"))
            case "POST", ("alerts",):
                return self._delivered(request)
            case "POST", ("alerts", id, "acknowledgement"):
                response = self._acknowledged(request, id)
                self._status.acknowledged({201: "taken", 409: "already"}.get(response.status, "refused"))
                return response
            case _:
                return None

    def _listed(self, unit: str | None) -> Response:
        now = self._clock.now_ms()
        try:
            found = kept(self._engine, now, unit=unit, since=now - RECENT_MS, most=MAX_SHOWN)
        except RecordError as error:
            return self._away(error)
        self._status.away = ""
        return _json(200, [shown(alert) for alert in found])

    def _delivered(self, request: Request) -> Response:
        if not _is_json(request):
            self._status.delivered("refused")
            return _refused(415, "send application/json")
        try:
            told = read_delivery(request.body, self._runbook)
        except MalformedDelivery as error:
            logger.warning("%s", error)
            self._status.delivered("refused")
            return _refused(400, str(error))
        try:
            keep(self._engine, told, self._clock.now_ms(), self._day_of)
        except RecordError as error:
            self._status.delivered("away")
            return self._away(error)
        self._status.away = ""
        self._status.delivered("kept")
        return _json(200, {"kept": len(told)})

    def _acknowledged(self, request: Request, id: str) -> Response:
        if self._token is None:
            return _refused(403, "acknowledgements are refused, as no token is set: set LOKET_BOARD_TOKEN")
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(errors="replace"), f"Bearer {self._token}".encode()):
            return _refused(401, "the token is not the one that is set (LOKET_BOARD_TOKEN)")
        if not _is_json(request):
            return _refused(415, "send application/json")
        try:
            body = _GIVEN.decode(request.body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _refused(422, str(error))
        by, note = (text.replace("\0", "\ufffd").strip() for text in (body.by, body.note))
        if not by:
            return _refused(422, "say who takes care of it - at `$.by`")
        try:
            found = acknowledge(self._engine, id, by, note, self._clock.now_ms())
        except NoSuchAlert as error:
            return _refused(404, str(error))
        except AlreadyTaken as error:
            return _json(409, {"error": str(error), "by": error.by, "at": format_instant(error.at)})
        except RecordError as error:
            return self._away(error)
        return _json(201, shown(found))

    def _away(self, error: LoketError) -> Response:
        if not self._status.away:
            logger.warning("%s", error)
        self._status.away = str(error)
        return _refused(503, str(error))


def shown(alert: Kept) -> AlertShown:
    """An alert as others are told of it."""
    taken = alert.acknowledged_at
    return AlertShown(
        alert.id,
        alert.name,
        alert.unit or None,
        alert.service or None,
        alert.severity or None,
        format_instant(alert.started_at),
        None if alert.ended_at is None else format_instant(alert.ended_at),
        Names(alert.summary_id, alert.summary_en),
        alert.runbook_url,
        None if taken is None else Acknowledged(format_instant(taken), alert.acknowledged_by or "", alert.note),
    )


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _json(status: int, content: Any) -> Response:
    return Response(status, "application/json", msgspec.json.encode(content) + b"\n")


def _refused(status: int, why: str) -> Response:
    return _json(status, {"error": why})
