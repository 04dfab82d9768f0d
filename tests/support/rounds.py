"""Faults strike in rounds: once or a few times in `make test`, twenty times in `make test-long`, each with its seed."""

from __future__ import annotations

import os
import random
import secrets
from typing import Final

import pytest

__all__ = ["DRAWN", "LONG_ROUNDS", "SEED", "dice_of", "rounds"]

LONG_ROUNDS: Final = 20

SEED: Final = int(os.environ.get("FAULT_SEED") or os.environ.setdefault("FAULT_SEED_DRAWN", str(secrets.randbits(32))))
"""Of the long rounds, told at the end of the run; FAULT_SEED repeats them. The first round is the same each time.

The processes of one run share what was drawn by the first: they inherit its environment.
"""

SAMPLE_SEED: Final = 20260131

DRAWN: Final[set[str]] = set()
"""The tests of which a round came from SEED."""


def rounds(short: int = 1) -> pytest.MarkDecorator:
    """Run a test twenty times, of which only `short` are not marked as long. It takes the number as `fault_round`."""
    return pytest.mark.parametrize(
        "fault_round",
        [
            pytest.param(number, id=f"round-{number}", marks=[] if number < short else [pytest.mark.long])
            for number in range(LONG_ROUNDS)
        ],
    )


def dice_of(test: str, fault_round: int) -> random.Random:
    """What decides when and where a fault strikes in a round."""
    drawn = bool(fault_round or os.environ.get("FAULT_SEED"))
    if drawn:
        DRAWN.add(test)
    base = SEED if drawn else SAMPLE_SEED
    return random.Random(f"{base}/{test}/{fault_round}")
