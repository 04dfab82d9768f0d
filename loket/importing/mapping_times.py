"""The `times:` of `mapping.yaml`, and its bounds `from:` and `until:`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loket.documents import Node
from loket.importing.localtime import LocalClock, NoSuchTimeError
from loket.importing.mapping import ColumnTime, Duration, FirstTime, ShiftedTime, Time
from loket.importing.mapping_parts import Reading, condition_of, date_column_of
from loket.importing.timeformat import TimeFormat, UnreadableTimeError

__all__ = ["bound_of", "read_times"]

_IN_COLUMN: Final = ("column", "format", "date", "after", "slack_seconds", "absent")
_SHIFTED: Final = ("time", "plus", "minus")
_UNITS: Final = {"milliseconds": 1, "seconds": 1_000, "minutes": 60_000, "h:mm:ss": None}
_MAX_SLACK_SECONDS: Final = 23 * 3_600
_MAX_TIMES: Final = 200
_BOUNDS: Final = tuple(map(TimeFormat.compile, ("%Y-%m-%d", "iso", "%Y-%m-%d %H:%M")))


def read_times(node: Node, reading: Reading) -> dict[str, Time]:
    """The times by their names; every name that one refers to is there, and none refers to itself in the end."""
    times: dict[str, Time] = {}
    places: dict[str, Node] = {}  # of those that are wrong too, which have faults of their own
    if len(node.keys) > _MAX_TIMES:
        node.fault(f"{len(node.keys)} times; a mapping may have {_MAX_TIMES}")
        return times
    for key, item in node.entries("times, `name: {column: …}` each"):
        places[key.value] = item
        found = item.mapping((*_IN_COLUMN, "first", *_SHIFTED), what="a time")
        ways = [way for way in ("column", "first", "time") if way in found]
        if len(ways) != 1:
            if item.kind == "mapping":
                item.fault("write one of `column: …`, `first: […]` and `time: …`")
            continue
        allowed = {"column": _IN_COLUMN, "first": ("first",), "time": _SHIFTED}[ways[0]]
        for strange in found.keys() - set(allowed):
            found[strange].fault(f"does not go together with `{ways[0]}`")
        time: Time | None
        if ways[0] == "column":
            time = _in_column(item, found, reading)
        elif ways[0] == "first":
            names = found["first"].once("names", _names)
            time = FirstTime(names) if names else None
        else:
            time = _shifted(found, reading)
        if time is not None:
            times[key.value] = time
    _check(times, places)
    return times


def _names(node: Node) -> tuple[str, ...]:
    names = (item.text("the name of a time") for item in node.sequence("names of times"))
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _in_column(node: Node, found: dict[str, Node], reading: Reading) -> ColumnTime | None:
    column = reading.column_of(found["column"])
    written = reading.format_of(found["format"]) if "format" in found else reading.time_format
    if written is None:
        if "format" not in found and "time_format" not in reading.given:
            node.fault('`format` is missing: write one such as "%d/%m/%Y %H:%M:%S", here or as `time_format`')
        return None
    date = date_column_of(found["date"], reading) if "date" in found else reading.date
    if written.has_date:
        if "date" in found:
            found["date"].fault(f"the format {written.text} has a date itself: leave one of the two out")
        date = None
    elif date is None and "date" not in found and "date" not in reading.given:
        node.fault(f"the format {written.text} has no date: name the column that has it, here or as `date`")
    if not written.has_time:
        node.fault(f"the format {written.text} has no time of day: an event needs one")
    after = found["after"].text("the name of a time") if "after" in found else None
    slack = None
    if (item := found.get("slack_seconds")) is not None:
        slack = item.whole("seconds that it may be before", 0, _MAX_SLACK_SECONDS)
    for key in ("after", "slack_seconds"):
        if key in found and (written.has_date or "after" not in found):
            found[key].fault(
                "is for times of day that stand after another time" if written.has_date else "needs `after`"
            )
    absent = condition_of(found["absent"], reading) if "absent" in found else None
    return None if column is None else ColumnTime(column, written, date, after, 1_000 * (slack or 0), absent)


def _shifted(found: dict[str, Node], reading: Reading) -> ShiftedTime | None:
    name = found["time"].text("the name of a time")
    plus, minus = (
        found[key].once("durations", lambda node: tuple(_durations(node, reading))) if key in found else ()
        for key in ("plus", "minus")
    )
    if not plus and not minus and "plus" not in found and "minus" not in found:
        found["time"].fault("`plus` or `minus` is missing: else it is the same time")
    return None if name is None else ShiftedTime(name, plus, minus)


def _durations(node: Node, reading: Reading) -> Iterator[Duration]:
    for item in node.sequence("durations") if node.kind == "list" else [node]:
        found = item.mapping(("column", "unit"), required=("column", "unit"), what="a duration")
        column = reading.column_of(found["column"]) if "column" in found else None
        unit = found["unit"].choice("a unit", tuple(_UNITS)) if "unit" in found else None
        if column is not None and unit is not None:
            yield Duration(column, _UNITS[unit])


def _check(times: dict[str, Time], places: dict[str, Node]) -> None:
    for name, time in times.items():
        for other in _refers(time):
            if other not in places:
                place = places[name]
                place.fault(f"refers to `{other}`, which is no time of this mapping{place.closest(other, times)}")
    done: set[str] = set()
    for name in times:
        _break_circles(name, times, places, done)


def _break_circles(name: str, times: dict[str, Time], places: dict[str, Node], done: set[str]) -> None:
    """Look at all that a time refers to, each once; `done` is what was looked at before."""
    path = {name: iter(_refers(times[name]))} if name not in done else {}
    while path:
        last, others = next(reversed(path.items()))
        other = next(others, None)
        if other is None:
            del path[last]
            done.add(last)
        elif other in path:
            places[other].fault("refers to itself in the end: break the circle")
        elif other in times and other not in done:
            path[other] = iter(_refers(times[other]))


def _refers(time: Time) -> tuple[str, ...]:
    match time:
        case ColumnTime():
            return () if time.after is None else (time.after,)
        case FirstTime():
            return time.times
        case ShiftedTime():
            return (time.time,)


def bound_of(node: Node, zone: str, *, after: bool) -> int | None:
    """The instant of `from` or `until`: the beginning of a date or, for `until` (`after`), its end; or a time."""
    text = node.text("a date such as 2026-01-31, or a time such as 2026-01-31 08:00")
    if text is None:
        return None
    for known in _BOUNDS:
        try:
            moment = known.read(text)
            if moment.offset_ms is not None:
                break
            day = (moment.day or 1) + (after and moment.time_ms is None)
            return LocalClock(zone).instant(day, moment.time_ms or 0)
        except (UnreadableTimeError, OverflowError):
            continue
        except NoSuchTimeError as error:
            node.fault(str(error))
            return None
    node.fault(f"`{text}` is no date and no local time without an offset: write 2026-01-31, or 2026-01-31 08:00")
    return None
