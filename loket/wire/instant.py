"""Instants on the wire: RFC 3339 times with an offset to integer milliseconds UTC, and back.

Milliseconds are cut, not rounded. `+0700` without the colon and lower-case `t` and `z` are read too. A leap second,
which is always 23:59:60 UTC, is read as the millisecond before it ends: milliseconds since 1970 have no place for it.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from loket.domain.events import Instant

__all__ = ["INSTANT_PATTERN", "NaiveTimeError", "format_instant", "parse_instant"]

INSTANT_PATTERN: Final = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[Tt]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
)
"""RFC 3339, and an offset without the colon. Not anchored."""

_matches = re.compile(INSTANT_PATTERN).fullmatch
_is_offset = re.compile(r"Z|[+-][0-9]{2}:[0-9]{2}").fullmatch
_DIGITS: Final = "0123456789"

_minutes: Final[dict[str, int]] = {}
"""Of what has been read: the text without its seconds → the instant (ms) at which the minute begins."""

_SECONDS: Final = {f"{second:02}": second * 1_000 for second in range(60)}
_POINTED: Final = {f"{second}.": ms for second, ms in _SECONDS.items()}
_MILLISECONDS: Final = {f"{ms:03}": ms for ms in range(1_000)}
_KEPT: Final = 100_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_DAY_MS: Final = 86_400_000

EARLIEST: Final = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND
LATEST: Final = (datetime(2201, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND - 1


class NaiveTimeError(ValueError):
    """A date and time without an offset: it names no instant."""


def _cut(text: str) -> int:
    # Python 3.11 reads `Z` but not `z`, and has no second 60.
    moment = datetime.fromisoformat(text[:-1] + "Z" if text.endswith("z") else text)
    return (moment - _EPOCH) // _MILLISECOND


def parse_instant(text: str) -> Instant:
    """Return the instant that an RFC 3339 time names, cut to milliseconds.

    Raises NaiveTimeError where the offset is missing, and ValueError for anything else that is not an instant of the
    years 1900 to 2200 (UTC).
    """
    # Events come minute by minute: of nearly every time the minute has been read before, and the rest is looked up.
    second = _POINTED.get(text[17:20])
    if second is None:
        minute, second = _minutes.get(text[:17] + text[19:]), _SECONDS.get(text[17:19])
        if minute is not None and second is not None:
            return Instant(minute + second)
    else:
        minute, ms = _minutes.get(text[:17] + text[23:].lstrip(_DIGITS)), _MILLISECONDS.get(text[20:23])
        if minute is not None and ms is not None:
            return Instant(minute + second + ms)
    instant = _read(text)
    offset = text[19:].lstrip("." + _DIGITS)
    if text[17:19] in _SECONDS and _is_offset(offset):
        _remember(_minutes, text[:17] + offset, instant - instant % 60_000)
    return instant


def _read(text: str) -> Instant:
    if not _matches(text):
        _refuse(text)
    if text[17] == "6":
        minute = _cut(f"{text[:17]}00{text[19:]}") // 60_000 * 60_000
        if minute % _DAY_MS != _DAY_MS - 60_000:
            raise ValueError("a second 60 that is not a leap second")
        instant = minute + 59_999
    else:
        instant = _cut(text)
    if not EARLIEST <= instant <= LATEST:
        raise ValueError("outside the years 1900 to 2200")
    return Instant(instant)


def _remember(known: dict[str, int], text: str, value: int) -> None:
    if len(known) >= _KEPT:
        known.clear()
    known[text] = value


def _refuse(text: str) -> None:
    try:
        naive = datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        naive = False
    if naive:
        raise NaiveTimeError("a time without an offset")
    raise ValueError("not an RFC 3339 time")


def format_instant(instant: int) -> str:
    """Return the RFC 3339 time, in UTC with `Z` and milliseconds, that `parse_instant` reads as the same instant."""
    return (_EPOCH + instant * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")
