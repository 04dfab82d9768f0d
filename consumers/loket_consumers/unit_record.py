"""One unit of the record while a batch is worked on: the decisions of `loket.domain.unit.apply`, and late events'.

```
record's time ──▶ days close                                  (rule 7)
event ─▶ not processed yet ─▶ day closed? ─▶ id known? ─▶ ticket or queue has room? ─▶ live and record
            not_yet              late           duplicate            late
                                   └──────────────────┬────────────────┘
                                           the record alone, by all ids (rule 8)
```

Pure: what it needs is handed to it, what it changes is taken from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from loket.domain.days import Admission, QueueClosing, is_never, service_days
from loket.domain.events import CounterData, Event, EventCorrected, FeedbackGiven, QueueClosed, RequestEvent
from loket.domain.policy import MAX_STEPS, UnitPolicy
from loket.domain.request_corrections import MAX_WAITING
from loket.domain.request_steps import Request, request_step
from loket.domain.requesting import MAX_FEEDBACK, hours_of
from loket.domain.requests import KEPT_DAYS, MAX_REQUESTS
from loket.domain.said import corrects, may_be_of_request, may_be_of_ticket
from loket.domain.session_steps import Added, add_step
from loket.domain.sessions import MAX_SESSION_STEPS, SESSION_KIND, session_step
from loket.domain.steps import NEVER_BUCKET, Ticket, step_of
from loket.domain.unit import MAX_CLOSINGS, Applied, TicketKey, together
from loket_consumers.request_record import RequestRecord
from loket_consumers.session_record import SessionRecord
from loket_consumers.ticket_record import TicketRecord, Verdict

__all__ = ["BEYOND", "Arrival", "Closing", "KnownId", "Taken", "UnitRecord"]

BEYOND: Final = "beyond"
"""What the record has no room for either: it is in the archive alone."""

MAX_RECORD_CLOSINGS: Final = 5_000
"""`queue.closed` events of one day in the record."""


class Arrival(Struct, frozen=True):
    """An event that came, and what is derived of it alone. `received` in ms; `day` is the service day it speaks of."""

    event: Event
    received: int
    day: int
    id_hash: int
    content: int


class KnownId(Struct):
    """An id that is known, and of which event. `live`: the live state knows it too, while `day` is open.

    `of_day`: of a queue's closing, a session or an answer, which are forgotten with their day and not with a ticket.
    `request`: the subject of the request with which it is forgotten; `corrects`: of a correction, its subject, whose
    request may know it besides.
    """

    content: int
    live: bool
    day: int
    of_day: bool = False
    request: str | None = None
    corrects: str | None = None


class Closing(Struct, frozen=True):
    """A `queue.closed` event of a day, and whether the live state knows it."""

    day: int
    live: bool
    made: QueueClosing


class Taken(Struct, frozen=True):
    """What became of an event, in the live figures and in the record, and the id that is remembered of it, if it is.

    The verdict on a step is final after `UnitRecord.decide`.
    """

    verdict: Verdict
    known: KnownId | None = None

    @classmethod
    def of(cls, result: str, recorded: str = "", known: KnownId | None = None) -> Taken:
        """With the record's result where it is another than the live one."""
        return cls(Verdict(result, recorded or result), known)


