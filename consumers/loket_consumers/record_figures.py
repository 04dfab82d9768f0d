"""The figures of the record under the names that leave the product: what metrics and reports are held against.

Rows over all events (or, by choice, over those that were not late), with quantiles and Kaplan-Meier estimates, which
only the record can tell; and beside them what the live metrics should say at the same `now`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from loket.domain.days import service_days
from loket.domain.events import Instant
from loket.domain.policy import Policy
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.summary import EmployeeFigures, UnitFigures, employee_figures, rows_of_unit
from loket.domain.tally import DAY_FIGURES, DAY_PEOPLE
from loket.domain.unit import Applied
from loket.wire.figures import LiveFigures, RecordFigures, Rejection
from loket.wire.instant import format_instant
from loket_consumers.first_waits import Waits, first_waits
from loket_consumers.request_figures import request_rows
from loket_consumers.request_schema import requests
from loket_consumers.rows import iso_day
from loket_consumers.schema import archive, dead_letters, units
from loket_consumers.staff_sums import StaffSums, add_time, staff_sums
from loket_consumers.storing import AHEAD, FOREIGN, REJECTED
from loket_consumers.sums import UnitSums, Whose, sums
from loket_consumers.window_sums import window_flats

__all__ = ["newest_event", "record_figures"]

_OF_THE_DAY = frozenset({"judged", "breached", "expired", "unserved"})


def newest_event(connection: Connection) -> int | None:
    """The time of the newest accepted event: `now` where the events' own clock rules (rule 4)."""
    query = select(func.max(archive.c.event_time)).where(archive.c.result.not_in((FOREIGN, REJECTED, AHEAD)))
    newest: int | None = connection.execute(query).scalar()
    return newest


def record_figures(
    connection: Connection, policy: Policy, now: int, *, live: bool = False, today: bool = False
) -> RecordFigures:
    """The figures at `now` (ms): rows over all events, or with `live` over those that were not late; with `today` only
    of legs of each unit's service day of `now`."""
    names = [str(name) for name in connection.execute(select(units.c.unit).order_by(units.c.unit)).scalars()]
    days = {name: iso_day(service_days(policy.unit(name)).day(now)) for name in names}
    of_days = days if today else None
    found = sums(connection, Whose(live), now, days=of_days)
    waits = _waits(connection, Whose(live), now, of_days)
    staff = staff_sums(connection, policy, now)
    mine = staff.live if live else staff.record
    time = mine.day if today else mine.total
    rows: list[UnitFigures] = []
    people: list[EmployeeFigures] = []
    for name in names:
        unit = _complete(found.get(name, UnitSums()), policy, name)
        rows.extend(_rows(name, unit, waits, now))
        add_time(unit.employees, time.get(name, {}).items())
        people.extend(employee_figures(name, employee, flat) for employee, flat in sorted(unit.employees.items()))
    counts = sums(connection, Whose(live), now) if today else found
    results = _results(connection, live=live)
    return RecordFigures(
        now=format_instant(Instant(now)),
        units=rows,
        employees=people,
        requests=request_rows(connection, policy, Whose(live).rows(requests), names, now),
        rejected=_rejected(connection),
        duplicates=results.get(Applied.DUPLICATE, 0),
        contradictions=_of_all(counts, "contradictions"),
        late=_late(connection),
        foreign=results.get(FOREIGN, 0),
        not_yet=results.get(Applied.NOT_YET, 0),
        skewed=_of_all(counts, "skewed_durations"),
        unknown_units=[name for name in names if name not in policy.units],
        live=_live(connection, policy, names, now, days, staff.live),
    )


def _complete(unit: UnitSums, policy: Policy, name: str) -> UnitSums:
    """Add the services that are promised: they have rows, at 0, before anybody comes."""
    for service, promised in policy.unit(name).services.items():
        unit.service(service)
        if promised.targets:
            unit.judging.add(service)
    return unit


def _rows(name: str, unit: UnitSums, waits: Mapping[tuple[str, str], Waits], now: int) -> list[UnitFigures]:
    whole = Waits()
    for (other, _), some in waits.items():
        if other == name:
            whole.add(some)
    rows = []
    for row in rows_of_unit(name, unit.services, unit.judging, now):
        mine = whole if row.service is None else waits.get((name, row.service), Waits())
        rows.append(mine.told_in(row))
    return rows


def _waits(
    connection: Connection, whose: Whose, now: int, days: Mapping[str, str] | None
) -> dict[tuple[str, str], Waits]:
    found: dict[tuple[str, str], Waits] = {}
    for row in connection.execute(first_waits(whose, now)).mappings():
        if days is None or row["day"].isoformat() == days.get(row["unit"]):
            found.setdefault((row["unit"], row["service"]), Waits()).take(row)
    return found


def _live(
    connection: Connection, policy: Policy, names: Iterable[str], now: int, days: Mapping[str, str], staff: StaffSums
) -> dict[str, LiveFigures]:
    found = sums(connection, Whose(live=True), now)
    of_day = sums(connection, Whose(live=True), now, days=days)
    windows = window_flats(connection, policy, names, now, Whose(live=True))
    told = {}
    for name in names:
        unit = _complete(found.get(name, UnitSums()), policy, name)
        add_time(unit.employees, staff.total.get(name, {}).items())
        whole_day = of_day.get(name, UnitSums())
        today = whole_day.services
        people = {who: _of_people(flat) for who, flat in whole_day.employees.items()}
        add_time(people, staff.day.get(name, {}).items())
        told[name] = LiveFigures(
            services=unit.services,
            judging=sorted(unit.judging),
            employees=unit.employees,
            day={service: _day_figures(today.get(service, {})) for service in unit.services},
            day_employees=people,
            windows=windows.get(name, {}),
        )
    return told


def _day_figures(flat: Mapping[str, int]) -> dict[str, int]:
    return {
        name: amount for name, amount in flat.items() if name.partition("/")[0] in DAY_FIGURES or name in _OF_THE_DAY
    }


def _of_people(flat: Mapping[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in flat.items() if name in DAY_PEOPLE}


def _of_all(found: Mapping[str, UnitSums], figure: str) -> int:
    return sum(unit.services.get(EMPTY_SERVICE, {}).get(figure, 0) for unit in found.values())


def _results(connection: Connection, *, live: bool) -> dict[str, int]:
    column = archive.c.result if live else archive.c.recorded
    rows: Any = connection.execute(select(column, func.count()).group_by(column))
    return dict(tuple(row) for row in rows)


def _late(connection: Connection) -> int:
    query = select(func.count()).select_from(archive).where(archive.c.result == Applied.LATE)
    return int(connection.execute(query).scalar_one())


def _rejected(connection: Connection) -> list[Rejection]:
    c = dead_letters.c
    query = select(c.source, c.id, c.reason, c.field).order_by(c.topic, c.partition, c.record_offset)
    return [Rejection(*row) for row in connection.execute(query)]
