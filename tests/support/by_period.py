"""What the views of the record have to say of a log, from the domain's fold of each ticket alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from sqlalchemy import Engine, text

from loket.domain.contribution import Contribution, contribute, settle
from loket.domain.days import closes_at
from loket.domain.estimates import kaplan_meier
from loket.domain.leg import Leg
from loket.domain.periods import local_hour, period_of_month, period_of_week
from loket.domain.policy import UnitPolicy
from loket.domain.state import derive
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.summary import Flat, UnitFigures, add_up, unit_figures
from loket.domain.unit import UnitState
from loket_consumers.engines import reading
from support.oracle import Oracle

__all__ = ["assert_views", "legs_of", "levels_by", "rows"]

LEVELS = ("live", "answered", "offered", "excluding_short", "abandoned_ok", "excluding_early")


class Ended(Struct, frozen=True):
    """A leg of the past: when time alone ended it, if no event did."""

    unit: str
    policy: UnitPolicy
    leg: Leg
    closes_at: int | None

    @property
    def over(self) -> int:
        ended = self.leg.ended_at if self.closes_at is None else self.closes_at
        assert ended is not None
        return ended

    @property
    def hour(self) -> int:
        arrived = self.leg.issued_at
        return local_hour(self.leg.stretches[0].began_at if arrived is None else arrived, self.policy.zone)


def legs_of(oracle: Oracle) -> list[Ended]:
    """All legs of an oracle whose policy never closes a day: what the record has to say, long after."""
    found = []
    for state in oracle.units.values():
        found += [_ended(state, leg) for key in state.tickets for leg in _legs(state, key)]
    return found


def _legs(state: UnitState, key: Any) -> list[Leg]:
    ticket = state.ticket(key)
    assert ticket is not None
    return derive(ticket, state.policy).folded.legs


def _ended(state: UnitState, leg: Leg) -> Ended:
    closes = None if leg.outcome else closes_at(leg, state.policy, state.closings.get(leg.day, ()))
    return Ended(state.unit, state.policy, leg, closes)


keys: dict[str, Callable[[Ended], tuple[Any, ...]]] = {
    "hour": lambda ended: (date.fromordinal(ended.leg.day).isoformat(), ended.hour),
    "day": lambda ended: (date.fromordinal(ended.leg.day).isoformat(),),
    "week": lambda ended: _labelled(period_of_week(ended.leg.day)),
    "month": lambda ended: _labelled(period_of_month(ended.leg.day)),
}
"""The columns of each view beside unit and service."""


def _labelled(period: Any) -> tuple[str, str]:
    return period.label, date.fromordinal(period.first).isoformat()


def levels_by(
    legs: list[Ended], key: Callable[[Ended], tuple[Any, ...]]
) -> dict[tuple[Any, ...], tuple[UnitFigures, Flat]]:
    """The domain's row of each unit, service (None: the unit) and period, and the amounts that it is made of."""
    flats: dict[tuple[Any, ...], dict[str, Flat]] = {}
    for ended in legs:
        services = flats.setdefault((ended.unit, *key(ended)), {})
        for service, figure, amount in _brought(ended):
            flat = services.setdefault(service, {})
            flat[figure] = flat.get(figure, 0) + amount
    rows = {}
    for (unit, *period), services in flats.items():
        named: dict[str | None, Flat] = {None: add_up(services.values())}
        named.update((service, flat) for service, flat in services.items() if service != EMPTY_SERVICE)
        for told, flat in named.items():
            rows[unit, told, *period] = (unit_figures(unit, told, flat, 0, judges=True), flat)
    return rows


def _brought(ended: Ended) -> Iterator[tuple[str, str, int]]:
    made = Contribution()
    contribute(ended.leg, made)
    if ended.closes_at is not None:
        made.decided.clear()
        settle(ended.leg, ended.closes_at, made)
    yield ended.leg.service, "legs", 1
    yield from made.counted
    yield from made.decided


def employees(legs: list[Ended]) -> dict[tuple[str, str, str], Flat]:
    """What each employee did, by unit and service day, from the stretches of that day's legs."""
    people: dict[tuple[str, str, str], Flat] = {}
    for ended in legs:
        made = Contribution()
        contribute(ended.leg, made)
        for employee, figure, amount in made.credited:
            flat = people.setdefault((ended.unit, date.fromordinal(ended.leg.day).isoformat(), employee), {})
            flat[figure] = flat.get(figure, 0) + amount
    return people


