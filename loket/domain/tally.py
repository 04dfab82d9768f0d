"""The figures that a unit's state keeps: totals that never fall, beside them what was taken back (rule 23)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from functools import cache
from typing import Annotated

from msgspec import Meta, Struct, field

from loket.domain.policy import SECOND

BUCKETS_MS: dict[str, tuple[int, ...]] = {
    kind: tuple(bound * SECOND for bound in bounds)
    for kind, bounds in {
        "wait_seconds": (10, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200),
        "patience_seconds": (10, 30, 60, 120, 300, 600, 1200, 1800, 3600),
        "way_seconds": (5, 10, 20, 30, 60, 120, 300),
        "service_seconds": (30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600),
        "hold_seconds": (30, 60, 120, 300, 600, 1800),
        "lost_seconds": (10, 30, 60, 120, 300, 600),
        **dict.fromkeys(
            (
                "request_citizen_seconds",
                "request_citizen_service_seconds",
                "request_legal_seconds",
                "request_task_seconds",
            ),
            (3600, 7200, 10_800, 21_600, 86_400),  # 1, 2, 3, 6 and 24 h: the ministry's of June 2020 (definitions)
        ),
    }.items()
}
"""Upper bounds (ms, inclusive) of each histogram: fixed, one set for each kind of duration."""


Amount = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""A count or a sum of milliseconds: what is larger was never counted, but read from damaged records."""


class Histogram(Struct, array_like=True):
    """Counts for each bucket (not cumulative, the last one above all bounds), sum and number, and what was taken back.

    Buckets are not corrected, sums and counts are (rule 23).
    """

    buckets: list[Amount]
    sum_ms: Amount = 0
    count: Amount = 0
    corrected_ms: Amount = 0
    corrected_count: Amount = 0

    def add(self, bounds: tuple[int, ...], ms: int) -> None:
        self.buckets[bisect_left(bounds, ms)] += 1
        self.sum_ms += ms
        self.count += 1

    def take_back(self, ms: int) -> None:
        self.corrected_ms += ms
        self.corrected_count += 1


class Counts(Struct, array_like=True):
    """Figures by name: `total` only rises, `corrected` says how much of it was taken back."""

    total: dict[str, Amount] = field(default_factory=dict)
    corrected: dict[str, Amount] = field(default_factory=dict)

    def change(self, figure: str, amount: int) -> None:
        """Add a change: a rise to the totals, a fall to the corrections."""
        if amount > 0:
            self.total[figure] = self.total.get(figure, 0) + amount
        elif amount < 0:
            self.corrected[figure] = self.corrected.get(figure, 0) - amount

    def exact(self, figure: str) -> int:
        """Total less corrections."""
        return self.total.get(figure, 0) - self.corrected.get(figure, 0)


class ServiceTally(Struct, array_like=True):
    """All figures of one unit and service since the state began. `settled` holds judged, breached and expired."""

    counts: Counts = field(default_factory=Counts)
    histograms: dict[str, Histogram] = field(default_factory=dict)
    settled: dict[str, Amount] = field(default_factory=dict)

    def observe(self, kind: str, removed: list[int], added: list[int]) -> None:
        """Observe what is new of two lists of durations, and take back what is gone."""
        if removed == added:
            return
        if not removed:
            for ms in added:
                self.see(kind, ms)
            return
        bounds, histogram = BUCKETS_MS[kind], self._histogram(kind)
        old, new = Counter(removed), Counter(added)
        for ms in (new - old).elements():
            histogram.add(bounds, ms)
        for ms in (old - new).elements():
            histogram.take_back(ms)

    def see(self, kind: str, ms: int) -> None:
        """Observe one duration."""
        self._histogram(kind).add(BUCKETS_MS[kind], ms)

    def _histogram(self, kind: str) -> Histogram:
        found = self.histograms.get(kind)
        if found is None:
            found = self.histograms[kind] = Histogram([0] * (len(BUCKETS_MS[kind]) + 1))
        return found


class DayTally(Struct, array_like=True):
    """The exact figures of one service day, by service and, `people`, by employee: they may fall (rule 24)."""

    counts: dict[str, dict[str, Amount]] = field(default_factory=dict)
    settled: dict[str, dict[str, Amount]] = field(default_factory=dict)
    people: dict[str, dict[str, Amount]] = field(default_factory=dict)


DAY_FIGURES = frozenset({"tickets_issued", "waits_answered", "tickets_closed", "served"})
"""What the day's gauges show beside judged, breached and expired (rule 24)."""


@cache
def is_of_the_day(figure: str) -> bool:
    """Whether a figure, with its label's value, is one of DAY_FIGURES."""
    return figure.partition("/")[0] in DAY_FIGURES


DAY_PEOPLE = frozenset({"served", "services"})
"""And of an employee, beside the employee's time: for each staffed hour, services are the throughput (rule 29)."""


def rise(into: dict[str, dict[str, int]], label: str, figure: str, amount: int) -> None:
    """Add an amount, which may be negative, to an exact figure."""
    figures = into.setdefault(label, {})
    figures[figure] = figures.get(figure, 0) + amount
