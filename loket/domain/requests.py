"""The requests that a unit's state holds: packed, in pages by day of submission, with an index for what time changes.

```
held       subject → packed request                     all that are open; the ended ones for KEPT_DAYS more
pages      (day of submission, number) → subjects       at most PAGE_REQUESTS each, a record of its own
open       service → sorted starts and breaches         how many, the oldest, how many over target: no look at each
ends       day of the last step → subjects              which to forget when days close: no look at each either
forgotten  hashes of subjects that were held            what comes for them is late (rule 8)
```

Corrections that come before what they correct are held as requests too, which nobody has submitted.

So an event costs the same whatever is open, and a checkpoint writes the pages that changed.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct, field

from loket.domain.days import service_days
from loket.domain.events import identity_hash
from loket.domain.ordered import Ordered
from loket.domain.policy import UnitPolicy
from loket.domain.request_course import Course
from loket.domain.request_steps import Request

__all__ = [
    "FORGOTTEN_ON_PAGE",
    "KEPT_DAYS",
    "MAX_FORGOTTEN_PAGES",
    "MAX_REQUESTS",
    "NO_DAY",
    "PAGE_REQUESTS",
    "OpenRequests",
    "RequestPage",
    "RequestPresent",
    "Requests",
    "subject_hash",
]

MAX_REQUESTS = 250_000
"""Requests that a unit's state holds: what comes for others is in the record only."""

PAGE_REQUESTS = 200
"""Requests in a page."""

KEPT_DAYS = 60
"""Service days for which a request that has ended, or of which only later steps came, is held after its last step."""

FORGOTTEN_ON_PAGE = 20_000
MAX_FORGOTTEN_PAGES = 50
"""So many forgotten requests are remembered by a hash; of those before them nothing is known."""

NO_DAY = 0
"""The day of pages of requests whose submission has not come."""

RequestPage = tuple[int, int]
"""Day of submission and number."""

_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(Request)


class OpenRequests(Struct):
    """Of the open requests of a service, in order: when they were submitted, and when the targets of some pass."""

    starts: Ordered = field(default_factory=Ordered)
    breaches: Ordered = field(default_factory=Ordered)
    suspended: int = 0

    def add(self, course: Course) -> None:
        self.starts.add(course.submitted_at or 0)
        if course.breach_at is not None:
            self.breaches.add(course.breach_at)
        self.suspended += course.suspended_since is not None

    def remove(self, course: Course) -> None:
        self.starts.remove(course.submitted_at or 0)
        if course.breach_at is not None:
            self.breaches.remove(course.breach_at)
        self.suspended -= course.suspended_since is not None

    def over_target(self, now: int) -> int:
        """How many of the targets have passed before an instant (exactly at the target is within)."""
        return self.breaches.below(now)


class RequestPresent(Struct):
    """The requests of one service at an instant. `judged` and `breached` are cumulative (rule 24)."""

    open: int = 0
    suspended: int = 0
    over_target: int = 0
    judged: int = 0
    breached: int = 0
    oldest_start: int | None = None


def subject_hash(subject: str) -> int:
    """The hash by which a forgotten request is remembered."""
    return identity_hash("", subject)


