"""One office: a waiting room, counters that call from it, and what becomes of those who are called.

```
issued ─▶ waiting ─▶ called ─▶ started ─▶ (held ─▶ resumed) ─▶ completed
             │  ▲       ├────▶ no_show       ├────▶ requeued ─▶ waiting
             │  └───────┼────────────────────┘
             └▶ abandoned                    └────▶ transferred ─▶ issued elsewhere
```
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from loket.domain import events as facts
from loket.domain.policy import SECOND
from loket.simulator.agenda import Agenda
from loket.simulator.devices import Devices
from loket.simulator.papers import Papers
from loket.simulator.plans import CounterPlan, OfficePlan, ServicePlan

__all__ = ["Office"]


@dataclass(slots=True, eq=False)
class _Visitor:
    subject: str
    service: ServicePlan
    from_unit: str | None = None
    requeued: bool = False


@dataclass(slots=True)
class _Desk:
    """`rests`: for so many ms, as soon as nobody is served; None: no break is due."""

    plan: CounterPlan
    free: bool = True
    rests: int | None = None


_ODDITIES: Final = {2: "no_show", 3: "hold", 4: "requeue", 5: "added"}
"""What becomes of the second, third, … that an office calls, so that each can be seen in the first minute."""

_CHANCES: Final = (("no_show", 0.06), ("hold", 0.1), ("requeue", 0.05), ("added", 0.06), ("onward", 1.0))
"""And of all others; the rest goes onward where their service has somewhere to go."""

_PATIENCE_S: Final = 75.0

_BREAK_MS: Final = 5 * SECOND
_SHIFT_CHANGE_MS: Final = 20 * SECOND
"""How long a break lasts, and how long a desk is closed between two shifts: a minute here is a morning."""

_BREAKS_EACH: Final = 4
"""Of so many breaks one is the end of a shift."""


@dataclass(slots=True, eq=False)
class Office:
    """A running office. `elsewhere` receives those who are sent to another one."""

    plan: OfficePlan
    agenda: Agenda
    devices: Devices
    random: Random
    start_ms: int
    elsewhere: Callable[[str, str, str, str, int], None]
    papers: Papers
    _waiting: list[_Visitor] = field(default_factory=list)
    _desks: list[_Desk] = field(default_factory=list)
    _issued: int = 0
    _called: int = 0

    def open(self, at: int) -> None:
        """Open the doors: sessions begin, and who stands outside comes in."""
        for number, plan in enumerate(self.plan.counters):
            desk = _Desk(plan)
            self._desks.append(desk)
            when = at + 40 * number
            self._staff(desk, when)
            self.agenda.at(when + 60 * SECOND, lambda now, desk=desk: self._beat(desk, now))  # type: ignore[misc]
            tired = when + (32 + 7 * number) * SECOND
            self.agenda.at(tired, lambda now, desk=desk: self._tire(desk, 1, now))  # type: ignore[misc]
        for number in range(self.plan.at_the_door):
            self.agenda.at(at + 300 + 120 * number, self._come)
        self.agenda.at(at + 2 * SECOND, self._come_and_so_on)

    def _staff(self, desk: _Desk, at: int) -> None:
        """Open a desk, with somebody at it."""
        plan, source = desk.plan, self._source(desk)
        self.devices.tell(facts.CounterOpened, source, at, facts.CounterData(unit=self._unit, counter=plan.counter))
        session = facts.SessionStartedData(
            unit=self._unit, counter=plan.counter, employee=plan.employee, services=plan.services
        )
        self.devices.tell(facts.SessionStarted, source, at, session)

    def _tire(self, desk: _Desk, number: int, at: int) -> None:
        """Somebody needs a break, or has worked long enough: once nobody is served."""
        desk.rests = _SHIFT_CHANGE_MS if number % _BREAKS_EACH == 0 else _BREAK_MS
        self.agenda.at(at + 45 * SECOND, lambda now: self._tire(desk, number + 1, now))
        if desk.free:
            self._rest(desk, at)

    def _rest(self, desk: _Desk, at: int) -> None:
        rests, desk.rests, desk.free = desk.rests or 0, None, False
        plan, source = desk.plan, self._source(desk)
        who = facts.SessionData(unit=self._unit, counter=plan.counter, employee=plan.employee)
        if rests == _BREAK_MS:
            self.devices.tell(facts.SessionPaused, source, at, who)
        else:
            self.devices.tell(facts.SessionEnded, source, at, who)
            self.devices.tell(facts.CounterClosed, source, at, facts.CounterData(unit=self._unit, counter=plan.counter))

        def back(now: int) -> None:
            if rests == _BREAK_MS:
                self.devices.tell(facts.SessionResumed, source, now, who)
            else:
                self._staff(desk, now)
            desk.free = True
            self._look(now)

        self.agenda.at(at + rests, back)

    def receive(self, subject: str, from_unit: str, service: str, at: int) -> None:
        """Somebody comes from another office, or from another service of this one, with the same number."""
        plan = next(each for each in self.plan.services if each.service == service)
        self._issue(_Visitor(subject, plan, from_unit if from_unit != self._unit else None), at)

    @property
    def _unit(self) -> str:
        return self.plan.unit

    def _source(self, desk: _Desk | None) -> str:
        return f"{self._unit}/{'kiosk' if desk is None else desk.plan.counter}"

    def _come_and_so_on(self, at: int) -> None:
        self._come(at)
        begins, ends = self.plan.rush
        rush = begins <= (at - self.start_ms) // SECOND % 60 < ends
        every = self.plan.rush_s if rush else self.plan.every_s
        self.agenda.at(at + self._about(every, shortest=0.1), self._come_and_so_on)

    def _come(self, at: int) -> None:
        plan = self.random.choices(self.plan.services, [each.share for each in self.plan.services])[0]
        self._issued += 1
        subject = f"{plan.letter}{self._issued:03}.{self.start_ms // SECOND:x}"
        visitor = _Visitor(subject, plan)
        self._issue(visitor, at)
        if self._issued % 40 == 17:  # printed by mistake, and taken back
            self._waiting.remove(visitor)
            self._tell(facts.TicketVoided, None, visitor, at + 900, facts.VoidedData, reason="salah cetak")

    def _issue(self, visitor: _Visitor, at: int) -> None:
        self._tell(facts.TicketIssued, None, visitor, at, facts.IssuedData, service=visitor.service.service)
        self._wait(visitor, at)

    def _wait(self, visitor: _Visitor, at: int) -> None:
        self._waiting.append(visitor)
        self.agenda.at(at + self._about(_PATIENCE_S, shortest=4.0), lambda now: self._leave(visitor, now))
        # Not at once: whoever has just printed a number sits down first.
        self.agenda.at(at + 400, self._look)

    def _leave(self, visitor: _Visitor, at: int) -> None:
        if visitor in self._waiting:
            self._waiting.remove(visitor)
            self._tell(facts.TicketAbandoned, None, visitor, at, facts.TicketData)

    def _look(self, at: int) -> None:
        for desk in self._desks:
            wanted = (each for each in self._waiting if each.service.service in desk.plan.services)
            if desk.free and (visitor := next(wanted, None)) is not None:
                self._waiting.remove(visitor)
                desk.free = False
                self._call(desk, visitor, at)

    def _call(self, desk: _Desk, visitor: _Visitor, at: int) -> None:
        self._called += 1
        odd = _ODDITIES.get(self._called) or self._drawn()
        self._at_desk(facts.TicketCalled, desk, visitor, at)
        if odd == "no_show":
            self._at_desk(facts.TicketRecalled, desk, visitor, at + 2 * SECOND)
            self._at_desk(facts.TicketNoShow, desk, visitor, at + 4 * SECOND)
            self._free(desk, at + 4 * SECOND)
            return
        start = at + self._about(1.5, shortest=0.5)
        self._tell(facts.ServiceStarted, desk, visitor, start, facts.StartedData, **self._by(desk))
        end = start + self._takes(visitor.service.seconds)
        if odd == "hold":
            held, resumed = start + (end - start) // 3, start + (end - start) // 3 + self._about(3.0, shortest=1.0)
            self._at_desk(facts.ServiceHeld, desk, visitor, held)
            self._at_desk(facts.ServiceResumed, desk, visitor, resumed)
            end += resumed - held
        if odd == "added" and len(self.plan.services) > 1:
            more = next(each for each in self.plan.services if each is not visitor.service)
            who = desk.plan.employee
            self._tell(
                facts.ServiceAdded, desk, visitor, end - 500, facts.AddedData, service=more.service, employee=who
            )
        self.agenda.at(end, lambda now: self._end(desk, visitor, odd, now))

    def _end(self, desk: _Desk, visitor: _Visitor, odd: str, at: int) -> None:
        onward = visitor.service.onward
        if odd == "requeue" and not visitor.requeued:
            visitor.requeued = True
            by = self._by(desk)
            self._tell(facts.TicketRequeued, desk, visitor, at, facts.RequeuedData, reason="berkas kurang", **by)
            self._wait(visitor, at)
        elif onward is not None and visitor.from_unit is None and self.random.random() < onward[2]:
            unit, service, _ = onward
            to = {"to_unit": unit, "to_service": service}
            self._tell(facts.TicketTransferred, desk, visitor, at, facts.TransferredData, **to, **self._by(desk))
            self.elsewhere(visitor.subject, self._unit, unit, service, at + self._about(2.0, shortest=1.0))
        else:
            self._tell(facts.ServiceCompleted, desk, visitor, at, facts.CompletedData, **self._by(desk))
            if visitor.service.document is not None:
                self.papers.ask(visitor.service.document, visitor.subject, at)
        self._free(desk, at + self._about(0.8, shortest=0.3))

    def _free(self, desk: _Desk, at: int) -> None:
        def free(now: int) -> None:
            desk.free = True
            if desk.rests is not None:
                self._rest(desk, now)
            self._look(now)

        self.agenda.at(at, free)

    def _beat(self, desk: _Desk, at: int) -> None:
        source = self._source(desk)
        pending, oldest = self.devices.pending(source, at)
        counter = desk.plan.counter
        data = facts.HeartbeatData(unit=self._unit, counter=counter, pending=pending, oldest_pending_at=oldest)
        self.devices.tell(facts.CounterHeartbeat, source, at, data)
        self.agenda.at(at + 60 * SECOND, lambda now: self._beat(desk, now))

    def _drawn(self) -> str:
        drawn = self.random.random()
        for odd, chance in _CHANCES:
            if drawn < chance:
                return odd
            drawn -= chance
        return "onward"

    def _about(self, seconds: float, shortest: float) -> int:
        """Milliseconds, exponential about a mean as arrivals are, at least `shortest` seconds."""
        return round(SECOND * (shortest + self.random.expovariate(1.0 / max(seconds - shortest, 0.1))))

    def _takes(self, seconds: float) -> int:
        """Milliseconds of a service: about a mean too, but seldom far from it, or one would stop a first minute."""
        return round(SECOND * max(1.0, self.random.gammavariate(4.0, seconds / 4.0)))

    def _by(self, desk: _Desk) -> dict[str, str]:
        return {"counter": desk.plan.counter, "employee": desk.plan.employee}

    def _at_desk(self, kind: type[facts.TicketEvent], desk: _Desk, visitor: _Visitor, at: int) -> None:
        self._tell(kind, desk, visitor, at, facts.AtCounterData, **self._by(desk))

    def _tell(
        self, kind: type[facts.TicketEvent], desk: _Desk | None, visitor: _Visitor, at: int, data: Any, **said: Any
    ) -> None:
        told = data(unit=self._unit, from_unit=visitor.from_unit, **said)
        source = self._source(desk)
        # Told when it happens, so that a device tells everything in order.
        self.agenda.at(at, lambda now: self.devices.tell(kind, source, now, told, visitor.subject))
