"""A worker whose event loop stands still for good at the next batch, once the file $STUCK is there: `python -m …`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from loket.cli import main
from loket_streams.processing import Processor

if __name__ == "__main__":
    process: Any = Processor.process

    def stick(self: Processor, batch: Any) -> None:
        while Path(os.environ["STUCK"]).exists():
            time.sleep(0.1)
        process(self, batch)

    Processor.process = stick  # type: ignore[method-assign]
    main(["worker"])
