"""Laws of requests over random logs, and a brute-force oracle that knows the rules and none of the product's code."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from hypothesis import strategies as st

from loket.domain.calendar import Calendar, DayHours, Schedule
from loket.domain.events import Event, FeedbackGiven, identity_hash
from loket.domain.figures import evaluate
from loket.domain.opening import opening_hours
from loket.domain.policy import DAY, HOUR, MINUTE, Clock, Produces, ServicePolicy, Since, Turnaround, UnitPolicy
from loket.domain.records import load, mark_all, split_key, take_records
from loket.domain.request_corrections import course_as_corrected
from loket.domain.request_steps import Request, request_step
from loket.domain.requests import KEPT_DAYS
from loket.domain.state import UnitState
from loket.domain.summary import flat_service
from loket.domain.tally import ServiceTally
from loket.domain.unit import Applied, apply
from loket.testing.builders import Office
from loket.testing.strategies import arrivals, requests
from support.laws import law

OPENS = int(Office().at("08:00"))
_SHIFT = DayHours(((8 * HOUR, 16 * HOUR),), ((12 * HOUR, 13 * HOUR),))
_WEEK = (_SHIFT, _SHIFT, _SHIFT, _SHIFT, DayHours(((8 * HOUR, 11 * HOUR),)), DayHours(), DayHours())
HOURS = Calendar((Schedule(1, _WEEK),))


def _policy(target: Turnaround | None, calendar: Calendar = HOURS) -> UnitPolicy:
    targets = () if target is None else (target,)
    services = {"ktp": ServicePolicy(produces=Produces.REQUEST, turnarounds=targets)}
    return UnitPolicy(services=services, known=True, calendar=calendar)


POLICIES = st.sampled_from(
    [
        _policy(None),
        _policy(Turnaround(1, 2 * DAY, 0.9)),
        _policy(Turnaround(1, 6 * HOUR, 0.9, Clock.SERVICE)),
        _policy(Turnaround(1, 5 * HOUR, 0.9, Clock.SERVICE, Since.ACCEPTANCE)),
        _policy(Turnaround(1, DAY, 0.9, Clock.WALL, Since.ACCEPTANCE), Calendar()),
    ]
)
LOGS = requests(Office(), corrections=True)
NOWS = [OPENS + offset for offset in (-DAY, HOUR, 3 * DAY, 20 * DAY + HOUR, 90 * DAY, 400 * DAY)]


def told(log: list[Event], policy: UnitPolicy, received: int | None = OPENS) -> UnitState:
    """A state that received a log at one instant, or (None) each event when it happened."""
    state = UnitState("u", policy)
    for event in log:
        apply(state, event, int(event.time) if received is None else received)
    return state


def exact(state: UnitState, nows: list[int] = NOWS) -> dict[str, Any]:
    """Every figure of the requests of a state at some instants, without zeros."""
    found = {}
    for now in nows:
        figures = evaluate(state, now)
        for label in figures.present:
            flat = flat_service(state.tallies.get(label, ServiceTally()), figures, label)
            found[f"{now} {label}"] = {name: amount for name, amount in flat.items() if amount}
    return {name: figures for name, figures in found.items() if figures}


def reread(state: UnitState) -> UnitState:
    """The state after its records were written and read."""
    mark_all(state)
    found = {split_key(key)[1]: value for key, value in take_records(state)}
    pages = {name: value for name, value in found.items() if name is not None and value is not None}
    head = found[None]
    assert head is not None
    return load(head, pages, state.policy)


@law(LOGS.flatmap(lambda log: st.tuples(st.just(log), arrivals(log))), POLICIES)
def test_law_order_and_repeats_of_arrival_change_no_figure(
    logs: tuple[list[Event], list[Event]], policy: UnitPolicy
) -> None:
    log, arrived = logs
    assert exact(told(arrived, policy)) == exact(told(log, policy))


@law(LOGS, POLICIES)
def test_law_a_replay_is_nothing_but_repeats(log: list[Event], policy: UnitPolicy) -> None:
    state = told(log, policy)
    before = exact(state)
    for event in log:
        assert apply(state, event, OPENS) is Applied.DUPLICATE
    assert exact(state) == before


@law(LOGS, POLICIES)
def test_law_records_hold_all_of_it(log: list[Event], policy: UnitPolicy) -> None:
    state = told(log, policy, None)
    again = reread(state)
    assert exact(again) == exact(state)
    assert again.admission == state.admission
    assert again.requests.held == state.requests.held
    assert again.requests.ids == state.requests.ids
    assert again.requests.forgotten == state.requests.forgotten
    for event in log[::2]:
        assert apply(again, event, state.received) is apply(state, event, state.received)
    assert exact(again) == exact(state)


@law(LOGS, POLICIES, st.integers(0, 10))
def test_law_stopping_and_going_on_is_as_if_nothing_had_been(log: list[Event], policy: UnitPolicy, at: int) -> None:
    whole, half = told(log, policy, None), told(log[:at], policy, None)
    half = reread(half)
    for event in log[at:]:
        apply(half, event, int(event.time))
    assert exact(half) == exact(whole)


@law(LOGS, POLICIES)
def test_law_no_counter_of_requests_ever_falls(log: list[Event], policy: UnitPolicy) -> None:
    state, before = UnitState("u", policy), Counter[str]()
    for event in log:
        apply(state, event, int(event.time))
        after: Counter[str] = Counter()
        for label, tally in state.tallies.items():
            for side in (tally.counts.total, tally.counts.corrected):
                after.update({f"{label} {id(side) == id(tally.counts.total)} {name}": n for name, n in side.items()})
        assert all(after[name] >= amount for name, amount in before.items())
        before = after


@law(LOGS, POLICIES)
def test_law_open_requests_are_never_dropped(log: list[Event], policy: UnitPolicy) -> None:
    state = told(log, policy, None)
    apply(state, Office().issued("A1", at=OPENS + 900 * DAY), OPENS + 900 * DAY)
    for label, present in evaluate(state, OPENS + 900 * DAY).requests.items():
        counts = state.tallies[label].counts if label in state.tallies else ServiceTally().counts
        completed = sum(counts.exact(name) for name in counts.total if name.startswith("requests_completed/"))
        submitted = counts.exact("requests_submitted")
        assert submitted == completed + counts.exact("requests_cancelled") + present.open
    assert len(state.requests.held) == sum(present.open for present in evaluate(state, 0).requests.values())


@law(LOGS, POLICIES)
def test_law_what_is_forgotten_stays_counted_and_what_comes_for_it_is_late(
    log: list[Event], policy: UnitPolicy
) -> None:
    state = told(log, policy)
    before = exact(state)
    long_after = OPENS + (KEPT_DAYS + 500) * DAY
    apply(state, Office().heartbeat(at=long_after), long_after)
    assert exact(state) == before
    for event in log:
        if not isinstance(event, FeedbackGiven) and (event.subject or "") not in state.requests.held:
            assert apply(state, event, long_after) is Applied.LATE
    assert exact(state) == before


@law(LOGS, POLICIES)
def test_law_the_clocks_of_one_request_fit_into_each_other(log: list[Event], policy: UnitPolicy) -> None:
    hours = opening_hours(policy.zone, policy.calendar)
    for subject in ("R0", "R1", "R2"):
        request = Request(subject)
        for event in log:
            id_hash = identity_hash(event.source, event.id)
            step = request_step(event, id_hash, policy) if event.subject == subject else None
            if step is not None:
                request.add(step)
        course = course_as_corrected(request.steps, hours)
        if course.citizen_ms is None:
            continue
        assert 0 <= (course.citizen_service_ms or 0) <= course.citizen_ms
        assert course.task_ms is None or course.task_ms >= 0
        assert course.submitted_at is not None
        assert course.ended_at is not None
        if course.legal_ms is not None and course.accepted_at is not None and not course.skewed:
            assert course.legal_ms + (course.accepted_at - course.submitted_at) == course.citizen_ms


def _brute_force(log: list[Event], policy: UnitPolicy, now: int) -> dict[str, dict[str, int]]:
    """The figures by looking at every minute of every request: no arithmetic of intervals, no order of arrival."""
    found: dict[str, Counter[str]] = {}
    by_subject: dict[str, list[Event]] = {}
    known: set[tuple[Any, ...]] = set()
    for event in sorted(log, key=_rank):
        kind = type(event).__name__
        if not kind.startswith("Request"):
            continue
        content = (kind, int(event.time), event.subject, repr(event.data), event.id if "Worked" in kind else "")
        if content not in known:
            known.add(content)
            by_subject.setdefault(event.subject or "", []).append(event)
    for steps in by_subject.values():
        submissions = [step for step in steps if type(step).__name__ == "RequestSubmitted"]
        if submissions:
            service = str(getattr(submissions[0].data, "service", ""))
            _tell(found.setdefault(service, Counter()), steps, policy, service, now)
    return {service: {k: v for k, v in counts.items() if v} for service, counts in found.items()}


def _rank(event: Event) -> tuple[int, bool, int, bytes]:
    kind = type(event).__name__.removeprefix("Request")
    order = ["Submitted", "Accepted", "Worked", "Suspended", "Resumed", "Completed", "Cancelled", "Reopened"]
    smaller = hashlib.sha256(f"{event.source}\0{event.id}".encode()).digest()
    return (
        int(event.time),
        kind not in ("Completed", "Cancelled"),
        order.index(kind) if kind in order else -1,
        smaller,
    )


def _tell(counts: Counter[str], steps: list[Event], policy: UnitPolicy, service: str, now: int) -> None:
    kinds = [(type(step).__name__.removeprefix("Request"), int(step.time), step.data) for step in steps]
    submitted = next(at for kind, at, _ in kinds if kind == "Submitted")
    accepted = next((at for kind, at, _ in kinds if kind == "Accepted"), None)
    work = [at for kind, at, _ in kinds if kind == "Worked"]
    named = [at for _, at, data in kinds if getattr(data, "employee", None) and at >= submitted]
    end, how, first, suspended, outcome = None, None, None, None, None
    stopped: list[tuple[int, int]] = []
    counts["requests_submitted"] += 1
    early = reopened = 0
    for kind, at, data in kinds:
        if kind == "Suspended" and end is None and suspended is None:
            suspended = at
        elif (kind == "Completed" and how in (None, "Cancelled")) or (kind == "Cancelled" and how is None):
            if suspended is not None:
                stopped.append((suspended, at))
            end, how, suspended = at, kind, None
            outcome = getattr(data, "outcome", None)
            first = at if kind == "Completed" and first is None else first
        elif kind == "Reopened" and how is not None:
            reopened += 1
            early |= first is not None and at - first <= 30 * DAY
            end = how = None
        elif kind == "Resumed" and suspended is not None:
            stopped.append((suspended, at))
            suspended = None
    counts["requests_reopened"] += reopened
    counts["requests_reopened_early"] += early
    counts["requests_ever_completed"] += first is not None
    if how == "Completed" and end is not None:
        label = "none" if outcome is None else outcome if outcome in ("handed_over", "refused") else "other"
        counts[f"requests_completed/{label}"] += 1
        begin, last = (min(work), max(work)) if work else (named[0] if named else None, max(end, *named[:1], end))
        spans = {"citizen": (submitted, end), "citizen_service": (submitted, end)}
        if accepted is not None:
            spans["legal"] = (accepted, end)
        if begin is not None:
            spans["task"] = (begin, last)
        for clock, (a, b) in spans.items():
            in_service = clock in ("citizen_service", "task")
            out = stopped if clock == "task" else []
            counts[f"request_{clock}_seconds_ms"] += _passed(a, b, policy, in_service=in_service, out=out)
            counts[f"request_{clock}_seconds_count"] += 1
    elif how == "Cancelled":
        counts["requests_cancelled"] += 1
    else:
        counts["requests_open"] += 1
        counts["requests_suspended"] += suspended is not None
        counts["oldest_request_start"] = min(counts["oldest_request_start"] or submitted, submitted)
    target = next(iter(policy.services.get(service, ServicePolicy()).turnarounds), None)
    start = submitted if target is None or target.since is Since.SUBMISSION else accepted
    if target is None or start is None:
        return
    in_service = target.clock is Clock.SERVICE
    if suspended is not None:
        stopped.append((suspended, max(suspended, now)))
    until = now if end is None else end
    passed = _passed(start, until, policy, in_service=in_service, out=stopped if in_service else [])
    over = passed > target.within_ms
    counts["requests_judged"] += over or how == "Completed"
    counts["requests_breached"] += over
    counts["requests_over_target"] += over and end is None


def _passed(begin: int, end: int, policy: UnitPolicy, *, in_service: bool, out: list[tuple[int, int]]) -> int:
    """Minute by minute, from 1970 in UTC+7; all times of these logs are whole minutes."""
    closed = in_service and policy.calendar.has_hours
    if not closed and not (in_service and out):
        return max(0, end - begin)
    total = 0
    for at in range(begin, end, MINUTE):
        local = (at + 7 * HOUR) // MINUTE
        weekday, minute = (local // 1440 + 3) % 7, local % 1440
        is_open = 480 <= minute < (660 if weekday == 4 else 960) and not (weekday < 4 and 720 <= minute < 780)
        if (not closed or (weekday < 5 and is_open)) and not any(a <= at < b for a, b in out):
            total += MINUTE
    return total


@law(requests(Office(), subjects=2, days=3, steps=7), POLICIES, st.sampled_from([3 * HOUR, 9 * DAY]))
def test_the_figures_are_those_of_a_brute_force_oracle(log: list[Event], policy: UnitPolicy, offset: int) -> None:
    now = max((int(event.time) for event in log), default=OPENS) + offset
    state = told(log, policy)
    expected = _brute_force(log, policy, now)
    figures = evaluate(state, now)
    names = {"requests_", "request_", "oldest_request"}
    for service in ("ktp", "kk"):
        tally = state.tallies.get(service, ServiceTally())
        flat = flat_service(tally, figures, service) if service in figures.present else {}
        mine = {name: amount for name, amount in flat.items() if amount and any(name.startswith(n) for n in names)}
        assert mine == expected.get(service, {}), service
