"""The steps of one leg, sorted into stretches, and which end stands (rules 1, 17 and 18).

A draft takes the steps of a leg in the order of rule 2. Within a stretch the first of each kind stands; the ends of a
stretch stand by their rank and not by their time, so a step that comes later may still open a leg that looked closed.
"""

from __future__ import annotations

from msgspec import Struct

from loket.domain.leg import ABANDONED, COMPLETED, NO_SHOW, TRANSFERRED, VOIDED, Leg
from loket.domain.steps import Kind, Step

FAR_MS = 1 << 62
"""Beyond every instant."""

_HOLDS = frozenset({Kind.HELD, Kind.RESUMED})
_ENDS = frozenset({Kind.COMPLETED, Kind.TRANSFERRED, Kind.NO_SHOW, Kind.ABANDONED})


class End(Struct, frozen=True):
    """Which end of a stretch stands, as an outcome and its step (None: it is open), and how many ends it overrules."""

    outcome: str | None = None
    step: Step | None = None
    overruled: int = 0

    @property
    def withdrawable(self) -> bool:
        """Whether a requeue may follow: it withdraws a no-show, called or not; every other end stands (rule 18)."""
        return self.step is None or self.outcome == NO_SHOW or self.step.kind == Kind.NO_SHOW


_OPEN = End()


class Drawn:
    """The steps of one stretch: the first of each kind, all recalls' people, holds and added services."""

    __slots__ = ("added", "began_at", "call", "end", "first", "holds", "recaller", "start")

    def __init__(self, began_at: int) -> None:
        self.began_at = began_at
        self.first: dict[int, Step] = {}
        self.holds: list[Step] = []
        self.added: list[Step] = []
        self.recaller: str | None = None
        self.call: Step | None = None
        """The call, or the first recall where there is none (rule 15)."""

        self.start: Step | None = None
        self.end = _OPEN

    @property
    def last_desk(self) -> str | None:
        """The last who called or started, where known (rule 30)."""
        start, call = self.start, self.call
        return (
            (start.employee if start is not None else None)
            or self.recaller
            or (call.employee if call is not None else None)
        )

    def take(self, step: Step) -> bool:
        """Put a step in its place; False if another of its kind stands there already."""
        kind = step.kind
        if kind in _HOLDS:
            self.holds.append(step)
        elif kind == Kind.ADDED:
            self.added.append(step)
        elif kind == Kind.RECALLED:
            self.first.setdefault(kind, step)
            self.call = self.call or step
            self.recaller = step.employee or self.recaller
        elif kind in self.first:
            return False
        else:
            self.first[kind] = step
            if kind == Kind.CALLED:
                self.call = step
            elif kind == Kind.STARTED:
                self.start = step
        if kind in _ENDS or self.end is not _OPEN:
            self.end = self._which_end()
        return True

    def _which_end(self) -> End:
        """A start or a completion beats a no-show, a no-show beats abandoned; of what is left the first stands."""
        ends = [step for kind, step in self.first.items() if kind in _ENDS]
        called = self.call is not None
        if Kind.STARTED in self.first or Kind.COMPLETED in self.first:
            standing = [end for end in ends if end.kind in (Kind.COMPLETED, Kind.TRANSFERRED)]
        elif called and Kind.NO_SHOW in self.first:
            standing = [end for end in ends if end.kind != Kind.ABANDONED]
        else:
            standing = ends
        if not standing:
            return End(overruled=len(ends))
        end = min(standing, key=Step.order)
        if end.kind == Kind.COMPLETED:
            outcome = COMPLETED
        elif end.kind == Kind.TRANSFERRED:
            outcome = TRANSFERRED
        else:
            outcome = NO_SHOW if called else ABANDONED
        return End(outcome, end, len(ends) - 1)


class Draft:
    """An issue, or none, and the steps that belong to it: stretches that a requeue ended, and the last one."""

    __slots__ = ("contradictions", "day", "first_at", "from_unit", "issue", "last", "last_at", "requeued")

    def __init__(self, issue: Step | None, from_unit: str | None, day: int) -> None:
        self.issue = issue
        self.from_unit = from_unit
        self.day = day
        self.requeued: list[tuple[Drawn, Step]] = []
        self.last = Drawn(issue.at if issue is not None else FAR_MS)
        self.contradictions = 0
        self.first_at = issue.at if issue is not None else FAR_MS
        self.last_at = issue.at if issue is not None else -FAR_MS

    @property
    def is_open(self) -> bool:
        """Whether no end stands, of the steps taken so far."""
        return self.last.end.step is None

    def span(self) -> Leg:
        """When this leg was and whether an event ended it, for one that is voided."""
        return Leg(self.day, outcome=None if self.is_open else VOIDED, first_at=self.first_at, last_at=self.last_at)

    def take(self, step: Step) -> None:
        """Take the next step in the order of rule 2."""
        if step.at < self.first_at:
            self.first_at = step.at
        if step.at > self.last_at:
            self.last_at = step.at
        if self.last.began_at == FAR_MS:
            self.last.began_at = step.at
        if step.kind != Kind.REQUEUED:
            self.contradictions += not self.last.take(step)
        elif self.last.end.withdrawable:
            self.contradictions += self.last.end.overruled
            self.requeued.append((self.last, step))
            self.last = Drawn(step.at)
        else:
            self.contradictions += 1
