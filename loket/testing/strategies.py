"""Hypothesis strategies for whole logs of a unit: what really comes, and what could come (needs Hypothesis).

`journeys` are visits as offices know them; `scraps` are steps in any order at any time, as broken devices send them;
`shifts` are sessions and what desks tell. `logs` mixes them over several tickets and service days, with repeats,
contradictions and clocks that are off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import msgspec
from hypothesis import strategies as st

from loket.domain.events import Event, Instant
from loket.domain.policy import DAY, HOUR, MINUTE, SECOND
from loket.testing.builders import Desk, Office, again

__all__ = ["arrivals", "conflicting", "journeys", "logs", "requests", "scraps", "shifts"]

SUBJECTS: Final = ("A1", "A2", "B1")
SERVICES: Final = ("s", "t", "free")
EMPLOYEES: Final = ("sari", "budi", None)
UNITS: Final = (None, None, None, "other-1", "other-2", "u")
"""Units that a ticket may come from; `u` is the builder's own."""


def _desk(draw: st.DrawFn, from_unit: str | None) -> Desk:
    desk: Desk = {}
    employee = draw(st.sampled_from(EMPLOYEES))
    if employee is not None:
        desk["employee"] = employee
    if draw(st.booleans()):
        desk["counter"] = "1"
    if from_unit is not None and draw(st.integers(0, 3)):
        desk["from_unit"] = from_unit
    return desk


