"""What a body of Alertmanager's webhook says (version 4, Alertmanager 0.25 and newer).

```
LoketError
└── MalformedDelivery   the body is not what Alertmanager sends; says where and what
```
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from loket.errors import LoketError
from loket.wire.instant import parse_instant

__all__ = ["MalformedDelivery", "Told", "read_delivery"]

MAX_TEXT: Final = 2_000
RESOLVED: Final = "resolved"


class MalformedDelivery(LoketError):
    """A body is not one of Alertmanager's webhook; carries the `reason`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"this is no delivery of Alertmanager's webhook (version 4): {reason}")


class Told(Struct, frozen=True):
    """One alert as it was told: instants in ms UTC, `ended_at` None while it fires; `''` where a label is missing."""

    fingerprint: str
    started_at: int
    ended_at: int | None
    labels: dict[str, str]
    summary_id: str
    summary_en: str
    runbook_url: str | None

    def label(self, name: str) -> str:
        """The value of a label, cut to a bound."""
        return self.labels.get(name, "")[:MAX_TEXT]


class _Alert(Struct):
    status: Annotated[str, Meta(pattern=r"\A(?:firing|resolved)\Z")]
    labels: dict[str, str]
    started: str = field(name="startsAt")
    fingerprint: Annotated[str, Meta(pattern=r"\A[0-9a-f]{1,64}\Z")]
    annotations: dict[str, str] = {}
    ended: str = field(name="endsAt", default="")


class _Delivery(Struct):
    version: Annotated[str, Meta(pattern=r"\A4\Z")]
    alerts: list[_Alert]


_DELIVERY: Final = msgspec.json.Decoder(_Delivery)


def read_delivery(body: bytes, runbook: str | None = None) -> list[Told]:
    """The alerts of a body; `runbook` is where a bare heading (`#…`) belongs. Raises MalformedDelivery."""
    try:
        delivery = _DELIVERY.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedDelivery(str(error)) from error
    return [_told(number, alert, runbook) for number, alert in enumerate(delivery.alerts)]


def _told(number: int, alert: _Alert, runbook: str | None) -> Told:
    started = _instant(alert.started, f"$.alerts[{number}].startsAt")
    ended = None
    if alert.status == RESOLVED:
        ended = max(started, _instant(alert.ended, f"$.alerts[{number}].endsAt"))
    said = {name: _clean(text)[:MAX_TEXT] for name, text in alert.annotations.items()}
    either = said.get("summary") or said.get("summary_en") or said.get("summary_id") or ""
    return Told(
        fingerprint=alert.fingerprint,
        started_at=started,
        ended_at=ended,
        labels={_clean(name): _clean(text) for name, text in alert.labels.items()},
        summary_id=said.get("summary_id", either),
        summary_en=said.get("summary_en", either),
        runbook_url=_runbook(said, runbook),
    )


def _runbook(said: dict[str, str], runbook: str | None) -> str | None:
    named = said.get("runbook_url") or said.get("runbook") or ""
    if named.startswith(("https://", "http://")):
        return named
    return f"{runbook}{named}" if runbook is not None and named.startswith("#") else None


def _instant(text: str, where: str) -> int:
    try:
        return int(parse_instant(text))
    except ValueError as error:
        raise MalformedDelivery(f"{error} - at `{where}`") from error


def _clean(text: str) -> str:
    """PostgreSQL keeps no text with a NUL, and nothing of an alert is worth losing it."""
    return text.replace("\0", "\ufffd")
