"""The one tree of errors that an operator can see.

```
LoketError                  exit status 1
└── UsageError              exit status 2: a wrong call, file, mapping, setting or target
```

Every package adds its own branch under one of these, in its own module, and draws it there. An error carries what it
speaks of as attributes (topic, partition, offset, reason, …), and its text says in one or two sentences what is wrong
and what to do about it: the command line prints that text and nothing else.
"""

__all__ = ["LoketError", "UsageError"]


class LoketError(Exception):
    """Something that a person who runs Loket can understand and mend.

    A command that ends with it prints its text on standard error and exits with `exit_status`; a traceback appears only
    for errors outside this tree, which are faults of Loket.
    """

    exit_status: int = 1


class UsageError(LoketError):
    """What the person gave (a call, a file, a mapping, a setting, a target) is wrong and has to be changed by them."""

    exit_status = 2
