"""Clears up after a run that was killed: ends its processes, runs its last commands, removes its folder.

A process of its own, which needs the standard library alone. It reads lines of JSON from its standard input, of which
only the run holds the other end; the end of input without `["done"]` before it means that the run is gone.

```
["process", id, started]    end it; `started` is the kernel's time of its start, so that nobody else's process is hit
["command", [argument, …]]  run it when the processes are gone
["folder", path]            remove it last
["done"]                    the run has cleared up by itself
```
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

COMMAND_TIMEOUT_S = 60


def started(process: int) -> int:
    """The kernel's time of a process's start (ticks since boot); 0 where there is none, or no /proc to ask."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[19])


def main() -> None:
    """Wait for the end of the run, then clear up what it did not."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    processes: list[tuple[int, int]] = []
    commands: list[list[str]] = []
    folders: list[str] = []
    for line in sys.stdin:
        kind, *rest = json.loads(line)
        if kind == "done":
            return
        if kind == "process":
            processes.append((rest[0], rest[1]))
        elif kind == "command":
            commands.append(rest[0])
        elif kind == "folder":
            folders.append(rest[0])
    for process, start in processes:
        if started(process) == start:
            try:
                os.killpg(process, signal.SIGKILL)  # companions lead a group of their own
            except (ProcessLookupError, PermissionError):
                continue
    for command in commands:
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, check=False, timeout=COMMAND_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired):
            continue
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
