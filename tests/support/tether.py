"""Run a program that cannot outlive us: `tether.py PARENT SIGNAL USER PROGRAM [ARGUMENT]...`.

The kernel sends SIGNAL to the program when PARENT (a process id) dies, however it dies. The change to USER (may be
empty) comes first, as it would cut the tether. A script, because doing this between fork and exec is unsafe
where threads run.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, signal_name: str, user: str, program: list[str]) -> None:
    if user:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        os.environ["HOME"] = account.pw_dir
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.Signals[signal_name], 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that wanted this died before it could be tied to it")
    os.execvp(program[0], program)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
