"""How much waits in an outbox and what stands in its way, for anybody who may read the file, while it is in use too."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from loket.emitter.clockwatch import ClockRecord
from loket.emitter.errors import NotAnOutbox
from loket.emitter.frame import read_frame
from loket.emitter.lock import holder
from loket.emitter.salvage import Incident
from loket.emitter.sending import Sending
from loket.emitter.store import Damaged, check, explained, read_only

__all__ = ["Status", "read_status"]


class Status(Struct, frozen=True, kw_only=True):
    """An outbox at one moment; times in milliseconds UTC by the device's clock.

    `held_by` is the process that has it open (0: it did not say which), `set_aside` counts by reason, `bytes` are of
    all its files, and `damaged` is what is wrong with the file, which the next start mends.
    """

    path: str
    held_by: int | None
    pending: int = 0
    oldest_pending_at_ms: int | None = None
    set_aside: dict[str, int] = {}
    bytes: int = 0
    sending: Sending = Sending()
    clock: ClockRecord = ClockRecord()
    incidents: tuple[Incident, ...] = ()
    damaged: str | None = None


def read_status(path: Path) -> Status:
    """Return the status of an outbox; nothing is changed. Raises NotAnOutbox and OutboxError."""
    if not path.exists():
        raise NotAnOutbox(path, "not there, so there is no outbox yet")
    size = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*") if ".damaged-" not in file.name)
    held_by = holder(path)
    try:
        with explained(path), closing(read_only(path)) as connection:
            check(connection, path)
            return _read(connection, path, held_by, size)
    except Damaged as damage:
        return Status(path=str(path), held_by=held_by, bytes=size, damaged=str(damage))


def _read(connection: sqlite3.Connection, path: Path, held_by: int | None, size: int) -> Status:
    connection.execute("BEGIN")  # one moment for all of it
    first = connection.execute("SELECT frame FROM waiting ORDER BY seq LIMIT 1").fetchone()
    oldest = read_frame(first[0]) if first is not None else None
    notes = dict(connection.execute("SELECT name, value FROM notes WHERE name <> 'floor'"))

    def noted(name: str, kind: Any, otherwise: Any) -> Any:
        return msgspec.json.decode(notes[name], type=kind) if name in notes else otherwise

    return Status(
        path=str(path),
        held_by=held_by,
        pending=connection.execute("SELECT count(*) FROM waiting").fetchone()[0],
        oldest_pending_at_ms=oldest.stored_at_ms if oldest is not None else None,
        set_aside=dict(connection.execute("SELECT reason, count(*) FROM aside GROUP BY reason ORDER BY reason")),
        bytes=size,
        sending=noted("sending", Sending, Sending()),
        clock=noted("clock", ClockRecord, ClockRecord()),
        incidents=noted("incidents", tuple[Incident, ...], ()),
    )
