"""What a batch touches of the database: loaded, changed in memory and written back, a statement for each table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import msgspec
from sqlalchemy import Connection

from loket.domain.days import Admission, QueueClosing, service_days
from loket.domain.events import Event, EventCorrected, FeedbackGiven, RequestEvent, TicketEvent
from loket.domain.policy import Policy
from loket.domain.request_records import hours_mark
from loket.domain.request_steps import REQUEST_KIND
from loket.domain.sessions import MAX_UNSETTLED_DAYS, SESSION_KIND, staffed_days
from loket.domain.steps import NEVER_BUCKET
from loket.domain.unit import is_processed, ticket_day
from loket_consumers import bulk
from loket_consumers.columns import ordinal, signed, unsigned
from loket_consumers.request_rows import (
    forget_requests,
    live_answers,
    load_requests,
    measure_open_requests,
    save_requests,
)
from loket_consumers.rows import iso_day
from loket_consumers.schema import (
    archive,
    legs,
    queue_closings,
    sessions,
    tickets,
    units,
)
from loket_consumers.staff_days import first_unfinished, load_sessions, session_days, store_staff
from loket_consumers.terms import packed_terms
from loket_consumers.ticket_record import TicketRecord, TicketRow
from loket_consumers.ticket_rows import save_tickets
from loket_consumers.unit_record import Arrival, Closing, KnownId, UnitRecord

__all__ = ["Workspace"]

_ADMISSION: Final = msgspec.msgpack.Decoder(Admission)
_PACK: Final = msgspec.msgpack.Encoder()
_OF_REQUEST: Final = frozenset(str(kind.__struct_config__.tag) for kind in REQUEST_KIND)
_CORRECTION: Final = str(EventCorrected.__struct_config__.tag)
_OF_DAY: Final = (
    "loket.queue.closed",
    "loket.feedback.given",
    *(str(kind.__struct_config__.tag) for kind in SESSION_KIND),
)
"""Types whose ids are forgotten with their day, and not with a ticket."""

_OF_DAY_SQL: Final = ", ".join(f"'{kind}'" for kind in _OF_DAY)


class Workspace:
    """The units of one batch and what is needed of them."""

    def __init__(self, connection: Connection, policy: Policy) -> None:
        self.units: dict[str, UnitRecord] = {}
        self._connection = connection
        self._policy = policy
        self._known: dict[str, tuple[bool, bytes, str, int | None, bytes | None, bytes | None]] = {}
        self._last_days: dict[str, int] = {}
        self._staff_from: dict[str, int] = {}
        self._loaded_days: set[tuple[str, int]] = set()

    def day(self, event: Event) -> int:
        """The service day that an event speaks of."""
        return ticket_day(event, self._policy.unit(event.data.unit))

    def load(self, arrivals: Sequence[Arrival]) -> None:
        """Load what these events touch: their units, ids, tickets, and the closings of their days."""
        self._load_units({arrival.event.data.unit for arrival in arrivals})
        ids: set[tuple[str, int]] = set()
        days: set[tuple[str, int]] = set()
        keys: set[tuple[str, int, str]] = set()
        told: set[tuple[str, int]] = set()
        subjects: set[tuple[str, str]] = set()
        answers: set[tuple[str, int]] = set()
        for arrival in arrivals:
            event = arrival.event
            if not is_processed(event):
                continue
            name = event.data.unit
            ids.add((name, signed(arrival.id_hash)))
            days.add((name, arrival.day))
            if isinstance(event, (TicketEvent, EventCorrected)):
                keys.add((name, self.units[name].bucket(arrival.day), event.subject or ""))
            if isinstance(event, (RequestEvent, EventCorrected)):
                subjects.add((name, event.subject or ""))
            elif isinstance(event, FeedbackGiven):
                answers.add((name, arrival.day))
            if type(event) in SESSION_KIND:
                told.add((name, arrival.day))
        subjects |= self._load_ids(ids)
        for name, request in load_requests(self._connection, subjects):
            self.units[name].requests[request.request.subject] = request
        for (name, day), number in live_answers(self._connection, answers).items():
            self.units[name].answers[day] = number
        self._load_tickets(keys)
        self._load_closings(days)
        for (name, day), sessions_of_day in load_sessions(self._connection, told).items():
            self.units[name].sessions[day] = sessions_of_day

    def _load_units(self, names: Iterable[str]) -> None:
        wanted = sorted(names)
        found = bulk.lookup(
            self._connection, units, ("unit",), [(name,) for name in wanted], ("unit", "staff_from", *_UNIT)
        )
        self._known = {
            name: (bool(known), bytes(packed), zone, starts, _optional(hours), _optional(terms))
            for name, _, known, packed, zone, starts, hours, terms in found
        }
        self._staff_from = {name: ordinal(since) for name, since, *_ in found if since is not None}
        for name in wanted:
            known = self._known.get(name)
            admission = Admission() if known is None else _ADMISSION.decode(known[1])
            self._last_days[name] = service_days(self._policy.unit(name)).day(admission.received)
            self.units[name] = UnitRecord(
                name,
                self._policy.unit(name),
                admission,
                partial(self._kept_tickets, name),
                partial(forget_requests, self._connection, name),
            )

    def _load_ids(self, keys: set[tuple[str, int]]) -> set[tuple[str, str]]:
        """Load what is known of ids; the units and subjects of requests with which some of them are forgotten."""
        wanted = ("unit", "id_hash", "content_hash", "remembered", "day", "type", "subject")
        requests = set()
        for name, id_hash, content, remembered, day, kind, subject in bulk.lookup(
            self._connection, archive, ("unit", "id_hash"), sorted(keys), wanted, "t.remembered > 0"
        ):
            request = subject if kind in _OF_REQUEST else None
            corrects = subject if kind == _CORRECTION else None
            if request is not None or corrects is not None:
                requests.add((name, subject))
            known = KnownId(unsigned(content), remembered == 2, ordinal(day), kind in _OF_DAY, request, corrects)
            self.units[name].ids.setdefault(unsigned(id_hash), []).append(known)
        return requests

    def _load_tickets(self, keys: set[tuple[str, int, str]]) -> None:
        self._take_tickets(bulk.lookup(self._connection, tickets, ("unit", "bucket", "subject"), sorted(keys), _TICKET))

    def _take_tickets(self, rows: Iterable[bulk.Row]) -> list[TicketRecord]:
        found = []
        for name, bucket, subject, *row in rows:
            unit = self.units[name]
            if (bucket, subject) not in unit.tickets:
                unit.tickets[(bucket, subject)] = TicketRecord.unpack(TicketRow(*row), unit.policy)
            found.append(unit.tickets[(bucket, subject)])
        return found

    def _kept_tickets(self, name: str) -> list[TicketRecord]:
        key = [(name, NEVER_BUCKET)]
        rows = bulk.lookup(self._connection, tickets, ("unit", "bucket"), key, _TICKET, "t.kept")
        kept = self._take_tickets(rows)
        self._load_closings({(name, leg.day) for record in kept for leg in record.live().legs if leg.outcome is None})
        return kept

    def _load_closings(self, keys: set[tuple[str, int]]) -> None:
        missing = sorted(keys - self._loaded_days)
        self._loaded_days.update(missing)
        wanted = ("unit", "day", "at", "service", "live", "id_hash", "content_hash")
        for name, day, at, service, live, id_hash, content in bulk.lookup(
            self._connection,
            queue_closings,
            ("unit", "day"),
            [(name, iso_day(day)) for name, day in missing],
            wanted,
        ):
            made = QueueClosing(at, service or None, unsigned(id_hash), unsigned(content))
            closing = Closing(ordinal(day), bool(live), made)
            self.units[name].closings.setdefault(closing.day, []).append(closing)

    def save(self) -> None:
        """Write what has changed; the archive's rows of this batch are not written yet."""
        for unit in self.units.values():
            unit.decide()
        self._refold_open()
        for unit in self.units.values():
            known = self._known.get(unit.unit)
            if unit.admission.requests and known is not None and known[4] != hours_mark(unit.policy):
                measure_open_requests(self._connection, unit)
        save_requests(self._connection, self.units.values())
        changed = [(unit, record) for unit in self.units.values() for record in unit.tickets.values() if record.changed]
        self._load_closings(
            {
                (unit.unit, leg.day)
                for unit, record in changed
                if record.never
                for leg in record.record().legs
                if leg.outcome is None
            }
        )
        save_tickets(self._connection, changed)
        self._save_closings()
        self._save_sessions()
        self._save_units()
        self._save_staff(changed)
        self._forget_ids()

    def _refold_open(self) -> None:
        """Write the rows anew of whom a closed queue ends, and of all whom other days end now: when is in the row."""
        days = {(unit.unit, closing.day) for unit in self.units.values() for closing in unit.new_closings}
        keys = sorted((name, iso_day(day)) for name, day in days)
        waiting = bulk.lookup(self._connection, legs, ("unit", "day"), keys, ("ticket",), "t.outcome IS NULL")
        moved = [(unit.unit,) for unit in self.units.values() if self._has_other_days(unit)]
        waiting += bulk.lookup(self._connection, legs, ("unit",), moved, ("ticket",), "t.outcome IS NULL")
        rows = bulk.lookup(self._connection, tickets, ("id",), sorted(set(waiting)), _TICKET)
        for record in self._take_tickets(rows):
            record.changed = True

    def _has_other_days(self, unit: UnitRecord) -> bool:
        """Whether the targets tell this unit's days otherwise than when it was last written."""
        known = self._known.get(unit.unit)
        return known is not None and known[2:4] != (unit.policy.zone, unit.policy.day_starts_ms)

    def _save_closings(self) -> None:
        rows = [
            (
                unit.unit,
                iso_day(closing.day),
                closing.made.at,
                closing.made.service or "",
                closing.live,
                signed(closing.made.hash),
                signed(closing.made.content),
            )
            for unit in self.units.values()
            for closing in unit.new_closings
        ]
        bulk.insert(self._connection, queue_closings, rows)

    def _save_units(self) -> None:
        fresh: list[bulk.Row] = []
        changed: list[bulk.Row] = []
        for name, unit in self.units.items():
            packed = _PACK.encode(unit.admission)
            hours = hours_mark(unit.policy)
            terms = self._terms(name, unit)
            told = (name in self._policy.units, packed, unit.policy.zone, unit.policy.day_starts_ms, hours, terms)
            if name not in self._known:
                fresh.append((name, *told[:-2], None, hours, terms))
            elif told != self._known[name]:
                changed.append((name, *told))
        bulk.insert(self._connection, units, fresh)
        bulk.update(self._connection, units, ("unit",), _UNIT, changed)

    def _terms(self, name: str, unit: UnitRecord) -> bytes | None:
        """What the unit is counted and judged by, made anew once a day: within it a file's past does not change."""
        known, received = self._known.get(name), unit.admission.received
        if known is not None and known[5] and service_days(unit.policy).day(received) == self._last_days[name]:
            return known[5]
        return packed_terms(unit.policy, received)

    def _save_sessions(self) -> None:
        fresh: list[bulk.Row] = []
        changed: list[bulk.Row] = []
        for unit in self.units.values():
            for day, told in unit.sessions.items():
                for step, live, is_new in told.changes():
                    key = (unit.unit, iso_day(day), step.at, int(step.kind), step.counter, step.employee)
                    row = (*key, ",".join(step.services or ()), live, signed(step.hash))
                    (fresh if is_new else changed).append(row)
        bulk.insert(self._connection, sessions, fresh)
        key_columns = ("unit", "day", "at", "kind", "counter", "employee", "services", "live")
        bulk.update(self._connection, sessions, key_columns, ("id_hash",), changed)

    def _save_staff(self, changed: Sequence[tuple[UnitRecord, TicketRecord]]) -> None:
        """Write employees' time of days that are over: where something has changed it, or where they are over now."""
        touched: dict[str, set[int]] = {}
        for unit, record in changed:
            touched.setdefault(unit.unit, set()).update(_days_of(record))
        for name, unit in self.units.items():
            told = {day for day, of_day in unit.sessions.items() if of_day.live or of_day.late}
            if name in self._staff_from or told:
                self._save_staff_of(unit, touched.get(name, set()) | told | {day + 1 for day in told})

    def _save_staff_of(self, unit: UnitRecord, touched: set[int]) -> None:
        now, name, policy = unit.admission.received, unit.unit, unit.policy
        unfinished = first_unfinished(policy, now)
        since = self._staff_from.get(name, unfinished)
        due = {day for day in touched if day < unfinished}.union(range(since, unfinished))
        if due:
            told = session_days(self._connection, name, min(due) - 1, unfinished)
            for day in due.intersection(staffed_days(told, policy, now)):
                store_staff(self._connection, name, policy, day, now)
        if name not in self._staff_from or since < unfinished:
            bulk.update(self._connection, units, ("unit",), ("staff_from",), [(name, iso_day(unfinished))])

    def _forget_ids(self) -> None:
        keys = sorted({(unit.unit, signed(id_hash)) for unit in self.units.values() for id_hash in unit.forgotten_ids})
        place = ("topic", "partition", "record_offset")
        where = f"t.remembered = 2 AND t.type NOT IN ({_OF_DAY_SQL})"
        found = bulk.lookup(self._connection, archive, ("unit", "id_hash"), keys, place, where)
        bulk.update(self._connection, archive, place, ("remembered",), [(*row, 1) for row in found])


_UNIT: Final = ("known", "admission", "zone", "day_starts_ms", "hours", "terms")
_TICKET: Final = ("unit", "bucket", "subject", "id", "steps", "forgotten", "live_ids", "live_contradictions")


def _optional(packed: bytes | None) -> bytes | None:
    return None if packed is None else bytes(packed)


def _days_of(record: TicketRecord) -> Iterable[int]:
    """The days on which a ticket's steps may tell of work or waits."""
    if not record.never:
        return (record.ticket.day,)
    days, steps = service_days(record.policy), record.ticket.steps
    last = days.day(max(step.at for step in steps)) + 1
    return range(max(days.day(min(step.at for step in steps)), last - MAX_UNSETTLED_DAYS), last + 1)
