"""Dead letters as the record keeps them: chosen, counted, taken by name, and marked as replayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, or_, select, tuple_

from loket.domain.events import Instant
from loket.errors import UsageError
from loket.wire.instant import format_instant
from loket.wire.rejection import Reason
from loket_consumers import bulk
from loket_consumers.engines import reading
from loket_consumers.reading import storable
from loket_consumers.schema import dead_letters

__all__ = ["Chosen", "Count", "DeadLetter", "NoSuchDeadLetter", "count", "find", "mark_replayed", "pages", "take"]

_HEADERS: Final = msgspec.msgpack.Decoder(list[tuple[str, bytes | None]])
_C: Final = dead_letters.c


class NoSuchDeadLetter(UsageError):
    """There is no dead letter under this name, or it is no name of one."""


class DeadLetter(Struct, frozen=True):
    """A record that could not be taken; `key`, `value` and `headers` as they came. `replayed_at` in ms, or None."""

    topic: str
    partition: int
    record_offset: int
    broker_time: int
    unit: str | None
    reason: str
    field: str | None
    sentence: str
    source: str | None
    id: str | None
    key: bytes | None
    value: bytes | None
    headers: bytes | None
    replayed_at: int | None

    @property
    def name(self) -> str:
        """What `loket dead-letters show` takes."""
        return f"{self.topic}:{self.partition}:{self.record_offset}"

    @property
    def time(self) -> str:
        """The broker's time; empty where the broker gave none."""
        return format_instant(Instant(self.broker_time)) if self.broker_time >= 0 else ""

    @property
    def replayed(self) -> str:
        """When it was last replayed; empty: never."""
        return "" if self.replayed_at is None else format_instant(Instant(self.replayed_at))

    def unpacked_headers(self) -> list[tuple[str, bytes | None]]:
        """The record's headers."""
        return _HEADERS.decode(self.headers) if self.headers else []


class Chosen(Struct, frozen=True, kw_only=True):
    """Which dead letters are meant; None leaves a question open.

    `unit`: of records with this key. `source` and `id`: the event's, where they could be read. `since` and `until`: the
    broker's time in ms, from the first on and before the second. `replayed`: whether they were replayed before.
    """

    topic: str | None = None
    reason: str | None = None
    unit: str | None = None
    source: str | None = None
    id: str | None = None
    since: int | None = None
    until: int | None = None
    replayed: bool | None = None

    def __post_init__(self) -> None:
        if self.reason is not None and self.reason not in tuple(Reason):
            raise UsageError(f"there is no reason {self.reason!r}; there are {', '.join(Reason)}")

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same in SQL."""
        equal = {
            _C.topic: self.topic,
            _C.reason: self.reason,
            _C.unit: self.unit,
            _C.source: storable(self.source),
            _C.id: storable(self.id),
        }
        found: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value is not None]
        if self.since is not None:
            found.append(_C.broker_time >= self.since)
        if self.until is not None:
            found.append(_C.broker_time < self.until)
        if self.replayed is not None:
            found.append(_C.replayed_at.is_not(None) if self.replayed else _C.replayed_at.is_(None))
        return found


class Count(Struct, frozen=True):
    """How many dead letters a reason has, and how many of them were replayed."""

    reason: str
    number: int
    replayed: int


def find(connection: Connection, chosen: Chosen, limit: int) -> list[DeadLetter]:
    """The newest dead letters of those that are chosen, in the order of their time."""
    order = (_C.broker_time.desc(), _C.topic.desc(), _C.partition.desc(), _C.record_offset.desc())
    rows = connection.execute(select(dead_letters).where(*chosen.conditions()).order_by(*order).limit(limit))
    return [_letter(tuple(row)) for row in rows][::-1]


def count(connection: Connection, chosen: Chosen) -> list[Count]:
    """How many there are of each reason, in the order of the list of reasons."""
    query = select(_C.reason, func.count(), func.count(_C.replayed_at)).where(*chosen.conditions())
    found = {
        reason: Count(reason, number, again) for reason, number, again in connection.execute(query.group_by(_C.reason))
    }
    known = [found[reason] for reason in Reason if reason in found]
    return known + [found[reason] for reason in sorted(found.keys() - set(Reason))]


def pages(engine: Engine, chosen: Chosen, size: int) -> Iterator[list[DeadLetter]]:
    """All that are chosen and there now, so many at a time, in the order of the log; each page in its own transaction.

    What is set aside while it runs is not in them: a replay that is refused again would never come to an end.
    """
    conditions = chosen.conditions()
    with reading(engine) as connection:
        last = func.max(_C.record_offset)
        ends = connection.execute(
            select(_C.topic, _C.partition, last).where(*conditions).group_by(_C.topic, _C.partition)
        ).all()
    if not ends:
        return
    there = or_(*(and_(_C.topic == t, _C.partition == p, _C.record_offset <= end) for t, p, end in ends))
    place = (_C.topic, _C.partition, _C.record_offset)
    after: tuple[Any, ...] = ("", -1, -1)
    while True:
        query = select(dead_letters).where(*conditions, there, tuple_(*place) > after).order_by(*place).limit(size)
        with reading(engine) as connection:
            found = [_letter(tuple(row)) for row in connection.execute(query)]
        if not found:
            return
        yield found
        after = (found[-1].topic, found[-1].partition, found[-1].record_offset)


def take(connection: Connection, name: str) -> DeadLetter:
    """The dead letter of a name (topic:partition:offset). Raises NoSuchDeadLetter."""
    topic, _, rest = name.partition(":")
    partition, _, offset = rest.partition(":")
    if not (topic and _is_number(partition, 31) and _is_number(offset, 63)):
        raise NoSuchDeadLetter(
            f"{name!r} is no dead letter: write topic:partition:offset, as `loket dead-letters list` does"
        )
    place = (_C.topic == topic, _C.partition == int(partition), _C.record_offset == int(offset))
    row = connection.execute(select(dead_letters).where(*place)).first()
    if row is None:
        raise NoSuchDeadLetter(f"there is no dead letter {name}: `loket dead-letters list` shows those that there are")
    return _letter(tuple(row))


def mark_replayed(connection: Connection, letters: Iterable[DeadLetter], at: int) -> None:
    """Write down that these were sent again at an instant (ms)."""
    rows = [(letter.topic, letter.partition, letter.record_offset, at) for letter in letters]
    bulk.update(connection, dead_letters, ("topic", "partition", "record_offset"), ("replayed_at",), rows)


def _is_number(text: str, bits: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) < 1 << bits


def _letter(row: Sequence[Any]) -> DeadLetter:
    given: Any = [bytes(value) if isinstance(value, memoryview) else value for value in row]
    return DeadLetter(*given)
