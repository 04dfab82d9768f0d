"""A ticket's legs: which event belongs to which issue (rules 12, 13, 17, 20), as a function of the steps alone.

steps in the order of rule 2
  │  repeats and conflicts of one instant removed        (rule 17)
  │  each step to the last issue before it               (rule 12)
  ▼
drafts: an issue and its steps  ──measure──▶  legs with stretches, durations and outcome (loket.domain.stretches)
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from msgspec import Struct, field

from loket.domain.corrections import corrected, is_corrected
from loket.domain.drafts import FAR_MS, Draft
from loket.domain.leg import TRANSFERRED, Leg
from loket.domain.policy import DAY, MINUTE, ServiceDays
from loket.domain.steps import Kind, Step
from loket.domain.stretches import measure

LATE_ISSUE_MS = 5 * MINUTE
"""A call or start after a closed leg belongs to the next issue if that follows within this time (rule 12)."""

NEVER_EXPIRES_MS = DAY
"""Where the day never starts, a ticket expires so long after its last step (rule 6)."""

_BEGINS_SERVICE = frozenset({Kind.CALLED, Kind.RECALLED, Kind.STARTED})
_REACHES_BACK = frozenset({Kind.ISSUED, Kind.VOIDED, Kind.CORRECTED})
"""Kinds of steps that change to which leg earlier ones belong."""


class Folded(Struct):
    """The legs of one ticket in the order of their issues, and what contradicted or was clipped on the way.

    `voided` tells of legs that are void, where the day never starts, when they were: they still hold their steps.
    """

    legs: list[Leg] = field(default_factory=list)
    contradictions: int = 0
    skewed: int = 0
    voided: list[Leg] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    """Of the legs, one each, as long as a later step can be put to them without looking at the earlier ones again."""

    @property
    def is_open(self) -> bool:
        """Whether no event has ended one of the legs."""
        for leg in self.legs:  # noqa: SIM110 (no generator: this is asked for each event)
            if leg.outcome is None:
                return True
        return False


def fold(steps: list[Step], day: int, days: ServiceDays, *, never: bool) -> Folded:
    """Fold the steps of one ticket, ordered by `Step.order`, into its legs.

    `day` is the ticket's service day; with `never` it is ignored and each leg takes the day of its issue.
    """
    folded = Folded()
    told = steps
    if is_corrected(told):
        steps, folded.contradictions = corrected(told, day, days, never=never)
    standing = _standing(steps, folded)
    voided = {step.number for step in standing if step.kind == Kind.VOIDED}
    if voided:
        if not never:
            return Folded()
        standing = [step for step in standing if step.kind != Kind.VOIDED]
    drafts, is_plain = _assign(standing, day, days, folded, never=never)
    if is_plain and not never and standing is told:
        folded.drafts = drafts
    for draft in drafts:
        if draft.day in voided:
            folded.voided.append(draft.span())
        else:
            leg = measure(draft)
            folded.contradictions += leg.contradictions
            folded.skewed += leg.skewed
            folded.legs.append(leg)
    _tell_visits(folded.legs)
    return folded


def go_on(folded: Folded, step: Step) -> Folded | None:
    """A fold with one step more, later than all that it holds; None where the ticket has to be folded anew.

    It is `fold` of all the steps, for the usual step at a price that does not grow with the ticket. What was folded
    before must not go on again: its drafts are the new one's.
    """
    if not folded.drafts or step.kind in _REACHES_BACK:
        return None
    draft = _leg_of(folded.drafts, step)
    if draft is None or (step.kind in _BEGINS_SERVICE and not draft.is_open):
        return None
    draft.take(step)
    number = folded.drafts.index(draft)
    old, leg = folded.legs[number], measure(draft)
    legs = folded.legs.copy()
    legs[number] = leg
    _tell_visits(legs)
    return Folded(
        legs,
        folded.contradictions - old.contradictions + leg.contradictions,
        folded.skewed - old.skewed + leg.skewed,
        drafts=folded.drafts,
    )


def _tell_visits(legs: list[Leg]) -> None:
    """Every leg with an issue is a visit, but not one after the unit transferred the subject away (rule 13)."""
    if len(legs) == 1:
        legs[0].visit = legs[0].issued_at is not None
        return
    gone: dict[int, list[Leg]] = {}  # by day, of each the two that left first: a leg does not leave before itself
    for leg in legs:
        if leg.outcome == TRANSFERRED and leg.ended_at is not None:
            of_day = gone.setdefault(leg.day, [])
            of_day.append(leg)
            of_day.sort(key=_ended_at)
            del of_day[2:]
    for leg in legs:
        leg.visit = leg.issued_at is not None and not any(
            other is not leg and _ended_at(other) <= leg.issued_at for other in gone.get(leg.day, ())
        )


def _ended_at(leg: Leg) -> int:
    return -FAR_MS if leg.ended_at is None else leg.ended_at


def _standing(steps: list[Step], folded: Folded) -> list[Step]:
    """Of the steps of one kind, time and identity the one with the smallest hash; added services all stand (17)."""
    if len(steps) == 1 or not any(one.at == other.at and one.kind == other.kind for one, other in pairwise(steps)):
        return steps  # in the order of rule 2 such steps are neighbours
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


def _assign(steps: list[Step], day: int, days: ServiceDays, folded: Folded, *, never: bool) -> tuple[list[Draft], bool]:
    """Give each step to the leg that rule 12 names; legs in the order of their issues, those without one last.

    Also whether none waits for an issue.
    """
    drafts: list[Draft] = []
    newest: dict[str | None, Draft] = {}
    waiting: list[Step] = []  # belong to an issue that is still to come
    issues: _Issues | None = None
    for step in steps:
        since = step.at - NEVER_EXPIRES_MS if never else -FAR_MS  # what was last touched before it is expired
        if step.kind == Kind.ISSUED:
            issue_day = days.day(step.at) if never else day
            draft = newest.get(step.from_unit)
            if draft is not None and draft.is_open and draft.day == issue_day and draft.last_at >= since:
                folded.contradictions += 1
            else:
                draft = newest[step.from_unit] = Draft(step, step.from_unit, issue_day)
                drafts.append(draft)
            if waiting:
                waiting = _hand_over(waiting, draft, days, never=never)
            continue
        found = _leg_of(drafts, step, since)
        if found is not None and step.kind in _BEGINS_SERVICE and not found.is_open:
            issues = issues or _Issues(steps)
            if issues.follow(step):
                found = None
        if found is None:
            waiting.append(step)
        else:
            found.take(step)
    if waiting:
        return drafts + _without_issue(waiting, day, days, never=never), False
    return drafts, True


def _hand_over(waiting: list[Step], draft: Draft, days: ServiceDays, *, never: bool) -> list[Step]:
    """Give an issue's leg the steps that waited for it; those that wait on."""
    still: list[Step] = []
    for step in waiting:
        mine = step.from_unit is None or step.from_unit == draft.from_unit
        if mine and (not never or days.day(step.at) == draft.day):
            draft.take(step)
        else:
            still.append(step)
    return still