def _pause(draw: st.DrawFn, longest: int = 15 * MINUTE) -> int:
    """How long until the next step: often nothing, as many logs are cut to seconds or minutes."""
    return draw(
        st.one_of(st.just(0), st.integers(0, longest // SECOND).map(lambda s: s * SECOND), st.integers(0, longest))
    )


@st.composite
def journeys(
    draw: st.DrawFn, office: Office, subject: str = "A1", begins_at: int = 0, from_unit: str | None = None
) -> list[Event]:
    """One visit as offices know it: waiting, calls, service with holds, requeues, and every way to end, or none."""
    at = begins_at
    appointment = at + draw(st.integers(-30, 60)) * MINUTE if draw(st.integers(0, 4)) == 0 else None
    of = {} if from_unit is None else {"from_unit": from_unit}
    service = draw(st.sampled_from(SERVICES))
    made: list[Event] = [office.issued(subject, at=at, service=service, appointment=appointment, **of)]
    for _ in range(draw(st.integers(1, 3))):
        called = draw(st.integers(0, 4))
        at += _pause(draw)
        if called:
            made.append(office.called(subject, at=at, **_desk(draw, from_unit)))
            at += _pause(draw, 2 * MINUTE)
            if called == 4:
                made.append(office.recalled(subject, at=at, **_desk(draw, from_unit)))
                at += _pause(draw, 2 * MINUTE)
        if draw(st.integers(0, 3)):
            made.extend(_service(draw, office, subject, at, from_unit))
            at = int(made[-1].time) + _pause(draw)
        how = draw(st.sampled_from(["completed", "requeued", "transferred", "no_show", "abandoned", "open"]))
        if how == "open":
            return made
        if how == "abandoned":
            made.append(office.abandoned(subject, at=at, **of))
        elif how == "completed":
            made.append(
                office.completed(subject, at=at, quantity=draw(st.sampled_from([None, 2])), **_desk(draw, from_unit))
            )
        else:
            made.append(_step(office, how)(subject, at=at, **_desk(draw, from_unit)))
        if how == "transferred" and draw(st.booleans()):
            at += _pause(draw)
            back = draw(st.sampled_from(UNITS))
            made.extend(draw(journeys(office, subject, at, back)))
            return made
        if how not in ("requeued", "no_show"):
            return made
    return made


def _service(draw: st.DrawFn, office: Office, subject: str, at: int, from_unit: str | None) -> list[Event]:
    changed = draw(st.sampled_from((None, None, *SERVICES)))
    made: list[Event] = [office.started(subject, at=at, service=changed, **_desk(draw, from_unit))]
    for _ in range(draw(st.integers(0, 2))):
        at += _pause(draw)
        made.append(office.held(subject, at=at, **_desk(draw, from_unit)))
        if draw(st.integers(0, 3)):
            at += _pause(draw)
            made.append(office.resumed(subject, at=at, **_desk(draw, from_unit)))
    if draw(st.integers(0, 3)) == 0:
        made.append(
            office.added(
                subject, at=at, service=draw(st.sampled_from(SERVICES)), employee=draw(st.sampled_from(EMPLOYEES))
            )
        )
    return made


_DESK_STEPS: Final = (
    "called",
    "recalled",
    "started",
    "held",
    "resumed",
    "completed",
    "requeued",
    "transferred",
    "no_show",
)


def _step(office: Office, name: str) -> Callable[..., Event]:
    made: Callable[..., Event] = getattr(office, name)
    return made


@st.composite
def scraps(draw: st.DrawFn, office: Office, subject: str = "A1", begins_at: int = 0, most: int = 8) -> list[Event]:
    """Steps of every kind in no order, on a coarse grid of times so that many fall on one instant."""
    made: list[Event] = []
    for _ in range(draw(st.integers(1, most))):
        at = begins_at + draw(st.integers(0, 12)) * draw(st.sampled_from([MINUTE, 3 * MINUTE, HOUR]))
        name = draw(st.sampled_from(("issued", "issued", "abandoned", "added", "voided", *_DESK_STEPS, *_DESK_STEPS)))
        unit = draw(st.sampled_from(UNITS))
        of = {} if unit is None else {"from_unit": unit}
        service = draw(st.sampled_from(SERVICES))
        if name == "issued":
            made.append(office.issued(subject, at=at, service=service, **of))
        elif name == "added":
            made.append(office.added(subject, at=at, service=service, **of))
        elif name == "voided":
            if draw(st.integers(0, 5)) == 0:
                made.append(office.voided(subject, at=at))
        elif name == "abandoned":
            made.append(office.abandoned(subject, at=at, **of))
        else:
            made.append(_step(office, name)(subject, at=at, **_desk(draw, unit)))
    return made


@st.composite
def shifts(draw: st.DrawFn, office: Office, begins_at: int = 0) -> list[Event]:
    """An employee's sessions at a desk or two: starts, breaks and an end, or some of them, and what the desk tells."""
    made: list[Event] = []
    employee = draw(st.sampled_from(("sari", "budi", "tono")))
    at = begins_at
    for _ in range(draw(st.integers(1, 5))):
        counter = draw(st.sampled_from(("1", "1", "2")))
        how = draw(st.sampled_from(("started", "started", "paused", "resumed", "ended")))
        if how == "started":
            services = draw(st.sampled_from((None, ("s",), ("t", "free"), ())))
            made.append(office.session_started(employee, at=at, counter=counter, services=services))
        else:
            make: Callable[..., Event] = getattr(office, f"session_{how}")
            made.append(make(employee, at=at, counter=counter))
        if draw(st.integers(0, 3)) == 0:
            made.append(_of_desk(draw, office, at, counter))
        at += draw(st.sampled_from((0, 5, 30, 240, 600))) * MINUTE
    return made


def _of_desk(draw: st.DrawFn, office: Office, at: int, counter: str) -> Event:
    how = draw(st.sampled_from(("opened", "closed", "heartbeat")))
    if how == "heartbeat":
        return office.heartbeat(at=at, counter=counter, pending=draw(st.sampled_from((None, 0, 3))))
    return (
        office.counter_opened(at=at, counter=counter)
        if how == "opened"
        else office.counter_closed(at=at, counter=counter)
    )


@st.composite
def requests(
    draw: st.DrawFn,
    office: Office,
    *,
    subjects: int = 3,
    days: int = 40,
    steps: int = 12,
    corrections: bool = False,
) -> list[Event]:
    """Requests over weeks, and answers: mostly as offices know them, some of it in no order, many at one instant.

    With `corrections` some of it is corrected, once or again, or under another subject.
    """
    begins_at = int(office.at("08:00"))
    made: list[Event] = []
    for number in range(draw(st.integers(1, subjects))):
        subject, at = f"R{number}", begins_at + draw(st.integers(0, days)) * DAY
        if draw(st.integers(0, 7)):
            made.append(office.request_submitted(subject, at=at, service=draw(st.sampled_from(("ktp", "kk")))))
        for _ in range(draw(st.integers(0, steps))):
            at += draw(st.sampled_from((0, 0, MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY, 31 * DAY, -2 * HOUR)))
            how = draw(st.sampled_from(_REQUEST_STEPS))
            by: dict[str, str | None] = {}
            if how in ("accepted", "worked", "completed"):
                by["employee"] = draw(st.sampled_from(EMPLOYEES))
            if how == "completed":
                by["outcome"] = draw(st.sampled_from(("handed_over", "refused", "lost", None)))
            make: Callable[..., Event] = getattr(office, f"request_{how}")
            made.append(make(subject, at=at, **by))
    for _ in range(draw(st.integers(0, 3))):
        at = begins_at + draw(st.integers(0, days)) * DAY
        service = draw(st.sampled_from(("ktp", "s", None)))
        made.append(office.feedback(draw(st.integers(1, 4)), at=at, service=service))
    for event in draw(st.lists(st.sampled_from(made), max_size=3)) if made else ():
        made.append(again(event, id=f"again-{len(made)}"))
    if made and corrections:
        made += [
            _request_correction(draw, office, event) for event in draw(st.lists(st.sampled_from(made), max_size=4))
        ]
    return sorted(made, key=lambda event: (int(event.time), event.id))


def _request_correction(draw: st.DrawFn, office: Office, event: Event) -> Event:
    """A correction of an event of a request, soon or weeks later, mostly under its subject; some say what cannot be."""
    at = int(event.time) + draw(st.sampled_from((0, HOUR, -HOUR, 5 * DAY, 80 * DAY)))
    values: dict[str, st.SearchStrategy[str | int | None]] = {
        "time": st.sampled_from((-31 * DAY, -DAY, -MINUTE, 0, HOUR, 2 * DAY)).map(lambda ms: int(event.time) + ms),
        "employee": st.sampled_from((*EMPLOYEES, None)),
        "service": st.sampled_from(("ktp", "kk", None)),
        "outcome": st.sampled_from(("handed_over", "refused", None)),
        "quantity": st.just(2),
        "activity": st.just("printed"),
    }
    names = draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=3, unique=True))
    subject = event.subject if event.subject and draw(st.integers(0, 5)) else draw(st.sampled_from(("R0", "R1", "R8")))
    return office.corrected(subject, at=at, of=event, set={name: draw(values[name]) for name in names})


