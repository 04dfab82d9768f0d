"""The tables of the record, as they are in this version; `loket_consumers.migrations` brings a database here.

```
archive             every record of the topic once, with what became of it
units               what decides which events of a unit are late
queue_closings      `queue.closed` events: whom they end is computed
sessions            session events: staffed time is computed
employee_days       what a day that is over brought each employee in session
tickets             one subject in one unit and service day: all its steps, packed
  └─ legs           what the fold of the steps finds: one row for each leg
      └─ stretches              of waiting, calls and service within a leg
          └─ employee_stretches what each employee did in it
dead_letters        records that could not be taken, untouched
positions           the next offset of each partition: the record contains everything before it
```

Instants are milliseconds since 1970 UTC, durations milliseconds, days dates. What time alone changes is not stored:
`breach_at` and `closes_at` are, and whoever reads computes at a `now` of their own, as the views do.

`basis` says of whose fold a row is: `both`, or, for tickets with late steps (rule 8), `live` (the steps that were not
late: what the metrics show) and `record` (all steps). Live figures are those with basis in (both, live), the record's
those in (both, record).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    text,
)

__all__ = [
    "BOTH",
    "LIVE",
    "METADATA",
    "RECORD",
    "archive",
    "dead_letters",
    "employee_days",
    "employee_stretches",
    "legs",
    "positions",
    "queue_closings",
    "sessions",
    "stretches",
    "ticket_numbers",
    "tickets",
    "units",
]

BOTH: Final = "both"
LIVE: Final = "live"
RECORD: Final = "record"

METADATA: Final = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)


_REMEMBERED: Final = text("remembered > 0")
_OPEN: Final = text("outcome IS NULL")


def _text(name: str, *, null: bool = False, key: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null, primary_key=key)


def _big(name: str, *, null: bool = False, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null, primary_key=key, autoincrement=False)


def _small(name: str, *, null: bool = False, key: bool = False) -> Column[int]:
    return Column(name, SmallInteger, nullable=null, primary_key=key, autoincrement=False)


def _bytes(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


def _of_ticket() -> tuple[Column[int], Column[str], Column[int]]:
    return (
        Column(
            "ticket", BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        _text("basis", key=True),
        _small("leg", key=True),
    )


archive: Final = Table(
    "archive",
    METADATA,
    _text("topic", key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    _big("record_offset", key=True),
    _big("broker_time"),
    # What became of it live: applied, duplicate, contradiction, late, not_yet, conflicting_repeat, foreign, rejected,
    # or ahead (of the present of a replay).
    _text("result"),
    # And in the record, which takes late events too: the same, and `beyond` for what no ticket has room for.
    _text("recorded"),
    # Whether its id is known: 0 no, 1 to the record, 2 live too, while its day is open.
    _small("remembered"),
    _text("unit", null=True),
    _text("type", null=True),
    _text("source", null=True),
    _text("id", null=True),
    _text("subject", null=True),
    _big("event_time", null=True),
    _big("sent", null=True),
    Column("imported", Boolean, nullable=True),
    Column("day", Date, nullable=True),
    _big("id_hash", null=True),  # 64 bits, signed
    _big("content_hash", null=True),
    _bytes("key", null=True),
    _bytes("value", null=True),
    _bytes("headers", null=True),  # MessagePack: an array of [name, bytes]; NULL where there are none
    Index("archive_ids", "unit", "id_hash", sqlite_where=_REMEMBERED, postgresql_where=_REMEMBERED),
)

units: Final = Table(
    "units",
    METADATA,
    _text("unit", key=True),
    Column("known", Boolean, nullable=False),  # whether targets.yaml knows it
    _bytes("admission"),  # MessagePack of loket.domain.days.Admission
    _text("zone"),  # by which its days were told
    _big("day_starts_ms", null=True),  # NULL: never
    Column("staff_from", Date, nullable=True),  # days before it are in employee_days; NULL: no session ever
    _bytes("hours", null=True),  # which opening hours its open requests are measured by
    _bytes("terms", null=True),  # MessagePack of loket.domain.terms.Terms; NULL where targets.yaml does not name it
)

queue_closings: Final = Table(
    "queue_closings",
    METADATA,
    _text("unit", key=True),
    Column("day", Date, primary_key=True),
    _big("at", key=True),
    _text("service", key=True),  # '' closes the whole unit
    Column("live", Boolean, primary_key=True, autoincrement=False),  # or else it was late
    _big("id_hash"),
    _big("content_hash"),
)

sessions: Final = Table(
    "sessions",
    METADATA,
    _text("unit", key=True),
    Column("day", Date, primary_key=True),
    _big("at", key=True),
    _small("kind", key=True),  # loket.domain.session_steps.SessionKind: 0 ended, 1 paused, 2 started, 3 resumed
    _text("counter", key=True),
    _text("employee", key=True),
    _text("services", key=True),  # of a start: those that it names, with commas; '' any
    Column("live", Boolean, primary_key=True, autoincrement=False),  # or else it was late
    _big("id_hash"),
)

employee_days: Final = Table(
    "employee_days",
    METADATA,
    _text("unit", key=True),
    Column("day", Date, primary_key=True),
    _text("basis", key=True),
    _text("employee", key=True),
    _big("ends_at"),  # when time alone could change it no more: for an earlier `now` the row says nothing
    _big("staffed_ms"),
    _big("serving_ms"),
    _big("call_gap_ms"),
    Column("call_gaps", Integer, nullable=False),
    Column("flagged", Integer, nullable=False),  # sessions that nobody ended: the day did
    Index("employee_days_employee", "unit", "employee", "day"),
)

ticket_numbers: Final = Sequence("ticket_numbers", metadata=METADATA)
"""PostgreSQL's; with SQLite, which has one writer, the largest number is asked for."""

