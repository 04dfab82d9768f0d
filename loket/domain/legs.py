"""A ticket's legs: which event belongs to which issue (rules 12, 13, 17, 20), as a function of the steps alone.

steps in the order of rule 2
  │  repeats and conflicts of one instant removed        (rule 17)
  │  each step to the last issue before it               (rule 12)
  ▼
drafts: an issue and its steps  ──fold_leg──▶  legs with stretches, durations and outcome (loket.domain.stretches)
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from loket.domain.leg import TRANSFERRED, Leg
from loket.domain.policy import DAY, MINUTE, ServiceDays
from loket.domain.steps import Kind, Step
from loket.domain.stretches import fold_leg

LATE_ISSUE_MS = 5 * MINUTE
"""A call or start after a closed leg belongs to the next issue if that follows within this time (rule 12)."""

NEVER_EXPIRES_MS = DAY
"""Where the day never starts, a ticket expires so long after its last step (rule 6)."""

FAR_MS = 1 << 62
"""Beyond every instant."""

_BEGINS_SERVICE = frozenset({Kind.CALLED, Kind.RECALLED, Kind.STARTED})
_CALLS = frozenset({Kind.CALLED, Kind.RECALLED})


class Folded(Struct):
    """The legs of one ticket in the order of their issues, and what contradicted or was clipped on the way."""

    legs: list[Leg] = field(default_factory=list)
    contradictions: int = 0
    skewed: int = 0


class _Draft:
    """An issue and the steps that belong to it, with just enough of the lifecycle to know whether the leg is closed."""

    __slots__ = ("called", "day", "ended", "first_at", "from_unit", "issue", "last_at", "started", "steps")

    def __init__(self, issue: Step | None, from_unit: str | None, day: int) -> None:
        self.issue = issue
        self.from_unit = from_unit
        self.day = day
        self.steps: list[Step] = []
        self.called = False
        self.started = False
        self.ended: int | None = None
        self.first_at = issue.at if issue is not None else FAR_MS
        self.last_at = issue.at if issue is not None else -FAR_MS

    def take(self, step: Step) -> None:
        kind = step.kind
        self.steps.append(step)
        self.first_at = min(self.first_at, step.at)
        self.last_at = max(self.last_at, step.at)
        if kind in _CALLS:
            self.called = True
        elif kind == Kind.STARTED:
            self.started = True
            if self.ended in (Kind.NO_SHOW, Kind.ABANDONED):
                self.ended = None
        elif kind == Kind.REQUEUED:
            if self.ended is None or self.ended == Kind.NO_SHOW or (self.ended == Kind.ABANDONED and self.called):
                self.ended = None
                self.called = self.started = False
        elif kind == Kind.COMPLETED:
            if self.ended != Kind.TRANSFERRED:
                self.ended = kind
        elif kind == Kind.NO_SHOW:
            if not self.started and self.ended in (None, Kind.ABANDONED):
                self.ended = kind
        elif self.ended is None and (kind == Kind.TRANSFERRED or (kind == Kind.ABANDONED and not self.started)):
            self.ended = kind


def fold(steps: Iterable[Step], day: int, days: ServiceDays, *, never: bool) -> Folded:
    """Fold the steps of one ticket, ordered by `Step.order`, into its legs.

    `day` is the ticket's service day; with `never` it is ignored and each leg takes the day of its issue.
    """
    folded = Folded()
    standing = _standing(steps, folded)
    voided = {step.number for step in standing if step.kind == Kind.VOIDED}
    if not never and voided:
        return Folded()
    drafts = _assign([step for step in standing if step.kind != Kind.VOIDED], day, days, folded, never=never)
    gone: set[int] = set()
    for draft in drafts:
        if draft.day in voided:
            continue
        leg = fold_leg(draft.issue, draft.steps, draft.day, draft.from_unit)
        leg.first_at, leg.last_at = draft.first_at, draft.last_at
        leg.visit = draft.issue is not None and draft.day not in gone
        if leg.outcome == TRANSFERRED:
            gone.add(draft.day)
        folded.contradictions += leg.contradictions
        folded.skewed += leg.skewed
        folded.legs.append(leg)
    return folded


def _standing(steps: Iterable[Step], folded: Folded) -> list[Step]:
    """Of the steps of one kind, time and identity the one with the smallest hash; added services all stand (17)."""
    standing: list[Step] = []
    seen: dict[tuple[int, int, str | None], set[tuple[str | None, str | None, str | None]]] = {}
    for step in steps:
        if step.kind == Kind.ADDED or step.kind == Kind.VOIDED:
            standing.append(step)
            continue
        people = seen.get((step.at, step.kind, step.from_unit))
        if people is None:
            seen[(step.at, step.kind, step.from_unit)] = {step.people()}
            standing.append(step)
        elif step.people() not in people:
            people.add(step.people())
            folded.contradictions += 1
    return standing


def _assign(steps: list[Step], day: int, days: ServiceDays, folded: Folded, *, never: bool) -> list[_Draft]:
    """Give each step to the leg that rule 12 names; legs in the order of their issues, those without one last."""
    drafts: list[_Draft] = []
    waiting: list[Step] = []  # belong to an issue that is still to come
    issues = [step for step in steps if step.kind == Kind.ISSUED]
    for step in steps:
        if step.kind == Kind.ISSUED:
            last = _last(drafts, step.from_unit)
            if last is not None and last.ended is None and not _expired(last, step.at, never=never):
                folded.contradictions += 1
                continue
            draft = _Draft(step, step.from_unit, days.day(step.at) if never else day)
            still: list[Step] = []
            for early in waiting:
                mine = early.from_unit is None or early.from_unit == step.from_unit
                if mine and (not never or days.day(early.at) == draft.day):
                    draft.take(early)
                else:
                    still.append(early)
            waiting = still
            drafts.append(draft)
            continue
        found = _leg_of(drafts, step, never=never)
        if found is None or (
            found.ended is not None and step.kind in _BEGINS_SERVICE and _issue_follows(issues, step, found)
        ):
            waiting.append(step)
        else:
            found.take(step)
    return drafts + _without_issue(waiting, day, days, never=never)


def _expired(draft: _Draft, at: int, *, never: bool) -> bool:
    return never and at > draft.last_at + NEVER_EXPIRES_MS


def _last(drafts: list[_Draft], from_unit: str | None) -> _Draft | None:
    for draft in reversed(drafts):
        if draft.from_unit == from_unit:
            return draft
    return None


def _leg_of(drafts: list[_Draft], step: Step, *, never: bool) -> _Draft | None:
    """The leg before a step to which it belongs, if any (rule 12)."""
    if never:
        drafts = [draft for draft in drafts if not _expired(draft, step.at, never=True)]
    if step.from_unit is not None:
        return _last(drafts, step.from_unit)
    if not drafts:
        return None
    own = _last(drafts, None)
    if own is not None and own.ended is None:
        return own
    open_elsewhere = [draft for draft in drafts if draft.ended is None]
    return open_elsewhere[0] if len(open_elsewhere) > 1 else drafts[-1]


def _issue_follows(issues: list[Step], step: Step, closed: _Draft) -> bool:
    return any(
        step.at <= issue.at <= step.at + LATE_ISSUE_MS
        and issue is not closed.issue
        and issue.order() > step.order()
        and (step.from_unit is None or issue.from_unit == step.from_unit)
        for issue in issues
    )


def _without_issue(steps: list[Step], day: int, days: ServiceDays, *, never: bool) -> list[_Draft]:
    drafts: dict[tuple[str | None, int], _Draft] = {}
    for step in steps:
        key = (step.from_unit, days.day(step.at) if never else day)
        draft = drafts.get(key)
        if draft is None:
            draft = drafts[key] = _Draft(None, step.from_unit, key[1])
        draft.take(step)
    return list(drafts.values())
