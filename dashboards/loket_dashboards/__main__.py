"""`python -m loket_dashboards FOLDER`: write dashboards, rules and Alertmanager's configuration."""

from __future__ import annotations

import sys
from pathlib import Path

from loket_dashboards.output import write


def main() -> int:
    """Write everything; the exit status is 2 where no folder is named."""
    if len(sys.argv) != 2:
        print("usage: python -m loket_dashboards FOLDER", file=sys.stderr)
        return 2
    for path in write(Path(sys.argv[1])):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