tickets: Final = Table(
    "tickets",
    METADATA,
    _big("id", key=True),
    _text("unit"),
    Column("bucket", Integer, nullable=False),  # the service day's ordinal, 0 where the day never starts
    _text("subject"),
    _bytes("steps"),  # MessagePack of loket.domain.steps.Ticket, late steps marked
    _bytes(
        "forgotten", null=True
    ),  # MessagePack of what the live state has forgotten of it, where the day never starts
    Column("kept", Boolean, nullable=False),  # whether the live state still keeps it, where the day never starts
    Column("live_ids", Integer, nullable=False),  # how many ids the live state remembers of it
    Column("contradictions", Integer, nullable=False),
    Column("skewed", Integer, nullable=False),
    Column("live_contradictions", Integer, nullable=False),
    Column("live_skewed", Integer, nullable=False),
    Index("tickets_key", "unit", "bucket", "subject", unique=True),
)

legs: Final = Table(
    "legs",
    METADATA,
    *_of_ticket(),
    _text("unit"),
    _text("subject"),
    Column("day", Date, nullable=False),
    _text("service"),  # the issued one; '' of a leg without an issue, which counts in the unit's row only (rule 19)
    _text("from_unit", null=True),
    _big("issued_at", null=True),
    _big("appointment_at", null=True),
    _big("wait_from"),
    _big("target_ms", null=True),
    _big("short_ms"),
    _big("breach_at", null=True),  # a call up to this instant is within the target
    _big("first_called_at", null=True),
    _text("outcome", null=True),  # completed, no_show, abandoned, transferred; NULL: open, or expired at closes_at
    _big("ended_at", null=True),
    _big("closes_at", null=True),  # of an open leg: when time alone ends it
    _big("last_at"),
    Column("visit", Boolean, nullable=False),
    Column("incomplete", Boolean, nullable=False),
    _text("completer", null=True),
    Column("quantity", Integer, nullable=False),
    _big("early_ms"),
    # Of the first stretch, to which levels, quantiles and Kaplan-Meier look (rules 26 and 28):
    _text("answered", null=True),  # called in it: yes, no (within the target), none (no target)
    _text("left_within", null=True),  # left in it while waiting: short, yes, no, none
    _text("near", null=True),  # called just below or above the target
    _big("first_wait_ms"),
    _big("first_ended_at", null=True),  # uncalled
    # Of the last stretch of an open leg:
    Column("waits", Boolean, nullable=False),  # not called
    _big("last_began_at"),
    _big("last_wait_from"),
    _big("earlier_wait_ms"),  # waited in the stretches before it, of the judged wait
    _big("observed_wait_ms"),  # all waits that a call ended
    _big("total_ms"),
    _small("hour"),  # of arrival, 0 to 23, as the clock of the unit's zone showed it when the row was written
    _big("opens_at", null=True),  # the opening from which the wait is judged, if the unit opened after the issue
    Index("legs_day", "unit", "day"),
    Index("legs_open", "unit", "day", sqlite_where=_OPEN, postgresql_where=_OPEN),
    sqlite_with_rowid=False,
)

stretches: Final = Table(
    "stretches",
    METADATA,
    *_of_ticket(),
    _small("stretch", key=True),
    _text("unit"),
    Column("day", Date, nullable=False),
    _text("service"),  # the leg's: wait and lost
    _text("served_service"),  # the started one: way, service and hold
    Column("issued", Boolean, nullable=False),
    _big("began_at"),
    _big("wait_from"),
    _big("called_at", null=True),
    Column("called", Boolean, nullable=False),  # or else the start itself ended the wait
    _text("caller", null=True),
    _big("started_at", null=True),
    _text("server", null=True),
    _big("ended_at", null=True),
    _text("ended_by", null=True),  # requeued, or the outcome
    _text("ender", null=True),
    Column("held", Boolean, nullable=False),
    _big("wait_ms"),
    _big("way_ms", null=True),
    _big("service_ms", null=True),
    _big("hold_ms"),
    Column("holds", Integer, nullable=False),
    _big("lost_ms", null=True),
    sqlite_with_rowid=False,
)

employee_stretches: Final = Table(
    "employee_stretches",
    METADATA,
    *_of_ticket(),
    _small("stretch", key=True),
    _small("part", key=True),
    _text("unit"),
    Column("day", Date, nullable=False),
    _text("employee", null=True),  # NULL: what was served and nobody is named for
    _text("service"),
    _big("way_ms"),
    Column("way_count", Integer, nullable=False),
    _big("service_ms"),
    Column("service_count", Integer, nullable=False),
    _big("hold_ms"),
    Column("hold_count", Integer, nullable=False),
    _big("served_wait_ms"),
    Column("served_wait_count", Integer, nullable=False),
    Column("served", Integer, nullable=False),
    Column("services", Integer, nullable=False),
    Column("handed_on", Integer, nullable=False),
    Index("employee_stretches_employee", "unit", "employee", "day"),
    sqlite_with_rowid=False,
)

dead_letters: Final = Table(
    "dead_letters",
    METADATA,
    _text("topic", key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    _big("record_offset", key=True),
    _big("broker_time"),
    _text("unit", null=True),  # the key, where it can be a unit's id
    _text("reason"),
    _text("field", null=True),
    _text("sentence"),
    _text("source", null=True),
    _text("id", null=True),
    _bytes("key", null=True),
    _bytes("value", null=True),
    _bytes("headers", null=True),
    _big("replayed_at", null=True),  # when `loket dead-letters replay` last sent it again; NULL: never
)

positions: Final = Table(
    "positions",
    METADATA,
    _text("topic", key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    _big("next"),
)
