"""An office for the board's tests and pictures: its targets, and events that tell of the minutes before now."""

import itertools
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

__all__ = ["BUSY", "NASTY", "NASTY_NAME", "QUIET", "Teller", "instant", "morning", "targets"]

BUSY, QUIET, NASTY = "dukcapil-ciputat", "pkm-pamulang", "pkm/serpong"
NASTY_NAME = '<img src=x onerror=alert(1)> "Serpong" \\ </script>'

_TARGETS = f"""
defaults: {{zone: ZONE}}
units:
  {BUSY}:
    name: {{id: Dukcapil Ciputat, en: Civil registry Ciputat}}
    hours: "00:00-24:00"
    services:
      ktp:
        name: {{id: KTP elektronik, en: Identity card}}
        wait: [{{valid_from: 2025-01-01, seconds: 1800, objective: 0.8}}]
      kk:
        name: {{id: Kartu keluarga, en: Family card}}
        wait: [{{valid_from: 2025-01-01, seconds: 1800, objective: 0.8}}]
      akta:
        name: {{id: Akta kelahiran, en: Birth certificate}}
        wait: [{{valid_from: 2025-01-01, seconds: 2700, objective: 0.8}}]
      info:
        name: {{id: Informasi, en: Information}}
  {QUIET}:
    name: {{id: Puskesmas Pamulang, en: Pamulang health centre}}
    services:
      poli:
        name: {{id: Poli umum, en: General clinic}}
        wait: [{{valid_from: 2025-01-01, seconds: 3600, objective: 0.8}}]
  {NASTY}:
    name: {{id: '{NASTY_NAME}', en: '{NASTY_NAME}'}}
    services:
      poli:
        name: {{id: '{NASTY_NAME}', en: General clinic}}
"""


def targets() -> str:
    """The targets, in a zone in which it is early afternoon: no service day begins in the middle of a test."""
    ahead = 14 - datetime.fromtimestamp(time.time(), UTC).hour
    return _TARGETS.replace("ZONE", f"Etc/GMT{-ahead:+d}")  # whose names have the sign turned round


def instant(minutes_ago: float) -> str:
    """So many minutes before now, as the contract writes it."""
    at = datetime.fromtimestamp(time.time() - 60 * minutes_ago, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Teller:
    """Makes events, as key and value; every one has an id of its own."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def tell(
        self, unit: str, kind: str, subject: str | None = None, *, ago: float = 0, **data: Any
    ) -> tuple[bytes, bytes]:
        """One event of a unit, so many minutes ago."""
        event = {
            "specversion": "1.0",
            "id": str(next(self._numbers)),
            "source": "board-scene",
            "type": f"loket.{kind}",
            "time": instant(ago),
            "data": {"unit": unit, **data},
        }
        if subject is not None:
            event["subject"] = subject
        return unit.encode(), json.dumps(event).encode()


def morning(teller: Teller) -> Iterator[tuple[bytes, bytes]]:
    """Three hours of a busy unit: sixty people served, five who wait for too long, and some who have just come."""
    usual = {"ktp": 20, "kk": 18, "akta": 12}
    for counter in ("1", "2", "3"):
        yield teller.tell(BUSY, "counter.opened", ago=200, counter=counter)
    for person in range(60):
        service, number = ("ktp", "kk", "akta")[person % 3], f"{'ABC'[person % 3]}{person // 3 + 1:03d}"
        came = 190 - 3 * person
        called = came - usual[service] - person % 4
        desk = {"counter": str(person % 3 + 1), "employee": f"e{person % 3}"}
        yield teller.tell(BUSY, "ticket.issued", number, ago=came, service=service)
        if called > 2:
            yield teller.tell(BUSY, "ticket.called", number, ago=called, **desk)
            yield teller.tell(BUSY, "service.started", number, ago=called - 0.5, **desk)
            if called > 6:
                yield teller.tell(BUSY, "service.completed", number, ago=called - 6, **desk)
    for person, came in enumerate((47, 41, 38, 33, 31)):
        yield teller.tell(BUSY, "ticket.issued", f"A{90 + person:03d}", ago=came, service="ktp")
    yield teller.tell(BUSY, "ticket.issued", "D001", ago=4, service="info")
