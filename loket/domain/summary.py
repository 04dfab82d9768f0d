"""The figures of a unit and of an employee under the names that leave the product (rules.md, "Names").

Whoever holds figures (the state, a scrape, the record) brings them as a flat mapping of figure names to exact amounts,
durations in ms, and gets the same rows: so metrics and record can be compared name by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import UNSET, Struct, UnsetType

from loket.domain.days import service_days
from loket.domain.figures import Figures, has_figures
from loket.domain.levels import LevelCounts, Levels, levels
from loket.domain.request_summary import has_request_figures
from loket.domain.requests import RequestPresent
from loket.domain.sessions import evaluate_staff
from loket.domain.staffing import Staff
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.tally import Counts, ServiceTally
from loket.domain.unit import UnitState

Flat = dict[str, int]
"""Figure name → exact amount (ms for durations): `tickets_issued`, `waits_answered/yes`, `wait_seconds_ms`,
`wait_seconds_count`, `waiting`, `judged`, … `oldest_wait_start` only where somebody waits."""

OLDEST = frozenset({"oldest_wait_start", "oldest_request_start"})
"""Figures that are instants: of several the first."""

WITHIN = ("yes", "no", "none")

STAFF_FIGURES = ("staffed_ms", "serving_ms", "call_gap_ms", "call_gaps")
"""Of an employee who ever had a session (rules 32 and 33)."""


class Closed(Struct, frozen=True):
    completed: int
    no_show: int
    abandoned: int
    transferred: int
    expired: int


class UnitFigures(Struct, frozen=True, kw_only=True):
    """One unit and service; `service` None: the unit as a whole, the sum of its services and of legs without an issue.

    What needs a target is absent where there is none (rule 22). Quantiles come from the record only: observed ones of
    those called, of those who left (`patience`), and Kaplan-Meier estimates with 95 % bounds.
    """

    unit: str
    service: str | None
    issued: int
    visits: int
    answered: int
    left: int
    early_leavers: int | UnsetType = UNSET
    short_leavers: int | UnsetType = UNSET
    waiting: int
    early: int
    over_target: int | UnsetType = UNSET
    oldest_wait_s: float | None
    judged: int | UnsetType = UNSET
    breached: int | UnsetType = UNSET
    called_again: int
    nobody_came: int
    incomplete: int
    served: int
    services: int
    closed: Closed
    early_s_sum: float
    wait_s_sum: float
    wait_stretches: int
    patience_s_sum: float
    way_s_sum: float
    service_s_sum: float
    hold_s_sum: float
    lost_s_sum: float
    levels: Levels | UnsetType = UNSET
    levels_without_no_shows: Levels | UnsetType = UNSET
    wait_median_s: float | UnsetType | None = UNSET
    wait_p90_s: float | UnsetType | None = UNSET
    patience_median_s: float | UnsetType | None = UNSET
    km_median_s: float | UnsetType | None = UNSET
    km_median_low_s: float | UnsetType | None = UNSET
    km_median_high_s: float | UnsetType | None = UNSET
    km_p90_s: float | UnsetType | None = UNSET
    km_p90_low_s: float | UnsetType | None = UNSET
    km_p90_high_s: float | UnsetType | None = UNSET
    level_counts: LevelCounts | UnsetType = UNSET


OF_THE_RECORD = frozenset(
    name for name in UnitFigures.__struct_fields__ if name.endswith(("_median_s", "_p90_s", "_low_s", "_high_s"))
) | {"level_counts"}
"""Figures that only the record tells: quantiles and estimates, and what the levels of a report are made of."""


class EmployeeFigures(Struct, frozen=True, kw_only=True):
    """One employee of one unit. The last four are absent where no session ever was (rule 32)."""

    unit: str
    employee: str
    served: int
    services: int
    handed_on: int
    service_s_sum: float
    way_s_sum: float
    hold_s_sum: float
    served_wait_s_sum: float
    call_gap_s_sum: float | UnsetType = UNSET
    call_gaps: int | UnsetType = UNSET
    staffed_s: float | UnsetType = UNSET
    serving_s: float | UnsetType = UNSET


def level_counts(flat: Mapping[str, int]) -> LevelCounts:
    """What the levels of some flat figures are made of."""
    return LevelCounts(
        answered_within=flat.get("waits_answered/yes", 0),
        answered_after=flat.get("waits_answered/no", 0),
        left_short=flat.get("waits_left/short", 0),
        left_within=flat.get("waits_left/yes", 0),
        left_after=flat.get("waits_left/no", 0),
        judged=flat.get("judged", 0),
        breached=flat.get("breached", 0),
    )


def unit_figures(unit: str, service: str | None, flat: Mapping[str, int], now: int, *, judges: bool) -> UnitFigures:
    """The row of one unit and service from its flat figures at `now` (ms)."""

    def get(name: str) -> int:
        return flat.get(name, 0)

    def seconds(histogram: str) -> float:
        return get(f"{histogram}_ms") / 1000

    oldest = flat.get("oldest_wait_start")
    row = UnitFigures(
        unit=unit,
        service=service,
        issued=get("tickets_issued"),
        visits=get("visits"),
        answered=sum(get(f"waits_answered/{within}") for within in WITHIN),
        left=sum(get(f"waits_left/{within}") for within in ("short", *WITHIN)),
        waiting=get("waiting"),
        early=get("early"),
        oldest_wait_s=None if oldest is None else max(0, now - oldest) / 1000,
        called_again=get("calls_again"),
        nobody_came=sum(get(f"calls_nobody_came/{within}") for within in WITHIN),
        incomplete=get("tickets_incomplete"),
        served=get("served"),
        services=get("services"),
        closed=Closed(
            get("tickets_closed/completed"),
            get("tickets_closed/no_show"),
            get("tickets_closed/abandoned"),
            get("tickets_closed/transferred"),
            get("expired"),
        ),
        early_s_sum=get("early_ms") / 1000,
        wait_s_sum=seconds("wait_seconds"),
        wait_stretches=get("wait_seconds_count"),
        patience_s_sum=seconds("patience_seconds"),
        way_s_sum=seconds("way_seconds"),
        service_s_sum=seconds("service_seconds"),
        hold_s_sum=seconds("hold_seconds"),
        lost_s_sum=seconds("lost_seconds"),
    )
    if not judges:
        return row
    came = level_counts(flat)
    gone_within, gone_after = get("calls_nobody_came/yes"), get("calls_nobody_came/no")
    without = msgspec.structs.replace(
        came,
        answered_within=came.answered_within - gone_within,
        answered_after=came.answered_after - gone_after,
        judged=came.judged - gone_within - gone_after,
        breached=came.breached - gone_after,
    )
    return msgspec.structs.replace(
        row,
        early_leavers=came.left_short + came.left_within,
        short_leavers=came.left_short,
        over_target=get("over_target"),
        judged=came.judged,
        breached=came.breached,
        levels=levels(came),
        levels_without_no_shows=levels(without),
    )


def employee_figures(unit: str, employee: str, flat: Mapping[str, int]) -> EmployeeFigures:
    """The row of one employee from his flat figures (`served`, `service_ms`, …; `staffed_ms` if he had sessions)."""
    had_sessions = "staffed_ms" in flat

    def seconds(figure: str) -> float | UnsetType:
        return flat.get(figure, 0) / 1000 if had_sessions else UNSET

    return EmployeeFigures(
        unit=unit,
        employee=employee,
        served=flat.get("served", 0),
        services=flat.get("services", 0),
        handed_on=flat.get("handed_on", 0),
        service_s_sum=flat.get("service_ms", 0) / 1000,
        way_s_sum=flat.get("way_ms", 0) / 1000,
        hold_s_sum=flat.get("hold_ms", 0) / 1000,
        served_wait_s_sum=flat.get("served_wait_ms", 0) / 1000,
        call_gap_s_sum=seconds("call_gap_ms"),
        call_gaps=flat.get("call_gaps", 0) if had_sessions else UNSET,
        staffed_s=seconds("staffed_ms"),
        serving_s=seconds("serving_ms"),
    )


def flat_staff(staff: Staff) -> Flat:
    """The flat figures of an employee's time: all of them, at 0 too, as they tell that there was a session."""
    return {figure: getattr(staff, figure) for figure in STAFF_FIGURES}