def first_waits(legs: list[Ended], q: float) -> Any:
    """The Kaplan-Meier estimate over the first stretches of these legs."""
    called, censored = [], []
    for ended in legs:
        leg, first = ended.leg, ended.leg.stretches[0]
        if leg.issued_at is None:
            continue
        if first.called_at is not None:
            called.append(first.wait_ms)
            continue
        over = first.ended_at if first.ended_at is not None else ended.over
        if over >= leg.wait_from or leg.wait_from <= leg.issued_at:
            censored.append(max(0, over - leg.wait_from))
    return kaplan_meier(called, censored, q)


def rows(engine: Engine, query: str) -> list[dict[str, Any]]:
    with reading(engine) as connection:
        found = [dict(row) for row in connection.execute(text(query)).mappings()]
    for row in found:
        for name, value in row.items():
            if isinstance(value, date):  # PostgreSQL's days; SQLite has ISO text
                row[name] = value.isoformat()
    return found


def assert_views(engine: Engine, oracle: Oracle) -> None:
    """All of the log's legs are over at the moment of the query."""
    legs = legs_of(oracle)
    for by, key in keys.items():
        expected = {name: as_view(*told) for name, told in levels_by(legs, key).items()}
        columns = {"hour": ("day", "hour"), "day": ("day",), "week": ("week", "first_day")}.get(by, (by, "first_day"))
        found = {}
        for row in rows(engine, f"SELECT * FROM service_levels_by_{by}"):
            name = (row.pop("unit"), row.pop("service"), *(row.pop(column) for column in columns))
            row.pop("answered_wait_ms")
            assert name not in found
            found[name] = row
        assert found.keys() == expected.keys()
        for name, row in found.items():
            assert row == pytest.approx(expected[name]), name
    issued = [ended for ended in legs if ended.leg.issued_at is not None]
    waits = rows(engine, "SELECT * FROM waits")
    assert len(waits) == len(issued)
    assert_waits(waits)
    called = [row["wait_ms"] for row in waits if row["called_at"] is not None]
    censored = [row["wait_ms"] for row in waits if row["called_at"] is None and row["wait_ms"] is not None]
    for q in (0.5, 0.9):
        assert kaplan_meier(called, censored, q) == first_waits(legs, q)
    told = {(row["unit"], row["day"], row["employee"]): row for row in rows(engine, "SELECT * FROM employees_by_day")}
    counted = employees(legs)
    for who, row in told.items():
        flat = counted.pop(who, {})
        for figure in ("served", "services", "handed_on", "service_ms", "service_count", "way_ms", "hold_ms"):
            assert row[figure] == flat.get(figure, 0)
        assert (row["service_mean_ms"] is None) == (row["service_count"] == 0)
    assert counted == {}


def as_view(row: UnitFigures, flat: Flat) -> dict[str, Any]:
    """A domain's row by the names of the views."""
    assert not isinstance(row.levels, msgspec.UnsetType)
    assert not isinstance(row.levels_without_no_shows, msgspec.UnsetType)
    without = row.levels_without_no_shows
    told: dict[str, Any] = {f"level_{name}": getattr(row.levels, name) for name in LEVELS}
    told |= {"level_live_without_no_shows": without.live, "level_answered_without_no_shows": without.answered}
    told |= {name: getattr(row, name) for name in ("judged", "breached", "answered", "nobody_came", "issued", "visits")}
    told |= {"left_waiting": row.left, "waiting": 0, "served": row.served, "services": row.services}
    told |= msgspec.to_builtins(row.closed)
    return told | {name: flat.get(figure, 0) for name, figure in COUNTED.items()}


COUNTED = {
    "answered_within": "waits_answered/yes",
    "answered_after": "waits_answered/no",
    "left_short": "waits_left/short",
    "left_within": "waits_left/yes",
    "left_after": "waits_left/no",
    "nobody_came_within": "calls_nobody_came/yes",
    "nobody_came_after": "calls_nobody_came/no",
}


def assert_waits(waits: list[dict[str, Any]]) -> None:
    for row in waits:
        assert (row["called_at"] is not None) == (row["outcome"] == "called")
        assert row["called_at"] is None or row["ended_at"] is None
        assert row["wait_ms"] is None or row["wait_ms"] >= 0
        if row["outcome"] == "called":
            assert row["within"] == ("none" if row["breach_at"] is None else "yes" if not late_call(row) else "no")
        assert row["outcome"] in {
            "called", "left", "left_early", "transferred", "requeued", "completed", "no_show", "expired",
        }  # fmt: skip


def late_call(row: dict[str, Any]) -> bool:
    return bool(row["called_at"] > row["breach_at"])
