"""What the metrics show of one unit and service at an instant: the state's own tallies, and what time brought.

Units beyond the budget of the worker are summed: a broken device that invents units cannot blow up the metrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from loket.domain.days import service_days
from loket.domain.figures import DayFigures, Figures, Present, has_tickets
from loket.domain.policy import ServicePolicy, Target
from loket.domain.requests import RequestPresent
from loket.domain.sessions import evaluate_staff
from loket.domain.state import OTHER, UnitState
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.summary import Flat, add_up, flat_staff
from loket.domain.tally import BUCKETS_MS, Counts, Histogram, ServiceTally
from loket_streams.desks import Desks, desks

__all__ = ["Others", "Person", "Row", "people", "rows"]

OPEN_DAYS: Final = 2
"""Service days before the present one whose tickets may still be open."""

_NO_TALLY = ServiceTally()
_NO_COUNTS = Counts()


class Row(Struct):
    """One unit and service. Nothing in it may be changed: the tally is the state's own.

    `requests` None: it has none; `has_tickets` False: it has nothing else. `target` is in force; `covered`: there was
    one already when the oldest open tickets were issued.
    """

    service: str
    tally: ServiceTally
    present: Present
    day: DayFigures
    last_call: int | None = None
    policy: ServicePolicy | None = None
    requests: RequestPresent | None = None
    has_tickets: bool = True
    target: Target | None = None
    covered: bool = False


def rows(state: UnitState, figures: Figures) -> Iterator[Row]:
    """The rows of a unit: its services, and the row of tickets without an issue, which every unit has."""
    for service, present in figures.present.items():
        policy = state.policy.services.get(service)
        day = figures.day[service]
        yield Row(
            service,
            state.tallies.get(service, _NO_TALLY),
            present,
            day,
            state.last_call.get(service),
            policy,
            figures.requests.get(service),
            has_tickets(state, service),
            policy.target(day.day) if policy is not None else None,
            policy is not None and policy.target(day.day - OPEN_DAYS) is not None,
        )
    if EMPTY_SERVICE not in figures.present:
        yield Row(EMPTY_SERVICE, _NO_TALLY, Present(), DayFigures(0))


class Person(Struct):
    """One employee of a unit. `time` is empty for who never had a session; nothing in it may be changed."""

    employee: str
    counts: Counts
    time: Mapping[str, int]
    day: Mapping[str, int]


def people(state: UnitState, now: int, heard_since: int = 0) -> Iterator[Person]:
    """The employees of a unit, of its tickets and of its sessions, whom an event has named since an instant (ms)."""
    staff = evaluate_staff(state, now)
    tally = state.days.get(service_days(state.policy).day(now))
    for name in {**state.employees, **state.people, **staff}:
        if state.employees.get(name, heard_since) < heard_since:
            continue
        day = {} if tally is None else dict(tally.people.get(name, {}))
        time: Flat = {}
        found = staff.get(name)
        if found is not None:
            time = flat_staff(found.total)
            day |= flat_staff(found.day)
        yield Person(name, state.people.get(name, _NO_COUNTS), time, day)


class Others:
    """The sum of the units beyond the budget, as one unit with one service and one employee, all called `other`."""

    def __init__(self) -> None:
        self.units = 0
        self.late = 0
        self.behind_s: float | None = None
        self.received = 0
        self.row = Row(OTHER, ServiceTally(), Present(), DayFigures(0))
        self.without_issue = Row(EMPTY_SERVICE, ServiceTally(), Present(), DayFigures(0))
        self.desks = Desks()
        self.person = Person(OTHER, Counts(), {}, {})
        self.persons = 0

    def add(self, state: UnitState, figures: Figures) -> None:
        """Add a unit."""
        self.units += 1
        self.late += state.late
        self.received = max(self.received, state.received)
        for row in rows(state, figures):
            _add_row(self.without_issue if row.service == EMPTY_SERVICE else self.row, row)
        self.desks.add(desks(state, figures.now))

    def add_people(self, state: UnitState, now: int, heard_since: int = 0) -> None:
        """Add a unit's employees."""
        for person in people(state, now, heard_since):
            self.persons += 1
            _add_counts(self.person.counts, person.counts)
            self.person.time = add_up((self.person.time, person.time))
            self.person.day = add_up((self.person.day, person.day))


def _add_row(to: Row, row: Row) -> None:
    _add_counts(to.tally.counts, row.tally.counts)
    for kind, histogram in row.tally.histograms.items():
        known = to.tally.histograms.setdefault(kind, Histogram([0] * (len(BUCKETS_MS[kind]) + 1)))
        known.buckets = [a + b for a, b in zip(known.buckets, histogram.buckets, strict=True)]
        known.sum_ms += histogram.sum_ms
        known.count += histogram.count
        known.corrected_ms += histogram.corrected_ms
        known.corrected_count += histogram.corrected_count
    present, more = to.present, row.present
    for name in ("waiting", "early", "over_target", "judged", "breached", "expired", "unserved"):
        setattr(present, name, getattr(present, name) + getattr(more, name))
    present.judges = present.judges or more.judges
    present.oldest_wait_start = _least(present.oldest_wait_start, more.oldest_wait_start)
    for figure, amount in row.day.counts.items():
        to.day.counts[figure] = to.day.counts.get(figure, 0) + amount
    for name in ("judged", "breached", "expired", "unserved"):
        setattr(to.day, name, getattr(to.day, name) + getattr(row.day, name))
    if row.requests is not None:
        to.requests = _both(to.requests or RequestPresent(), row.requests)
    if row.last_call is not None:
        to.last_call = max(row.last_call, to.last_call or 0)


def _both(one: RequestPresent, other: RequestPresent) -> RequestPresent:
    return RequestPresent(
        one.open + other.open,
        one.suspended + other.suspended,
        one.over_target + other.over_target,
        one.judged + other.judged,
        one.breached + other.breached,
        _least(one.oldest_start, other.oldest_start),
    )


def _add_counts(to: Counts, counts: Counts) -> None:
    for into, amounts in ((to.total, counts.total), (to.corrected, counts.corrected)):
        for figure, amount in amounts.items():
            into[figure] = into.get(figure, 0) + amount


def _least(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)
