"""When the alerts of halls are silent: they end with the unit's hours by their own condition.

Never by mute timings: the "resolved" of a muted alert is not sent, so it would stay with people over night.
A unit without opening hours has no series of them, and is never closed.
"""

from __future__ import annotations

from loket_dashboards.promql import one, select

__all__ = ["open_throughout", "until_closing", "while_open"]


def until_closing(expression: str) -> str:
    """While the unit is not closed; in breaks the alert stays on, as people go on waiting."""
    closed = one("loket_unit_state", 'state="closed"')
    return f"({expression}) unless on (unit) ({closed} == 1)"


def while_open(expression: str) -> str:
    """While the unit serves: not in breaks."""
    return f"({expression}) unless on (unit) ({one('loket_unit_open')} == 0)"


def open_throughout(expression: str, minutes: int) -> str:
    """While the unit serves and has served for so many minutes, also where the data of some of them are missing."""
    lowest = f"min without (instance) (min_over_time({select('loket_unit_open', after=f'[{minutes}m]')}))"
    before = select("loket_unit_open", after=f"[10m] offset {minutes}m")
    then = f"max without (instance) (last_over_time({before}))"
    return f"(({expression}) unless on (unit) ({lowest} == 0)) unless on (unit) ({then} == 0)"
