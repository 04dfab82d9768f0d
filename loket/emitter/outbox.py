"""The outbox: events on the disk in the order in which they came, until the broker has acknowledged each of them."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import msgspec

from loket.emitter.clockwatch import ClockRecord, Jump, Reading
from loket.emitter.errors import OutboxClosed, OutboxFull
from loket.emitter.frame import Frame, read_frame
from loket.emitter.lock import OutboxLock
from loket.emitter.opening import mended, open_database
from loket.emitter.salvage import Aside
from loket.emitter.store import LOG_BYTES, PAGE_BYTES, Damaged, Limits, explained, transaction, write_notes

__all__ = ["Outbox"]

_RESERVE_PAGES: Final = 32
"""Kept free, so that an outbox that is full can still note, set aside and delete."""

_ROW_BYTES: Final = 64


_P = ParamSpec("_P")
_R = TypeVar("_R")


def _mending(
    method: Callable[Concatenate["Outbox", _P], _R],
) -> Callable[Concatenate["Outbox", _P], _R]:
    """A file that proves damaged in use is mended, and what was asked for is done on the mended one."""

    @wraps(method)
    def mending(self: "Outbox", /, *arguments: _P.args, **named: _P.kwargs) -> _R:
        with self._mutex:
            try:
                return method(self, *arguments, **named)
            except Damaged as damage:
                self._mend(str(damage))
                return method(self, *arguments, **named)

    return mending


class Outbox:
    """Events that wait to be sent, one process at a time, any number of threads.

    What `append` returned survives a kill and a power cut. Numbers only grow. A file that is damaged is put aside, what
    can be read of it is here, and `incidents` says so. Raises OutboxError and NotAnOutbox, also from every method.
    """

    def __init__(self, path: Path, limits: Limits, reading: Reading) -> None:
        self.path = path
        self.limits = limits
        self._mutex = threading.RLock()
        self._lock = OutboxLock(path)
        self._pid = os.getpid()
        self._now_ms = reading.wall_ms
        try:
            self._connection = open_database(path, limits, reading.wall_ms)
            with self._database() as connection:
                self._take_count(connection)
        except BaseException:
            self._lock.release()
            raise

    @_mending
    def append(self, values: Sequence[bytes], reading: Reading) -> list[int]:
        """Store events (JSON without `sent`), all or none, and return their numbers; they are on the disk then.

        Raises OutboxFull with nothing stored.
        """
        self._now_ms = reading.wall_ms
        with self._database() as connection:
            self._make_sure_of_room(connection, values)
            floor = self._floor(connection)
            first = self._last + 1
            frames = [
                Frame(first + at, floor or first, reading.wall_ms, reading.uptime_ms, reading.boot, value)
                for at, value in enumerate(values)
            ]
            with transaction(connection):
                connection.executemany(
                    "INSERT INTO waiting VALUES (?, ?)", [(frame.seq, frame.to_bytes()) for frame in frames]
                )
            self._last += len(frames)
            self._waiting += len(frames)
            return [frame.seq for frame in frames]

    @_mending
    def waiting(self, count: int, max_bytes: int) -> list[Frame]:
        """The first events that wait, in order: at most `count`, and (but for the first) at most so many bytes.

        A row that is not as it was written is set aside here.
        """
        found: list[Frame] = []
        with self._database() as connection:
            rows = connection.execute("SELECT seq, frame FROM waiting ORDER BY seq LIMIT ?", (count,)).fetchall()
            for seq, data in rows:
                frame = read_frame(data)
                if frame is None:
                    self.set_aside(seq, "damaged on the disk", 0)
                    continue
                max_bytes -= len(frame.value)
                if found and max_bytes < 0:
                    break
                found.append(frame)
        return found

    @_mending
    def acknowledge(self, seqs: Sequence[int], notes: Iterable[tuple[str, str]] = ()) -> None:
        """Forget events that the broker has; in the same step write notes."""
        with self._database() as connection:
            with transaction(connection):
                gone = connection.executemany("DELETE FROM waiting WHERE seq = ?", [(seq,) for seq in seqs]).rowcount
                floor = Frame(0, self._floor(connection) or self._last + 1, 0, 0, 0, b"")
                write_notes(connection, [*notes, ("floor", floor.to_bytes())])
            self._waiting -= max(gone, 0)

    @_mending
    def set_aside(self, seq: int, reason: str, at_ms: int) -> None:
        """Move an event out of the way of the others; it stays, with the reason."""
        with self._database() as connection:
            with transaction(connection):
                connection.execute(
                    "INSERT INTO aside SELECT seq, ?, ?, frame FROM waiting WHERE seq = ?", (at_ms, reason, seq)
                )
                gone = connection.execute("DELETE FROM waiting WHERE seq = ?", (seq,)).rowcount
            self._waiting -= gone
            self._set_aside += gone

    @_mending
    def aside(self) -> list[Aside]:
        """The events that were set aside."""
        with self._database() as connection:
            return [Aside(*row) for row in connection.execute("SELECT * FROM aside ORDER BY seq")]

    @_mending
    def forget_aside(self, seqs: Sequence[int]) -> None:
        """Delete events that were set aside, once the caller has them in a safe place."""
        with self._database() as connection:
            with transaction(connection):
                gone = connection.executemany("DELETE FROM aside WHERE seq = ?", [(seq,) for seq in seqs]).rowcount
            self._set_aside -= max(gone, 0)

    @_mending
    def note(self, name: str, value: str) -> None:
        """Keep a text under a name."""
        with self._database() as connection, transaction(connection):
            write_notes(connection, [(name, value)])

    @_mending
    def noted(self, name: str) -> str | None:
        """The text under a name."""
        with self._database() as connection:
            row = connection.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    @_mending
    def add_jump(self, jump: Jump, reading: Reading) -> None:
        """Keep a jump of the device's clock, and the reading that showed it."""
        clock, after = (msgspec.json.encode(note).decode() for note in (self.clock_record().with_jump(jump), reading))
        with self._database() as connection, transaction(connection):
            write_notes(connection, [("clock", clock), ("reading", after)])

    def clock_record(self) -> ClockRecord:
        """The jumps of the device's clock since the outbox was made."""
        noted = self.noted("clock")
        return msgspec.json.decode(noted, type=ClockRecord) if noted else ClockRecord()

    @_mending
    def last_reading(self, now: Reading) -> Reading | None:
        """The last reading of both clocks on the disk, of this start of the machine if there is one."""
        found = []
        if (noted := self.noted("reading")) is not None:
            found.append(msgspec.json.decode(noted, type=Reading))
        with self._database() as connection:
            row = connection.execute("SELECT frame FROM waiting ORDER BY seq DESC LIMIT 1").fetchone()
        if row is not None and (frame := read_frame(row[0])) is not None:
            found.append(Reading(frame.stored_at_ms, frame.uptime_ms, frame.boot))
        of_this_start = [reading for reading in found if reading.boot == now.boot]
        if of_this_start:
            return max(of_this_start, key=lambda reading: reading.uptime_ms)
        return max(found, key=lambda reading: reading.wall_ms, default=None)

    @property
    def pending(self) -> int:
        """How many events wait."""
        return self._waiting

    def close(self) -> None:
        """Let another process have the outbox. Everything is on the disk already."""
        with self._mutex:
            if os.getpid() == self._pid:
                self._connection.close()
            self._lock.release()

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """The connection, to one thread at a time."""
        if os.getpid() != self._pid:
            raise OutboxClosed(
                self.path,
                f"the outbox {self.path} belongs to process {self._pid}: a process forked from it opens its own",
            )
        with self._mutex, explained(self.path):
            yield self._connection

    def _mend(self, what: str) -> None:
        self._connection.close()
        self._connection = mended(self.path, self.limits, what, self._now_ms)
        with self._database() as connection:
            self._take_count(connection)

    def _take_count(self, connection: sqlite3.Connection) -> None:
        self._waiting: int = connection.execute("SELECT count(*) FROM waiting").fetchone()[0]
        self._set_aside: int = connection.execute("SELECT count(*) FROM aside").fetchone()[0]
        self._last: int = connection.execute("SELECT seq FROM sqlite_sequence").fetchone()[0]

    def _floor(self, connection: sqlite3.Connection) -> int | None:
        found: int | None = connection.execute("SELECT min(seq) FROM waiting").fetchone()[0]
        return found

    def _make_sure_of_room(self, connection: sqlite3.Connection, values: Sequence[bytes]) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        free = connection.execute("PRAGMA freelist_count").fetchone()[0]
        needed = sum(len(value) + _ROW_BYTES for value in values) // PAGE_BYTES + len(values) // 8 + _RESERVE_PAGES
        allowed = (self.limits.max_bytes - LOG_BYTES) // PAGE_BYTES
        held = self._waiting + self._set_aside
        if held + len(values) <= self.limits.max_events and pages - free + needed <= allowed:
            return
        raise OutboxFull(
            self.path,
            f"the outbox {self.path} is full, and the event was not taken: {self._waiting} events wait, "
            f"{self._set_aside} are set aside (limits: {self.limits.max_events} events, {self.limits.max_bytes} bytes)."
            " See with `loket emit --status` why they are not sent, take out with `loket emit --aside FILE` those set "
            "aside, or raise max_events and max_bytes",
        )
