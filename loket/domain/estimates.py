"""Quantiles of answered waits, and the Kaplan-Meier estimate, which does not forget who still waits (rule 28)."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, log, sqrt
from typing import Final

from msgspec import Struct

__all__ = ["Estimate", "kaplan_meier", "kaplan_meier_quantile", "kaplan_meier_share", "quantile"]

Z_95: Final = 1.959963984540054
"""Of a normal distribution: 95 % lie within so many standard deviations."""

_ROUNDING: Final = 1e-12


class Estimate(Struct, frozen=True):
    """A quantile (ms), and between which bounds it lies with 95 % confidence; None: beyond all that was observed."""

    value: int | None = None
    low: int | None = None
    high: int | None = None


def quantile(values: Iterable[int], q: float) -> int | None:
    """The smallest value with at least q·n of the values at or below it; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    wanted = q * len(ordered)
    index = int(wanted)
    return ordered[index - 1 if index >= 1 and index >= wanted - 1e-9 else index]


def kaplan_meier_quantile(called: Iterable[int], censored: Iterable[int], q: float) -> int | None:
    """The value alone of `kaplan_meier`."""
    return kaplan_meier(called, censored, q).value


def kaplan_meier(called: Iterable[int], censored: Iterable[int], q: float) -> Estimate:
    """The smallest t with S(t) <= 1 - q, where calls are the event and all else is censored; None where S stays above.

    Calls come before censorings at equal times (Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452). The bounds
    are where the 95 % limits of S, by Greenwood's variance of log(-log S), fall to 1 - q (Brookmeyer and Crowley 1982,
    doi:10.2307/2530286): what R's `survfit(conf.type = "log-log")` gives. Where S is 0 its limits are not defined: the
    lower one is 0 there, and the upper one falls no further.
    """
    events = sorted(called)
    losses = sorted(censored)
    at_risk = len(events) + len(losses)
    wanted = 1 - q + _ROUNDING
    survival, greenwood = 1.0, 0.0
    low = value = high = None
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
        if deaths < at_risk:
            greenwood += deaths / (at_risk * (at_risk - deaths))
            lower, upper = _limits(survival, greenwood)
        else:
            lower, upper = 0.0, 1.0
        at_risk -= deaths
        if low is None and lower <= wanted:
            low = time
        if value is None and survival <= wanted:
            value = time
        if upper <= wanted:
            high = time
            break
    return Estimate(value, low, high)


def kaplan_meier_share(ended: Iterable[int], censored: Iterable[int], within: int) -> float | None:
    """The share that ends within a time (inclusive), 1 - S(t), where all else is censored; None of nothing.

    Of nothing that is censored before that time it is the plain share.
    """
    events, losses = sorted(ended), sorted(censored)
    at_risk = len(events) + len(losses)
    if not at_risk:
        return None
    survival = 1.0
    index = lost = 0
    while index < len(events) and events[index] <= within:
        time, deaths = events[index], 0
        while lost < len(losses) and losses[lost] < time:
            lost += 1
        while index < len(events) and events[index] == time:
            index += 1
            deaths += 1
        survival *= 1 - deaths / (at_risk - lost - (index - deaths))
    return 1 - survival


def _limits(survival: float, greenwood: float) -> tuple[float, float]:
    """The 95 % limits of S between 0 and 1, by the variance of log S."""
    of_log = log(survival)
    spread = exp(Z_95 * sqrt(greenwood) / -of_log)
    return exp(of_log * spread), exp(of_log / spread)
