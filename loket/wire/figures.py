"""Figures as JSON: what `loket try --json` and `loket record figures --json` print, under the names of the rules.

The rows are the domain's (`loket.domain.summary`); here is what stands around them, and the JSON Schema of it. It is
committed as `figures.schema.json` beside this module; `python -m loket.wire.figures` writes it again, a test compares.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from loket.domain.request_summary import RequestFigures
from loket.domain.summary import EmployeeFigures, Flat, UnitFigures
from loket.wire.instant import INSTANT_PATTERN

__all__ = [
    "SCHEMA_FILE",
    "SCHEMA_ID",
    "Agreement",
    "Difference",
    "LiveFigures",
    "RecordFigures",
    "Rejection",
    "TryReport",
    "schema_text",
]

SCHEMA_ID: Final = "urn:loket:schema:figures"

SCHEMA_FILE: Final = Path(__file__).with_name("figures.schema.json")

Now = Annotated[str, Meta(pattern=f"^{INSTANT_PATTERN}$", description="The instant of all figures, RFC 3339 in UTC.")]
Count = Annotated[int, Meta(ge=0)]


class Rejection(Struct, frozen=True):
    """What was refused: an event's `source` and `id` where they could be read, a reason of the closed list, the field.

    A row of a log that brought no event has the file as its source, `line N` as its id, what is wrong with it in words
    as its reason, and the column at fault as its field. So has an event of a file of events of which neither source nor
    id could be read, with its reason of the list.
    """

    source: str | None
    id: str | None
    reason: str
    field: str | None


class Difference(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One figure that metrics and record tell differently. `late`: late events explain it, which is no disagreement.

    `table` is `units`, `employees`, `requests`, `day` or `day_employees` (the day's gauges) or `windows`; `figure` is
    the name in the rows, with a dot before its part (`closed.completed`), or the metric's own where the rows have only
    a sum of it (`waits_answered/yes`) or nothing (`window_judged/1h`).
    """

    table: str
    unit: str
    service: str | msgspec.UnsetType | None = msgspec.UNSET
    employee: str | msgspec.UnsetType = msgspec.UNSET
    figure: str
    metrics: float | None
    record: float | None
    late: bool


class Agreement(Struct, frozen=True):
    """Whether metrics and record tell the same. Differences that late events explain are listed and are none."""

    metrics_equal_record: bool
    differences: list[Difference]


class _Common(Struct, frozen=True, kw_only=True):
    now: Now
    units: list[UnitFigures]
    employees: list[EmployeeFigures]
    requests: list[RequestFigures] = field(default_factory=list)
    rejected: list[Rejection]
    duplicates: Count
    contradictions: Count
    late: Count
    foreign: Count
    not_yet: Count
    skewed: Count
    unknown_units: list[str]


class TryReport(_Common, frozen=True, kw_only=True):
    """What `loket try --json` prints: the record over the whole log, and whether the metrics agree with it.

    Absent means that a figure does not apply, null that there is no value.
    """

    agreement: Agreement


class LiveFigures(Struct, frozen=True, kw_only=True):
    """The record's fold of one unit's events that were not late (rule 8), which the metrics have to equal.

    By service label (`""`: legs without an issue) and by employee: exact amounts, durations in ms. `judging` are the
    services with a target. `day` is of the service day of `now`: tickets_issued, waits_answered/…, tickets_closed/…,
    served, judged, breached, expired. `day_employees` is of the same day: served, services, and
    staffed_ms, serving_ms, call_gap_ms, call_gaps of who ever had a session. `windows` is of services with a target in
    force: window_judged/… and window_breached/… by window of service time.
    """

    services: dict[str, Flat]
    judging: list[str]
    employees: dict[str, Flat]
    day: dict[str, Flat]
    day_employees: dict[str, Flat] = field(default_factory=dict)
    windows: dict[str, Flat] = field(default_factory=dict)


class RecordFigures(_Common, frozen=True, kw_only=True):
    """What `loket record figures --json` prints: the record over the whole log, and what the metrics should say."""

    live: dict[str, LiveFigures]


def schema_text() -> str:
    """The JSON Schema (draft 2020-12) of what `loket try --json` prints, as it is committed."""
    (reference,), definitions = msgspec.json.schema_components((TryReport,), ref_template="#/$defs/{name}")
    root = definitions.pop(reference["$ref"].rpartition("/")[2])
    root["required"] = list(root["properties"])  # written even where empty
    for described in (root, *definitions.values()):
        described["additionalProperties"] = False
        described["description"] = " ".join(inspect.cleandoc(described.get("description", "")).split())
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **root, "$defs": definitions}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
