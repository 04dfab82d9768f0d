"""Durations and times of day as people write them in `targets.yaml`: `30m`, `1h30m`, `07:30-16:00`."""

from __future__ import annotations

import re
from typing import Final

from loket.documents import Node
from loket.domain.calendar import Span
from loket.domain.durations import DAY, HOUR, MINUTE, SECOND

__all__ = ["DURATION_PATTERN", "LATEST", "SPAN_PATTERN", "duration_of", "span_of", "told_span"]

LATEST: Final = 2 * DAY
"""Hours end by the end of the day after the one on which they begin."""

DURATION_PATTERN: Final = "(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,7})s)?"
SPAN_PATTERN: Final = "([0-9]{2}):([0-5][0-9]) ?[-–] ?([0-9]{2}):([0-5][0-9])"

_DURATION = re.compile(DURATION_PATTERN)
_SPAN = re.compile(SPAN_PATTERN)


def duration_of(node: Node, what: str, low: int, high: int) -> int | None:
    """A duration such as 90s, 30m, 1h30m or 3d (of 24 hours) in ms, within bounds."""
    text = node.text(f"{what}, such as 30m or 1h30m")
    if text is None:
        return None
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        node.fault(f"`{text}` is not a duration: write days, hours, minutes and seconds, such as 3d, 1h30m, 30m or 90s")
        return None
    parts = zip(found.groups(), (DAY, HOUR, MINUTE, SECOND), strict=True)
    ms = sum(int(number) * unit for number, unit in parts if number is not None)
    if not low <= ms <= high:
        node.fault(f"`{text}` is out of bounds: write {what} from {_told(low)} to {_told(high)}")
        return None
    return ms


def span_of(node: Node) -> Span | None:
    """Hours such as 07:30-16:00, in ms after midnight; over midnight they go on counting: 22:00-30:00."""
    text = node.text("hours such as 07:30-16:00")
    if text is None:
        return None
    found = _SPAN.fullmatch(text)
    if found is None:
        node.fault(f"`{text[:40]}` are no hours: write them such as 07:30-16:00, several as a list, or `closed`")
        return None
    begin, end = (int(found[part]) * HOUR + int(found[part + 1]) * MINUTE for part in (1, 3))
    if begin >= DAY or end > LATEST:
        node.fault(f"`{text}` is no time of day: hours begin before 24:00 and end by 48:00")
    elif end <= begin:
        hour, minute = divmod((end + DAY) // MINUTE, 60)
        night = f"; over midnight write {text[:5]}-{hour:02}:{minute:02}" if end < begin else ""
        node.fault(f"`{text}` ends before it begins{night}")
    elif end - begin > DAY:
        node.fault(f"`{text}` is longer than a day")
    else:
        return begin, end
    return None


def told_span(span: Span) -> str:
    """Hours as they are written."""
    return "-".join(f"{ms // HOUR:02}:{ms % HOUR // MINUTE:02}" for ms in span)


def _told(ms: int) -> str:
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if ms and ms % unit == 0:
            return f"{ms // unit}{name}"
    return f"{ms // SECOND}s"
