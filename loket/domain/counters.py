"""Counters in a unit's state: whether a desk is open, and what its device last told of itself. No id is needed."""

from __future__ import annotations

from msgspec import Struct

from loket.domain import events
from loket.domain.days import is_never, service_days
from loket.domain.policy import UnitPolicy

__all__ = ["Counter", "is_open", "note_counter"]


class Counter(Struct, array_like=True):
    """A desk as its events tell it (ms; 0: never): when it was last opened and closed, what its last heartbeat said.

    `received` is the broker's time of the last event that named it.
    """

    received: int = 0
    opened_at: int = 0
    closed_at: int = 0
    heartbeat_at: int = 0
    pending: int | None = None
    oldest_pending_at: int | None = None


def note_counter(counter: Counter, event: events.Event, received: int) -> None:
    """Take note of what an event tells of its counter. The same event again, or an older one, changes nothing."""
    counter.received = max(counter.received, received)
    at, data = int(event.time), event.data
    if isinstance(event, events.CounterOpened):
        counter.opened_at = max(counter.opened_at, at)
    elif isinstance(event, events.CounterClosed):
        counter.closed_at = max(counter.closed_at, at)
    elif isinstance(data, events.HeartbeatData):
        oldest = None if data.oldest_pending_at is None else int(data.oldest_pending_at)
        told = (at, -1 if data.pending is None else data.pending, -1 if oldest is None else oldest)
        known = (counter.heartbeat_at, -1 if counter.pending is None else counter.pending)
        if told > (*known, -1 if counter.oldest_pending_at is None else counter.oldest_pending_at):
            counter.heartbeat_at, counter.pending, counter.oldest_pending_at = at, data.pending, oldest


def is_open(counter: Counter, policy: UnitPolicy, now: int) -> bool | None:
    """Whether a desk is open at `now`: opened on this service day, and not closed since. None: it never told.

    At one instant what ends comes first (rule 2). Where the day never starts a desk stays open until it is closed.
    """
    if not counter.opened_at and not counter.closed_at:
        return None
    if not counter.opened_at or counter.opened_at > now or counter.opened_at < counter.closed_at <= now:
        return False
    days = service_days(policy)
    return is_never(policy) or days.day(counter.opened_at) == days.day(now)
