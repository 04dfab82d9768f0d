"""What the worker notes about the pipeline itself: results, rejections, late events, clocks of the sources.

These counters begin at zero with each process, as counters of a process do; the figures of the units do not (they are
in the units' state). Times are in milliseconds.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from loket.domain.events import Event
from loket.domain.state import OTHER
from loket.domain.unit import Applied
from loket.wire.rejection import Reason

__all__ = ["RESULTS", "Result", "SourceClock", "Tallies"]

WINDOW_MINUTES = 10
MINUTE_MS = 60_000


class Result(StrEnum):
    """What became of a record beside what the domain says of an event (`Applied`)."""

    REJECTED = "rejected"
    FOREIGN = "foreign"
    AHEAD = "ahead"
    """Read with `clock: event` and later than `--now`: it closes no day and is in no figure."""


RESULTS: tuple[str, ...] = (*(str(applied) for applied in Applied), *(str(result) for result in Result))
"""Every result that is counted, so that each series exists at 0 from the start."""


class SourceClock:
    """How far the clock of one source is off and how late its events come, over ten minutes of the broker's time.

    The error is the smallest of what was seen, as a slow network only ever adds to it; the delay is the largest.
    """

    __slots__ = ("_delays", "_errors")

    def __init__(self) -> None:
        self._errors: dict[int, int] = {}
        self._delays: dict[int, int] = {}

    def note(self, broker_ms: int, event_ms: int, sent_ms: int | None) -> None:
        """Take one event: broker's time − `sent` is the error and `sent` − `time` the delay.

        Without `sent` the error is broker's time − `time`.
        """
        minute = broker_ms // MINUTE_MS
        if minute not in self._errors:
            for known in [known for known in self._errors if known <= minute - WINDOW_MINUTES]:
                del self._errors[known]
                self._delays.pop(known, None)
        error = broker_ms - (event_ms if sent_ms is None else sent_ms)
        if error < self._errors.get(minute, error + 1):
            self._errors[minute] = error
        if sent_ms is not None and sent_ms - event_ms > self._delays.get(minute, -(1 << 62)):
            self._delays[minute] = sent_ms - event_ms

    def error_ms(self, broker_ms: int) -> int | None:
        """Return the clock's error, or None where nothing came within ten minutes. Positive: the clock is late."""
        return min(_recent(self._errors, broker_ms), default=None)

    def delay_ms(self, broker_ms: int) -> int | None:
        """Return the largest delay between an event and its sending, or None where no event said when it was sent."""
        return max(_recent(self._delays, broker_ms), default=None)


def _recent(by_minute: dict[int, int], broker_ms: int) -> list[int]:
    oldest = broker_ms // MINUTE_MS - WINDOW_MINUTES
    return [value for minute, value in list(by_minute.items()) if minute > oldest]


class Tallies:
    """All counters of this process that are not figures of a unit."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter(dict.fromkeys(RESULTS, 0))
        """Records by result (`RESULTS`), each once in this process however often it was fetched."""

        self.rejected: Counter[tuple[str, Reason]] = Counter()
        """Rejected records by (unit, reason); the unit is `other` where the record's key is no unit that is known."""

        self.late: Counter[str] = Counter()
        """Late events (rule 8) by unit."""

        self.sources: dict[str, dict[str, SourceClock]] = {}
        """Clocks by unit and source; beyond the unit's budget of sources they share `other`."""

        self.newest_event_ms: int | None = None
        """The latest `time` of any accepted event that is at most 5 minutes ahead of the broker.

        It is `now` where the events' own clock rules (rule 4).
        """

    def note_clock(self, event: Event, broker_ms: int, unit: str, budget: int) -> None:
        """Take an event's clock; `budget` is how many sources of its unit have a name of their own."""
        sources = self.sources.setdefault(unit, {})
        name = event.source
        if name not in sources and len(sources) - (OTHER in sources) >= budget:
            name = OTHER
        clock = sources.get(name)
        if clock is None:
            clock = sources[name] = SourceClock()
        clock.note(broker_ms, event.time, event.sent)
