"""Burn-rate rules as they are written, and whether they can fire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from loket.documents import Node
from loket.domain.burn import PERIOD_MS, SHORT_SUFFIX, SHORTEST_MS, Burn, BurnRule, factor_of, highest_burn
from loket.domain.durations import HOUR
from loket.domain.policy import ServicePolicy
from loket.targets.durations import duration_of

__all__ = ["MAX_RULES", "RULE_PATTERN", "cannot_fire", "read_burn"]

MAX_RULES: Final = 8
MAX_WINDOW_MS: Final = 100 * HOUR
MAX_PERIOD_HOURS: Final = 9_000
RULE_PATTERN: Final = "[a-z0-9][a-z0-9-]{0,31}"
_RULE = re.compile(RULE_PATTERN)


def read_burn(node: Node) -> Burn:
    """`none`, or rules by name, each with a window of service time and what is too fast in it."""
    if node.kind == "scalar" and node.value == "none":
        return Burn((), chosen=True)
    found = node.mapping(("period_hours", "rules"), required=("rules",), what="`rules: …`, or `none`")
    period_ms = PERIOD_MS
    if (item := found.get("period_hours")) is not None:
        hours = item.number("service hours of the budget's period", 1, MAX_PERIOD_HOURS, places=3)
        period_ms = PERIOD_MS if hours is None else int(hours * HOUR)
    rules: list[BurnRule] = []
    if (section := found.get("rules")) is not None:
        for key, item in section.entries("rules"):
            if _RULE.fullmatch(key.value) is None or key.value.endswith(SHORT_SUFFIX):
                key.fault(f"`{key.value[:40]}` cannot be a rule's name: write lower case letters, digits and -")
            elif (rule := _rule(key.value, item, period_ms)) is not None:
                rules.append(rule)
        if len(rules) > MAX_RULES:
            section.fault(f"{len(rules)} rules; there may be {MAX_RULES}, as each has series of its own")
    return Burn(tuple(rules), chosen=True)


def _rule(name: str, node: Node, period_ms: int) -> BurnRule | None:
    found = node.mapping(("window", "budget", "factor"), required=("window",), what="a rule")
    window = None
    if (item := found.get("window")) is not None:
        window = duration_of(item, "a window of service time", SHORTEST_MS, MAX_WINDOW_MS)
    if node.kind == "mapping" and ("budget" in found) == ("factor" in found):
        node.fault("write either `budget: …`, the share that the window may spend, or `factor: …`, the burn")
        return None
    factor: Decimal | float | None = None
    if (item := found.get("factor")) is not None:
        factor = item.number("a burn", Decimal("0.001"), 1_000, places=3)
    elif (item := found.get("budget")) is not None:
        share = item.number("the share of the budget that is spent in the window", Decimal("0.000001"), 1, places=6)
        factor = None if share is None or window is None else factor_of(float(share), period_ms, window)
    return None if window is None or factor is None else BurnRule(name, window, float(factor))


def cannot_fire(burn: Burn, services: Mapping[str, ServicePolicy]) -> Iterable[tuple[str, str]]:
    """Of rules that somebody wrote, those that some target leaves no room for: service, and what is wrong."""
    for rule in burn.rules if burn.chosen else ():
        for name, service in services.items():
            for target in service.targets:
                if not rule.can_fire(target.objective):
                    told = (
                        f"the burn-rate rule `{rule.name}` can never fire for `{name}`: it waits for a burn of "
                        f"{rule.factor:g}, and with an objective of {target.objective:g} the burn is at most "
                        f"{highest_burn(target.objective):g}: give it a smaller budget or a longer window"
                    )
                    yield name, told
                    break
