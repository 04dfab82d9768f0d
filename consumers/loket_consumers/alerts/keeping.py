"""The table of alerts: what is told is kept once, whoever takes an alert first has it.

Alertmanager repeats itself, two of them tell the same, and a delivery that hung may come after a later one. So an
alert that ended stays ended, unless it is told as firing well after its end was: then Prometheus was away, Alertmanager
took the alert for over, and it goes on from the start that it had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RowMapping

from loket.domain.policy import HOUR, MINUTE
from loket.errors import LoketError
from loket_consumers.alert_schema import alerts
from loket_consumers.alerts.told import Told
from loket_consumers.engines import reading, writing

__all__ = ["AlreadyTaken", "Kept", "NoSuchAlert", "acknowledge", "keep", "kept"]

AGAIN_MS: Final = 2 * MINUTE
"""A firing told so long after the end was told is no late delivery: it fires again."""

UNTOLD_MS: Final = 6 * HOUR
"""Alertmanager repeats what fires every four hours at the latest: of what it told longer ago nothing is known."""

MOST: Final = 500


class NoSuchAlert(LoketError):
    """No alert has the `id`."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f"there is no alert {id}: `loket alerts list` shows those that there are")


class AlreadyTaken(LoketError):
    """Somebody else takes care of the alert already; carries `by` and `at` (ms)."""

    def __init__(self, id: str, by: str, at: int) -> None:
        self.id, self.by, self.at = id, by, at
        super().__init__(f"{by} takes care of alert {id} already: ask them")


class Kept(Struct, frozen=True):
    """One alert of the record; instants in ms UTC, durations are differences of them."""

    fingerprint: str
    started_at: int
    name: str
    unit: str
    service: str
    severity: str
    summary_id: str
    summary_en: str
    runbook_url: str | None
    told_at: int
    ended_at: int | None
    acknowledged_at: int | None
    acknowledged_by: str | None
    note: str | None

    @property
    def id(self) -> str:
        """What names it to others."""
        return f"{self.fingerprint}-{self.started_at}"


def keep(engine: Engine, told: Iterable[Told], now: int, day_of: Callable[[str, int], date]) -> None:
    """Keep what was told at `now` in one transaction; `day_of` a unit and an instant is the service day.

    Raises DatabaseAway and DatabaseRefuses: then nothing was kept.
    """
    ordered = sorted(told, key=lambda alert: (alert.fingerprint, alert.started_at))  # locks in one order
    with writing(engine) as connection:
        for alert in ordered:
            _keep(connection, alert, now, day_of(alert.label("unit"), alert.started_at))


def _keep(connection: Connection, told: Told, now: int, day: date) -> None:
    key = {"fingerprint": told.fingerprint, "started_at": told.started_at}
    texts = {"summary_id": told.summary_id, "summary_en": told.summary_en, "runbook_url": told.runbook_url}
    ended = {"ended_at": told.ended_at, "ended_told_at": None if told.ended_at is None else now}
    new = {
        "day": day,
        "name": told.label("alertname"),
        "unit": told.label("unit"),
        "service": told.label("service"),
        "severity": told.label("severity"),
        "labels": msgspec.json.encode(told.labels).decode(),
        "received_at": now,
        "told_at": now,
    }
    if _add(connection, key | texts | ended | new):
        return
    here = (alerts.c.fingerprint == told.fingerprint, alerts.c.started_at == told.started_at)
    query = select(alerts.c.ended_at, alerts.c.ended_told_at, alerts.c.told_at).where(*here).with_for_update()
    before = connection.execute(query).one()
    changes: dict[str, Any] = {"told_at": max(now, before.told_at)}
    if told.ended_at is not None:
        # Of two that tell an end, the first: a later one only knows when it heard of it.
        changes |= texts if before.ended_at is not None else texts | ended
    elif before.ended_at is None:
        changes |= texts
    elif now - before.ended_told_at >= AGAIN_MS:
        changes |= texts | ended
    connection.execute(update(alerts).where(*here).values(**changes))


def _add(connection: Connection, row: dict[str, Any]) -> bool:
    """Whether the row was not there yet, and is now."""
    if connection.dialect.name == "postgresql":
        return connection.execute(postgresql.insert(alerts).values(row).on_conflict_do_nothing()).rowcount == 1
    return connection.execute(sqlite.insert(alerts).values(row).on_conflict_do_nothing()).rowcount == 1


def kept(
    engine: Engine,
    now: int,
    *,
    unit: str | None = None,
    since: int | None = None,
    most: int = MOST,
) -> Sequence[Kept]:
    """Alerts that fire as far as is known at `now`, and those that ended after `since`; the newest first.

    Raises DatabaseAway and DatabaseRefuses.
    """
    c = alerts.c
    fires = c.ended_at.is_(None) & (c.told_at > now - UNTOLD_MS)
    query = select(*(c[name] for name in Kept.__struct_fields__)).order_by(c.started_at.desc(), c.fingerprint)
    query = query.where(fires if since is None else or_(fires, c.ended_at > since, c.told_at > since)).limit(most)
    if unit is not None:
        query = query.where(c.unit == unit)
    with reading(engine) as connection:
        return [_kept(row) for row in connection.execute(query).mappings()]


def _kept(row: RowMapping) -> Kept:
    return Kept(**row)


def acknowledge(engine: Engine, id: str, by: str, note: str, now: int) -> Kept:
    """Note who takes care of an alert. The same by the same once more changes nothing.

    Raises NoSuchAlert, AlreadyTaken, DatabaseAway and DatabaseRefuses.
    """
    fingerprint, _, started = id.rpartition("-")
    if not fingerprint or not (started.isascii() and started.isdecimal()) or len(started) > 15:
        raise NoSuchAlert(id)
    here = (alerts.c.fingerprint == fingerprint, alerts.c.started_at == int(started))
    with writing(engine) as connection:
        connection.execute(
            update(alerts)
            .where(*here, alerts.c.acknowledged_at.is_(None))
            .values(acknowledged_at=now, acknowledged_by=by, note=note)
        )
        columns = (alerts.c[name] for name in Kept.__struct_fields__)
        row = connection.execute(select(*columns).where(*here)).mappings().one_or_none()
    if row is None:
        raise NoSuchAlert(id)
    found = _kept(row)
    if (found.acknowledged_by, found.note) != (by, note):
        raise AlreadyTaken(id, found.acknowledged_by or "", found.acknowledged_at or 0)
    return found
