"""What a batch touches of the database: loaded, changed in memory and written back, a statement for each table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from typing import Final

import msgspec
from sqlalchemy import Connection

from loket.domain.days import Admission, QueueClosing
from loket.domain.events import Event
from loket.domain.policy import Policy
from loket.domain.state import NEVER_BUCKET
from loket.domain.unit import is_processed, ticket_day
from loket_consumers import bulk
from loket_consumers.rows import iso_day
from loket_consumers.schema import (
    archive,
    legs,
    queue_closings,
    tickets,
    units,
)
from loket_consumers.ticket_record import TicketRecord, TicketRow
from loket_consumers.ticket_rows import save_tickets
from loket_consumers.unit_record import Arrival, Closing, KnownId, UnitRecord, bucket_of

__all__ = ["Workspace", "signed", "unsigned"]

_ADMISSION: Final = msgspec.msgpack.Decoder(Admission)
_PACK: Final = msgspec.msgpack.Encoder()
_QUEUE_CLOSED: Final = "loket.queue.closed"


class Workspace:
    """The units of one batch and what is needed of them."""

    def __init__(self, connection: Connection, policy: Policy) -> None:
        self.units: dict[str, UnitRecord] = {}
        self._connection = connection
        self._policy = policy
        self._known: dict[str, tuple[bool, bytes, str, int | None]] = {}
        self._loaded_days: set[tuple[str, int]] = set()

    def day(self, event: Event) -> int:
        """The service day that an event speaks of."""
        return ticket_day(event, self._policy.unit(event.data.unit))

    def load(self, arrivals: Sequence[Arrival]) -> None:
        """Load what these events touch: their units, ids, tickets, and the closings of their days."""
        self._load_units({arrival.event.data.unit for arrival in arrivals})
        processed = [arrival for arrival in arrivals if is_processed(arrival.event)]
        self._load_ids({(arrival.event.data.unit, signed(arrival.id_hash)) for arrival in processed})
        self._load_tickets({self._key(arrival) for arrival in processed if arrival.event.subject is not None})
        self._load_closings({(arrival.event.data.unit, arrival.day) for arrival in processed})

    def _key(self, arrival: Arrival) -> tuple[str, int, str]:
        unit = self.units[arrival.event.data.unit]
        return (unit.unit, bucket_of(arrival.day, unit.policy), arrival.event.subject or "")

    def _load_units(self, names: Iterable[str]) -> None:
        wanted = sorted(names)
        found = bulk.lookup(self._connection, units, ("unit",), [(name,) for name in wanted], ("unit", *_UNIT))
        self._known = {name: (bool(known), bytes(packed), zone, starts) for name, known, packed, zone, starts in found}
        for name in wanted:
            known = self._known.get(name)
            admission = Admission() if known is None else _ADMISSION.decode(known[1])
            self.units[name] = UnitRecord(name, self._policy.unit(name), admission, partial(self._kept_tickets, name))

    def _load_ids(self, keys: set[tuple[str, int]]) -> None:
        wanted = ("unit", "id_hash", "content_hash", "remembered", "day", "type")
        for name, id_hash, content, remembered, day, kind in bulk.lookup(
            self._connection, archive, ("unit", "id_hash"), sorted(keys), wanted, "t.remembered > 0"
        ):
            known = KnownId(unsigned(content), remembered == 2, _ordinal(day), kind == _QUEUE_CLOSED)
            self.units[name].ids.setdefault(unsigned(id_hash), []).append(known)

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
            closing = Closing(_ordinal(day), bool(live), made)
            self.units[name].closings.setdefault(closing.day, []).append(closing)

    def save(self) -> None:
        """Write what has changed; the archive's rows of this batch are not written yet."""
        for unit in self.units.values():
            unit.decide()
        self._refold_open()
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
        self._save_units()
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
        return known is not None and known[2:] != (unit.policy.zone, unit.policy.day_starts_ms)

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
            told = (name in self._policy.units, packed, unit.policy.zone, unit.policy.day_starts_ms)
            if name not in self._known:
                fresh.append((name, *told))
            elif told != self._known[name]:
                changed.append((name, *told))
        bulk.insert(self._connection, units, fresh)
        bulk.update(self._connection, units, ("unit",), _UNIT, changed)

    def _forget_ids(self) -> None:
        keys = sorted({(unit.unit, signed(id_hash)) for unit in self.units.values() for id_hash in unit.forgotten_ids})
        place = ("topic", "partition", "record_offset")
        where = f"t.remembered = 2 AND t.type <> '{_QUEUE_CLOSED}'"
        found = bulk.lookup(self._connection, archive, ("unit", "id_hash"), keys, place, where)
        bulk.update(self._connection, archive, place, ("remembered",), [(*row, 1) for row in found])


_UNIT: Final = ("known", "admission", "zone", "day_starts_ms")
_TICKET: Final = ("unit", "bucket", "subject", "id", "steps", "forgotten", "live_ids", "live_contradictions")


def signed(number: int) -> int:
    """A 64-bit hash as a database holds it."""
    return number - (1 << 64) if number >= 1 << 63 else number


def unsigned(number: int) -> int:
    """A 64-bit hash as the domain holds it."""
    return number + (1 << 64) if number < 0 else number


def _ordinal(day: date | str) -> int:
    return (date.fromisoformat(day) if isinstance(day, str) else day).toordinal()