class UnitRecord:
    """A unit, with the tickets and ids that a batch touches.

    `kept_tickets` brings all tickets that the live state keeps: once a day, and only where the day never starts.
    `forget_requests` forgets, once a day, what the live state forgets of requests that are not loaded: how many.
    """

    def __init__(
        self,
        unit: str,
        policy: UnitPolicy,
        admission: Admission,
        kept_tickets: Callable[[], Iterable[TicketRecord]] = tuple,
        forget_requests: Callable[[int, Iterable[str]], int] = lambda closed_day, loaded: 0,  # noqa: ARG005
    ) -> None:
        self.unit = unit
        self.policy = policy
        self.never = is_never(policy)
        self.admission = admission
        self.tickets: dict[TicketKey, TicketRecord] = {}
        self.ids: dict[int, list[KnownId]] = {}
        self.closings: dict[int, list[Closing]] = {}
        self.new_closings: list[Closing] = []
        self.sessions: dict[int, SessionRecord] = {}
        self.forgotten_ids: list[int] = []
        self.requests: dict[str, RequestRecord] = {}
        self.answers: dict[int, int] = {}
        self.new_feedback: list[tuple[int, int, bool, int, str, int]] = []
        self._forget_requests_elsewhere = forget_requests
        self._kept_tickets = kept_tickets

    def bucket(self, day: int) -> int:
        """Under which day the tickets of a service day are kept."""
        return NEVER_BUCKET if self.never else day

    def note(self, received: int) -> None:
        """Take note of a record's time, which may close days."""
        if self.admission.receive(received, self.policy):
            self._forget_requests()
            if self.never:
                self._forget()
            for day in [day for day in self.admission.tickets if 0 < day <= self.admission.closed_day]:
                self.admission.forget(day)

    def take(self, arrival: Arrival) -> Taken:
        """Take an event that is processed, of which `note` has been told."""
        if isinstance(arrival.event.data, CounterData) and type(arrival.event) not in SESSION_KIND:
            return Taken.of(Applied.APPLIED)  # what a desk tells is of the present, and in no figure of the record
        taken = self._live(arrival)
        if taken is None:
            taken = self._late(arrival)
        if taken.known is not None:
            self.ids.setdefault(arrival.id_hash, []).append(taken.known)
        return taken

    def decide(self) -> None:
        """Make the verdicts on all steps final."""
        for record in self.tickets.values():
            record.decide()

    def has_late_closings(self) -> bool:
        """Whether the record knows a closing of the days at hand that the live state does not."""
        return any(not closing.live for made in self.closings.values() for closing in made)

    def closings_of(self, day: int, *, live: bool) -> list[QueueClosing]:
        """The closings of a day that the live figures, or the record, know, in order."""
        made = {(c.made.at, c.made.service): c.made for c in self.closings.get(day, ()) if c.live or not live}
        return sorted(made.values(), key=lambda closing: (closing.at, closing.hash))

    def _live(self, arrival: Arrival) -> Taken | None:
        """What the live state does with an event; None: it is late."""
        of_request = isinstance(arrival.event, RequestEvent)
        if self._is_forgotten(arrival):
            return None
        for known in self.ids.get(arrival.id_hash, ()):
            if self._knows(known, arrival.id_hash):
                repeat = Applied.DUPLICATE if known.content == arrival.content else Applied.CONFLICTING_REPEAT
                return Taken.of(repeat)
        if of_request:
            return self._apply_request(arrival)
        if isinstance(arrival.event, FeedbackGiven):
            return self._answer(arrival)
        if isinstance(arrival.event, QueueClosed):
            return self._close_queue(arrival)
        if type(arrival.event) in SESSION_KIND:
            return self._apply_session(arrival)
        if isinstance(arrival.event, EventCorrected):
            return self._correct(arrival, arrival.event)
        return self._apply(arrival)

    def _knows(self, known: KnownId, id_hash: int) -> bool:
        """Whether the live state still knows an id: ids are forgotten with their day, ticket or request."""
        if known.corrects is not None:
            record = self.requests.get(known.corrects)
            if record is not None and record.has_correction(id_hash):
                return True
        if known.request is not None:
            record = self.requests.get(known.request)
            return known.live and record is not None and record.kept
        if self.never and not known.of_day:
            return known.live
        return known.live and not self.admission.is_closed(known.day)

    def _apply(self, arrival: Arrival) -> Taken | None:
        key = (self.bucket(arrival.day), arrival.event.subject or "")
        record = self.tickets.get(key)
        steps = 0 if record is None else len(record.live_steps())
        step = step_of(arrival.event, arrival.id_hash, arrival.day, self.policy)
        if step is None or not self.admission.admits(steps or None):
            return None
        if record is None:
            record = self.tickets[key] = TicketRecord(Ticket(key[1], key[0]), self.policy)
        if not steps:
            self.admission.opened(key[0])
        verdict = Verdict(Applied.APPLIED, Applied.APPLIED)
        record.take_live(step, verdict)
        live = record.remember(arrival.id_hash, arrival.content)
        return Taken(verdict, KnownId(arrival.content, live, arrival.day))

    def _close_queue(self, arrival: Arrival) -> Taken | None:
        known = [closing for closing in self.closings.get(arrival.day, ()) if closing.live]
        made = _closing(arrival)
        if any(closing.made.at == made.at and closing.made.service == made.service for closing in known):
            return Taken.of(Applied.DUPLICATE)
        if len(known) >= MAX_CLOSINGS:
            return None
        self._add(Closing(arrival.day, True, made))
        return Taken.of(Applied.APPLIED, known=KnownId(arrival.content, live=True, day=arrival.day, of_day=True))

    def _is_forgotten(self, arrival: Arrival) -> bool:
        """Whether the live state has forgotten of what an event speaks."""
        event, is_closed = arrival.event, self.admission.is_closed(arrival.day)
        if not isinstance(event, (RequestEvent, EventCorrected)):
            return is_closed
        record = self.requests.get(event.subject or "")
        if record is not None and record.is_forgotten:
            return True
        return isinstance(event, EventCorrected) and is_closed and (record is None or not record.kept)

    def _correct(self, arrival: Arrival, event: EventCorrected) -> Taken | None:
        """Put a correction to the request or the ticket that has its event, or to both, live or else late, as
        `loket.domain.unit.apply` does."""
        is_open = not self.admission.is_closed(arrival.day)
        ticket = self.tickets.get((self.bucket(arrival.day), event.subject or "")) if is_open else None
        request = self.requests.get(event.subject or "")
        to_ticket, to_request = corrects(
            event,
            () if ticket is None else ticket.live_steps(),
            () if request is None or not request.kept else request.request.live_steps(),
        )
        of_request = self._correct_request(arrival) if to_request else None
        of_ticket = self._apply(arrival) if is_open and to_ticket else None
        if of_request is None and of_ticket is None:
            return None
        if of_ticket is None:
            if to_ticket:
                self._apply_late(arrival)
            known = KnownId(arrival.content, live=False, day=arrival.day, corrects=event.subject)
            return Taken.of(of_request or Applied.LATE, known=known)
        if of_request is None:
            if to_request:
                self._apply_request_late(arrival)
        else:
            verdict = of_ticket.verdict
            verdict.result = verdict.recorded = together([of_request, Applied(verdict.result)])
        if of_ticket.known is not None:
            of_ticket.known.corrects = event.subject
        return of_ticket

    def _correct_request(self, arrival: Arrival) -> Applied | None:
        record = self.requests.get(arrival.event.subject or "")
        if record is not None and record.kept and record.request.waits:
            waiting = len(record.request.live_steps())
            if waiting >= MAX_WAITING or self.admission.is_closed(arrival.day):
                return None
        taken = self._apply_request(arrival)
        return None if taken is None else Applied(taken.verdict.result)

    def _apply_request(self, arrival: Arrival) -> Taken | None:
        subject = arrival.event.subject or ""
        record = self.requests.get(subject)
        step = request_step(arrival.event, arrival.id_hash, self.policy)
        if step is None:
            return None
        if record is None or not record.kept:
            if self.admission.requests >= MAX_REQUESTS:
                return None
            record = self.requests.setdefault(subject, RequestRecord(Request(subject)))
            record.begin_live()
            self.admission.requests += 1
        elif len(record.request.live_steps()) >= MAX_STEPS:
            return None
        added, contradicts = record.take_live(step, hours_of(self.policy))
        known = KnownId(arrival.content, record.remember(), arrival.day, request=subject)
        if not added:
            return Taken.of(Applied.DUPLICATE, known=known)
        return Taken.of(Applied.CONTRADICTION if contradicts else Applied.APPLIED, known=known)

    def _apply_request_late(self, arrival: Arrival) -> bool | None:
        step = request_step(arrival.event, arrival.id_hash, self.policy, late=True)
        if step is None:
            return None
        subject = arrival.event.subject or ""
        return self.requests.setdefault(subject, RequestRecord(Request(subject))).take_late(step)

    def _forget_requests(self) -> None:
        if not self.admission.requests:
            return
        last = self.admission.closed_day - KEPT_DAYS
        days = service_days(self.policy)
        forgotten = self._forget_requests_elsewhere(self.admission.closed_day, self.requests)
        for record in self.requests.values():
            course = record.request.course
            if record.kept and not course.is_open and course.last_at and days.day(course.last_at) <= last:
                record.kept, record.changed = False, True
                forgotten += 1
        self.admission.requests -= forgotten

    def _answer(self, arrival: Arrival) -> Taken | None:
        if self.answers.get(arrival.day, 0) >= MAX_FEEDBACK:
            return None
        self.answers[arrival.day] = self.answers.get(arrival.day, 0) + 1
        self._tell(arrival, live=True)
        return Taken.of(Applied.APPLIED, known=KnownId(arrival.content, live=True, day=arrival.day, of_day=True))

    def _tell(self, arrival: Arrival, *, live: bool) -> bool:
        """Have an answer written."""
        event = arrival.event
        if isinstance(event, FeedbackGiven):
            told = (int(event.time), event.data.service or "", event.data.score)
            self.new_feedback.append((arrival.day, arrival.id_hash, live, *told))
        return True

    def _apply_session(self, arrival: Arrival) -> Taken | None:
        told = self.sessions.setdefault(arrival.day, SessionRecord())
        step = session_step(arrival.event, arrival.id_hash)
        if step is None or len(told.live) >= MAX_SESSION_STEPS:
            return None
        added = add_step(told.live, step)
        if added is Added.REPEAT:
            return Taken.of(Applied.DUPLICATE)
        result = Applied.CONTRADICTION if added is Added.OVERRULED else Applied.APPLIED
        return Taken.of(result, known=KnownId(arrival.content, live=True, day=arrival.day, of_day=True))

    def _apply_session_late(self, arrival: Arrival) -> bool | None:
        step = session_step(arrival.event, arrival.id_hash)
        if step is None:
            return None
        return self.sessions.setdefault(arrival.day, SessionRecord()).take_late(step)

    def _late(self, arrival: Arrival) -> Taken:
        """What the record does with an event that comes too late for the live figures: by all ids that it knows."""
        of_session = type(arrival.event) in SESSION_KIND
        of_queue = isinstance(arrival.event, QueueClosed)
        of_request = isinstance(arrival.event, RequestEvent)
        of_answer = isinstance(arrival.event, FeedbackGiven)
        known = self.ids.get(arrival.id_hash, ())
        if known:
            same = any(other.content == arrival.content for other in known)
            return Taken.of(Applied.LATE, Applied.DUPLICATE if same else Applied.CONFLICTING_REPEAT)
        if of_session:
            added = self._apply_session_late(arrival)
        elif of_request:
            added = self._apply_request_late(arrival)
        elif isinstance(arrival.event, EventCorrected):
            added = self._correct_late(arrival, arrival.event)
        elif of_answer:
            added = self._tell(arrival, live=False)
        else:
            added = self._close_queue_late(arrival) if of_queue else self._apply_late(arrival)
        if added is None:
            return Taken.of(Applied.LATE, BEYOND)
        of_day = of_queue or of_session or of_answer
        subject = arrival.event.subject
        remembered = KnownId(
            arrival.content,
            live=False,
            day=arrival.day,
            of_day=of_day,
            request=subject if of_request else None,
            corrects=subject if isinstance(arrival.event, EventCorrected) else None,
        )
        return Taken.of(Applied.LATE, Applied.APPLIED if added else Applied.DUPLICATE, remembered)

    def _apply_late(self, arrival: Arrival) -> bool | None:
        key = (self.bucket(arrival.day), arrival.event.subject or "")
        step = step_of(arrival.event, arrival.id_hash, arrival.day, self.policy, late=True)
        if step is None:
            return None
        record = self.tickets.get(key)
        if record is None:
            record = self.tickets[key] = TicketRecord(Ticket(key[1], key[0]), self.policy)
        return record.take_late(step)

    def _correct_late(self, arrival: Arrival, event: EventCorrected) -> bool | None:
        found = [
            take(arrival)
            for take, may_be in ((self._apply_request_late, may_be_of_request), (self._apply_late, may_be_of_ticket))
            if may_be(event)
        ]
        return None if all(added is None for added in found) else any(found)

    def _close_queue_late(self, arrival: Arrival) -> bool | None:
        known = self.closings.get(arrival.day, ())
        made = _closing(arrival)
        if any(closing.made.at == made.at and closing.made.service == made.service for closing in known):
            return False
        if len(known) >= MAX_RECORD_CLOSINGS:
            return None
        self._add(Closing(arrival.day, False, made))
        return True

    def _add(self, closing: Closing) -> None:
        self.closings.setdefault(closing.day, []).append(closing)
        self.new_closings.append(closing)

    def _forget(self) -> None:
        """Where the day never starts: forget what the live state forgets, now that days are closed."""
        for record in self._kept_tickets():
            self.tickets.setdefault((record.ticket.day, record.ticket.subject), record)
        for record in self.tickets.values():
            if not record.live_steps():
                continue
            if not record.forget(self.admission):
                self.admission.closed_ticket(record.ticket.day)
            self._forget_ids(record)

    def _forget_ids(self, record: TicketRecord) -> None:
        """Forget the ids of a ticket whose steps are forgotten, and of the repeats of those that are not."""
        ticket = record.ticket
        hashes = {step.hash for step in record.live_steps()}
        pairs = list(zip(ticket.ids[::2], ticket.ids[1::2], strict=True))
        for id_hash, content in pairs:
            if id_hash not in hashes:
                self.forgotten_ids.append(id_hash)
                for known in self.ids.get(id_hash, ()):
                    if known.content == content and not known.of_day:
                        known.live = False
        ticket.ids = [number for pair in pairs if pair[0] in hashes for number in pair]


def _closing(arrival: Arrival) -> QueueClosing:
    event = arrival.event
    service = event.data.service if isinstance(event, QueueClosed) else None
    return QueueClosing(int(event.time), service, arrival.id_hash, arrival.content)
