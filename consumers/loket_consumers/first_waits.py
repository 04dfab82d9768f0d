"""First stretches of waiting, to which quantiles and Kaplan-Meier look (rules 26 and 28)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat
from typing import Any

import msgspec
from msgspec import Struct, field
from sqlalchemy import Select, and_, case, func, literal, select

from loket.domain.estimates import kaplan_meier, quantile
from loket.domain.summary import UnitFigures
from loket_consumers.schema import legs
from loket_consumers.sums import Whose, over_at

__all__ = ["Waits", "first_waits"]


class Waits(Struct):
    """First stretches in ms: those that a call ended, the others, which are censored, and of those the leavers'."""

    called: list[int] = field(default_factory=list)
    censored: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)

    def take(self, row: Mapping[Any, Any]) -> None:
        """Take a row of `first_waits`."""
        if row["ms"] is None:
            return
        of = self.called if row["called"] else self.censored
        of.extend(repeat(int(row["ms"]), row["number"]))
        if row["left"]:
            self.left.extend(repeat(int(row["ms"]), row["number"]))

    def add(self, other: Waits) -> None:
        self.called.extend(other.called)
        self.censored.extend(other.censored)
        self.left.extend(other.left)

    def told_in(self, row: UnitFigures) -> UnitFigures:
        """The row with the quantiles of these waits."""
        median = kaplan_meier(self.called, self.censored, 0.5)
        p90 = kaplan_meier(self.called, self.censored, 0.9)
        return msgspec.structs.replace(
            row,
            wait_median_s=_seconds(quantile(self.called, 0.5)),
            wait_p90_s=_seconds(quantile(self.called, 0.9)),
            patience_median_s=_seconds(quantile(self.left, 0.5)),
            km_median_s=_seconds(median.value),
            km_median_low_s=_seconds(median.low),
            km_median_high_s=_seconds(median.high),
            km_p90_s=_seconds(p90.value),
            km_p90_low_s=_seconds(p90.low),
            km_p90_high_s=_seconds(p90.high),
        )


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000


def first_waits(whose: Whose, now: int) -> Select[Any]:
    """How many legs with an issue waited how long, by unit, service and day; `ms` None: who was early, before an
    appointment, was never waiting."""
    c = legs.c
    ended_at = func.coalesce(c.first_ended_at, over_at(now))
    was_early = and_(ended_at < c.wait_from, c.wait_from > c.issued_at)
    age = case((ended_at > c.wait_from, ended_at - c.wait_from), else_=literal(0))
    called, left = c.answered.is_not(None), c.left_within.is_not(None)
    ms = case((called, c.first_wait_ms), (was_early, None), else_=age)
    columns = (called.label("called"), left.label("left"), ms.label("ms"))
    return (
        select(c.unit, c.service, c.day, *columns, func.count().label("number"))
        .where(whose.rows(legs), c.issued_at.is_not(None))
        .group_by(c.unit, c.service, c.day, *columns)
    )
