"""What a city has decided, as frozen values: zones, service days, dated targets, bounds."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from loket.domain.burn import DEFAULT_BURN, Burn
from loket.domain.calendar import Calendar
from loket.domain.durations import DAY as DAY
from loket.domain.durations import HOUR as HOUR
from loket.domain.durations import MINUTE as MINUTE
from loket.domain.durations import SECOND as SECOND

NEVER_DAY_STARTS_MS = 3 * HOUR
"""Where the day never starts, figures of the day and subjects take 03:00 (rule 6)."""

MAX_OPEN_TICKETS = 20_000
"""Tickets of open days that a unit's state holds (rule 8)."""

MAX_STEPS = 500
"""Steps of one ticket (rule 8)."""


class Names(Struct, frozen=True):
    """A name in both languages; empty where none is given."""

    id: str = ""
    en: str = ""


class Target(Struct, frozen=True):
    """The share `objective` of the people is called within `within_ms`, from the start of service day `valid_from`."""

    valid_from: int
    within_ms: int
    objective: float


class Budget(Struct, frozen=True):
    """How many names of each kind a unit may bring into labels; beyond them `other` is tallied."""

    services: int = 50
    employees: int = 200
    counters: int = 100
    sources: int = 16


class Clock(StrEnum):
    """In which time a turnaround target is meant: the clock on the wall, or service hours (rule 39)."""

    WALL = "wall"
    SERVICE = "service"


class Since(StrEnum):
    """From where a turnaround target runs (rule 39)."""

    SUBMISSION = "submission"
    ACCEPTANCE = "acceptance"


class Turnaround(Struct, frozen=True):
    """The share `objective` of the requests is completed within `within_ms`, from service day `valid_from` on."""

    valid_from: int
    within_ms: int
    objective: float
    clock: Clock = Clock.WALL
    since: Since = Since.SUBMISSION


class Produces(StrEnum):
    """What people of a service get: a turn at a counter, or a document that may outlive the visit by days."""

    TICKET = "ticket"
    REQUEST = "request"


class ServicePolicy(Struct, frozen=True):
    """A service: its names, and its targets of waits and of turnaround, ordered by `valid_from`."""

    names: Names = Names()
    targets: tuple[Target, ...] = ()
    produces: Produces = Produces.TICKET
    turnarounds: tuple[Turnaround, ...] = ()

    def turnaround(self, day: int) -> Turnaround | None:
        """The turnaround target in force on a service day, if any."""
        in_force = None
        for turnaround in self.turnarounds:
            if turnaround.valid_from <= day:
                in_force = turnaround
        return in_force

    def target(self, day: int) -> Target | None:
        """The target in force on a service day (a proleptic ordinal), if any (rule 10)."""
        in_force = None
        for target in self.targets:
            if target.valid_from <= day:
                in_force = target
        return in_force


class UnitPolicy(Struct, frozen=True):
    """What is decided for one unit. `day_starts_ms` is None where the service day never starts (`never`).

    `waits_from_opening`: waits are judged from the opening of their service day on, not before (rule 9).
    `close_after_ms`: so long after the hours of a day who still waits is not called any more (rule 6); None: never.
    """

    names: Names = Names()
    zone: str = "Asia/Jakarta"
    day_starts_ms: int | None = NEVER_DAY_STARTS_MS
    late_ms: int = 6 * HOUR
    short_ms: int = 10 * SECOND
    wrap_up_ms: int = 0
    budget: Budget = Budget()
    services: dict[str, ServicePolicy] = field(default_factory=dict)
    known: bool = False
    calendar: Calendar = Calendar()
    waits_from_opening: bool = False
    close_after_ms: int | None = None
    burn: Burn = DEFAULT_BURN

    def target(self, service: str, day: int) -> Target | None:
        """The wait target of a service on a service day, or None where nothing is promised."""
        policy = self.services.get(service)
        return policy.target(day) if policy is not None else None


class Policy(Struct, frozen=True):
    """The whole of `targets.yaml`: a policy for each known unit, and defaults without targets for the unknown ones."""

    defaults: UnitPolicy = UnitPolicy()
    units: dict[str, UnitPolicy] = field(default_factory=dict)

    def unit(self, unit: str) -> UnitPolicy:
        """The policy of a unit; an unknown unit follows the defaults and has no target."""
        return self.units.get(unit, self.defaults)


class ServiceDays:
    """Which service day an instant belongs to, and when that day begins and ends, in one zone (rule 6).

    A day is its proleptic Gregorian ordinal (`date.toordinal`). Days are as long as the zone makes them: 23 or 25 hours
    where clocks change.
    """

    def __init__(self, zone: str, day_starts_ms: int | None) -> None:
        self._zone = ZoneInfo(zone)
        self._offset = timedelta(milliseconds=NEVER_DAY_STARTS_MS if day_starts_ms is None else day_starts_ms)
        self._starts: dict[int, int] = {}
        self._hours: dict[int, int] = {}
        """Hours since 1970 that lie in one day as a whole: nearly every event asks for two of them."""

    def start(self, day: int) -> int:
        """The instant at which a service day begins."""
        known = self._starts.get(day)
        if known is None:
            midnight = datetime.combine(date.fromordinal(day), datetime.min.time())
            known = int((midnight + self._offset).replace(tzinfo=self._zone).timestamp()) * SECOND
            if len(self._starts) > 4_000:
                self._starts.clear()
            self._starts[day] = known
        return known

    def end(self, day: int) -> int:
        """The instant at which a service day is over: the start of the next."""
        return self.start(day + 1)

    def day(self, instant: int) -> int:
        """The service day that contains an instant."""
        hour = instant // HOUR
        known = self._hours.get(hour)
        if known is not None:
            return known
        local = datetime.fromtimestamp(instant // SECOND, self._zone)
        day = local.toordinal()
        while instant < self.start(day):
            day -= 1
        while instant >= self.end(day):
            day += 1
        if self.start(day) <= hour * HOUR and (hour + 1) * HOUR <= self.end(day):
            if len(self._hours) > 4_000:
                self._hours.clear()
            self._hours[hour] = day
        return day
