"""Removes the topics and groups of a run from a broker that goes on: by the run itself, or after it was killed.

`python -m loket.pipeline.removing FILE` is what the run's caretaker calls; the file says where and what.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from loket.broker.removal import remove_groups, remove_topics
from loket.errors import LoketError
from loket.settings import Connection

__all__ = ["Leftovers"]


class Leftovers(Struct, frozen=True):
    """What a run has made on a broker."""

    connection: Connection
    topics: list[str]
    groups: list[str]

    def remove(self) -> None:
        """Remove it all. Raises BrokerError."""
        remove_topics(self.connection, self.topics)
        remove_groups(self.connection, self.groups)

    def write(self, path: Path) -> list[str]:
        """Write it down, for nobody else to read, and return the command that removes it."""
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.encode(self))
        return [sys.executable, "-m", __name__, str(path)]


def main(path: Path) -> None:
    """Remove what a file names."""
    msgspec.json.decode(path.read_bytes(), type=Leftovers).remove()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except LoketError as error:
        sys.exit(str(error))
