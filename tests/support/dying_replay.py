"""A replay of dead letters that dies by SIGKILL once Kafka has them, before they are marked: `python -m …`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from loket.cli import main
from loket_consumers import replaying

if __name__ == "__main__":

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(replaying, "mark_replayed", die)  # noqa: B010 (it is the module's own import)
    main(["dead-letters", "replay", *sys.argv[1:]])
