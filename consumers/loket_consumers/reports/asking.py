"""What a person asks a report for: a unit that exists, and service days.

```
LoketError
├── UsageError              exit status 2
│   ├── UnknownUnit         neither the targets nor the record know it; names that are near
│   ├── UnknownService      nor the service of the unit
│   └── WrongDays           no date, or a first day after the last
└── RecordError             exit status 1
    └── NothingRecorded     nobody came in the period; from when to when the record tells of the unit
```
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, select

from loket.clock import SYSTEM_CLOCK
from loket.domain.days import service_days
from loket.domain.policy import Policy, UnitPolicy
from loket.errors import UsageError
from loket.settings import SinkSettings, load
from loket_consumers.engines import connect, reading
from loket_consumers.errors import RecordError
from loket_consumers.migrating import check_schema
from loket_consumers.record_figures import newest_event
from loket_consumers.reports.building import HOUR, build
from loket_consumers.reports.period_sums import Span, days_of
from loket_consumers.reports.report import Report
from loket_consumers.reports.unusual import UnusualReport, find_unusual
from loket_consumers.request_schema import feedback, requests
from loket_consumers.running import targets_of
from loket_consumers.schema import legs, units

__all__ = ["Answer", "Asked", "NothingRecorded", "UnknownService", "UnknownUnit", "UnusualAnswer", "WrongDays"]
__all__ += ["answer", "answer_unusual"]

NEAR: Final = 3
MOST_DAYS: Final = 3_660


class UnknownUnit(UsageError):
    """There is no such `unit`; `near` are names like it."""

    def __init__(self, unit: str, near: list[str]) -> None:
        self.unit, self.near = unit, near
        if near:
            advice = f"did you mean {' or '.join(near)}?"
        else:
            advice = "`loket record figures` lists the units of the record"
        super().__init__(f"neither the targets nor the record know the unit {unit}: {advice}")


class UnknownService(UsageError):
    """The unit has no such service, and nobody asked for it in the period."""

    def __init__(self, unit: str, service: str, known: list[str]) -> None:
        self.unit, self.service, self.known = unit, service, known
        super().__init__(f"{unit} has no service {service} in this period: its services are {', '.join(known) or '–'}")


class WrongDays(UsageError):
    """The days of a report are wrong."""


class NothingRecorded(RecordError):
    """The record has nothing of `unit` in the period; `recorded`: the first and last day of which it has."""

    def __init__(self, unit: str, first: str, last: str, recorded: tuple[str, str] | None) -> None:
        self.unit, self.first, self.last, self.recorded = unit, first, last, recorded
        asked = f"on {first}" if first == last else f"from {first} to {last}"
        if recorded is None:
            known = "nor of any other day: look whether the sink runs, and whether LOKET_DATABASE is its database"
        else:
            known = f"it tells of days from {recorded[0]} to {recorded[1]}"
        super().__init__(f"the record has nothing of {unit} {asked}; {known}")


class Asked(Struct, frozen=True):
    """The options of a report, as they were given."""

    unit: str
    first: str | None = None
    last: str | None = None
    by: str | None = None
    service: str | None = None
    people: str = "summary"
    daily: bool = False


class Answer(Struct, frozen=True):
    """A report, the names of its unit and services, and for a daily page that of the same weekday before."""

    report: Report
    policy: UnitPolicy
    service: str | None = None
    week_before: Report | None = None


class UnusualAnswer(Struct, frozen=True):
    """What is unusual, and the names of the unit and its services."""

    report: UnusualReport
    policy: UnitPolicy


def answer(asked: Asked, config: Path | None, options: Mapping[str, object]) -> Answer:
    """Ask the record. Raises UnknownUnit, UnknownService, WrongDays, NothingRecorded, SchemaError, DatabaseAway."""
    with _asking(config, options) as (connection, policy, now):
        return _answer(connection, policy, asked, now)


def answer_unusual(asked: Asked, config: Path | None, options: Mapping[str, object]) -> UnusualAnswer:
    """Ask the record what is unusual: of the days asked for, or of the last whole week. Raises as `answer` does."""
    if asked.daily or asked.by is not None or asked.service is not None:
        raise WrongDays("--unusual looks at a unit and its days as a whole: leave --by, --daily and --service away")
    with _asking(config, options) as (connection, policy, now):
        _check_unit(connection, policy, asked.unit)
        mine = policy.unit(asked.unit)
        if asked.first is None and asked.last is None:
            last_sunday = (today := service_days(mine).day(now)) - date.fromordinal(today).isoweekday()
            span = Span(asked.unit, last_sunday - 6, last_sunday, now)
        else:
            span = _span_of(policy, asked.unit, asked.first, asked.last, now)
        _check_recorded(connection, span, service_days(policy.unit(asked.unit)).day(now))
        return UnusualAnswer(find_unusual(connection, span, mine, by_name=asked.people == "each"), mine)


@contextmanager
def _asking(config: Path | None, options: Mapping[str, object]) -> Iterator[tuple[Connection, Policy, int]]:
    """The record, the targets, and the instant of the figures (ms)."""
    settings = load(SinkSettings, config=config, options=options)
    policy = targets_of(settings).policy
    engine = connect(settings.database, exists=True)
    check_schema(engine)
    try:
        with reading(engine) as connection:
            now = None if settings.now is None else int(settings.now)
            if now is None and settings.clock == "event":
                now = newest_event(connection)
            yield connection, policy, SYSTEM_CLOCK.now_ms() if now is None else now
    finally:
        engine.dispose()


def _answer(connection: Connection, policy: Policy, asked: Asked, now: int) -> Answer:
    _check_unit(connection, policy, asked.unit)
    span = _span_of(policy, asked.unit, asked.first, asked.last, now)
    if asked.daily and (span.first != span.last or asked.by not in (None, HOUR)):
        raise WrongDays("--daily tells of one day by its hours: leave --by away, and give one day")
    _check_recorded(connection, span, service_days(policy.unit(asked.unit)).day(now))
    mine = policy.unit(asked.unit)
    by = HOUR if asked.daily else asked.by
    told = build(connection, span, mine, by=by, people=asked.people, service=asked.service)
    if not told.units and not told.requests:
        whole = build(connection, span, mine, people="none")
        names = {*(row.service for row in whole.units), *(row.service for row in whole.requests)}
        known = sorted(name for name in names if name)
        raise UnknownService(asked.unit, asked.service or "", known)
    before = None
    if asked.daily:
        week_ago = replace(span, first=span.first - 7, last=span.last - 7)
        before = build(connection, week_ago, mine, people="none", service=asked.service)
    return Answer(told, mine, asked.service, before)


def _check_unit(connection: Connection, policy: Policy, unit: str) -> None:
    """Raises UnknownUnit."""
    known = {*policy.units, *connection.execute(select(units.c.unit)).scalars()}
    if unit not in known:
        by_case = {name.casefold(): name for name in sorted(known, reverse=True)}
        near = difflib.get_close_matches(unit.casefold(), by_case, n=NEAR)
        raise UnknownUnit(unit, [by_case[name] for name in near])


def _span_of(policy: Policy, unit: str, first: str | None, last: str | None, now: int) -> Span:
    """The days asked for: dates, `today` or `yesterday` by the unit's service days; today where nothing is said, and
    one day where only one is. Raises WrongDays."""
    today = service_days(policy.unit(unit)).day(now)
    last_day = _day("--to", last, today) if last is not None else None
    first_day = _day("--from", first, today) if first is not None else None
    if first_day is None:
        first_day = today if last_day is None else last_day
    if last_day is None:
        last_day = first_day
    if first_day > last_day:
        raise WrongDays(
            f"--from {_iso(first_day)} is after --to {_iso(last_day)}: a report goes from the earlier day to the later"
        )
    if last_day - first_day >= MOST_DAYS:
        raise WrongDays(f"{last_day - first_day + 1:,} days are more than a report takes ({MOST_DAYS:,}): ask for less")
    return Span(unit, first_day, last_day, now)


def _day(option: str, told: str, today: int) -> int:
    if told == "today":
        return today
    if told == "yesterday":
        return today - 1
    try:
        return date.fromisoformat(told).toordinal() if len(told) == len("2026-01-31") else _refuse(option, told)
    except ValueError:
        return _refuse(option, told)


def _refuse(option: str, told: str) -> int:
    raise WrongDays(f"{option} {told} is no day: write it like 2026-01-31, or today, or yesterday")


def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


def _check_recorded(connection: Connection, span: Span, today: int) -> None:
    """Raises NothingRecorded, unless somebody came, asked for a document, waited for one or answered."""
    # Whoever waits for a document does so on each day up to now.
    days = (date.fromordinal(span.first), date.fromordinal(span.last))
    c = requests.c
    waits = [select(c.unit).where(c.unit == span.unit, c.submitted_on <= days[1], c.ended_at.is_(None))]
    for query in (
        select(legs.c.unit).where(span.rows(legs)),
        select(c.unit).where(c.unit == span.unit, c.submitted_on.between(*days)),
        select(feedback.c.unit).where(span.rows(feedback)),
        *(waits if span.first <= today else []),
    ):
        if connection.execute(query.limit(1)).first() is not None:
            return
    found = days_of(connection, span.unit)
    recorded = None if found is None else (_iso(found[0]), _iso(found[1]))
    raise NothingRecorded(span.unit, _iso(span.first), _iso(span.last), recorded)
