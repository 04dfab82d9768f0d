"""What a try is asked to do, checked before anything is started: a wrong call must not cost half a minute."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from msgspec import Struct

from loket.errors import UsageError
from loket.importing import Outgoing, Report, read_mapping, records_of, secret_of
from loket.targets import load_targets
from loket.wire.instant import parse_instant

__all__ = ["Asked", "NothingToTry", "open_log"]


class NothingToTry(UsageError):
    """The file holds nothing from which an event could come."""


class Asked(Struct, frozen=True, kw_only=True):
    """The arguments of `loket try`. `topic`, on the broker at `bootstrap`, is kept and read from its beginning."""

    file: Path
    mapping: Path | None = None
    targets: Path | None = None
    now: str | None = None
    bootstrap: str | None = None
    topic: str | None = None

    def check(self) -> None:
        """Raise UsageError for what is wrong with the call; the file's own content is looked at by `open_log`."""
        if self.topic is not None and self.bootstrap is None:
            raise UsageError("--topic names a topic of a Kafka that goes on: name that Kafka with --bootstrap")
        if self.now is not None:
            try:
                parse_instant(self.now)
            except ValueError as error:
                told = "write an RFC 3339 time with an offset, such as 2026-01-31T16:00:00+07:00"
                raise UsageError(f"--now {self.now}: {error}; {told}") from error
        if not self.file.exists():
            raise UsageError(f"{self.file} does not exist: check the path")
        if self.file.is_dir():
            raise UsageError(f"{self.file} is a folder: name one file in it")
        if self.file.stat().st_size == 0:
            raise NothingToTry(f"{self.file} is empty: check that the export wrote what it should")
        if self.targets is not None:
            load_targets(self.targets)


def open_log(asked: Asked, report: Report, on_bytes: Callable[[int], None]) -> Iterator[Outgoing]:
    """The records of the file, once its mapping is read and the file is found to be what the mapping says.

    A delimited log has been read whole when this returns. Raises MappingError, LogError and NothingToTry. A file whose
    rows are all refused has no records, which is no error: `report` lists them.
    """
    mapping = None if asked.mapping is None else read_mapping(asked.mapping)
    secret = None if mapping is None else secret_of(mapping, os.environ)
    records = iter(records_of(asked.file, mapping, report, secret=secret, on_bytes=on_bytes))
    first = next(records, None)
    if first is not None:
        return chain((first,), records)
    if not report.refused:
        left = f"{report.left_out:,} left out by `skip`, {report.outside:,} outside `from` and `until`"
        told = f"{report.rows:,} rows were read, {left}" if report.rows else "it has no rows"
        raise NothingToTry(f"{asked.file} brings no event: {told}")
    return iter(())
