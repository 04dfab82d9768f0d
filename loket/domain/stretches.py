"""One leg by its lifecycle: waits, calls, services, holds, and how it ended (rules 1, 14 to 16, 19, 21, 29 to 31).

    issue ──early──▶ appointment ──wait──▶ call ──way──▶ start ──service/hold──▶ end
                                             └──lost──▶ no-show, requeue, transfer
    requeue: the next stretch begins ──wait──▶ …

Within a stretch the lifecycle decides and time only measures: a duration below zero is 0 and counts as skew.
"""

from __future__ import annotations

from loket.domain.drafts import Draft, Drawn
from loket.domain.leg import COMPLETED, Credit, Leg, Stretch, Work
from loket.domain.service import measure_service, serving
from loket.domain.steps import EMPTY_SERVICE, Kind, Step


def measure(draft: Draft) -> Leg:
    """The leg that a draft tells: its stretches, durations and outcome."""
    issue, last, end = draft.issue, draft.last, draft.last.end
    leg = Leg(day=draft.day, from_unit=draft.from_unit, first_at=draft.first_at, last_at=draft.last_at)
    if issue is not None:
        leg.service = issue.service or EMPTY_SERVICE
        leg.issued_at = issue.at
        leg.appointment_at = issue.number
        leg.wait_from = issue.at if issue.number is None else max(issue.at, issue.number)
        leg.target_ms = issue.target_ms
        leg.short_ms = issue.short_ms
        leg.opens_at = issue.opens_at
    for drawn, requeue in draft.requeued:
        _measure_stretch(leg, drawn, "requeued", requeue)
    _measure_stretch(leg, last, end.outcome, end.step)
    leg.contradictions += draft.contradictions + end.overruled
    if end.step is not None:
        leg.outcome, leg.ended_at = end.outcome, end.step.at
        if end.outcome == COMPLETED:
            leg.completer = end.step.employee
            leg.quantity = end.step.number or 1
        leg.incomplete = issue is None or (end.outcome == COMPLETED and last.start is None)
    if issue is not None:
        for stretch in leg.stretches:
            if stretch.called_at is not None:
                leg.first_called_at = stretch.called_at
                break
    return leg


def _measure_stretch(leg: Leg, drawn: Drawn, ended_by: str | None, end: Step | None) -> None:
    """Measure a stretch and append it to the leg. `end` None: it is still open."""
    issued = leg.issued_at is not None
    call, start = drawn.call, drawn.start
    called = call or start
    stretch = Stretch(began_at=drawn.began_at, wait_from=drawn.began_at)
    if leg.appointment_at is not None and leg.appointment_at > drawn.began_at:
        stretch.wait_from = leg.appointment_at
    if called is not None:
        stretch.called_at = called.at
        stretch.called = call is not None
        stretch.caller = call.employee if call is not None else None
    if start is not None:
        stretch.started_at = start.at
        stretch.server = start.employee
    if issued:
        stretch.service = (start.service if start is not None else None) or leg.service
    if end is not None:
        stretch.ended_at, stretch.ended_by = end.at, ended_by
        stretch.ender = end.employee if ended_by == COMPLETED else end.employee or drawn.last_desk
    if issued:
        _measure_wait(leg, stretch, called if called is not None else end)
    if call is not None and start is not None:
        stretch.way_ms = _clip(leg, start.at - call.at)
        if call.employee is not None and call.employee == start.employee:
            stretch.credits.append(Credit(call.employee, "way", stretch.way_ms))
    elif call is not None and end is not None and ended_by != COMPLETED:
        stretch.lost_ms = _clip(leg, end.at - call.at)
    if call is not None and call.employee is not None:
        stretch.work.append(_call_of(call.employee, call, start, end))
    if start is not None:
        measure_service(leg, stretch, drawn.holds, start, end)
    for added in drawn.added:
        named = added.employee or serving(drawn.holds, added, start)
        stretch.added.append(((added.service if issued else None) or EMPTY_SERVICE, named))
    leg.stretches.append(stretch)


def _measure_wait(leg: Leg, stretch: Stretch, until: Step | None) -> None:
    """Early until the appointment, then waiting, until a call or what else ended the stretch (rules 15 and 19)."""
    if until is None:
        return
    if stretch.wait_from > stretch.began_at:
        leg.early_ms += max(0, min(stretch.wait_from, until.at) - stretch.began_at)
    if until.kind != Kind.COMPLETED:
        leg.skewed += until.at < stretch.began_at
        stretch.wait_ms = max(0, until.at - stretch.wait_from)


def _call_of(employee: str, call: Step, start: Step | None, end: Step | None) -> Work:
    """What a call keeps its caller busy with: the way to his own start, or a call that he did not serve."""
    over = start if start is not None else end
    stage = "way" if over is None or (start is not None and start.employee == employee) else "call"
    return Work(employee, stage, call.at, None if over is None else max(call.at, over.at))


def _clip(leg: Leg, ms: int) -> int:
    if ms < 0:
        leg.skewed += 1
        return 0
    return ms
