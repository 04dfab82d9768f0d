"""The figures that several dashboards show, each as one query with one meaning (docs/dashboards.md)."""

from __future__ import annotations

from typing import Final

from loket_dashboards.language import Text
from loket_dashboards.promql import by, one, select

__all__ = [
    "AWAY",
    "BEHIND_S",
    "DATA_WORDS",
    "HALL_WORDS",
    "LIVE",
    "NEAR",
    "NO_UNIT",
    "age",
    "alerts_firing",
    "answered_level",
    "city_state",
    "counters_open",
    "data_state",
    "fresh",
    "hall_state",
    "late",
    "level",
    "oldest_share",
    "oldest_wait",
    "share",
]

BEHIND_S: Final = 120
"""A unit whose data are older than this is not shown as if it were the present."""

NEAR: Final = 0.8
"""From this share of the target on, the oldest wait is near it."""

LIVE, CLOSED, BEHIND, NO_UNIT, AWAY = 0, 1, 2, 3, 4
DATA_WORDS: Final = {
    LIVE: (Text("● Data langsung", "● Live data"), "green"),
    CLOSED: (Text("◼ Tutup", "◼ Closed"), "blue"),
    BEHIND: (Text("▲ Data terlambat", "▲ Data late"), "orange"),
    NO_UNIT: (Text("✖ Unit tidak dikenal", "✖ No such unit"), "purple"),
    AWAY: (Text("✖ Jalur data putus", "✖ Pipeline away"), "red"),
}
"""What a dashboard says of its data: by word and shape, and only then by colour."""

NOBODY, IN_TARGET, NEAR_TARGET, OVER_TARGET, NO_TARGET = -1, 0, 1, 2, 3
HALL_WORDS: Final = {
    NOBODY: (Text("○ Tidak ada antrean", "○ Nobody waits"), "blue"),
    IN_TARGET: (Text("● Dalam target", "● Within target"), "green"),
    NEAR_TARGET: (Text("▲ Mendekati target", "▲ Near the target"), "orange"),
    OVER_TARGET: (Text("■ LEWAT TARGET", "■ OVER TARGET"), "red"),
    NO_TARGET: (Text("◆ Menunggu (tanpa target)", "◆ Waiting (no target)"), "blue"),
}


def fresh(expression: str, matchers: str) -> str:
    """The series while the unit's data are of the present, and nothing while they are late or away."""
    behind = by("unit", "loket_unit_behind_seconds", matchers, how="max")
    return f"({expression}) and on (unit) ({behind} < {BEHIND_S})"


def oldest_wait(labels: str, matchers: str) -> str:
    """Seconds that the longest of the running waits has lasted; nothing while nobody waits."""
    start = one("loket_oldest_wait_start_timestamp_seconds", matchers, least=True)
    return f"time() - min by ({labels}) ({start})"


def oldest_share(labels: str, matchers: str) -> str:
    """The longest running wait as a share of its own service's target, the worst of the services."""
    start = one("loket_oldest_wait_start_timestamp_seconds", matchers, least=True)
    target = one("loket_target_seconds", matchers)
    return f"max by ({labels}) ((time() - {start}) / on (unit, service) {target})"


def level(labels: str, matchers: str) -> str:
    """The live level of the service day: the share of those judged who were called in time; nobody judged, nothing."""
    judged, breached = (by(labels, f"loket_day_waits_{which}", matchers) for which in ("judged", "breached"))
    return f"1 - ({breached}) / on ({labels}) (({judged}) > 0)"


def answered_level(labels: str, matchers: str) -> str:
    """The share of the day's first calls that came in time: what a contact centre calls its service level."""
    within = by(labels, "loket_day_waits_answered", f'{matchers},within="yes"')
    judged = by(labels, "loket_day_waits_answered", f'{matchers},within=~"yes|no"')
    return f"({within}) / on ({labels}) (({judged}) > 0)"


def share(part: str, whole: str, labels: str) -> str:
    """A part of a whole; 0/0 is nothing."""
    return f"({part}) / on ({labels}) (({whole}) > 0)"


def counters_open(labels: str, matchers: str) -> str:
    """Counters that are open; nothing for a unit whose counters never told."""
    return by(labels, "loket_counters_open", matchers)


def age(labels: str, matchers: str) -> str:
    """Seconds since the unit's last event was received."""
    return f"time() - {by(labels, 'loket_last_event_timestamp_seconds', matchers, how='max')}"


def alerts_firing() -> str:
    """How many alerts of each unit fire; 0 for the others."""
    firing = 'count by (unit) (ALERTS{alertstate="firing",unit!=""})'
    return f"{firing} or on (unit) (0 * {by('unit', 'loket_unit_known', how='max')})"


def data_state(matchers: str) -> str:
    """Whether the data of one unit are of the present, and if not, why."""
    closed = by("", "loket_unit_state", f'{matchers},state="closed"', how="max")
    return (
        f'({AWAY} * absent(up{{job="loket-worker"}} == 1)) '
        f"or on () ({NO_UNIT} * absent({select('loket_unit_known', matchers)})) "
        f"or on () {late(matchers)} or on () ({CLOSED} * {closed} > 0) "
        f"or on () vector({LIVE})"
    )


def late(matchers: str) -> str:
    """The state of data that are late, and nothing while they are not."""
    behind = by("", "loket_unit_behind_seconds", matchers, how="max")
    return f"({BEHIND} * ({behind} >= bool {BEHIND_S}) > 0)"


def city_state() -> str:
    """The same for every unit at once."""
    behind = by("unit", "loket_unit_behind_seconds", how="max")
    closed = by("unit", "loket_unit_state", 'state="closed"', how="max")
    return (
        f"({BEHIND} * ({behind} >= bool {BEHIND_S}) > 0) or on (unit) ({CLOSED} * {closed} > 0) "
        f"or on (unit) ({LIVE} * {behind})"
    )


def hall_state(matchers: str) -> str:
    """How the queue of a unit stands against its targets, in one word; nothing while its data are not the present."""
    worst = oldest_share("unit", matchers)
    waiting = by("unit", "loket_tickets_waiting", matchers)
    state = (
        f"((({worst}) > bool 1) + (({worst}) >= bool {NEAR})) "
        f"or on (unit) ({NO_TARGET} * ({waiting} > bool 0) > 0) "
        f"or on (unit) ({NOBODY} * ({waiting} == bool 0))"
    )
    return fresh(state, matchers)
