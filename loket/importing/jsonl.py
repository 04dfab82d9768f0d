"""A `.jsonl` file of CloudEvents, one on a line, to records as they are: what cannot be read becomes a dead letter."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw, Struct

from loket.importing.mapping import LogError
from loket.importing.report import RefusedRowError, Report

__all__ = ["MAX_LINE_BYTES", "UNKNOWN_UNIT", "lines_of"]

MAX_LINE_BYTES: Final = 1_000_000
"""The largest record that a topic with Kafka's default limits takes; the contract's own limit is lower, and is the
reader's to apply."""

UNKNOWN_UNIT: Final = b"unknown"
"""The key of a record that names no unit, so that it reaches its reader all the same."""

_CHECKED: Final = 1 << 16


class _Data(Struct):
    unit: str


class _Unit(Struct):
    data: Raw = Raw()


_envelope = msgspec.json.Decoder(_Unit)
_data = msgspec.json.Decoder(_Data)


def lines_of(
    path: Path, report: Report, on_bytes: Callable[[int], None] | None = None
) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and value of each line, in the order of the file; empty lines are none.

    Raises LogError if the file cannot be read, is UTF-16 or is one JSON array. A line that no broker would take is
    noted in `report`.
    """
    file = str(path)
    try:
        stream = path.open("rb")
    except OSError as error:
        told = f"cannot be read: {(error.strerror or str(error)).lower()}; check the path and the rights"
        raise LogError(file, 0, told) from error
    with stream:
        first = stream.peek(_CHECKED)[:_CHECKED]
        if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in first[:4]:
            raise LogError(file, 1, "is not UTF-8, as JSON is: export it in UTF-8")
        if first.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
            raise LogError(file, 1, "is one JSON array: write each event on a line of its own")
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 2):
            number += 1
            if on_bytes is not None and number % 1_024 == 0:
                on_bytes(stream.tell())
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            value = line.rstrip(b"\r\n")
            if not value.strip():
                continue
            report.rows += 1
            if len(value) > MAX_LINE_BYTES:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(MAX_LINE_BYTES)
                told = f"is longer than {MAX_LINE_BYTES:,} bytes, which no broker takes: events have 64 kB at most"
                report.refuse(number, RefusedRowError("", value[:40].decode(errors="replace"), told))
                continue
            report.events += 1
            yield _key(value), value


def _key(value: bytes) -> bytes:
    try:
        unit = _data.decode(_envelope.decode(value).data).unit
        return unit.encode()[:256] or UNKNOWN_UNIT
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return UNKNOWN_UNIT
