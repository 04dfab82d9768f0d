"""Formats of times in columns: strptime's directives for figures, read strictly, and `iso`, `epoch`, `epoch_ms`.

Not `strptime` itself: that knows names of months in the language of the machine, takes what surrounds a figure loosely,
and is several times slower.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final

__all__ = ["FormatError", "Moment", "TimeFormat", "UnreadableTimeError"]

_DIRECTIVES: Final = {
    "Y": ("year", r"(?P<year>\d{4})"),
    "y": ("year", r"(?P<short_year>\d\d)"),
    "m": ("month", r"(?P<month>\d{1,2})"),
    "d": ("day", r"(?P<day>\d{1,2})"),
    "H": ("hour", r"(?P<hour>\d{1,2})"),
    "I": ("hour", r"(?P<half_hour>\d{1,2})"),
    "p": ("half", r"(?P<half>[AaPp])\.?[Mm]\.?"),
    "M": ("minute", r"(?P<minute>\d{1,2})"),
    "S": ("second", r"(?P<second>\d{1,2})"),
    "f": ("fraction", r"(?P<fraction>\d{1,9})"),
    "z": ("offset", r"(?P<offset>[Zz]|[+-]\d\d:?\d\d)"),
}
_NAMED: Final = {
    "iso": (
        r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[Tt ](?P<hour>\d\d):(?P<minute>\d\d)"
        r"(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)? ?(?P<offset>[Zz]|[+-]\d\d:?\d\d)?"
    ),
    "epoch": r"(?P<epoch>\d{1,11})(?:\.(?P<fraction>\d{1,9}))?",
    "epoch_ms": r"(?P<epoch_ms>\d{1,14})",
}
_PIVOT: Final = 69
"""Two digits of a year from 69 on are of the last century, as POSIX has it."""

_KEPT: Final = 200_000


class FormatError(ValueError):
    """A format that says too little or what this reader does not know; the text says what to write."""


class UnreadableTimeError(ValueError):
    """A text that is not a time of the format."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a text says: a day (proleptic ordinal), a time of that day, an offset from UTC, or an instant."""

    day: int | None = None
    time_ms: int | None = None
    offset_ms: int | None = None
    instant: int | None = None


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """A compiled format. `has_date` and `has_time` say what its texts have; an epoch has both."""

    text: str
    has_date: bool
    has_time: bool
    _pattern: re.Pattern[str] = field(repr=False, compare=False)
    _read: dict[str, Moment] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def compile(written: str) -> TimeFormat:
        """Compile a format; raise FormatError with what to write."""
        if written in _NAMED:
            return TimeFormat(written, True, True, re.compile(_NAMED[written], re.ASCII))
        parts: set[str] = set()
        pattern = ""
        at = 0
        while at < len(written):
            if written[at] != "%":
                pattern += re.escape(written[at])
                at += 1
                continue
            letter = written[at + 1 : at + 2]
            at += 2
            if letter == "%":
                pattern += "%"
                continue
            if letter not in _DIRECTIVES:
                known = " ".join(f"%{name}" for name in _DIRECTIVES)
                raise FormatError(f"`%{letter}` is no directive; known: {known}, or the formats {', '.join(_NAMED)}")
            part, expression = _DIRECTIVES[letter]
            if part in parts:
                raise FormatError(f"two directives for the {part}: leave one out")
            parts.add(part)
            pattern += expression
        has_date, has_time = {"year", "month", "day"} <= parts, "hour" in parts
        if parts & {"year", "month", "day"} and not has_date:
            raise FormatError("a date needs a year (%Y or %y), a month (%m) and a day (%d)")
        if ("half" in parts) != ("%I" in written):
            raise FormatError("%I (hours 1 to 12) and %p (AM or PM) go together; for hours 0 to 23 write %H")
        if ("fraction" in parts and "second" not in parts) or (parts & {"second", "minute"} and not has_time):
            raise FormatError("minutes and seconds need the hour (%H) before them")
        if not has_date and not has_time:
            raise FormatError('neither a date nor a time of day: write a format such as "%d/%m/%Y %H:%M:%S"')
        return TimeFormat(written, has_date, has_time, re.compile(pattern, re.ASCII))

    def read(self, text: str) -> Moment:
        """Read a text; raise UnreadableTimeError if it is not of this format. Milliseconds are cut."""
        known = self._read.get(text)
        if known is None:
            known = self._moment(text)
            if len(self._read) < _KEPT:
                self._read[text] = known
        return known

    def _moment(self, text: str) -> Moment:
        found = self._pattern.fullmatch(text)
        if found is None:
            raise UnreadableTimeError(f"not of the format {self.text}")
        parts = found.groupdict()
        fraction = int((parts.get("fraction") or "").ljust(3, "0")[:3])
        if (epoch := parts.get("epoch")) is not None:
            return Moment(instant=int(epoch) * 1_000 + fraction)
        if (epoch := parts.get("epoch_ms")) is not None:
            return Moment(instant=int(epoch))
        day = _day(parts) if self.has_date else None
        time = _time(parts) + fraction if self.has_time else None
        offset = parts.get("offset")
        return Moment(day, time, None if offset is None else _offset(offset))


def _day(parts: dict[str, str | None]) -> int:
    short = parts.get("short_year")
    year = int(parts.get("year") or 0) if short is None else int(short) + (1900 if int(short) >= _PIVOT else 2000)
    try:
        return date(year, int(parts["month"] or 0), int(parts["day"] or 0)).toordinal()
    except ValueError as error:
        raise UnreadableTimeError("there is no such date") from error


def _time(parts: dict[str, str | None]) -> int:
    hour = int(parts.get("hour") or 0)
    if (half_hour := parts.get("half_hour")) is not None:
        if not 1 <= int(half_hour) <= 12:
            raise UnreadableTimeError("an hour with AM or PM is from 1 to 12")
        hour = int(half_hour) % 12 + (12 if (parts["half"] or "") in "Pp" else 0)
    minute, second = int(parts.get("minute") or 0), int(parts.get("second") or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise UnreadableTimeError("there is no such time of day")
    return ((hour * 60 + minute) * 60 + second) * 1_000


def _offset(text: str) -> int:
    if text in "Zz":
        return 0
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 15 or minutes > 59:
        raise UnreadableTimeError("there is no such offset from UTC")
    return (hours * 60 + minutes) * 60_000 * (-1 if text[0] == "-" else 1)
