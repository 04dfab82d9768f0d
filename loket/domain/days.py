"""Which days of a unit are still open, and when time alone ends a leg (rules 6 to 8)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from loket.domain.halls import hall_closes_at
from loket.domain.halls import service_days as service_days
from loket.domain.leg import Leg
from loket.domain.legs import NEVER_EXPIRES_MS
from loket.domain.policy import DAY, MAX_OPEN_TICKETS, MAX_STEPS, UnitPolicy
from loket.domain.steps import NEVER_BUCKET


def is_never(policy: UnitPolicy) -> bool:
    """Whether the unit's service day never starts: tickets then expire 24 h after their last step."""
    return policy.day_starts_ms is None


def bucket_of(policy: UnitPolicy, day: int) -> int:
    """The day under which the unit keeps the tickets of a service day."""
    return NEVER_BUCKET if is_never(policy) else day


class QueueClosing(Struct, frozen=True, array_like=True):
    """A `queue.closed` event: of one service, or of the whole unit (None)."""

    at: int
    service: str | None
    hash: int
    content: int


class Admission(Struct, array_like=True):
    """What decides whether an event still reaches the live figures: the same for the state and for the record.

    `received` is the largest broker's time seen; days up to `closed_day` are closed; `tickets` counts tickets
    by the open day that keeps them, `requests` those that are held (`loket.domain.requests`).
    """

    received: int = 0
    closed_day: int = 0
    tickets: dict[int, int] = field(default_factory=dict)
    requests: int = 0

    def receive(self, received: int, policy: UnitPolicy) -> bool:
        """Take note of a record's broker's time; whether that closes days, those up to `closed_day` (7)."""
        if received <= self.received:
            return False
        self.received = received
        late = policy.late_ms + (DAY if is_never(policy) else 0)
        closed_day = service_days(policy).day(received - late - 1) - 1
        if closed_day <= self.closed_day:
            return False
        self.closed_day = closed_day
        return True

    def is_closed(self, day: int) -> bool:
        """Whether a service day is closed: what comes for it now is late (rule 8)."""
        return day <= self.closed_day

    def admits(self, steps: int | None) -> bool:
        """Whether a ticket with so many steps (None: a new ticket) may take one more (rule 8)."""
        if steps is None:
            return sum(self.tickets.values()) < MAX_OPEN_TICKETS
        return steps < MAX_STEPS

    def opened(self, day: int) -> None:
        """A ticket of an open day came into being."""
        self.tickets[day] = self.tickets.get(day, 0) + 1

    def closed_ticket(self, day: int) -> None:
        """A single ticket was forgotten; its day may be over already, where the unit's day has another start now."""
        if day in self.tickets:
            self.tickets[day] -= 1

    def forget(self, day: int) -> None:
        """The tickets of a closed day are forgotten."""
        self.tickets.pop(day, None)


def closes_at(leg: Leg, policy: UnitPolicy, closings: Iterable[QueueClosing]) -> int:
    """The instant (ms) at which time alone ends an open leg: the end of its day, or the hall's closing (rule 6)."""
    end = leg.last_at + NEVER_EXPIRES_MS if is_never(policy) else service_days(policy).end(leg.day)
    if leg.waits:
        since = leg.stretches[-1].began_at
        hall = hall_closes_at(policy, leg.day)
        if hall is not None and since <= hall < end:
            end = hall
        for closing in closings:
            if since <= closing.at < end and closing.service in (None, leg.service):
                return closing.at
    return end