def _last(drafts: list[Draft], from_unit: str | None, since: int) -> Draft | None:
    for draft in reversed(drafts):
        if draft.from_unit == from_unit and draft.last_at >= since:
            return draft
    return None


def _leg_of(drafts: list[Draft], step: Step, since: int = -FAR_MS) -> Draft | None:
    """The leg before a step to which it belongs, if any (rule 12), of those that were touched since an instant."""
    own = _last(drafts, step.from_unit, since)
    if step.from_unit is not None or (own is not None and own.is_open):
        return own
    first_open = last = None
    for draft in drafts:
        if draft.last_at >= since:
            last = draft
            if draft.is_open:
                if first_open is not None:
                    return first_open
                first_open = draft
    return last


class _Issues:
    """When the issues of a ticket are, all of them and by the unit that they come from, to find the next at once."""

    def __init__(self, steps: list[Step]) -> None:
        self._all: list[int] = []
        self._from: dict[str | None, list[int]] = {}
        for step in steps:
            if step.kind == Kind.ISSUED:
                self._all.append(step.at)
                self._from.setdefault(step.from_unit, []).append(step.at)

    def follow(self, step: Step) -> bool:
        """Whether an issue to which a call or start may belong follows within the time of rule 12.

        One of the same instant is before it (rule 2).
        """
        times = self._all if step.from_unit is None else self._from.get(step.from_unit, [])
        after = bisect_right(times, step.at)
        return after < len(times) and times[after] <= step.at + LATE_ISSUE_MS


def _without_issue(steps: list[Step], day: int, days: ServiceDays, *, never: bool) -> list[Draft]:
    drafts: dict[tuple[str | None, int], Draft] = {}
    for step in steps:
        key = (step.from_unit, days.day(step.at) if never else day)
        draft = drafts.get(key)
        if draft is None:
            draft = drafts[key] = Draft(None, step.from_unit, key[1])
        draft.take(step)
    return list(drafts.values())
