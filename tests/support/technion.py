"""The public log of a call centre, where it is at hand, and the example that the project has for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

__all__ = ["MAPPING", "TARGETS", "public_log", "technion_log"]

_ROOT = Path(__file__).parents[2]
_NAME = "technion_anonymous_bank_1999_02.tsv"

MAPPING = _ROOT / "examples" / "technion" / "mapping.yaml"
TARGETS = _ROOT / "examples" / "technion" / "targets.yaml"


def technion_log() -> Path:
    """The log; the test is skipped where it is not."""
    return public_log(_NAME)


def public_log(name: str) -> Path:
    """A public log by its name; the test is skipped where it is not."""
    folders = [Path(os.environ["LOKET_DATA"])] if "LOKET_DATA" in os.environ else []
    for folder in (*folders, _ROOT.parent / "shared" / "data"):
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"{name} is not here; name its folder by LOKET_DATA")
