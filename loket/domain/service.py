"""Service and holds within one stretch: measured, and credited to whose work they were (rule 31)."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter

from loket.domain.leg import Credit, Leg, Stretch, Work
from loket.domain.steps import Kind, Step

_at = attrgetter("at")


def _in_order(holds: list[Step]) -> list[Step]:
    """Holds and resumes by time; where both come at one instant, what ends a running hold comes first (rule 2)."""
    if not holds:
        return holds
    ordered: list[Step] = []
    holding = False
    for _, now in groupby(holds, key=_at):  # a draft takes its steps in the order of time
        ends = Kind.RESUMED if holding else Kind.HELD
        ordered.extend(sorted(now, key=lambda step: (step.kind != ends, step.hash)))
        holding = ordered[-1].kind == Kind.HELD
    return ordered


def measure_service(leg: Leg, stretch: Stretch, holds: list[Step], start: Step, end: Step | None) -> None:
    """Service without holds, credited to who started or resumed; a hold to who held (rule 31)."""
    if end is not None and end.at < start.at:
        leg.skewed += 1
    over = None if end is None else max(start.at, end.at)
    segments: list[tuple[str | None, int, int | None]] = []
    of_holds: list[Credit] = []
    server, since = start.employee, start.at
    hold: Step | None = None
    for step in _in_order(holds):
        at = max(step.at, start.at) if over is None else min(max(step.at, start.at), over)
        if step.kind == Kind.HELD:
            if hold is not None:
                leg.contradictions += 1
                continue
            leg.skewed += step.at < start.at or (over is not None and step.at > over)
            hold = step
            segments.append((server, since, at))
            since = at
        elif hold is not None and (over is None or step.at <= over):
            _end_hold(stretch, of_holds, hold, since, at)
            server, since, hold = step.employee, at, None
    stretch.held = hold is not None and end is None
    if hold is None:
        segments.append((server, since, over))
    elif over is not None:
        _end_hold(stretch, of_holds, hold, since, over)
    elif hold.employee is not None:
        stretch.work.append(Work(hold.employee, "hold", since, None))
    _note_work(stretch, segments)
    if over is None:
        # The service still runs: only the holds that are over are in the sums (rule 33).
        stretch.credits.extend(of_holds)
        return
    if len(segments) == 1 and hold is None:
        stretch.service_ms = max(0, over - start.at)
        if server is not None:
            stretch.credits.append(Credit(server, "service", stretch.service_ms))
        return
    shares: dict[str, int] = {}
    stretch.service_ms = 0
    for employee, begin, until in segments:
        ms = 0 if until is None else max(0, until - begin)
        stretch.service_ms += ms
        if employee is not None:
            shares[employee] = shares.get(employee, 0) + ms
    stretch.credits.extend(Credit(employee, "service", ms) for employee, ms in shares.items())
    stretch.credits.extend(of_holds)


def _end_hold(stretch: Stretch, credits: list[Credit], hold: Step, since: int, at: int) -> None:
    ms = max(0, at - since)
    stretch.hold_ms.append(ms)
    if hold.employee is not None:
        credits.append(Credit(hold.employee, "hold", ms))
        stretch.work.append(Work(hold.employee, "hold", since, at))


def _note_work(stretch: Stretch, segments: list[tuple[str | None, int, int | None]]) -> None:
    """Note who served from when until when, and when the service was over for him."""
    if len(segments) == 1:
        employee, begin, end = segments[0]
        if employee is not None:
            stretch.work.append(Work(employee, "service", begin, end, end))
        return
    after: str | None = None
    finish: int | None = None
    for employee, begin, end in reversed(segments):
        if employee is None or employee != after:
            finish = end
        if employee is not None:
            stretch.work.append(Work(employee, "service", begin, end, finish))
        after = employee


def serving(holds: list[Step], added: Step, start: Step | None) -> str | None:
    """Who serves when a service is added: who resumed last before it, else who started."""
    server = start.employee if start is not None else None
    for step in holds:
        if step.kind == Kind.RESUMED and step.at <= added.at:
            server = step.employee
    return server
