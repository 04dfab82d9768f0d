"""Reads a delimited log by a mapping: events in the order of their times, and a report of what was refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from loket.domain.events import Event
from loket.importing.delimited import check_encoding, rows_of
from loket.importing.mapping import Mapping
from loket.importing.ordering import EVENTS_IN_MEMORY, TimeOrder
from loket.importing.report import RefusedRowError, Report
from loket.importing.rows import RowReader

__all__ = ["IDS_REMEMBERED", "events_of"]

IDS_REMEMBERED: Final = 1_000_000
"""Events whose ids are compared with those that come later, about 170 MB; of more the broker's readers find out."""


def events_of(
    mapping: Mapping,
    path: Path,
    report: Report,
    *,
    secret: bytes | None = None,
    on_bytes: Callable[[int], None] | None = None,
    in_memory: int = EVENTS_IN_MEMORY,
) -> Iterator[Event]:
    """Yield the events of a log by time, as a queue system would have sent them.

    Raises LogError before the first event if the file as a whole is not what the mapping says. A row that cannot be
    read is noted in `report`, which is complete when the first event comes.
    """
    check_encoding(path, mapping.format.encoding)
    reader = RowReader(mapping, secret)
    order = TimeOrder(in_memory)
    seen = _Seen()
    for row in rows_of(path, mapping.format, mapping.columns, on_bytes):
        report.rows += 1
        try:
            if row.fault is not None:
                raise row.fault
            if reader.left_out(row.cells):
                report.left_out += 1
                continue
            events = reader.events(row.cells)
            if _outside(mapping, events):
                report.outside += 1
                continue
            fresh = seen.fresh(events, row.line)
        except RefusedRowError as error:
            report.refuse(row.line, error)
            continue
        report.repeated += not fresh
        report.events += len(fresh)
        for event in fresh:
            order.add(event)
    yield from order.sorted()


def _outside(mapping: Mapping, events: list[Event]) -> bool:
    first = min(event.time for event in events)
    return (mapping.from_ms is not None and first < mapping.from_ms) or (
        mapping.until_ms is not None and first >= mapping.until_ms
    )


class _Seen:
    """The ids that came so far: an event that comes again is left out, one that says something else is refused."""

    def __init__(self) -> None:
        # The id's hash to 32 bits of the content's and the line: one dict of integers, as there are many.
        self._known: dict[int, int] = {}

    def fresh(self, events: list[Event], line: int) -> list[Event]:
        """Those of a row's events that did not come before. Raises RefusedRowError, then none is remembered."""
        found: dict[int, int] = {}
        fresh = []
        for event in events:
            identity = _hash(event.id)
            content = _hash(repr((type(event).__name__, event.time, event.data))) & 0xFFFFFFFF
            known = self._known.get(identity, found.get(identity))
            if known is None:
                found[identity] = content << 32 | line
                fresh.append(event)
            elif known >> 32 != content:
                told = (
                    f"its {event.id} says something else than that of line {known & 0xFFFFFFFF}: the key columns do "
                    "not tell the two apart; add a column to `subject`, or to the event's `id`"
                )
                raise RefusedRowError("", event.id, told)
        if len(self._known) < IDS_REMEMBERED:
            self._known.update(found)
        return fresh


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
