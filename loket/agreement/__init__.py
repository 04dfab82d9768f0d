"""Whether metrics and record tell the same figures: both as exact amounts, compared name by name (rule 25)."""

from loket.agreement.comparison import compare

__all__ = ["compare"]
