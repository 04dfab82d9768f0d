"""One process for each outbox: a lock that the kernel gives back when its holder ends, however it ends."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from loket.emitter.errors import OutboxInUse, OutboxUnwritable

__all__ = ["OutboxLock", "holder", "lock_path"]

_TRIES: Final = 5
_PAUSE_S: Final = 0.05


def lock_path(outbox: Path) -> Path:
    """The lock file beside an outbox. It stays when the lock is given back, as deleting it would let two in."""
    return outbox.with_name(f"{outbox.name}.lock")


class OutboxLock:
    """Holds the lock of an outbox until it is released or the process ends; its file names the process.

    Raises OutboxInUse where another process (or another emitter of this one) holds it, and OutboxUnwritable where the
    lock file cannot be written. Not promised on network file systems.
    """

    def __init__(self, outbox: Path) -> None:
        path = lock_path(outbox)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OutboxUnwritable(
                outbox,
                f"the outbox {outbox} cannot be used: {path}: {error.strerror}; make the folder, let this user write "
                "to it, or name another place",
            ) from error
        if not self._locked():
            os.close(self._file)
            raise OutboxInUse(outbox, _named_in(path))
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def _locked(self) -> bool:
        for attempt in range(_TRIES):  # a process that asks for the status looks at the lock for an instant
            if attempt:
                time.sleep(_PAUSE_S)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return True
        return False

    def release(self) -> None:
        """Let another process have the outbox; once is enough."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def holder(outbox: Path) -> int | None:
    """The process that holds the outbox; None where nobody does, 0 where it did not say which it is."""
    path = lock_path(outbox)
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named_in(path) or 0
    finally:
        os.close(file)
    return None


def _named_in(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
