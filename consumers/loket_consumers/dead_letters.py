"""Dead letters for people: listed, and shown so that no byte of them can do anything to a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, func, select

from loket.domain.events import Instant
from loket.errors import UsageError
from loket.harmless import harmless
from loket.wire.instant import format_instant
from loket.wire.rejection import Reason
from loket_consumers.schema import dead_letters

__all__ = ["DeadLetter", "NoSuchDeadLetter", "find", "print_list", "print_one", "take"]

_HEADERS: Final = msgspec.msgpack.Decoder(list[tuple[str, bytes | None]])


class NoSuchDeadLetter(UsageError):
    """There is no dead letter under this name, or it is no name of one."""


class DeadLetter(Struct, frozen=True):
    """A record that could not be taken; `key`, `value` and `headers` as they came."""

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

    @property
    def name(self) -> str:
        """What `loket dead-letters show` takes."""
        return f"{self.topic}:{self.partition}:{self.record_offset}"

    @property
    def time(self) -> str:
        """The broker's time; empty where the broker gave none."""
        return format_instant(Instant(self.broker_time)) if self.broker_time >= 0 else ""


def find(
    connection: Connection, *, reason: str | None = None, unit: str | None = None, limit: int = 50
) -> tuple[list[DeadLetter], int]:
    """The newest dead letters, in the order of their time, and how many more there are. Raises UsageError."""
    c = dead_letters.c
    if reason is not None and reason not in tuple(Reason):
        raise UsageError(f"there is no reason {reason!r}; there are {', '.join(Reason)}")
    conditions: list[Any] = []
    if reason is not None:
        conditions.append(c.reason == reason)
    if unit is not None:
        conditions.append(c.unit == unit)
    order = (c.broker_time.desc(), c.topic.desc(), c.partition.desc(), c.record_offset.desc())
    rows = connection.execute(select(dead_letters).where(*conditions).order_by(*order).limit(limit))
    found = [_letter(tuple(row)) for row in rows]
    total = connection.execute(select(func.count()).select_from(dead_letters).where(*conditions)).scalar_one()
    return found[::-1], int(total) - len(found)


def take(connection: Connection, name: str) -> DeadLetter:
    """The dead letter of a name (topic:partition:offset). Raises NoSuchDeadLetter."""
    topic, _, rest = name.partition(":")
    partition, _, offset = rest.partition(":")
    if not (topic and partition.isdecimal() and offset.isdecimal()):
        raise NoSuchDeadLetter(
            f"{name!r} is no dead letter: write topic:partition:offset, as `loket dead-letters list` does"
        )
    c = dead_letters.c
    place = (c.topic == topic, c.partition == int(partition), c.record_offset == int(offset))
    row = connection.execute(select(dead_letters).where(*place)).first()
    if row is None:
        raise NoSuchDeadLetter(f"there is no dead letter {name}: `loket dead-letters list` shows those that there are")
    return _letter(tuple(row))


def _letter(row: Sequence[Any]) -> DeadLetter:
    given: Any = [bytes(value) if isinstance(value, memoryview) else value for value in row]
    return DeadLetter(*given)


def print_list(letters: Sequence[DeadLetter], *, more: int = 0, json: bool = False) -> None:
    """Print dead letters as a table, or one JSON object a line (bytes in base64)."""
    if json:
        for letter in letters:
            sys.stdout.buffer.write(msgspec.json.encode(letter) + b"\n")
        return
    console = Console()
    if not letters:
        console.print(Text("No dead letters."))
        return
    table = Table()
    for name in ("dead letter", "time", "unit", "reason", "field", "source", "id"):
        table.add_column(name, overflow="fold")
    for letter in letters:
        told = (letter.name, letter.time, letter.unit, letter.reason, letter.field, letter.source, letter.id)
        table.add_row(*(Text(harmless(value or "")) for value in told))
    console.print(table)
    if more:
        console.print(Text(f"and {more} older: choose with --reason and --unit, or raise --limit"))


def print_one(letter: DeadLetter) -> None:
    """Print one dead letter, its bytes with everything that is not plain text escaped."""
    console = Console(soft_wrap=True, highlight=False)
    lines = {
        "dead letter": letter.name,
        "time": letter.time,
        "reason": letter.reason,
        "field": letter.field or "",
        "source": letter.source or "",
        "id": letter.id or "",
        "what to do": letter.sentence,
    }
    for name, value in lines.items():
        if value:
            console.print(Text(f"{name}: ", style="bold").append(Text(harmless(value), style="not bold")))
    console.print(Text("key: " + _shown(letter.key)))
    for name, header in _HEADERS.decode(letter.headers) if letter.headers else ():
        console.print(Text(f"header {harmless(name)}: {_shown(header)}"))
    console.print(Text("value: " + _shown(letter.value)))


def _shown(value: bytes | None) -> str:
    if value is None:
        return "(none)"
    return harmless(value.decode("utf-8", errors="backslashreplace")) if _is_text(value) else repr(value)


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
