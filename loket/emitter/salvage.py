"""What becomes of an outbox whose file is damaged: what is readable goes into a new one, the rest is kept and named.

```
outbox.db, outbox.db-wal ──read what can be read──▶ outbox.db.making ──whole, on the disk──▶ outbox.db.mended-<time>
                                                                                                  │ from here on it
outbox.db-wal ──▶ outbox.db.damaged-<time>-wal,  outbox.db ──▶ outbox.db.damaged-<time>           │ can only go on
                                                                 outbox.db ◀──────────────────────┘
```

A kill at any moment leaves either the damaged file alone, or a mended one that the next start puts in its place.
"""

import sqlite3
import struct
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from loket.emitter.frame import Frame, find_frames, read_frame
from loket.emitter.store import PAGE_BYTES, create, explained, log_path, read_only, sync_folder
from loket.wire.instant import format_instant

__all__ = [
    "Aside",
    "Incident",
    "committed_in_log",
    "finish",
    "missing",
    "ranges",
    "salvage",
    "stamped",
    "with_incident",
]

_MENDED: Final = ".mended-"
_KEPT: Final = 20
_LOG_HEAD_BYTES: Final = 32
_LOG_FRAME: Final = struct.Struct(">II8s8x")
"""The head of a page in the log: its number, the size of the database where it ends a commit, salts, checksums."""


class Incident(Struct, frozen=True):
    """A damaged outbox: when it was found, what was wrong, the file that was kept, and how many events were read.

    `missing` names the numbers of the events that could not be read, as in "17, 20-31"; among them may be some that
    had been acknowledged.
    """

    at_ms: int
    what: str
    kept: str
    read: int
    missing: str


class Aside(NamedTuple):
    """A row of what was set aside; the frame as it was stored, readable or not."""

    seq: int
    at_ms: int
    reason: str
    frame: bytes


def salvage(path: Path, what: str, now_ms: int) -> Incident | None:
    """Put a new outbox in the place of a damaged one. None (and nothing changed) where no event of Loket is in it."""
    stored = _bytes(path) + _bytes(log_path(path))
    waiting, aside, notes, last = _through_sqlite(path)
    scattered = list(find_frames(stored))
    if stored and not (waiting or aside or notes or scattered):
        return None
    known = {*waiting, *(row.seq for row in aside)}
    floor = max([1, *(frame.floor for frame in (*waiting.values(), *scattered))])
    for frame in scattered:
        if frame.seq >= floor and frame.seq not in known and frame.value:
            waiting[frame.seq] = frame
    last = max([floor - 1, last, *waiting, *known])
    stamp = stamped(now_ms)
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    lost = missing(floor, last, {*waiting, *known})
    incident = Incident(now_ms, what, str(kept), len(waiting) + len(aside), lost)
    notes["incidents"] = with_incident(notes.get("incidents"), incident)
    _make(path, stamp, waiting.values(), aside, notes, last)
    finish(path)
    return incident


def with_incident(noted: str | bytes | None, incident: Incident) -> str:
    """The note of all incidents (the last twenty) with one more."""
    before = msgspec.json.decode(noted, type=list[Incident]) if noted else []
    return msgspec.json.encode([*before, incident][-_KEPT:]).decode()


def finish(path: Path) -> None:
    """Go on with a mending that was interrupted; does nothing where there was none."""
    path.with_name(f"{path.name}.making").unlink(missing_ok=True)
    for mended in sorted(path.parent.glob(f"{path.name}{_MENDED}*")):
        kept = path.with_name(f"{path.name}.damaged-{mended.name.rpartition(_MENDED)[2]}")
        with suppress(FileNotFoundError):
            log_path(path).rename(log_path(kept))  # before the database: a log beside another one would be played
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            path.rename(kept)
        sync_folder(path.parent)
        mended.rename(path)
        sync_folder(path.parent)


def committed_in_log(path: Path) -> tuple[bytes, list[Frame]]:
    """The log beside an outbox, and every event that a commit in it stored, by number.

    To be asked before SQLite opens it: SQLite forgets all that follows a damaged page of its log, without a word.
    """
    log = _bytes(log_path(path))
    step = _LOG_FRAME.size + PAGE_BYTES
    places = range(_LOG_HEAD_BYTES, len(log) - step + 1, step)
    heads = [_LOG_FRAME.unpack_from(log, at) for at in places]
    # Of this round of the log; what an earlier round left behind it has others. A head that is damaged does not know.
    salts = log[16:24] if _is_whole(log[:_LOG_HEAD_BYTES]) or not heads else heads[0][2]
    commits = [at for at, (_, size, salt) in enumerate(heads) if size and salt == salts]
    found: dict[int, Frame] = {}
    for at in range(commits[-1] + 1 if commits else 0):
        if heads[at][2] == salts:
            page = places[at] + _LOG_FRAME.size
            found.update((frame.seq, frame) for frame in find_frames(log[page : page + PAGE_BYTES]))
    return log, [found[seq] for seq in sorted(found)]


