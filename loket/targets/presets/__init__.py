"""Files to begin with, for four kinds of offices: every number with its source, or said to be no rule."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["PRESETS", "preset_text"]

PRESETS: Final = {
    "health-centre": "Puskesmas: a health centre",
    "hospital-outpatients": "Rawat jalan: a hospital's outpatient clinic",
    "pharmacy": "Farmasi: a hospital's pharmacy",
    "civil-registry": "Dukcapil: the civil registry",
}
"""Their names, and for whom they are."""


def preset_text(name: str) -> str:
    """The text of a preset."""
    return Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8")
