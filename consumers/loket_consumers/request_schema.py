"""The tables of requests and answers in the record.

```
request_steps   one subject of a unit: all its steps, packed, and what the live state keeps of it
requests        what the fold of the steps finds: a row, or two where late steps tell the record something else
feedback        answers of citizens, each once
```

Instants are milliseconds since 1970 UTC, durations milliseconds. Whether an open request is over its target is not
stored: it is where `breach_at` has passed. `basis` as in `loket_consumers.schema`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from loket_consumers.schema import METADATA

__all__ = ["feedback", "request_steps", "requests"]

_KEPT_OVER: Final = text("kept AND over_day IS NOT NULL")


def _big(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=True)


request_steps: Final = Table(
    "request_steps",
    METADATA,
    Column("unit", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("steps", LargeBinary, nullable=False),  # MessagePack of loket.domain.request_steps.Request, late ones marked
    Column("kept", Boolean, nullable=False),  # whether the live state holds it
    Column("over_day", Integer, nullable=True),  # ordinal of the day of its last live step, where it is not open
    Column("live_ids", Integer, nullable=False),  # how many ids the live state remembers of it
    Index("request_steps_over", "unit", "over_day", sqlite_where=_KEPT_OVER, postgresql_where=_KEPT_OVER),
)

requests: Final = Table(
    "requests",
    METADATA,
    Column("unit", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("basis", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("submitted_at", BigInteger, nullable=False),
    Column("submitted_on", Date, nullable=False),  # the date in the unit's zone
    _big("accepted_at"),
    _big("first_completed_at"),
    _big("ended_at"),  # NULL: open
    Column("completed", Boolean, nullable=False),  # or else cancelled, where it has ended
    Column("outcome", Text, nullable=True),  # as it was told
    Column("outcome_label", Text, nullable=True),  # handed_over, refused, other, none
    _big("suspended_since"),
    Column("suspended_ms", BigInteger, nullable=False),
    Column("reopened", Integer, nullable=False),
    Column("reopened_early", Boolean, nullable=False),
    _big("target_ms"),  # NULL: nothing is promised, or not accepted where the target runs from the acceptance
    _big("breach_at"),  # an end up to this instant is within the target
    _big("citizen_ms"),
    _big("citizen_service_ms"),
    _big("legal_ms"),
    _big("task_ms"),
    Column("contradictions", Integer, nullable=False),
    Column("skewed", Integer, nullable=False),
    Index("requests_submitted_on", "unit", "submitted_on"),
)

feedback: Final = Table(
    "feedback",
    METADATA,
    Column("unit", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("id_hash", BigInteger, primary_key=True, autoincrement=False),
    Column("live", Boolean, primary_key=True, autoincrement=False),  # or else it was late
    Column("at", BigInteger, nullable=False),
    Column("service", Text, nullable=False),  # '': of no service in particular
    Column("score", SmallInteger, nullable=False),
)
