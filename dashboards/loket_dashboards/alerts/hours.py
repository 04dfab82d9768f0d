"""When the alerts of halls are silent: they end with the unit's hours by their own condition.

Never by mute timings: the "resolved" of a muted alert is not sent, so it would stay with people over night.
"""

from __future__ import annotations

from loket_dashboards.promql import one

__all__ = ["until_closing", "while_open"]


def until_closing(expression: str) -> str:
    """While the unit is not closed; in breaks the alert stays on, as people go on waiting."""
    closed = one("loket_unit_state", 'state="closed"')
    return f"({expression}) unless on (unit) ({closed} == 1)"


def while_open(expression: str) -> str:
    """While the unit serves: not in breaks."""
    return f"({expression}) and on (unit) ({one('loket_unit_open')} == 1)"
