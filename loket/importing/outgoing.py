"""A file to the records that an import sends, whichever kind of file it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from loket.importing.jsonl import lines_of
from loket.importing.mapping import LogError, Mapping
from loket.importing.reading import events_of
from loket.importing.report import Report
from loket.wire.cloudevents import encode
from loket.wire.record import CONTENT_TYPE

__all__ = ["JSONL", "Outgoing", "records_of"]

JSONL: Final = (".jsonl", ".ndjson")


class Outgoing(NamedTuple):
    """What is handed to a producer, and the event's own time where it is known (ms UTC)."""

    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int | None


def records_of(
    path: Path,
    mapping: Mapping | None,
    report: Report,
    *,
    secret: bytes | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[Outgoing]:
    """Yield the records of a delimited log with its mapping, or of a `.jsonl` file of CloudEvents without one.

    Raises LogError where the file is not what it should be, before the first record.
    """
    if mapping is not None:
        for event in events_of(mapping, path, report, secret=secret, on_bytes=on_bytes):
            encoded = encode(event)
            yield Outgoing(encoded.key, encoded.value, encoded.headers, int(event.time))
    elif path.suffix.lower() in JSONL:
        for key, value in lines_of(path, report, on_bytes):
            yield Outgoing(key, value, [("content-type", CONTENT_TYPE)], None)
    else:
        told = f"is no {' or '.join(JSONL)} file of CloudEvents, so it needs a mapping: give --mapping MAPPING.yaml"
        raise LogError(str(path), 0, told)
