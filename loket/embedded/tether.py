"""Runs a program that cannot outlive the process that wanted it: `tether.py PARENT PROGRAM [ARGUMENT]...`.

On Linux the kernel kills the program when PARENT (a process id) is gone, however it ended. A script of its own, because
to do this between fork and exec is not safe where threads run.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, program: list[str]) -> None:
    """Become the program, tied to `parent`."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that wanted this ended before it could be tied to it")
    os.execv(program[0], program)  # noqa: S606 (no shell is meant)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
