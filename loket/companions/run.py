"""A run: a temporary folder, the processes in it, and what has to be undone; all of it goes with the run.

```
Run ── caretaker      knows folder, processes and last commands: clears up if the run is killed
 ├──── folder         logs, database
 └──── companions     ended in the reverse order of their start
```
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from loket.companions import caretaker
from loket.companions.companion import LOKET, Companion
from loket.companions.interruption import uninterrupted

__all__ = ["Run"]


class Run:
    """Enter it to have a folder and a caretaker; leaving it ends every process and removes the folder.

    What has to be closed before the folder goes is put on `stack`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._stack = ExitStack()
        self._caretaker: subprocess.Popen[bytes] | None = None
        self.folder = Path()
        self.companions: list[Companion] = []

    def __enter__(self) -> Self:
        with uninterrupted():
            self.folder = Path(tempfile.mkdtemp(prefix=f"loket-{self._name}-"))
            self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            try:
                self._caretaker = subprocess.Popen(
                    [sys.executable, caretaker.__file__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    start_new_session=True,
                )
                self._tell("folder", str(self.folder))
            except BaseException:
                self._stack.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with uninterrupted():
            try:
                self._stack.close()
            finally:
                self._dismiss()

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        output: Path | None = None,
        program: Sequence[str] = LOKET,
    ) -> Companion:
        """Start `python -m loket ARGUMENTS`, or another program with them. It writes to `folder/NAME.log`, standard
        output to `output` if named."""
        with uninterrupted():
            log = self.folder / f"{name}.log"
            companion = Companion(name, arguments, environment, log, self.folder, output, program)
            self._stack.callback(companion.stop)
            self.companions.append(companion)
            self.watch(companion.id)
        return companion

    def watch(self, process: int) -> None:
        """Let the caretaker know a process that leads a group of its own and is ended elsewhere when all goes well."""
        self._tell("process", process, caretaker.started(process))

    def undo(self, command: Sequence[str]) -> None:
        """Let the caretaker know a command that undoes what the run did outside of its folder, should it be killed."""
        self._tell("command", list(command))

    @property
    def stack(self) -> ExitStack:
        """What is closed when the run ends, in reverse order, before the folder goes."""
        return self._stack

    def _tell(self, *line: object) -> None:
        if self._caretaker is not None and self._caretaker.stdin is not None:
            self._caretaker.stdin.write(json.dumps(line).encode() + b"\n")
            self._caretaker.stdin.flush()

    def _dismiss(self) -> None:
        if self._caretaker is None or self._caretaker.stdin is None:
            return
        self._tell("done")
        self._caretaker.stdin.close()
        self._caretaker.wait()


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a companion: ours without any setting of Loket, and `settings`, so that nothing leaks in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
    return kept | {"PYTHONUNBUFFERED": "1"} | dict(settings)