def flat_people(state: UnitState, now: int) -> dict[str, Flat]:
    """All exact figures of each employee of a state at `now` (ms)."""
    people = {name: flat_counts(counts) for name, counts in state.people.items()}
    for name, staff in evaluate_staff(state, now).items():
        people.setdefault(name, {}).update(flat_staff(staff.total))
    return people


def flat_people_today(state: UnitState, now: int) -> dict[str, Flat]:
    """The figures of each employee on the service day of `now` (ms): served and services, and the time in session."""
    tally = state.days.get(service_days(state.policy).day(now))
    people = {} if tally is None else {name: dict(counts) for name, counts in tally.people.items()}
    for name, staff in evaluate_staff(state, now).items():
        people.setdefault(name, {}).update(flat_staff(staff.day))
    return people


def flat_counts(counts: Counts) -> Flat:
    """The exact amounts of some counts: totals less corrections."""
    return {figure: counts.exact(figure) for figure in counts.total}


def flat_service(tally: ServiceTally, figures: Figures, label: str) -> Flat:
    """All exact figures of one service of a state at the instant of `figures`."""
    flat = flat_counts(tally.counts)
    for kind, histogram in tally.histograms.items():
        flat[f"{kind}_ms"] = histogram.sum_ms - histogram.corrected_ms
        flat[f"{kind}_count"] = histogram.count - histogram.corrected_count
    present = figures.present[label]
    for name in ("waiting", "early", "over_target", "judged", "breached", "expired"):
        flat[name] = getattr(present, name)
    if present.oldest_wait_start is not None:
        flat["oldest_wait_start"] = present.oldest_wait_start
    requests = figures.requests.get(label)
    return flat if requests is None else flat | flat_requests(requests)


