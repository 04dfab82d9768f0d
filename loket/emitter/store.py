"""The SQLite file of an outbox: its tables, how it is opened so that a power cut takes nothing, and its errors.

WAL with synchronous=FULL: a commit is one append and one sync of the log, and only then does it return; the database
is written at checkpoints alone, from a log that is on the disk. Measured beside it, a rollback journal with EXTRA (as
with FULL a power cut can take the last commit back) makes four syncs of each commit and is four times slower.
There is one connection, as the fault of SQLite up to 3.51.2 that can damage such a file needs two that write.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from loket.emitter.errors import NotAnOutbox, OutboxClosed, OutboxError, OutboxFull, OutboxUnwritable

__all__ = [
    "LOG_BYTES",
    "PAGE_BYTES",
    "Damaged",
    "Limits",
    "check",
    "connect",
    "create",
    "explained",
    "log_path",
    "read_only",
    "sync_folder",
    "transaction",
    "write_notes",
]

PAGE_BYTES: Final = 4096
LOG_BYTES: Final = 2 << 20
"""What the log beside the database may take: a checkpoint comes every 256 pages, and a reader may hold one off."""

_APPLICATION: Final = 0x4C6B6F62  # "Lkob"
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE waiting (seq INTEGER PRIMARY KEY AUTOINCREMENT, frame BLOB NOT NULL);
CREATE TABLE aside (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, reason TEXT NOT NULL, frame BLOB NOT NULL);
CREATE TABLE notes (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO sqlite_sequence VALUES ('waiting', 0);
"""
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Limits(Struct, frozen=True, kw_only=True):
    """How much an outbox may hold: events (waiting and set aside), and bytes of all its files."""

    max_events: int = 500_000
    max_bytes: int = 256 << 20

    def __post_init__(self) -> None:
        if self.max_events < 1 or self.max_bytes < 2 * LOG_BYTES:
            raise ValueError(f"an outbox holds at least 1 event and {2 * LOG_BYTES} bytes")


class Damaged(Exception):
    """The file is not what SQLite wrote. Caught by whoever can set it aside; never seen outside."""


def log_path(path: Path) -> Path:
    """The write-ahead log beside a database."""
    return path.with_name(f"{path.name}-wal")


def create(path: Path) -> sqlite3.Connection:
    """Make an empty outbox that nobody else can read; it is in one file until it is connected to."""
    with explained(path):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise OutboxUnwritable(path, f"the outbox {path} cannot be made: {error.strerror}") from error
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA synchronous = EXTRA")
        for pragma in (f"page_size = {PAGE_BYTES}", f"application_id = {_APPLICATION}", f"user_version = {_VERSION}"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(_SCHEMA)
    return connection


def connect(path: Path, limits: Limits) -> sqlite3.Connection:
    """Open an outbox for reading and writing. Raises Damaged, NotAnOutbox and OutboxError."""
    # Read first: a connection that may write would play the log into a file that is damaged, and delete it.
    with explained(path), closing(read_only(path)) as reading:
        check(reading, path)
    with explained(path):
        connection = sqlite3.connect(
            _uri(path, "rw"), uri=True, isolation_level=None, check_same_thread=False, timeout=5
        )
    try:
        with explained(path):
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise OutboxUnwritable(path, f"the disk of {path} cannot hold a write-ahead log; use a local disk")
            for pragma in (
                "synchronous = FULL",
                "secure_delete = ON",  # what was acknowledged must not be found again in a file that is damaged
                f"wal_autocheckpoint = {LOG_BYTES // 2 // PAGE_BYTES}",
                f"journal_size_limit = {LOG_BYTES}",
                f"max_page_count = {(limits.max_bytes - LOG_BYTES) // PAGE_BYTES}",
            ):
                connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing; its owner closes it."""
    return sqlite3.connect(_uri(path, "ro"), uri=True, isolation_level=None)


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Read every page. Raises Damaged where one is not as it was written, NotAnOutbox for another database."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise Damaged(said)
    if application != _APPLICATION:
        if not application and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise Damaged("the file is empty")
        raise NotAnOutbox(path, "a database of something else")
    if version != _VERSION:
        raise NotAnOutbox(path, f"an outbox of another version of Loket ({version}; this one knows {_VERSION})")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into Damaged or OutboxError."""
    try:
        yield
    except sqlite3.ProgrammingError as error:
        raise OutboxClosed(path, f"the outbox {path} is closed: open it again to give it events") from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGE:
            raise Damaged(str(error)) from error
        raise _error(path, code, error) from error


def _error(path: Path, code: int, error: sqlite3.Error) -> OutboxError:
    if code == sqlite3.SQLITE_FULL:
        return OutboxFull(
            path,
            f"the disk of the outbox {path} is full, and no event was taken; those that wait are safe: make room "
            "on that disk",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return OutboxUnwritable(
            path, f"another program holds the outbox {path} open and writes to it: stop that program ({error})"
        )
    return OutboxUnwritable(
        path,
        f"the outbox {path} cannot be read or written ({error}), and no event was taken: let this user write to the "
        "file and its folder, and look at the disk",
    )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; on the disk when it is left without an error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def write_notes(connection: sqlite3.Connection, notes: Iterable[tuple[str, str | bytes]]) -> None:
    """Keep values under names, in place of earlier ones."""
    connection.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?)", list(notes))


def sync_folder(path: Path) -> None:
    """See to it that the names of a folder's files survive a power cut."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
