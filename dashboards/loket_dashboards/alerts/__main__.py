"""`python -m loket_dashboards.alerts FOLDER`: write rules and Alertmanager's configuration, without Grafana's SDK."""

from __future__ import annotations

import sys
from pathlib import Path

from loket_dashboards.alerts.files import alert_files


def main() -> int:
    """Write everything; exit status 2 where no folder is named."""
    if len(sys.argv) != 2:
        print("usage: python -m loket_dashboards.alerts FOLDER", file=sys.stderr)
        return 2
    for name, text in alert_files().items():
        path = Path(sys.argv[1]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
