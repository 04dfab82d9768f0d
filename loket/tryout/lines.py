"""Finds the lines of events that could not say who they are: a person has to find what is wrong in a file."""

from __future__ import annotations

import codecs
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from loket.wire.examination import examine
from loket.wire.figures import Rejection
from loket.wire.record import CONTENT_TYPE

__all__ = ["with_lines"]

_HEADERS = [("content-type", CONTENT_TYPE)]

_Kind = tuple[str, str | None]
"""Reason and field."""


class _Named(Struct):
    source: str
    id: str


_named = msgspec.json.Decoder(_Named)


def with_lines(rejected: Sequence[Rejection], file: Path) -> list[Rejection]:
    """The rejections of a `.jsonl` file; those that name neither source nor id get the file and `line N` for them.

    A record knows its offset and no line, so the file is read again, as far as there is something to be found.
    """
    wanted = Counter(_kind(found) for found in rejected if _is_nameless(found))
    lines = _lines_of(wanted, file) if wanted else {}
    placed = []
    for found in rejected:
        if _is_nameless(found) and lines.get(_kind(found)):
            number = lines[_kind(found)].popleft()
            found = Rejection(file.name, f"line {number}", found.reason, found.field)
        placed.append(found)
    return placed


def _kind(rejection: Rejection) -> _Kind:
    return rejection.reason, rejection.field


def _is_nameless(rejection: Rejection) -> bool:
    return rejection.source is None and rejection.id is None


def _lines_of(wanted: Counter[_Kind], file: Path) -> dict[_Kind, deque[int]]:
    found: dict[_Kind, deque[int]] = defaultdict(deque)
    missing = wanted.total()
    for number, value in _nameless(file):
        examined = examine(value, _HEADERS)
        if examined.fault is None or examined.source is not None or examined.id is not None:
            continue
        kind = (str(examined.fault.reason), examined.fault.field)
        if len(found[kind]) < wanted[kind]:
            found[kind].append(number)
            missing -= 1
            if not missing:
                break
    return found


def _nameless(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of which source and id are not read at once."""
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            value = (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).strip()
            if not value:
                continue
            try:
                _named.decode(value)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                yield number, value