def flat_requests(present: RequestPresent) -> Flat:
    """The flat figures of a service's requests at an instant."""
    flat = {
        "requests_open": present.open,
        "requests_suspended": present.suspended,
        "requests_over_target": present.over_target,
        "requests_judged": present.judged,
        "requests_breached": present.breached,
    }
    if present.oldest_start is not None:
        flat["oldest_request_start"] = present.oldest_start
    return flat


def add_up(flats: Iterable[Mapping[str, int]]) -> Flat:
    """The sum of some services: sums over sums (rule 27), and the oldest wait of all."""
    total: Flat = {}
    for flat in flats:
        for name, amount in flat.items():
            if name in OLDEST:
                total[name] = min(amount, total.get(name, amount))
            else:
                total[name] = total.get(name, 0) + amount
    return total


def rows_of_unit(unit: str, services: Mapping[str, Flat], judging: Iterable[str], now: int) -> list[UnitFigures]:
    """The rows of one unit: a service each, and the unit's own row, from flat figures by service label.

    The row of legs without an issue (EMPTY_SERVICE) is in the unit's own row only (rule 19). A service of which nothing
    but requests is known has no row here.
    """
    judging = set(judging)
    rows = [
        unit_figures(unit, service, services[service], now, judges=service in judging)
        for service in sorted(services)
        if service != EMPTY_SERVICE and (has_figures(services[service]) or not has_request_figures(services[service]))
    ]
    rows.append(unit_figures(unit, None, add_up(services.values()), now, judges=bool(judging)))
    return rows


def rows_of_state(state: UnitState, figures: Figures) -> tuple[list[UnitFigures], list[EmployeeFigures]]:
    """The rows of a unit's state at the instant of `figures`: the oracle that metrics and record are compared with."""
    empty = ServiceTally()
    services = {label: flat_service(state.tallies.get(label, empty), figures, label) for label in figures.present}
    judging = [label for label, present in figures.present.items() if present.judges]
    units = rows_of_unit(state.unit, services, judging, figures.now)
    people = [
        employee_figures(state.unit, name, flat) for name, flat in sorted(flat_people(state, figures.now).items())
    ]
    return units, people
