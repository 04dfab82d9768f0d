"""Single days and periods with hours of their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from loket.documents import Node
from loket.domain.calendar import DayHours
from loket.targets.dates import day_of
from loket.targets.weeks import Spans, day_hours, spans_of

__all__ = ["MAX_EXCEPTION_DAYS", "days_of", "exceptions_of"]

MAX_EXCEPTION_DAYS: Final = 3_660


def days_of(node: Node) -> frozenset[int]:
    """The days of a list of periods."""
    days: set[int] = set()
    for item in node.sequence("dates"):
        days.update(_period(item, item.mapping(("from", "to"), required=("from", "to"), what="`{from: …, to: …}`")))
    return frozenset(days)


def _period(node: Node, found: Mapping[str, Node]) -> range:
    """The days of `date: …`, or of `from: …` and `to: …`."""
    if "date" in found:
        day = day_of(found["date"])
        return range(0) if day is None else range(day, day + 1)
    ends: list[int | None] = [day_of(found[key]) if key in found else None for key in ("from", "to")]
    first, last = ends
    if first is None or last is None:
        return range(0)
    if last < first:
        node.fault("this ends before it begins: `from` is the first day, `to` the last")
    elif last - first >= MAX_EXCEPTION_DAYS:
        node.fault(f"{date.fromordinal(first)} to {date.fromordinal(last)} are more than {MAX_EXCEPTION_DAYS} days")
    else:
        return range(first, last + 1)
    return range(0)


def exceptions_of(node: Node) -> dict[int, DayHours]:
    """Days with hours of their own."""
    days: dict[int, DayHours] = {}
    for item in node.sequence("exceptions"):
        found = item.mapping(
            ("date", "from", "to", "hours", "breaks", "reason"), required=("hours",), what="an exception"
        )
        if ("date" in found) == bool({"from", "to"} & found.keys()):
            item.fault("write either `date: …`, or `from: …` and `to: …`")
            continue
        if "date" not in found and not {"from", "to"} <= found.keys():
            item.fault("write `from: …`, the first day, and `to: …`, the last")
            continue
        hours = day_hours(_of_day(found, "hours", "closed"), _of_day(found, "breaks", "none"))
        if "reason" in found:
            found["reason"].text("a reason")
        for day in _period(item, found):
            if day in days:
                item.fault(f"{date.fromordinal(day)} has an exception here already: leave one of the two out")
                break
            days[day] = hours
        if len(days) > MAX_EXCEPTION_DAYS:
            node.fault(f"more than {MAX_EXCEPTION_DAYS} days with hours of their own: write a schedule instead")
            break
    return days


def _of_day(found: Mapping[str, Node], key: str, nothing: str) -> Spans:
    return found[key].once(key, lambda node: spans_of(node, key, nothing)) if key in found else ()
