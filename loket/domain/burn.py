"""How fast a unit may spend its budget of breached waits before somebody is told: windows of service time.

Burn = share of breached in a window / (1 − objective). It is at most 1 / (1 − objective): 5 for 80 %, 10 for 90 %.
Spending the share f of the budget of P service hours within W hours means a burn of f · P / W.
"""

from __future__ import annotations

from msgspec import Struct

from loket.domain.durations import HOUR, MINUTE

SHORT_PART = 12
"""The short companion of a window is this part of it, …"""

SHORTEST_MS = 15 * MINUTE
"""… and at least so long."""

FEWEST_JUDGED = 10
"""People judged in the long window, below whom it says nothing; one is enough in the short one."""

SHORT_SUFFIX = "_short"
"""Of the name of a short companion in the label `window`; the long window is called like its rule."""


class BurnRule(Struct, frozen=True):
    """Tell when the burn is at least `factor` in the last `window_ms` of service time, and in the short companion."""

    name: str
    window_ms: int
    factor: float

    @property
    def short_ms(self) -> int:
        """The length of the short companion."""
        return max(SHORTEST_MS, self.window_ms // SHORT_PART)

    def can_fire(self, objective: float) -> bool:
        """Whether an objective leaves room for a burn of `factor`."""
        return self.factor <= highest_burn(objective)


class Burn(Struct, frozen=True):
    """The rules of a unit. `chosen`: somebody wrote them, so one that cannot fire is a mistake and not left out."""

    rules: tuple[BurnRule, ...] = ()
    chosen: bool = False


def highest_burn(objective: float) -> float:
    """The burn where everybody is breached."""
    return round(1 / (1 - objective), 9)


def factor_of(share: float, period_ms: int, window_ms: int) -> float:
    """The burn that spends a share of a period's budget within a window."""
    return round(share * period_ms / window_ms, 9)


PERIOD_MS = 165 * HOUR
"""A month of 22 days of 7.5 service hours."""

DAY_MS = 7 * HOUR + 30 * MINUTE
"""A service day by Perpres 21/2023: 37.5 hours a week without rest, over five days."""

_SPENT = (("1h", HOUR, 0.02), ("3h", 3 * HOUR, 0.05), ("1d", DAY_MS, 0.10))

DEFAULT_BURN = Burn(
    (
        *(BurnRule(name, window_ms, factor_of(share, PERIOD_MS, window_ms)) for name, window_ms, share in _SPENT),
        BurnRule("5d", 5 * DAY_MS, 1.0),
    )
)
"""The last rule is slow: 2.2 in a day never fires for a unit that is poor all month."""


def longest_ms(burn: Burn) -> int:
    """The longest window of some rules; 0 where there are none."""
    return max((rule.window_ms for rule in burn.rules), default=0)
