"""Where the figures of one service and day are in a unit's state, at hand: nearly every event adds to the same few.

A lane holds nothing of its own, only the state's dictionaries and histograms, each made in the state when it is first
added to and not before: what a state's records say must not tell by which way it was reached. A state forgets its
lanes when days close, as their tallies go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loket.domain.tally import BUCKETS_MS, DayTally, ServiceTally

if TYPE_CHECKING:
    from loket.domain.judged import Minutes
    from loket.domain.state import UnitState

__all__ = ["Lane", "lane_of"]


class Lane:
    """The figures of a service label (`total`, `settled`) and those of a day (`of_day`, `settled_of_day`)."""

    __slots__ = ("_day", "_histograms", "_label", "_minutes", "_of_day", "_settled_of_day", "settled", "tally", "total")

    def __init__(self, label: str, tally: ServiceTally, day: DayTally) -> None:
        self._label = label
        self._day = day
        self.tally = tally
        self.total = tally.counts.total
        self.settled = tally.settled
        self._histograms = tally.histograms
        self._minutes: Minutes | None = None
        self._of_day = day.counts.get(label)
        self._settled_of_day = day.settled.get(label)

    def of_day(self) -> dict[str, int]:
        """The day's counts."""
        found = self._of_day
        if found is None:
            found = self._of_day = self._day.counts.setdefault(self._label, {})
        return found

    def settled_of_day(self) -> dict[str, int]:
        """What is settled of the day."""
        found = self._settled_of_day
        if found is None:
            found = self._settled_of_day = self._day.settled.setdefault(self._label, {})
        return found

    def see(self, kind: str, ms: int) -> None:
        """Observe one duration."""
        histogram = self._histograms.get(kind)
        if histogram is None:
            self.tally.see(kind, ms)
        else:
            histogram.add(BUCKETS_MS[kind], ms)

    def judge(self, state: UnitState, day: int, key: int) -> None:
        """Count somebody judged."""
        minutes = self._minutes
        if minutes is None:
            minutes = self._minutes = state.judged.setdefault(day, {}).setdefault(self._label, {})
        minutes[key] = minutes.get(key, 0) + 1


def lane_of(state: UnitState, day: int, label: str) -> Lane:
    """The lane of a service label and day, with the tallies of both made on first use."""
    found = state.lanes.get((day, label))
    if found is None:
        found = state.lanes[day, label] = Lane(label, state.tally(label), state.day(day))
    return found
