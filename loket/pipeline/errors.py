"""Why a run of the whole way did not come to an end.

```
LoketError
├── CompanionFailed     (companions) a process failed; exit status 3
└── Unfinished          what was waited for did not come in time; exit status 3
```
"""

from loket.errors import LoketError

__all__ = ["Unfinished"]


class Unfinished(LoketError):
    """What was waited for did not come; the text says what, and how the logs of the processes end."""

    exit_status = 3
