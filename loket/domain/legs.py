"""A ticket's legs: which event belongs to which issue (rules 12, 13, 17, 20), as a function of the steps alone.

steps in the order of rule 2
  │  repeats and conflicts of one instant removed        (rule 17)
  │  each step to the last issue before it               (rule 12)
  ▼
drafts: an issue and its steps  ──measure──▶  legs with stretches, durations and outcome (loket.domain.stretches)
"""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct, field

from loket.domain.drafts import Draft
from loket.domain.leg import TRANSFERRED, Leg
from loket.domain.policy import DAY, MINUTE, ServiceDays
from loket.domain.steps import Kind, Step
from loket.domain.stretches import measure

LATE_ISSUE_MS = 5 * MINUTE
"""A call or start after a closed leg belongs to the next issue if that follows within this time (rule 12)."""

NEVER_EXPIRES_MS = DAY
"""Where the day never starts, a ticket expires so long after its last step (rule 6)."""

_BEGINS_SERVICE = frozenset({Kind.CALLED, Kind.RECALLED, Kind.STARTED})
_REACHES_BACK = frozenset({Kind.ISSUED, Kind.VOIDED})
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
    standing = _standing(steps, folded)
    voided = {step.number for step in standing if step.kind == Kind.VOIDED}
    if voided:
        if not never:
            return Folded()
        standing = [step for step in standing if step.kind != Kind.VOIDED]
    drafts, is_plain = _assign(standing, day, days, folded, never=never)
    if is_plain and not never and standing is steps:
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
    draft = _leg_of(folded.drafts, step, never=False)
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
    gone = [leg for leg in legs if leg.outcome == TRANSFERRED]
    for leg in legs:
        leg.visit = leg.issued_at is not None and not any(_left_before(other, leg) for other in gone)


def _left_before(gone: Leg, leg: Leg) -> bool:
    """Whether this unit transferred the subject away on the day of a leg and before its issue (rule 13)."""
    if gone is leg or gone.day != leg.day or gone.ended_at is None or leg.issued_at is None:
        return False
    return gone.ended_at <= leg.issued_at


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
    waiting: list[Step] = []  # belong to an issue that is still to come
    for index, step in enumerate(steps):
        if step.kind == Kind.ISSUED:
            issue_day = days.day(step.at) if never else day
            draft = _last(drafts, step.from_unit)
            if draft is not None and draft.is_open and draft.day == issue_day and not _expired(draft, step.at, never):
                folded.contradictions += 1
            else:
                draft = Draft(step, step.from_unit, issue_day)
                drafts.append(draft)
            if waiting:
                waiting = _hand_over(waiting, draft, days, never=never)
            continue
        found = _leg_of(drafts, step, never=never)
        if found is None or (not found.is_open and step.kind in _BEGINS_SERVICE and _issue_follows(steps, index)):
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


def _expired(draft: Draft, at: int, never: bool) -> bool:
    return never and at > draft.last_at + NEVER_EXPIRES_MS


def _last(drafts: list[Draft], from_unit: str | None) -> Draft | None:
    for draft in reversed(drafts):
        if draft.from_unit == from_unit:
            return draft
    return None


def _leg_of(drafts: list[Draft], step: Step, *, never: bool) -> Draft | None:
    """The leg before a step to which it belongs, if any (rule 12)."""
    if never:
        drafts = [draft for draft in drafts if not _expired(draft, step.at, never)]
    if step.from_unit is not None:
        return _last(drafts, step.from_unit)
    if not drafts:
        return None
    own = _last(drafts, None)
    if own is not None and own.is_open:
        return own
    open_elsewhere = [draft for draft in drafts if draft.is_open]
    return open_elsewhere[0] if len(open_elsewhere) > 1 else drafts[-1]


def _issue_follows(steps: list[Step], index: int) -> bool:
    """Whether an issue to which the step at an index may belong follows within the time of rule 12."""
    step = steps[index]
    for later in steps[index + 1 :]:
        if later.at > step.at + LATE_ISSUE_MS:
            return False
        if later.kind == Kind.ISSUED and (step.from_unit is None or later.from_unit == step.from_unit):
            return True
    return False


def _without_issue(steps: list[Step], day: int, days: ServiceDays, *, never: bool) -> list[Draft]:
    drafts: dict[tuple[str | None, int], Draft] = {}
    for step in steps:
        key = (step.from_unit, days.day(step.at) if never else day)
        draft = drafts.get(key)
        if draft is None:
            draft = drafts[key] = Draft(None, step.from_unit, key[1])
        draft.take(step)
    return list(drafts.values())
