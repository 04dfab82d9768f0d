"""What citizens' answers come to: the index of the SKM and its band (Permenpan RB 14/2017)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["skm"]

_BANDS: Final = ((8_831, "A"), (7_661, "B"), (6_500, "C"))
"""From so many hundredths of the index on; D is below."""


def skm(scores: Mapping[int, int]) -> tuple[float, str] | None:
    """Index (25 times the mean score, to two places, a half up) and band, of how many gave each score of 1 to 4.

    None where nobody answered.
    """
    answers = sum(scores.values())
    if not answers:
        return None
    hundredths = (5_000 * sum(score * number for score, number in scores.items()) + answers) // (2 * answers)
    return hundredths / 100, next((band for least, band in _BANDS if hundredths >= least), "D")
