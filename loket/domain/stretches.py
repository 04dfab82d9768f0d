"""One leg by its lifecycle: stretches of waiting, calls, services, holds, and how it ended (rules 1, 14 to 19, 21, 29 to 31).

    issue ──early──▶ appointment ──wait──▶ call ──way──▶ start ──service/hold──▶ end
                                             └──lost──▶ no-show, requeue, transfer
    requeue: the next stretch begins ──wait──▶ …

Within a stretch the lifecycle decides and time only measures: a duration below zero is 0 and counts as skew.
"""

from __future__ import annotations

from msgspec import Struct, field

from loket.domain.steps import EMPTY_SERVICE, Kind, Step

COMPLETED = "completed"
NO_SHOW = "no_show"
ABANDONED = "abandoned"
TRANSFERRED = "transferred"
EXPIRED = "expired"
OUTCOMES = (COMPLETED, NO_SHOW, ABANDONED, TRANSFERRED)
"""How events end a leg; time alone adds `expired`."""


class Credit(Struct, frozen=True, array_like=True):
    """A duration (ms) that one employee's own work took: `way`, `service` or `hold`."""

    employee: str
    stage: str
    ms: int


class Stretch(Struct, array_like=True):
    """From an issue or requeue to the next requeue or the end of the leg; instants and durations in ms, None: not so.

    `called_at` is where the wait ended: by a call, else a recall, else the start itself (`called` is then False).
    """

    began_at: int
    wait_from: int
    called_at: int | None = None
    called: bool = False
    caller: str | None = None
    started_at: int | None = None
    service: str = EMPTY_SERVICE
    server: str | None = None
    ended_at: int | None = None
    ended_by: str | None = None
    ender: str | None = None
    held: bool = False
    wait_ms: int = 0
    way_ms: int | None = None
    service_ms: int | None = None
    hold_ms: list[int] = field(default_factory=list)
    lost_ms: int | None = None
    credits: list[Credit] = field(default_factory=list)
    added: list[tuple[str, str | None]] = field(default_factory=list)


class Leg(Struct, array_like=True):
    """One ticket in one unit from an issue until it is closed. `outcome` None: open, until time alone ends it.

    `service` is the issued one; a leg without an issue has EMPTY_SERVICE and `issued_at` None. `target_ms` is the target
    stored with the issue. `last_at` is its last step, from which a ticket expires where the day never starts.
    """

    day: int
    from_unit: str | None = None
    service: str = EMPTY_SERVICE
    issued_at: int | None = None
    appointment_at: int | None = None
    wait_from: int = 0
    target_ms: int | None = None
    short_ms: int = 0
    early_ms: int = 0
    stretches: list[Stretch] = field(default_factory=list)
    outcome: str | None = None
    ended_at: int | None = None
    completer: str | None = None
    quantity: int = 0
    incomplete: bool = False
    visit: bool = False
    first_called_at: int | None = None
    last_at: int = 0
    contradictions: int = 0
    skewed: int = 0

    @property
    def breach_at(self) -> int | None:
        """The instant up to which a call is within the target; None without a target or an issue."""
        if self.target_ms is None or self.issued_at is None:
            return None
        return self.wait_from + self.target_ms

    @property
    def waits(self) -> bool:
        """Open and not called in its last stretch: somebody still waits (or is early)."""
        return self.outcome is None and self.issued_at is not None and self.stretches[-1].called_at is None

    @property
    def earlier_wait_ms(self) -> int:
        """What the person had waited before the last stretch."""
        return sum(stretch.wait_ms for stretch in self.stretches[:-1])

    @property
    def observed_wait_ms(self) -> int:
        """All waits of this leg that a call ended."""
        return sum(stretch.wait_ms for stretch in self.stretches if stretch.called_at is not None)

    @property
    def total_ms(self) -> int:
        """The sum of the stages: early, wait, way, service, hold and lost (rule 16)."""
        return self.early_ms + sum(
            stretch.wait_ms
            + (stretch.way_ms or 0)
            + (stretch.service_ms or 0)
            + sum(stretch.hold_ms)
            + (stretch.lost_ms or 0)
            for stretch in self.stretches
        )


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
        _measure_service(leg, stretch, drawn, start, end)
    for added in drawn.added:
        named = added.employee or _serving(drawn, added, start)
        stretch.added.append(((added.service or EMPTY_SERVICE) if issue is not None else EMPTY_SERVICE, named))
    leg.stretches.append(stretch)


def _clip(leg: Leg, ms: int) -> int:
    if ms < 0:
        leg.skewed += 1
        return 0
    return ms


def _holds_in_order(drawn: _Drawn) -> list[Step]:
    """Holds and resumes by time; where both come at one instant, what ends a running hold comes first (rule 2)."""
    ordered: list[Step] = []
    pending = list(drawn.holds)
    holding = False
    while pending:
        at = pending[0].at
        now = [step for step in pending if step.at == at]
        pending = [step for step in pending if step.at != at]
        now.sort(key=lambda step: (step.kind != (Kind.RESUMED if holding else Kind.HELD), step.hash))
        ordered.extend(now)
        holding = now[-1].kind == Kind.HELD
    return ordered


def _measure_service(leg: Leg, stretch: Stretch, drawn: _Drawn, start: Step, end: Step | None) -> None:
    """Service without holds, credited to who started or resumed; a hold to who held (rule 31)."""
    if end is not None and end.at < start.at:
        leg.skewed += 1
    over = None if end is None else max(start.at, end.at)
    segments: list[tuple[str | None, int]] = []
    credits: list[Credit] = []
    server, since = start.employee, start.at
    hold: Step | None = None
    for step in _holds_in_order(drawn):
        at = max(step.at, start.at) if over is None else min(max(step.at, start.at), over)
        if step.kind == Kind.HELD:
            if hold is not None:
                leg.contradictions += 1
                continue
            leg.skewed += step.at < start.at
            hold = step
            segments.append((server, max(0, at - since)))
            since = at
        elif hold is not None and (over is None or step.at <= over):
            stretch.hold_ms.append(max(0, at - since))
            if hold.employee is not None:
                credits.append(Credit(hold.employee, "hold", stretch.hold_ms[-1]))
            server, since, hold = step.employee, at, None
    stretch.held = hold is not None and end is None
    if over is None:
        stretch.credits.extend(
            credits
        )  # the service still runs: only the holds that are over are in the sums (rule 33)
        return
    if hold is not None:
        stretch.hold_ms.append(max(0, over - since))
        if hold.employee is not None:
            credits.append(Credit(hold.employee, "hold", stretch.hold_ms[-1]))
    else:
        segments.append((server, max(0, over - since)))
    stretch.service_ms = sum(ms for _, ms in segments)
    shares: dict[str, int] = {}
    for employee, ms in segments:
        if employee is not None:
            shares[employee] = shares.get(employee, 0) + ms
    stretch.credits.extend(Credit(employee, "service", ms) for employee, ms in shares.items())
    stretch.credits.extend(credits)


def _serving(drawn: _Drawn, added: Step, start: Step | None) -> str | None:
    """Who serves when a service is added: who resumed last before it, else who started."""
    server = start.employee if start is not None else None
    for step in drawn.holds:
        if step.kind == Kind.RESUMED and step.at <= added.at:
            server = step.employee
    return server


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
