"""Events as lines of JSON: read one by one into an emitter, and written out again when they were set aside."""

import os
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

import msgspec
from msgspec import Struct

from loket.emitter.emitter import Emitter
from loket.emitter.errors import ClockNotSet, OutboxError, OutboxUnwritable
from loket.emitter.frame import read_frame
from loket.emitter.salvage import Aside
from loket.emitter.store import sync_folder
from loket.errors import LoketError
from loket.wire.contract import MAX_VALUE_BYTES
from loket.wire.rejection import Reason, Rejected

__all__ = ["Answer", "answers", "lines_of", "write_aside"]

_MAX_LINE_BYTES: Final = 2 * MAX_VALUE_BYTES
"""Ids that will be hashed and spaces between may make a line longer than its event."""


class Answer(Struct, frozen=True, omit_defaults=True):
    """What became of one line: the event's `id` where it is on the disk, else why it is not."""

    line: int
    id: str | None = None
    refused: str | None = None
    field: str | None = None
    message: str | None = None


def lines_of(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines of a stream; of one that is too long only so much that it is refused for it."""
    while line := stream.readline(_MAX_LINE_BYTES + 1):
        if len(line) > _MAX_LINE_BYTES:
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = stream.readline(_MAX_LINE_BYTES)
        yield line


def answers(emitter: Emitter, lines: Iterable[bytes], *, until_full: bool) -> Iterator[Answer]:
    """Give each line's event to the emitter and say what became of it; empty lines are skipped.

    A line that is refused holds no other up. An outbox that takes nothing ends it by its OutboxError if `until_full`;
    otherwise each line is answered, as there may be room again by the next.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield Answer(number, id=emitter.emit(_event(line)))
        except Rejected as error:
            yield Answer(number, refused=error.reason.value, field=error.field, message=str(error))
        except ClockNotSet as error:
            yield Answer(number, refused="clock_not_set", field="time", message=str(error))
        except OutboxError as error:
            if until_full:
                raise
            yield Answer(number, refused="outbox", message=str(error))


def _event(line: bytes) -> dict[str, Any]:
    if len(line) > _MAX_LINE_BYTES:
        raise Rejected(Reason.TOO_LARGE)
    try:
        event: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Rejected(Reason.NOT_JSON) from None
    return event


def write_aside(path: Path, rows: Sequence[Aside]) -> None:
    """Write events that were set aside, each with the reason as `aside`, into a new file that survives a power cut.

    `loket emit` takes such lines again once they are mended. Raises LoketError.
    """
    try:
        with path.open("xb") as file:
            for row in rows:
                file.write(_line(row))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.absolute().parent)
    except FileExistsError:
        raise LoketError(f"{path} exists and was left as it is: name a new file") from None
    except OSError as error:
        raise OutboxUnwritable(
            path, f"{path} cannot be written ({error.strerror}); the events are still in the outbox"
        ) from error


def _line(row: Aside) -> bytes:
    frame = read_frame(row.frame)
    reason = msgspec.json.encode(row.reason)
    if frame is None:
        return b'{"aside":' + reason + b',"bytes":"' + b64encode(row.frame) + b'"}\n'
    return b'{"aside":' + reason + b"," + frame.value[1:] + b"\n"