_REQUEST_STEPS: Final = (
    "submitted",
    "accepted",
    "worked",
    "worked",
    "suspended",
    "resumed",
    "completed",
    "completed",
    "reopened",
    "cancelled",
)


@st.composite
def logs(draw: st.DrawFn, unit: str = "u", *, days: int = 2, tickets: int = 5) -> list[Event]:
    """The log of a unit over some service days, ordered by time: journeys, scraps, shifts, closings, repeats and skew.

    No two events have one id and differ: see `conflicting`.
    """
    office = Office(unit)
    opens = int(office.at("08:00"))
    made: list[Event] = []
    for _ in range(draw(st.integers(1, tickets))):
        subject = draw(st.sampled_from(SUBJECTS))
        begins_at = opens + draw(st.integers(0, days - 1)) * DAY + draw(st.integers(0, 19 * 60)) * MINUTE
        kind = draw(st.integers(0, 2))
        made.extend(draw(scraps(office, subject, begins_at) if kind == 0 else journeys(office, subject, begins_at)))
    for _ in range(draw(st.integers(0, 3))):
        begins_at = opens + draw(st.integers(0, days - 1)) * DAY + draw(st.integers(-2 * 60, 19 * 60)) * MINUTE
        made.extend(draw(shifts(office, begins_at)))
    for _ in range(draw(st.integers(0, 2))):
        closes_at = opens + draw(st.integers(0, days - 1)) * DAY + draw(st.integers(0, 19)) * HOUR
        made.append(office.queue_closed(at=closes_at, service=draw(st.sampled_from((None, *SERVICES)))))
    if draw(st.booleans()):
        off = draw(st.integers(-90, 90)) * SECOND
        made = [_shifted(event, off) if draw(st.integers(0, 3)) == 0 else event for event in made]
    if made and draw(st.integers(0, 3)) == 0:
        day = office.day + timedelta(days=draw(st.integers(0, days - 1)))
        made.append(office.voided(draw(st.sampled_from(SUBJECTS)), at=int(made[-1].time), day=day.isoformat()))
    for event in draw(st.lists(st.sampled_from(made), max_size=3)) if made else ():
        made.append(again(event, id=f"again-{len(made)}"))
    for event in draw(st.lists(st.sampled_from(made), max_size=4)) if made else ():
        made.append(_correction(draw, office, event))
    return sorted(made, key=lambda event: (int(event.time), event.id))


def _correction(draw: st.DrawFn, office: Office, event: Event) -> Event:
    """A correction of an event, some of them of one that was corrected already, or under another ticket's name."""
    at = int(event.time) + draw(st.sampled_from((0, MINUTE, HOUR, -MINUTE)))
    values: dict[str, st.SearchStrategy[str | int | None]] = {
        "time": st.sampled_from((-90, -1, 0, 2, 60, 900)).map(lambda minutes: int(event.time) + minutes * MINUTE),
        "employee": st.sampled_from((*EMPLOYEES, "tono")),
        "counter": st.sampled_from(("1", "2", None)),
        "service": st.sampled_from((*SERVICES, None)),
        "from_unit": st.sampled_from(UNITS),
        "appointment_at": st.sampled_from((None, int(event.time) + HOUR)),
        "quantity": st.sampled_from((None, 3)),
        "priority": st.just("vip"),
    }
    names = draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=3, unique=True))
    subject = event.subject if event.subject and draw(st.integers(0, 5)) else draw(st.sampled_from(SUBJECTS))
    return office.corrected(subject, at=at, of=event, set={name: draw(values[name]) for name in names})


def _shifted(event: Event, ms: int) -> Event:
    return msgspec.structs.replace(event, time=Instant(event.time + ms))


@st.composite
def arrivals(draw: st.DrawFn, log: Sequence[Event]) -> list[Event]:
    """The same events in another order, some of them more than once."""
    extra = draw(st.lists(st.sampled_from(list(log)), max_size=5)) if log else []
    return list(draw(st.permutations([*log, *extra])))


@st.composite
def conflicting(draw: st.DrawFn, log: Sequence[Event]) -> list[Event]:
    """A log in which some ids come again with another time: what a device sends that lost its counter."""
    told = draw(st.lists(st.sampled_from(list(log)), min_size=1, max_size=3)) if log else []
    others = [_shifted(event, draw(st.integers(1, 600)) * SECOND) for event in told]
    return list(draw(st.permutations([*log, *others])))
