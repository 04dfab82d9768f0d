"""Employees' time against an office looked at minute by minute: another way to the same figures (rules 32 and 33)."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from loket.domain.events import Event
from loket.domain.policy import MINUTE
from loket.testing.builders import Office, unit_policy
from support.laws import law
from support.telling import Told

OPENS = int(Office().at("08:00"))
MORNING = 120
"""Minutes that are looked at."""


class Visit(NamedTuple):
    """Minutes: came, called, started, ended, by whom; who starts last is served last."""

    service: str
    came: int
    called: int
    started: int
    ended: int
    by: str


class Shift(NamedTuple):
    employee: str
    services: tuple[str, ...] | None
    begin: int
    paused: int
    resumed: int
    end: int


@st.composite
def offices(draw: st.DrawFn) -> tuple[list[Shift], list[Visit]]:
    shifts = []
    for employee in ("e", "f"):
        begin, paused, resumed, end = sorted(
            draw(st.lists(st.integers(0, MORNING), min_size=4, max_size=4, unique=True))
        )
        services = draw(st.sampled_from([None, ("s",), ("t",)]))
        shifts.append(Shift(employee, services, begin, paused, resumed, end))
    free = {"e": 0, "f": 0}
    visits = []
    for _ in range(draw(st.integers(0, 8))):
        by = draw(st.sampled_from(["e", "f"]))
        called = free[by] + draw(st.integers(0, 20))
        came = max(0, called - draw(st.integers(0, 15)))
        started = called + draw(st.integers(0, 5))
        free[by] = ended = started + draw(st.integers(1, 25))
        visits.append(Visit(draw(st.sampled_from("st")), came, called, started, ended, by))
    return shifts, visits


def events_of(shifts: list[Shift], visits: list[Visit]) -> list[Event]:
    office = Office()
    told: list[Event] = []

    def at(minute: int) -> int:
        return OPENS + minute * MINUTE

    for shift in shifts:
        told.append(office.session_started(shift.employee, at=at(shift.begin), services=shift.services))
        told.append(office.session_paused(shift.employee, at=at(shift.paused)))
        told.append(office.session_resumed(shift.employee, at=at(shift.resumed)))
        told.append(office.session_ended(shift.employee, at=at(shift.end)))
    for number, visit in enumerate(visits):
        subject = f"A{number}"
        told.append(office.issued(subject, at=at(visit.came), service=visit.service))
        told.append(office.called(subject, at=at(visit.called), employee=visit.by))
        told.append(office.started(subject, at=at(visit.started), employee=visit.by))
        told.append(office.completed(subject, at=at(visit.ended), employee=visit.by))
    return told


def looked_at(shift: Shift, visits: list[Visit], wrap_up: int, now: int) -> tuple[int, int, int, int]:
    """Staffed, serving, gap in minutes and the number of gaps, up to now."""
    mine = [visit for visit in visits if visit.by == shift.employee]

    def delayed(minute: int) -> int:
        return next((visit.ended for visit in mine if visit.started < minute < visit.ended), minute)

    def staffed(minute: int) -> bool:
        return shift.begin <= minute < delayed(shift.paused) or shift.resumed <= minute < delayed(shift.end)

    def busy(minute: int) -> bool:
        return any(visit.called <= minute < visit.ended + wrap_up for visit in mine)

    def wanted(minute: int) -> bool:
        return any(
            visit.came <= minute < visit.called
            for visit in visits
            if shift.services is None or visit.service in shift.services
        )

    seconds = [0, 0, 0]
    gaps, counted = 0, False
    begins = {visit.called for visit in mine}
    for minute in range(now):
        if not staffed(minute):
            counted = False
            continue
        seconds[0] += 1
        seconds[1] += any(visit.called <= minute < visit.ended for visit in mine)
        if busy(minute):
            counted = False
            continue
        seconds[2] += wanted(minute)
        counted = counted or wanted(minute)
        if minute + 1 in begins and counted and (minute + 1 == now or staffed(minute + 1)):
            gaps += 1
    return seconds[0], seconds[1], seconds[2], gaps


@law(offices(), st.sampled_from([0, 3]), st.integers(0, MORNING), st.randoms(use_true_random=False))
def test_employees_time_is_what_is_seen_minute_by_minute(
    office: tuple[list[Shift], list[Visit]], wrap_up: int, now: int, random: object
) -> None:
    shifts, visits = office
    events = events_of(shifts, visits)
    random.shuffle(events)  # type: ignore[attr-defined]
    # What happens after now has not been told yet, as no device tells the future.
    told = Told(unit_policy({"s": 300}, wrap_up_seconds=60 * wrap_up))
    told.tell(*(event for event in events if event.time <= OPENS + now * MINUTE), received=OPENS)
    for shift in shifts:
        staff = told.staff(shift.employee, now=OPENS + now * MINUTE)
        found = (staff.staffed_ms // MINUTE, staff.serving_ms // MINUTE, staff.call_gap_ms // MINUTE, staff.call_gaps)
        assert found == looked_at(shift, visits, wrap_up, now)
