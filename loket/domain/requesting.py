"""Events of requests and feedback in a unit's state (rules 17 and 36 to 39).

event ─▶ request forgotten? ─▶ id known? ─▶ room? ─▶ steps ─▶ course ─▶ old figures out, new ones in ─▶ page
               late             duplicate     late
"""

from __future__ import annotations

from loket.domain import events
from loket.domain.contribution import Contribution, changes, listed
from loket.domain.opening import OpeningHours, opening_hours
from loket.domain.policy import MAX_STEPS, UnitPolicy
from loket.domain.request_corrections import MAX_WAITING, course_as_corrected
from loket.domain.request_course import Course
from loket.domain.request_facts import bring
from loket.domain.request_steps import Request, request_step
from loket.domain.requests import MAX_REQUESTS
from loket.domain.state import OTHER, UnitState
from loket.domain.steps import EMPTY_SERVICE

__all__ = [
    "MAX_FEEDBACK",
    "Outcome",
    "apply_feedback",
    "apply_request",
    "follow",
    "forget_requests",
    "hours_of",
    "label_of",
    "measure_open",
]

MAX_FEEDBACK = 5_000
"""Answers of one day and unit that are kept apart by their ids; more change the record only."""

Outcome = bool | None
"""Of an event that is not known: True, it was applied; False, it said nothing new; None, it is late."""


def hours_of(policy: UnitPolicy) -> OpeningHours:
    """The service time of a unit: all time, where it has no opening hours."""
    return opening_hours(policy.zone, policy.calendar)


def apply_request(
    state: UnitState, event: events.Event, id_hash: int, content: int, *, is_open: bool = True
) -> tuple[Outcome, bool]:
    """Apply an event of a request, or a correction of one, that is neither known nor forgotten, and tell whether it
    only contradicts. `is_open`: the day of a correction, which waits for no request once that is closed."""
    requests, subject = state.requests, event.subject or ""
    request = requests.get(subject)
    corrects = type(event) is events.EventCorrected
    step = request_step(event, id_hash, state.policy)
    if step is None:
        return None, False
    if request is None:
        if state.admission.requests >= MAX_REQUESTS:
            return None, False
        request = Request(subject)
        state.admission.requests += 1
    elif len(request.steps) >= MAX_STEPS or (corrects and not _may_wait(request, is_open=is_open)):
        return None, False
    before, label_before = request.course, label_of(request)
    if isinstance(event, events.RequestSubmitted):
        service: str | None = event.data.service
    else:
        service = _service_said(event) if corrects else None
    if service is not None and not name_service(state, service):
        request.is_other = True
    added = request.add(step)
    if request.remember(id_hash, content):
        requests.ids[id_hash] = content
    after = course_as_corrected(request.steps, hours_of(state.policy))
    request.course = after
    _exchange(state, label_before, before, label_of(request), after)
    requests.drop_from_index(subject, label_before, before, state.policy)
    requests.put(request, label_of(request), state.policy)
    return added, after.only_contradicts(before)


def _may_wait(request: Request, *, is_open: bool) -> bool:
    """Whether a held request takes one more correction: of a few only, as long as nothing else of it has come."""
    return not request.waits or (is_open and len(request.steps) < MAX_WAITING)


def _service_said(event: events.Event) -> str | None:
    said = event.data.set.get("service") if isinstance(event, events.EventCorrected) else None
    return said if isinstance(said, str) else None


def label_of(request: Request) -> str:
    """The label under which a request is tallied."""
    return OTHER if request.is_other else request.course.service


def name_service(state: UnitState, service: str) -> bool:
    """Give a service a label while the budget lasts (events.md); whether it has one."""
    policy = state.policy
    if service in state.services:
        return True
    unplanned = sum(name not in policy.services for name in state.services)
    if service in policy.services or unplanned + len(policy.services) < policy.budget.services:
        state.services[service] = None
        return True
    return False


def _exchange(state: UnitState, label_before: str, before: Course, label: str, after: Course) -> None:
    """Take a request's old figures from the tallies and add the new ones."""
    old, new = Contribution(), Contribution()
    bring(before, label_before, old)
    bring(after, label, new)
    for service, figure, change in changes(old.counted, new.counted):
        if change:
            state.tally(service).counts.change(figure, change)
    removed, added = listed(old.measured), listed(new.measured)
    for pair in {**removed, **added}:
        gone, come = removed.get(pair, []), added.get(pair, [])
        if gone != come:
            state.tally(pair[0]).observe(pair[1], gone, come)
    for service, figure, change in changes(old.decided, new.decided):
        if change:
            settled = state.tally(service).settled
            settled[figure] = settled.get(figure, 0) + change


def forget_requests(state: UnitState) -> None:
    """Forget what is over for long enough; its figures stay. To be called when days have closed."""
    if state.requests.held:
        state.admission.requests -= state.requests.forget(state.admission.closed_day)


def follow(state: UnitState, policy: UnitPolicy) -> None:
    """Have a unit follow a policy that was read anew: targets of open requests pass by its opening hours.

    What has ended stays as it was measured.
    """
    before, state.policy = state.policy, policy
    if before.zone != policy.zone or before.calendar != policy.calendar:
        measure_open(state)


def measure_open(state: UnitState) -> None:
    """Measure the targets of open requests anew: the opening hours are others than when they were measured."""
    requests, hours = state.requests, hours_of(state.policy)
    for subject in list(requests.held):
        request = requests.get(subject)
        if request is None or not request.course.is_open or request.course.target_ms is None:
            continue
        known, request.course = request.course, course_as_corrected(request.steps, hours)
        if request.course != known:
            label = label_of(request)
            _exchange(state, label, known, label, request.course)
            requests.drop_from_index(subject, label, known, state.policy)
            requests.put(request, label, state.policy)


def apply_feedback(state: UnitState, event: events.FeedbackGiven, day: int, id_hash: int, content: int) -> Outcome:
    """Tally an answer whose id is not known; only the id tells two apart (rule 17)."""
    ids = state.feedback.setdefault(day, [])
    if len(ids) >= 2 * MAX_FEEDBACK:
        return None
    ids += (id_hash, content)
    state.ids_of(day).add(id_hash, content)
    service = event.data.service or EMPTY_SERVICE
    if service and not name_service(state, service):
        service = OTHER
    state.tally(service).counts.change(f"feedback/{event.data.score}", 1)
    return True