def _is_whole(head: bytes) -> bool:
    """Whether the head of a log has the checksum that it says (SQLite's file format, 4.2: the write-ahead log)."""
    if len(head) < _LOG_HEAD_BYTES:
        return False
    words = struct.unpack(f"{'>' if head[3] & 1 else '<'}6I", head[:24])
    first = second = 0
    for at in range(0, len(words), 2):
        first = (first + words[at] + second) & 0xFFFF_FFFF
        second = (second + words[at + 1] + first) & 0xFFFF_FFFF
    return (first, second) == struct.unpack_from(">II", head, 24)


def missing(first: int, last: int, known: Iterable[int]) -> str:
    """The numbers from first to last that are not known, as ranges."""
    gaps = []
    expected = first
    for seq in sorted(known):
        if seq > expected:
            gaps.append((expected, seq - 1))
        expected = max(expected, seq + 1)
    if expected <= last:
        gaps.append((expected, last))
    return ranges(gaps)


def ranges(gaps: Iterable[tuple[int, int]]) -> str:
    """Ranges of numbers as a person writes them."""
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in gaps)


def stamped(now_ms: int) -> str:
    """A moment as part of a file's name."""
    return format_instant(now_ms).replace("-", "").replace(":", "").replace(".", "")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _through_sqlite(path: Path) -> tuple[dict[int, Frame], list[Aside], dict[str, str | bytes], int]:
    """Whatever SQLite still reads, each table from both ends towards the damage, and the last number that it knows."""
    last = 0
    waiting: dict[int, Frame] = {}
    aside: dict[int, Aside] = {}
    notes: dict[str, str | bytes] = {}
    with suppress(sqlite3.Error), closing(read_only(path)) as connection:
        for seq, data in _rows(connection, "waiting", "seq, frame"):
            if (frame := read_frame(data)) is not None:
                waiting[seq] = frame
            else:
                aside[seq] = Aside(seq, 0, "damaged on the disk", data)
        for row in _rows(connection, "aside", "seq, at_ms, reason, frame"):
            aside[row[0]] = Aside(*row)
        with suppress(sqlite3.Error):
            notes.update(connection.execute("SELECT name, value FROM notes"))
        with suppress(sqlite3.Error):
            last = int(connection.execute("SELECT seq FROM sqlite_sequence").fetchone()[0])
    return waiting, list(aside.values()), notes, last


def _rows(connection: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """Rows upwards until one cannot be read, then downwards until one cannot or the first part is reached."""
    select = f"SELECT {columns} FROM {table}"  # noqa: S608 (names of ours)
    reached = -1
    try:
        while row := connection.execute(f"{select} WHERE seq > ? ORDER BY seq LIMIT 1", (reached,)).fetchone():
            reached = row[0]
            yield row
    except sqlite3.Error:
        at = 2**62
        with suppress(sqlite3.Error):
            while row := connection.execute(f"{select} WHERE seq < ? ORDER BY seq DESC LIMIT 1", (at,)).fetchone():
                at = row[0]
                if at <= reached:
                    return
                yield row


def _make(
    path: Path, stamp: str, waiting: Iterable[Frame], aside: Iterable[Aside], notes: dict[str, str | bytes], last: int
) -> None:
    making = path.with_name(f"{path.name}.making")
    making.unlink(missing_ok=True)
    with explained(path), closing(create(making)) as connection:
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO waiting VALUES (?, ?)", ((frame.seq, frame.to_bytes()) for frame in waiting)
        )
        connection.executemany("INSERT INTO aside VALUES (?, ?, ?, ?)", aside)
        connection.executemany("INSERT INTO notes VALUES (?, ?)", notes.items())
        connection.execute("UPDATE sqlite_sequence SET seq = ?", (last,))
        connection.execute("COMMIT")
    making.rename(path.with_name(f"{path.name}{_MENDED}{stamp}"))
    sync_folder(path.parent)
