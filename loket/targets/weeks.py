"""Hours and breaks of the days of a week, as they are written."""

from __future__ import annotations

from typing import Final

from loket.documents import Node
from loket.domain.calendar import CLOSED, DayHours, Span
from loket.domain.intervals import Interval, difference, intersection, union
from loket.targets.durations import span_of

__all__ = ["DAYS", "MAX_SPANS", "Seven", "Spans", "day_hours", "seven_of", "spans_of"]

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_SPANS: Final = 12

Spans = tuple[Span, ...]
Seven = tuple[Spans, ...]
"""Of each day of the week, Monday first."""


def seven_of(node: Node, what: str, nothing: str) -> Seven:
    """Spans by day of the week: keys such as `mon`, `mon-thu`; `closed` (`none` for breaks) alone is all week."""
    if node.kind != "mapping":
        return (node.once(what, lambda node: spans_of(node, what, nothing)),) * 7
    return node.once(what, lambda node: _by_day(node, what, nothing))


def _by_day(node: Node, what: str, nothing: str) -> Seven:
    week: dict[int, Spans] = {}
    for key, item in node.entries(f"{what} by day"):
        first, _, last = key.value.partition("-")
        if first not in DAYS or (last or first) not in DAYS or DAYS.index(first) > DAYS.index(last or first):
            key.fault(f"`{key.value[:20]}` is no day: write {', '.join(DAYS)}, or several as mon-thu")
            continue
        spans = item.once(what, lambda item: spans_of(item, what, nothing))
        for day in range(DAYS.index(first), DAYS.index(last or first) + 1):
            if day in week:
                key.fault(f"{DAYS[day]} has {what} here already: leave one of the two out")
            week.setdefault(day, spans)
    return tuple(week.get(day, ()) for day in range(7))


def spans_of(node: Node, what: str, nothing: str) -> Spans:
    """The hours, or breaks, of one day: one, several as a list, or the word for none."""
    if node.kind == "scalar" and node.value == nothing:
        return ()
    nodes = node.sequence(what) if node.kind == "list" else [node]
    if len(nodes) > MAX_SPANS:
        node.fault(f"{len(nodes)} {what} on one day; there may be {MAX_SPANS}")
        return ()
    spans: list[Span] = []
    for item in nodes:
        span = span_of(item)
        if span is None:
            continue
        if spans and span[0] < spans[-1][1]:
            item.fault("these begin before the ones above end: write them in order, and none within another")
        else:
            spans.append(span)
    return tuple(spans)


def day_hours(hours: Spans, breaks: Spans) -> DayHours:
    """A day's hours with those breaks that fall into them; a break at the edge of hours shortens them."""
    opened: list[Interval] = union(hours)
    within = intersection(union(breaks), opened)
    served = difference(opened, within)
    edges = {edge for span in opened for edge in span}
    inner = [span for span in within if not edges & set(span)]
    return DayHours(tuple(union([*served, *inner])), tuple(inner)) if served else CLOSED
