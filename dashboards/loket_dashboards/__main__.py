"""`python -m loket_dashboards FOLDER`: write dashboards, rules and Alertmanager's configuration."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from loket.errors import LoketError
from loket.targets import load_targets
from loket_dashboards.alerts.alertmanager import EXAMPLE_UNITS
from loket_dashboards.alerts.runbook import runbook, steps
from loket_dashboards.output import write


def main() -> int:
    """Write everything; the exit status is that of the error where the targets cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m loket_dashboards", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write; files of the same name are replaced")
    parser.add_argument("--targets", type=Path, help="targets.yaml: each of its units gets a route of its own")
    parser.add_argument("--runbook", type=Path, help="where to write the runbook too")
    parser.add_argument("--steps", type=Path, help="where to write the runbook's steps as JSON, for the worker's board")
    given = parser.parse_args()
    try:
        units = EXAMPLE_UNITS if given.targets is None else tuple(load_targets(given.targets).units)
    except LoketError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    for path in write(given.folder, units):
        print(path)
    if given.runbook is not None:
        given.runbook.write_text(runbook(), encoding="utf-8")
        print(given.runbook)
    if given.steps is not None:
        given.steps.write_text(steps(), encoding="utf-8")
        print(given.steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
