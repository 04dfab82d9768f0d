"""Windows of service time from the record, by the domain's own function, of events that were not late."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, and_, case, func, or_, select

from loket.domain.durations import MINUTE
from loket.domain.judged import Judged
from loket.domain.policy import Policy
from loket.domain.summary import Flat
from loket.domain.windows import reached_from, windows_of
from loket_consumers.schema import legs
from loket_consumers.sums import Whose, over_at

__all__ = ["window_flats"]


def window_flats(
    connection: Connection, policy: Policy, units: Iterable[str], now: int, whose: Whose
) -> dict[str, dict[str, Flat]]:
    """By unit and service with a target in force: judged and breached in each window at `now` (ms)."""
    reached = {unit: reached_from(policy.unit(unit), now) for unit in units if policy.unit(unit).services}
    judged = _judged(connection, min(reached.values()), now, whose) if reached else {}
    found: dict[str, dict[str, Flat]] = {}
    for unit in reached:
        flats = found[unit] = {}
        for service, windows in windows_of(policy.unit(unit), now, judged.get(unit, {})).items():
            flat = flats[service] = {}
            for name, amount in windows.judged.items():
                flat[f"window_judged/{name}"] = amount
                flat[f"window_breached/{name}"] = windows.breached[name]
    return found


def _judged(connection: Connection, first: int, now: int, whose: Whose) -> dict[str, dict[int, Judged]]:
    """When people were judged, by unit and service day from `first` on (rule 14)."""
    c = legs.c
    over = over_at(now)
    breached = func.coalesce(c.first_called_at, over) > c.breach_at
    key = case((breached, c.breach_at // MINUTE * 2 + 1), else_=c.first_called_at // MINUTE * 2)
    query = (
        select(c.unit, c.service, c.day, key.label("key"), func.count().label("number"))
        .where(
            whose.rows(legs),
            c.day >= date.fromordinal(max(1, first)),
            and_(c.breach_at.is_not(None), or_(c.first_called_at.is_not(None), over > c.breach_at)),
        )
        .group_by(c.unit, c.service, c.day, key)
    )
    found: dict[str, dict[int, Judged]] = {}
    for unit, service, day, minute, number in connection.execute(query):
        by_service = found.setdefault(unit, {}).setdefault(day.toordinal(), {})
        by_service.setdefault(service, {})[int(minute)] = number
    return found
