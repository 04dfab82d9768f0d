"""A year (or some days) of a city at a hundredth of its traffic: offices with counters, documents and corrections.

```
visits      issued ─▶ called ─▶ started ─▶ completed; no-shows, requeues, transfers, holds; who waits too long leaves
documents   asked for at the end of a visit, done hours to weeks later (`loket.simulator.documents`)
days later  some events are corrected, and some tickets voided
```

Every event says that it tells of the past (`imported`). Pure: the same arguments give the same events.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any, Final

from loket.domain import events as facts
from loket.domain.events import Envelope, Event
from loket.domain.policy import HOUR, SECOND
from loket.simulator.documents import ask_for
from loket.simulator.past import Past

__all__ = ["year", "year_targets"]

_DAY: Final = 24 * HOUR
_MINUTE: Final = 60 * SECOND
_ZONE: Final = 7 * HOUR
"""Asia/Jakarta, which has no summer time."""

_OPENS: Final = 7 * HOUR + 30 * _MINUTE
_CLOSES: Final = 15 * HOUR
_EPOCH: Final = date(1970, 1, 1).toordinal()
_SATURDAY: Final = 5

_SERVICES: Final = ("umum", "pengaduan", "konsultasi", "ktp-el", "kartu-keluarga")
_DOCUMENTS: Final = {"ktp-el": "cetak-ktp-el", "kartu-keluarga": "cetak-kk"}
"""Who has been served for the first asks for the second."""

_PER_TICKET: Final = 5.92
_PER_DAY: Final = 4.0
"""How many events a ticket brings with all that follows from it, and a day with its sessions."""

_PER_COUNTER: Final = 24
_STAFF: Final = 3
_NO_SHOW, _REQUEUED, _MOVED, _HELD = 0.05, 0.08, 0.11, 0.17
"""Of those called: up to the first share do not come, up to the second are sent to wait again, …"""

_CORRECTED, _VOIDED = 0.015, 0.02


def year(seed: int, units: int, events: int, *, first: date, days: int = 365) -> Iterator[Event]:
    """Yield about so many events, by time, of `days` from `first` on; offices are closed on Saturdays and Sundays,
    and have a visitor on each other day at least.

    What documents and corrections bring is up to two months after the last day. Never more than the events of a day and
    of what is under way are in memory.
    """
    past = Past()
    open_days = [day for day in range(first.toordinal(), first.toordinal() + days) if _is_open(day)]
    tickets = max(1.0, (events / units / max(len(open_days), 1) - _PER_DAY) / _PER_TICKET)
    for day in open_days:
        midnight = (day - _EPOCH) * _DAY - _ZONE
        yield from past.before(midnight)
        for number in range(units):
            # A generator of its own for each day of an office: one more office changes none of the others.
            random = Random(f"{seed}/{number}/{day}")  # noqa: S311 - a game's chance, the same for the same seed
            _Day(random, past, _unit(number), day, midnight, tickets).happen()
    yield from past.rest()


def year_targets(units: int, first: date) -> str:
    """The text of a `targets.yaml` for such a year."""
    wait = f"{{valid_from: {first}, seconds: 1800, objective: 0.8}}"
    turnaround = f"{{valid_from: {first}, within: 24h, objective: 0.9, clock: service, from: acceptance}}"
    lines = ["defaults:", "  zone: Asia/Jakarta", '  hours: {mon-fri: "07:30-15:00"}', "  close_after: 2h", "units:"]
    for number in range(units):
        lines += [f"  {_unit(number)}:", "    services:"]
        lines += [f"      {service}: {{wait: [{wait}]}}" for service in _SERVICES]
        lines += [f"      {name}: {{kind: request, turnaround: [{turnaround}]}}" for name in _DOCUMENTS.values()]
    return "\n".join(lines) + "\n"


def _unit(number: int) -> str:
    return f"kantor-{number:03}"


def _is_open(day: int) -> bool:
    return date.fromordinal(day).weekday() < _SATURDAY


class _Visitor:
    """Somebody with a ticket: for what, until when he waits, and whether he was sent on or back already."""

    def __init__(self, subject: str, service: str, patience_ms: int) -> None:
        self.subject, self.service, self.patience_ms = subject, service, patience_ms
        self.again = False


class _Day:
    """A day of an office: visitors are called by whichever counter is free first, in the order in which they wait."""

    def __init__(self, random: Random, past: Past, unit: str, day: int, midnight: int, tickets: float) -> None:
        self._random, self._past, self._unit = random, past, unit
        self._iso = date.fromordinal(day).isoformat()
        self._day, self._opens, self._closes = day, midnight + _OPENS, midnight + _CLOSES
        self._number = max(1, round(random.gauss(tickets, tickets / 5)))
        counters = max(1, round(tickets / _PER_COUNTER))
        self._free = [(self._opens, f"loket-{number + 1}", self._who(number)) for number in range(counters)]
        self._waiting: list[tuple[int, int, _Visitor]] = []
        self._put = 0

    def _who(self, counter: int) -> str:
        return f"{self._unit}.pgw-{counter * _STAFF + self._day % _STAFF:03}"

    def happen(self) -> None:
        """Tell all that happens on this day, and what follows from it on others."""
        for _, counter, employee in self._free:
            self._session(counter, employee)
        heapq.heapify(self._free)
        for number in range(self._number):
            self._come(f"{self._day % 100_000:05}-{number + 1:03}")
        while self._waiting:
            since, _, visitor = heapq.heappop(self._waiting)
            free_at, counter, employee = heapq.heappop(self._free)
            called = max(free_at, since + self._between(5, 40))
            if called > min(since + visitor.patience_ms, self._closes + HOUR):
                heapq.heappush(self._free, (free_at, counter, employee))
                if since + visitor.patience_ms < self._closes + HOUR:
                    self._tell(facts.TicketAbandoned, facts.TicketData, since + visitor.patience_ms, visitor)
                continue  # or else the hall is closed, and the ticket expires
            by = {"counter": counter, "employee": employee}
            free_again = self._serve(visitor, called, by)
            heapq.heappush(self._free, (free_again + self._between(10, 60), counter, employee))

    def _come(self, subject: str) -> None:
        issued = self._opens + round(min(self._random.gammavariate(1.6, 55.0), 400.0) * _MINUTE)
        service = self._random.choices(_SERVICES, (30, 10, 15, 25, 20))[0]
        visitor = _Visitor(f"A-{subject}", service, round((8 + self._random.expovariate(1 / 60)) * _MINUTE))
        self._issue(visitor, issued)

    def _issue(self, visitor: _Visitor, at: int) -> None:
        issue = self._tell(facts.TicketIssued, facts.IssuedData, at, visitor, service=visitor.service)
        self._wait(visitor, at)
        drawn = self._random.random()
        if drawn < _CORRECTED / 3:
            self._correct(issue, {"service": self._random.choice(_SERVICES)}, visitor.subject)
        elif _CORRECTED < drawn < _VOIDED:
            at = self._later()
            self._tell(facts.TicketVoided, facts.VoidedData, at, visitor, reason="salah cetak", day=self._iso)

    def _wait(self, visitor: _Visitor, at: int) -> None:
        self._put += 1
        heapq.heappush(self._waiting, (at, self._put, visitor))

    def _serve(self, visitor: _Visitor, called: int, by: dict[str, str]) -> int:
        """What becomes of somebody who is called; returns when the counter is free again."""
        self._tell(facts.TicketCalled, facts.AtCounterData, called, visitor, **by)
        way = 1.0 if visitor.again else self._random.random()
        if way < _NO_SHOW:
            self._tell(facts.TicketRecalled, facts.AtCounterData, called + 30 * SECOND, visitor, **by)
            self._tell(facts.TicketNoShow, facts.AtCounterData, called + 90 * SECOND, visitor, **by)
            return called + 90 * SECOND
        start = called + self._between(5, 60)
        end = start + round(self._random.gammavariate(3.0, 2.6) * _MINUTE) + 20 * SECOND
        self._tell(facts.ServiceStarted, facts.StartedData, start, visitor, **by)
        if way < _REQUEUED:
            visitor.again = True
            self._tell(facts.TicketRequeued, facts.RequeuedData, end, visitor, reason="berkas kurang", **by)
            self._wait(visitor, end)
            return end
        if way < _MOVED:
            visitor.again = True
            self._tell(facts.TicketTransferred, facts.TransferredData, end, visitor, to_unit=self._unit, **by)
            visitor.service = _SERVICES[(_SERVICES.index(visitor.service) + 1) % len(_SERVICES)]
            self._issue(visitor, end + self._between(5, 60))
            return end
        if way < _HELD:
            back = end + self._between(30, 300)
            self._tell(facts.ServiceHeld, facts.AtCounterData, end, visitor, **by)
            self._tell(facts.ServiceResumed, facts.AtCounterData, back, visitor, **by)
            end = back + self._between(30, 120)
        done = self._tell(facts.ServiceCompleted, facts.CompletedData, end, visitor, **by)
        if self._random.random() < _CORRECTED:
            self._correct(done, {"time": self._past.told(max(start, end - 2 * _MINUTE))}, visitor.subject)
        document = _DOCUMENTS.get(visitor.service)
        if document is not None:
            ask_for(self._random, self._past, self._unit, document, f"{self._iso}/{visitor.subject}", end)
        return end

    def _session(self, counter: str, employee: str) -> None:
        who = {"counter": counter, "employee": employee}
        noon = self._opens + 4 * HOUR + 30 * _MINUTE
        self._say(facts.SessionStarted, facts.SessionStartedData, self._opens, services=_SERVICES, **who)
        self._say(facts.SessionPaused, facts.SessionData, noon, **who)
        self._say(facts.SessionResumed, facts.SessionData, noon + 45 * _MINUTE, **who)
        end = self._closes + HOUR
        ended = self._say(facts.SessionEnded, facts.SessionData, end, **who)
        if self._random.random() < _CORRECTED:
            self._correct(ended, {"time": self._past.told(end - HOUR)}, None)

    def _correct(self, event: Event, said: dict[str, Any], subject: str | None) -> None:
        reference = facts.EventReference(source=event.source, id=event.id)
        data = facts.CorrectedData(unit=self._unit, of=reference, set=said, day=self._iso)
        self._past.tell(facts.EventCorrected, self._later(), data, subject)

    def _later(self) -> int:
        return self._closes + self._random.randint(1, 9) * _DAY - self._between(60, 7_200)

    def _between(self, shortest_s: int, longest_s: int) -> int:
        return self._random.randrange(shortest_s * SECOND, longest_s * SECOND)

    def _say(self, kind: type[Envelope], data: Any, at: int, **said: Any) -> Event:
        return self._past.tell(kind, at, data(unit=self._unit, **said))

    def _tell(self, kind: type[Envelope], data: Any, at: int, visitor: _Visitor, **said: Any) -> Event:
        return self._past.tell(kind, at, data(unit=self._unit, **said), visitor.subject)
