"""What the receiver of alerts tells over HTTP and is told there: one contract for it, the worker's pages and the demo.

```
GET  /alerts?unit=U                  [AlertShown, …]
POST /alerts/{id}/acknowledgement    Acknowledgement
```
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from loket.domain.policy import Names

__all__ = ["Acknowledged", "Acknowledgement", "AlertShown", "By", "Note"]

By = Annotated[str, Meta(min_length=1, max_length=80)]
"""Who takes care of an alert."""

Note = Annotated[str, Meta(max_length=500)]
"""What is done about it."""


class Acknowledgement(Struct, forbid_unknown_fields=True):
    """That somebody takes care of an alert."""

    by: By
    note: Note = ""


class Acknowledged(Struct):
    """Who takes care of an alert, since when (an instant of RFC 3339)."""

    at: str
    by: str
    note: str | None = None


class AlertShown(Struct):
    """An alert as others are told of it; instants are texts of RFC 3339. What may be left out has a default."""

    id: str | int
    name: str
    unit: str | None = None
    service: str | None = None
    severity: str | None = None
    started: str = ""
    ended: str | None = None
    summary: Names = Names()
    runbook_url: str | None = None
    acknowledged: Acknowledged | None = None
