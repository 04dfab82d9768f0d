"""How an outbox is opened: made where there is none, mended where it is damaged, and never without its log."""

import sqlite3
from pathlib import Path

from loket.emitter.errors import NotAnOutbox
from loket.emitter.frame import Frame
from loket.emitter.salvage import Incident, committed_in_log, finish, missing, salvage, stamped, with_incident
from loket.emitter.store import (
    Damaged,
    Limits,
    connect,
    create,
    explained,
    log_path,
    sync_folder,
    transaction,
    write_notes,
)

__all__ = ["mended", "open_database"]


def open_database(path: Path, limits: Limits, now_ms: int) -> sqlite3.Connection:
    """Return a connection to a whole outbox. For whoever holds its lock; raises NotAnOutbox and OutboxError."""
    finish(path)
    if not path.exists() and not log_path(path).exists():
        making = path.with_name(f"{path.name}.making")
        create(making).close()
        making.rename(path)
        sync_folder(path.parent)
    if not path.exists() or not path.stat().st_size:  # SQLite would throw the log of such a file away
        return mended(path, limits, "the database is empty or gone", now_ms)
    log, stored = committed_in_log(path)
    try:
        connection = connect(path, limits)
    except Damaged as damage:
        return mended(path, limits, str(damage), now_ms)
    with explained(path):
        last = connection.execute("SELECT seq FROM sqlite_sequence").fetchone()[0]
        forgotten = [frame for frame in stored if frame.seq > last]
        if forgotten:
            kept = path.with_name(f"{path.name}.damaged-{stamped(now_ms)}-wal")
            kept.write_bytes(log)
            gaps = missing(last + 1, forgotten[-1].seq, (frame.seq for frame in forgotten))
            incident = Incident(now_ms, "the write-ahead log is damaged", str(kept), len(forgotten), gaps)
            _take(connection, forgotten, incident)
    return connection


def mended(path: Path, limits: Limits, what: str, now_ms: int) -> sqlite3.Connection:
    """Put what can be read of a damaged outbox into a new one and connect to it. Raises NotAnOutbox."""
    if salvage(path, what, now_ms) is None:
        raise NotAnOutbox(path, "no outbox of Loket")
    return connect(path, limits)


def _take(connection: sqlite3.Connection, frames: list[Frame], incident: Incident) -> None:
    with transaction(connection):
        connection.executemany("INSERT INTO waiting VALUES (?, ?)", [(frame.seq, frame.to_bytes()) for frame in frames])
        noted = connection.execute("SELECT value FROM notes WHERE name = 'incidents'").fetchone()
        write_notes(connection, [("incidents", with_incident(noted and noted[0], incident))])
