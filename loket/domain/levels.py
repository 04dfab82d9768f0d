"""Service levels: six numbers with six names, and sums over sums (definitions.md; rules 22, 26, 27)."""

from __future__ import annotations

from msgspec import Struct


class LevelCounts(Struct, frozen=True):
    """What levels are made of, over the first stretch of legs that have a target.

    `answered_within`, `answered_after`: called within / after the target (A≤, A>). `left_short`, `left_within`,
    `left_after`: left before `short_seconds`, else within / after the target (Bs, B≤ - Bs, B>).
    """

    answered_within: int = 0
    answered_after: int = 0
    left_short: int = 0
    left_within: int = 0
    left_after: int = 0
    judged: int = 0
    breached: int = 0


class Levels(Struct, frozen=True):
    """The six service levels as shares; None where there is nothing to divide (shown as "–", never 100 %)."""

    answered: float | None
    offered: float | None
    excluding_short: float | None
    abandoned_ok: float | None
    excluding_early: float | None
    live: float | None


def share(part: int, whole: int) -> float | None:
    """part / whole, None where the whole is nothing (rule 22)."""
    return part / whole if whole > 0 else None


def levels(counts: LevelCounts) -> Levels:
    """The six service levels of some counts."""
    within, after = counts.answered_within, counts.answered_after
    answered = within + after
    left_within = counts.left_short + counts.left_within
    offered = answered + left_within + counts.left_after
    return Levels(
        answered=share(within, answered),
        offered=share(within, offered),
        excluding_short=share(within, offered - counts.left_short),
        abandoned_ok=share(within + left_within, offered),
        excluding_early=share(within, answered + counts.left_after),
        live=share(counts.judged - counts.breached, counts.judged),
    )
