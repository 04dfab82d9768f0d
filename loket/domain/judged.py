"""When people were judged, by minute: what windows of service time and the month's budget are made of.

```
tickets of open days ──▶ judged[day]                    kept in step with them, made anew when a state is loaded
       day closes, legs are forgotten ──▶ judged_past[day]   a record of its own, as long as a window may reach it
                                     └──▶ judged_days[day]   sums, as long as the month lasts
```
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from loket.domain.burn import longest_ms
from loket.domain.durations import MINUTE
from loket.domain.halls import hours_of, service_days
from loket.domain.leg import Leg
from loket.domain.opening import OpeningHours
from loket.domain.steps import Kind, Ticket

if TYPE_CHECKING:
    from loket.domain.state import UnitState

__all__ = [
    "JUDGED_PAGE",
    "Counted",
    "Judged",
    "Minutes",
    "counted",
    "judged_at",
    "keep_past",
    "key_of",
    "note",
    "pack",
    "prune",
    "restore",
    "unpack",
]

JUDGED_PAGE: Final = -1
"""The number of a day's page that holds when people were judged on it."""

MAX_PAST_DAYS: Final = 100
"""Closed days whose minutes are kept at most, where a calendar has few hours."""

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(dict[str, list[int]])

Minutes = dict[int, int]
"""How many were judged: by twice the minute since 1970, and one more for those judged by the target passing."""

Judged = dict[str, Minutes]
"""By service label."""


class Counted(Struct, frozen=True):
    """The judgements in burn of one day and service, in order, and how many were judged and breached from each on."""

    keys: list[int]
    after: list[tuple[int, int]]

    def since(self, minute: int) -> tuple[int, int]:
        """Judged and breached from a minute on."""
        return self.after[bisect_left(self.keys, 2 * minute)]


def counted(hours: OpeningHours, minutes: Minutes, last: int | None = None) -> Counted:
    """Those of some judgements that are in burn, up to the minute `last`."""
    pairs = sorted(
        (key, number)
        for key, number in minutes.items()
        if (last is None or key >> 1 <= last) and is_counted(hours, key)
    )
    judged = breached = 0
    after = [(0, 0)]
    for key, number in reversed(pairs):
        judged += number
        breached += number if key & 1 else 0
        after.append((judged, breached))
    after.reverse()
    return Counted([key for key, _ in pairs], after)


def key_of(instant: int, *, breached: bool) -> int:
    """The key under which a judgement is counted."""
    return instant // MINUTE * 2 + breached


def judged_at(leg: Leg, over: int | None) -> tuple[int, bool] | None:
    """When a leg was judged, and whether by the target passing; `over`: when it ended (rule 14)."""
    breach_at = leg.breach_at
    if breach_at is None:
        return None
    if leg.first_called_at is not None:
        return (breach_at, True) if leg.first_called_at > breach_at else (leg.first_called_at, False)
    return (breach_at, True) if over is not None and over > breach_at else None


def note(judged: dict[int, Judged], day: int, label: str, key: int, change: int) -> None:
    """Count a judgement, or take one back."""
    minutes = judged.setdefault(day, {}).setdefault(label, {})
    left = minutes.get(key, 0) + change
    if left:
        minutes[key] = left
    else:
        del minutes[key]


def restore(state: UnitState, ticket: Ticket, legs: Iterable[Leg] | None) -> None:
    """Count a ticket of a state that is loaded; `legs` is None where it goes straight (`loket.domain.straight`)."""
    if legs is None:
        issue = ticket.steps[0]
        if len(ticket.steps) > 1 and ticket.steps[1].kind == Kind.CALLED and issue.target_ms is not None:
            breach_at = issue.at + issue.target_ms
            breached = ticket.steps[1].at > breach_at
            key = key_of(breach_at if breached else ticket.steps[1].at, breached=breached)
            note(state.judged, ticket.day, state.service_label(issue.service or "", ticket), key, 1)
        return
    for leg in legs:
        found = judged_at(leg, leg.ended_at)
        if found is not None:
            key = key_of(found[0], breached=found[1])
            note(state.judged, leg.day, state.service_label(leg.service, ticket), key, 1)


def keep_past(state: UnitState, day: int, brought: Mapping[str, Minutes]) -> None:
    """Keep what is forgotten of a day and was judged while not closed: by the minute, and in the day's sums."""
    hours = hours_of(state.policy)
    open_ones = {
        label: {key: number for key, number in minutes.items() if is_counted(hours, key)}
        for label, minutes in brought.items()
    }
    if not any(open_ones.values()):
        return
    packed = state.judged_past.get(day)
    past = {} if packed is None else unpack(packed)
    sums = state.judged_days.setdefault(day, {})
    for label, minutes in open_ones.items():
        if not minutes:
            continue
        kept = past.setdefault(label, {})
        judged, breached = sums.get(label, (0, 0))
        for key, number in minutes.items():
            kept[key] = kept.get(key, 0) + number
            judged += number
            breached += number if key & 1 else 0
        sums[label] = (judged, breached)
    state.judged_past[day] = pack(past)
    state.dirty_pages.add((day, JUDGED_PAGE))
    state.gone_pages.discard((day, JUDGED_PAGE))


def is_counted(hours: OpeningHours, key: int) -> bool:
    """Whether a judgement is in burn: all but those while the unit is closed (rule 11)."""
    return not hours.is_closed_minute(key >> 1)


def prune(state: UnitState, closed_day: int) -> None:
    """Forget what no window and no month reaches any more, once a day has closed."""
    days = service_days(state.policy)
    longest = longest_ms(state.policy.burn)
    reached = days.day(hours_of(state.policy).before(days.end(closed_day), longest)) if longest else closed_day + 1
    kept = sorted(state.judged_past)[-MAX_PAST_DAYS:]
    for day in [day for day in state.judged_past if day < reached or day < kept[0]]:
        del state.judged_past[day]
        state.dirty_pages.discard((day, JUDGED_PAGE))
        state.gone_pages.add((day, JUDGED_PAGE))
    first = date.fromordinal(closed_day).replace(day=1).toordinal()
    for day in [day for day in state.judged_days if day < first]:
        del state.judged_days[day]


def pack(judged: Judged) -> bytes:
    """Minutes in order, each as the difference from the one before, with its number."""
    packed = {}
    for label, minutes in sorted(judged.items()):
        numbers: list[int] = []
        before = 0
        for key, number in sorted(minutes.items()):
            numbers += (key - before, number)
            before = key
        packed[label] = numbers
    return _ENCODER.encode(packed)


def unpack(packed: bytes) -> Judged:
    """The minutes that were packed. Raises ValueError or MsgspecError where nobody can have written it so."""
    judged: Judged = {}
    for label, numbers in _DECODER.decode(packed).items():
        minutes = judged[label] = {}
        key = 0
        for step, number in zip(numbers[::2], numbers[1::2], strict=True):
            key += step
            if step < 0 or key in minutes or not 0 < number < 2**53 or key > 2**53 // MINUTE:
                raise ValueError("people were judged at no time")
            minutes[key] = number
    return judged
