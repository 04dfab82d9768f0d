"""One leg by its lifecycle: waits, calls, services, holds, and how it ended (rules 1, 14 to 19, 21, 29 to 31).

    issue ──early──▶ appointment ──wait──▶ call ──way──▶ start ──service/hold──▶ end
                                             └──lost──▶ no-show, requeue, transfer
    requeue: the next stretch begins ──wait──▶ …

Within a stretch the lifecycle decides and time only measures: a duration below zero is 0 and counts as skew.
"""

from __future__ import annotations

from loket.domain.leg import ABANDONED, COMPLETED, NO_SHOW, TRANSFERRED, Credit, Leg, Stretch
from loket.domain.service import measure_service, serving
from loket.domain.steps import EMPTY_SERVICE, Kind, Step


class _Drawn:
    """The steps of one stretch, by kind: the first of each kind stands."""

    __slots__ = ("added", "began_at", "first", "holds")

    def __init__(self, began_at: int) -> None:
        self.began_at = began_at
        self.first: dict[int, Step] = {}
        self.holds: list[Step] = []
        self.added: list[Step] = []

    def uncalled(self) -> bool:
        return not (Kind.CALLED in self.first or Kind.RECALLED in self.first or Kind.STARTED in self.first)


def fold_leg(issue: Step | None, steps: list[Step], day: int, from_unit: str | None) -> Leg:
    """Fold the steps of one leg, in the order of rule 2, into its stretches, durations and outcome."""
    leg = Leg(day=day, from_unit=from_unit)
    if issue is not None:
        leg.service = issue.service or EMPTY_SERVICE
        leg.issued_at = issue.at
        leg.appointment_at = issue.number
        leg.wait_from = issue.at if issue.number is None else max(issue.at, issue.number)
        leg.target_ms = issue.target_ms
        leg.short_ms = issue.short_ms
        leg.last_at = issue.at
    began_at = issue.at if issue is not None else (steps[0].at if steps else 0)
    drawn = _Drawn(began_at)
    for step in steps:
        if step.kind == Kind.REQUEUED:
            if _ended_for_good(drawn):
                leg.contradictions += 1
                continue
            _close_stretch(leg, drawn, "requeued", step, issue)
            drawn = _Drawn(step.at)
        elif step.kind in (Kind.HELD, Kind.RESUMED):
            drawn.holds.append(step)
        elif step.kind == Kind.ADDED:
            drawn.added.append(step)
        elif step.kind not in drawn.first:
            drawn.first[step.kind] = step
        elif step.kind != Kind.RECALLED:
            leg.contradictions += 1
    outcome, end = _outcome(leg, drawn)
    _close_stretch(leg, drawn, outcome, end, issue)
    leg.outcome = outcome
    if outcome is not None and end is not None:
        leg.ended_at = end.at
        if outcome == COMPLETED:
            leg.completer = end.employee
            leg.quantity = end.number or 1
        leg.incomplete = issue is None or (outcome == COMPLETED and Kind.STARTED not in drawn.first)
    if issue is not None:
        _begin_and_judge(leg, issue)
    return leg


def _ended_for_good(drawn: _Drawn) -> bool:
    """A requeue withdraws a no-show, called or not; any other end of the stretch stands (rule 18)."""
    first = drawn.first
    if Kind.COMPLETED in first or Kind.TRANSFERRED in first:
        return True
    return Kind.ABANDONED in first and Kind.NO_SHOW not in first and drawn.uncalled()


def _outcome(leg: Leg, drawn: _Drawn) -> tuple[str | None, Step | None]:
    """Which end stands (rule 18); every other end is overruled and counts as a contradiction."""
    first = drawn.first
    completed, transferred = first.get(Kind.COMPLETED), first.get(Kind.TRANSFERRED)
    no_show, abandoned = first.get(Kind.NO_SHOW), first.get(Kind.ABANDONED)
    ends = [end for end in (completed, transferred, no_show, abandoned) if end is not None]
    if not ends:
        return None, None
    served = [end for end in (completed, transferred) if end is not None]
    called = Kind.CALLED in first or Kind.RECALLED in first
    outcome: str | None
    end: Step | None
    if completed is not None or Kind.STARTED in first:
        end = min(served, key=Step.order) if served else None
    else:
        left = no_show or abandoned
        if left is no_show and abandoned is not None and no_show is not None and not called:
            left = min(no_show, abandoned, key=Step.order)
        end = min((e for e in (transferred, left) if e is not None), key=Step.order)
    if end is None:
        outcome = None
    elif end is completed:
        outcome = COMPLETED
    elif end is transferred:
        outcome = TRANSFERRED
    else:
        outcome = NO_SHOW if called else ABANDONED
    leg.contradictions += len(ends) - (end is not None)
    return outcome, end


def _close_stretch(leg: Leg, drawn: _Drawn, ended_by: str | None, end: Step | None, issue: Step | None) -> None:
    """Measure a stretch and append it to the leg. `end` None: it is still open."""
    first = drawn.first
    wait_from = leg.wait_from if not leg.stretches else max(drawn.began_at, leg.appointment_at or drawn.began_at)
    stretch = Stretch(began_at=drawn.began_at, wait_from=wait_from if issue is not None else drawn.began_at)
    call = first.get(Kind.CALLED) or first.get(Kind.RECALLED)
    start = first.get(Kind.STARTED)
    called = call or start
    if called is not None:
        stretch.called_at = called.at
        stretch.called = call is not None
        stretch.caller = call.employee if call is not None else None
    if start is not None:
        stretch.started_at = start.at
        stretch.server = start.employee
    stretch.service = (
        (start.service if start is not None and start.service else leg.service) if issue else EMPTY_SERVICE
    )
    if end is not None:
        stretch.ended_at, stretch.ended_by = end.at, ended_by
        last = start.employee if start is not None else (call.employee if call is not None else None)
        stretch.ender = end.employee if ended_by == COMPLETED else end.employee or last
    if issue is not None:
        wait_end = called if called is not None else (end if ended_by != COMPLETED else None)
        if wait_end is not None:
            leg.skewed += wait_end.at < drawn.began_at
            stretch.wait_ms = max(0, wait_end.at - stretch.wait_from)
    if call is not None and start is not None:
        stretch.way_ms = _clip(leg, start.at - call.at)
        if call.employee is not None and call.employee == start.employee:
            stretch.credits.append(Credit(call.employee, "way", stretch.way_ms))
    elif call is not None and end is not None and ended_by != COMPLETED:
        stretch.lost_ms = _clip(leg, end.at - call.at)
    if start is not None:
        measure_service(leg, stretch, drawn.holds, start, end)
    for added in drawn.added:
        named = added.employee or serving(drawn.holds, added, start)
        stretch.added.append(((added.service or EMPTY_SERVICE) if issue is not None else EMPTY_SERVICE, named))
    leg.stretches.append(stretch)


def _clip(leg: Leg, ms: int) -> int:
    if ms < 0:
        leg.skewed += 1
        return 0
    return ms


def _begin_and_judge(leg: Leg, issue: Step) -> None:
    """The early stage, and the first call, from which the leg is judged (rule 14)."""
    first = leg.stretches[0]
    if leg.wait_from > issue.at:
        until = leg.wait_from
        for instant in (first.called_at, first.ended_at):
            if instant is not None:
                until = min(until, instant)
        if first.called_at is not None or first.ended_at is not None:
            leg.early_ms = max(0, until - issue.at)
    for stretch in leg.stretches:
        if stretch.called_at is not None:
            leg.first_called_at = stretch.called_at
            return