class Requests:
    """All of a unit's requests. Empty for most units: then it costs an attribute."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.ids: dict[int, int] = {}
        self.pages: dict[RequestPage, dict[str, None]] = {}
        self.open: dict[str, OpenRequests] = {}
        self.ends: dict[int, dict[str, None]] = {}
        self.forgotten: dict[int, set[int]] = {}
        self.dirty_pages: set[RequestPage] = set()
        self.gone_pages: set[RequestPage] = set()
        self.dirty_forgotten: set[int] = set()
        self.gone_forgotten: set[int] = set()
        self._last_page: dict[int, int] = {}

    def get(self, subject: str) -> Request | None:
        """The request of a subject, unpacked."""
        packed = self.held.get(subject)
        return None if packed is None else _UNPACK.decode(packed)

    def is_forgotten(self, subject: str) -> bool:
        """Whether a request was held once and is no more."""
        if subject in self.held or not self.forgotten:
            return False
        hashed = subject_hash(subject)
        return any(hashed in page for page in self.forgotten.values())

    def put(self, request: Request, label: str, policy: UnitPolicy) -> None:
        """Keep a request that is in no index, and mark its page."""
        self._give_page(request, policy)
        self.held[request.subject] = _PACK.encode(request)
        self.dirty_pages.add((request.day, request.page))
        self.index(request.subject, label, request.course, policy)

    def index(self, subject: str, label: str, course: Course, policy: UnitPolicy) -> None:
        """Note what time alone changes of a request."""
        if course.is_open:
            found = self.open.get(label)
            if found is None:
                found = self.open[label] = OpenRequests()
            found.add(course)
        elif course.last_at:
            self.ends.setdefault(service_days(policy).day(course.last_at), {})[subject] = None

    def drop_from_index(self, subject: str, label: str, course: Course, policy: UnitPolicy) -> None:
        """Take back what `index` noted."""
        if course.is_open:
            self.open[label].remove(course)
        elif course.last_at:
            # The day may be told otherwise than it was noted, where the unit has moved to another zone.
            day = service_days(policy).day(course.last_at)
            for near in (day, day - 1, day + 1):
                if self.ends.get(near, {}).pop(subject, 0) is None:
                    break

    def _give_page(self, request: Request, policy: UnitPolicy) -> None:
        submitted_at = request.course.submitted_at
        if request.page >= 0 and (request.day != NO_DAY or submitted_at is None):
            return
        if request.page >= 0:
            self._leave_page(request)
        request.day = NO_DAY if submitted_at is None else service_days(policy).day(submitted_at)
        number = self._last_page.get(request.day, 0)
        if len(self.pages.get((request.day, number), ())) >= PAGE_REQUESTS:
            number += 1
        self._last_page[request.day] = number
        request.page = number
        self.pages.setdefault((request.day, number), {})[request.subject] = None
        self.gone_pages.discard((request.day, number))

    def _leave_page(self, request: Request) -> None:
        place = (request.day, request.page)
        page = self.pages[place]
        del page[request.subject]
        if page:
            self.dirty_pages.add(place)
            return
        del self.pages[place]
        self.dirty_pages.discard(place)
        self.gone_pages.add(place)

    def forget(self, closed_day: int) -> int:
        """Forget the requests that are over for KEPT_DAYS when days up to `closed_day` are closed; how many."""
        count = 0
        for day in sorted(day for day in self.ends if day + KEPT_DAYS <= closed_day):
            for subject in self.ends.pop(day):
                self._forget(subject)
                count += 1
        if count:
            days = {day for day, _ in self.pages}
            self._last_page = {day: last for day, last in self._last_page.items() if day in days}
        return count

    def _forget(self, subject: str) -> None:
        request = self.get(subject)
        if request is None:
            return
        for id_hash in request.ids[::2]:
            self.ids.pop(id_hash, None)
        self._leave_page(request)
        del self.held[subject]
        if request.waits:
            return  # a ticket's, or of nothing: what comes under this name is no late comer
        newest = max(self.forgotten, default=0)
        if len(self.forgotten.get(newest, ())) >= FORGOTTEN_ON_PAGE:
            newest += 1
        self.forgotten.setdefault(newest, set()).add(subject_hash(subject))
        self.dirty_forgotten.add(newest)
        while len(self.forgotten) > MAX_FORGOTTEN_PAGES:
            oldest = min(self.forgotten)
            del self.forgotten[oldest]
            self.dirty_forgotten.discard(oldest)
            self.gone_forgotten.add(oldest)

    def restore(self, request: Request, packed: bytes, label: str, policy: UnitPolicy) -> None:
        """Take a request that was written. Raises ValueError where it is already there."""
        if request.subject in self.held:
            raise ValueError("a request is in two places")
        self.held[request.subject] = packed
        self.ids.update(zip(request.ids[::2], request.ids[1::2], strict=True))
        self.pages.setdefault((request.day, request.page), {})[request.subject] = None
        self._last_page[request.day] = max(request.page, self._last_page.get(request.day, 0))
        self.index(request.subject, label, request.course, policy)

    def present(self, label: str, settled: dict[str, int], now: int) -> RequestPresent:
        """The requests of a service at `now`, with what is settled of them."""
        found = self.open.get(label)
        judged, breached = settled.get("requests_judged", 0), settled.get("requests_breached", 0)
        if found is None:
            return RequestPresent(judged=judged, breached=breached)
        over = found.over_target(now)
        first = found.starts.first
        oldest = None if first is None else min(first, now)
        return RequestPresent(len(found.starts), found.suspended, over, judged + over, breached + over, oldest)
