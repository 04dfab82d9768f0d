"""Quantiles of answered waits, and the Kaplan-Meier estimate, which does not forget who still waits (rule 28)."""

from __future__ import annotations

from collections.abc import Iterable


def quantile(values: Iterable[int], q: float) -> int | None:
    """The smallest value with at least q·n of the values at or below it; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    wanted = q * len(ordered)
    index = int(wanted)
    return ordered[index - 1 if index >= 1 and index >= wanted - 1e-9 else index]


def kaplan_meier_quantile(called: Iterable[int], censored: Iterable[int], q: float) -> int | None:
    """The smallest t with S(t) <= 1 - q, where calls are the event and all else is censored; None where S stays above.

    Calls come before censorings at equal times (Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452).
    """
    events = sorted(called)
    losses = sorted(censored)
    at_risk = len(events) + len(losses)
    survival = 1.0
    index = lost = 0
    while index < len(events):
        time = events[index]
        while lost < len(losses) and losses[lost] < time:
            lost += 1
            at_risk -= 1
        deaths = 0
        while index < len(events) and events[index] == time:
            index += 1
            deaths += 1
        survival *= 1 - deaths / at_risk
        at_risk -= deaths
        if survival <= 1 - q + 1e-12:
            return time
    return None
