"""Requests of a unit in a report: by the day of submission, and how many there were of them at the end of a period.

Whatever is open is censored at its age and in every estimate: a month of which the newest are still open does not look
fast for that. Names are those of `loket try --json`; durations are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType, field
from sqlalchemy import Connection, RowMapping, and_, func, or_, select

from loket.domain.estimates import Estimate, kaplan_meier, kaplan_meier_share, quantile
from loket.domain.periods import PERIODS, Period
from loket.domain.policy import HOUR, Produces, UnitPolicy
from loket.domain.satisfaction import skm
from loket_consumers.columns import ordinal
from loket_consumers.reports.period_sums import Span
from loket_consumers.request_figures import SomeRequests
from loket_consumers.request_schema import feedback, requests
from loket_consumers.schema import BOTH, RECORD

__all__ = ["WITHIN_H", "Answers", "PeriodRequests", "RequestRow", "Requests", "requests_of"]

WITHIN_H: Final = (1, 2, 3, 6, 24)
"""Hours by which the ministry tells how fast papers are (June 2020)."""

Seconds = float | None


class RequestRow(Struct, frozen=True, kw_only=True):
    """The requests of a service, or (`service` null) of all, that were submitted in a period, as they stand at `now`.

    `backlog` are those open at the end of the period (or now), whenever submitted, with the age of the oldest;
    `completions` those completed in the period, whenever submitted. `met` is 1 - breached / judged. `…_within_…h` are
    shares by Kaplan-Meier with open and cancelled ones as censored, as `km_…`; medians are of completed ones.
    `provisional`: some are open, and so the other figures can still change.
    """

    unit: str
    service: str | None
    submitted: int
    open: int
    completed: int
    cancelled: int
    reopened: int
    provisional: bool
    backlog: int
    oldest_s: Seconds
    completions: int
    met: float | UnsetType | None = UNSET
    judged: int | UnsetType = UNSET
    breached: int | UnsetType = UNSET
    over_target: int | UnsetType = UNSET
    km_citizen_median_s: Seconds
    km_citizen_median_low_s: Seconds
    km_citizen_median_high_s: Seconds
    km_citizen_p90_s: Seconds
    km_citizen_p90_low_s: Seconds
    km_citizen_p90_high_s: Seconds
    citizen_median_s: Seconds
    citizen_p90_s: Seconds
    citizen_service_median_s: Seconds
    citizen_service_p90_s: Seconds
    legal_median_s: Seconds
    legal_p90_s: Seconds
    task_median_s: Seconds
    task_p90_s: Seconds
    citizen_within_1h: float | None
    citizen_within_2h: float | None
    citizen_within_3h: float | None
    citizen_within_6h: float | None
    citizen_within_24h: float | None
    legal_within_1h: float | None
    legal_within_2h: float | None
    legal_within_3h: float | None
    legal_within_6h: float | None
    legal_within_24h: float | None
    citizen_s_sum: float
    citizen_service_s_sum: float
    legal_s_sum: float
    task_s_sum: float
    first_time_right: float | None
    first_time_right_provisional: int


class PeriodRequests(Struct, frozen=True, kw_only=True):
    """One period: its days (both included) and its rows."""

    period: str
    first: str = field(name="from")
    last: str = field(name="to")
    requests: list[RequestRow]


class Answers(Struct, frozen=True, kw_only=True):
    """What citizens answered in a period of one service, or (`service` null) in all: the SKM's index and band."""

    service: str | None
    answers: int
    score_1: int
    score_2: int
    score_3: int
    score_4: int
    skm_index: float
    band: str


class Requests(Struct, frozen=True, kw_only=True):
    """All that a report says of requests: rows of the whole span, of its periods, and citizens' answers."""

    rows: list[RequestRow] = field(default_factory=list)
    periods: list[PeriodRequests] = field(default_factory=list)
    answers: list[Answers] = field(default_factory=list)


class _Service(SomeRequests):
    """The requests of a service that were submitted in a period, and what was open and ended in it of all others."""

    backlog: int = 0
    oldest: int | None = None
    completions: int = 0
    legal_open: list[int] = field(default_factory=list)

    def count(self, row: RowMapping, period: Period, begin: int, until: int, now: int) -> None:
        """Count a request as far as the period has to do with it."""
        if period.first <= ordinal(row["submitted_on"]) <= period.last:
            self.add(row, now)
            if row["accepted_at"] is not None and not row["completed"]:
                ended = now if row["ended_at"] is None else row["ended_at"]
                self.legal_open.append(max(0, ended - row["accepted_at"]))
        ended_at = row["ended_at"]
        if row["submitted_at"] <= until and (ended_at is None or ended_at > until):
            self.backlog += 1
            self.oldest = min(row["submitted_at"], self.oldest or row["submitted_at"])
        elif row["completed"] and begin <= ended_at <= until:
            self.completions += 1

    def row(self, unit: str, service: str | None, until: int, now: int) -> RequestRow:
        """Its row."""
        told = self.told(now)
        citizen, legal = self.clocks["citizen"], self.clocks["legal"]
        judged = told.get("judged", UNSET)
        names = ("submitted", "open", "completed", "cancelled", "reopened", "judged", "breached", "over_target")
        kept: dict[str, Any] = {name: told[name] for name in names if name in told}
        kept |= {f"{clock}_s_sum": told[f"{clock}_s_sum"] for clock in self.clocks}
        for name in ("first_time_right", "first_time_right_provisional"):
            kept[name] = told[name]
        kept |= _estimate("median", kaplan_meier(citizen, self.censored, 0.5))
        kept |= _estimate("p90", kaplan_meier(citizen, self.censored, 0.9))
        for name, q in (("median", 0.5), ("p90", 0.9)):
            kept |= {f"{clock}_{name}_s": _seconds(quantile(values, q)) for clock, values in self.clocks.items()}
        for hours in WITHIN_H:
            kept[f"citizen_within_{hours}h"] = kaplan_meier_share(citizen, self.censored, hours * HOUR)
            kept[f"legal_within_{hours}h"] = kaplan_meier_share(legal, self.legal_open, hours * HOUR)
        return RequestRow(
            unit=unit,
            service=service,
            provisional=told["open"] > 0,
            backlog=self.backlog,
            oldest_s=None if self.oldest is None else max(0, until - self.oldest) / 1000,
            completions=self.completions,
            met=UNSET if judged is UNSET else 1 - told["breached"] / judged if judged else None,
            **kept,
        )


def _estimate(name: str, estimate: Estimate) -> dict[str, Seconds]:
    values = {"": estimate.value, "_low": estimate.low, "_high": estimate.high}
    return {f"km_citizen_{name}{bound}_s": _seconds(value) for bound, value in values.items()}


def _seconds(ms: int | None) -> Seconds:
    return None if ms is None else ms / 1000


def requests_of(
    connection: Connection, span: Span, policy: UnitPolicy, *, by: str | None = None, service: str | None = None
) -> Requests:
    """What a span has of requests and answers; by day, week or month of submission too (an hour says nothing of them).

    Empty where the unit has none, and is not said to give documents.
    """
    zone = ZoneInfo(policy.zone)
    first, until = _midnight(span.first, zone), min(span.now, _midnight(span.last + 1, zone) - 1)
    c = requests.c
    query = select(requests).where(
        c.unit == span.unit,
        c.basis.in_((BOTH, RECORD)),
        c.submitted_at <= span.now,
        c.submitted_on <= date.fromordinal(span.last),
        or_(c.submitted_on >= date.fromordinal(span.first), c.ended_at.is_(None), c.ended_at >= first),
        *(() if service is None else (c.service == service,)),
    )
    found = connection.execute(query).mappings().all()
    gives = {
        name: bool(each.turnarounds) for name, each in policy.services.items() if each.produces is Produces.REQUEST
    }
    if service is not None:
        gives = {name: judges for name, judges in gives.items() if name == service}
    if not found and not gives:
        return Requests(answers=_answers(connection, span, service))
    whole = Period(span.first, span.last, "all")
    periods = [] if by not in PERIODS else _cut(PERIODS[by](day) for day in range(span.first, span.last + 1))
    told = []
    for period in periods:
        period = Period(max(period.first, span.first), min(period.last, span.last), period.label)
        begins, ends = _midnight(period.first, zone), min(span.now, _midnight(period.last + 1, zone) - 1)
        if begins > span.now:
            break
        rows = _rows(span, found, gives, period, (begins, ends))
        if any(row.submitted or row.backlog or row.completions for row in rows):
            days = (date.fromordinal(period.first).isoformat(), date.fromordinal(period.last).isoformat())
            told.append(PeriodRequests(period=period.label, first=days[0], last=days[1], requests=rows))
    return Requests(
        rows=_rows(span, found, gives, whole, (first, until)),
        periods=told,
        answers=_answers(connection, span, service),
    )


def _cut(periods: Iterable[Period]) -> list[Period]:
    return list(dict.fromkeys(periods))


def _rows(
    span: Span, found: Iterable[RowMapping], gives: Mapping[str, bool], period: Period, instants: tuple[int, int]
) -> list[RequestRow]:
    begin, until = instants
    services = {name: _Service(judges=judges) for name, judges in gives.items()}
    every = _Service(judges=any(gives.values()))
    for row in found:
        services.setdefault(row["service"], _Service()).count(row, period, begin, until, span.now)
        every.count(row, period, begin, until, span.now)
    rows = [some.row(span.unit, name, until, span.now) for name, some in sorted(services.items())]
    return rows if len(rows) == 1 else [*rows, every.row(span.unit, None, until, span.now)]


def _answers(connection: Connection, span: Span, service: str | None) -> list[Answers]:
    c = feedback.c
    days = and_(c.day >= date.fromordinal(span.first), c.day <= date.fromordinal(span.last))
    query = (
        select(c.service, c.score, func.count())
        .where(c.unit == span.unit, days, c.at <= span.now, *(() if service is None else (c.service == service,)))
        .group_by(c.service, c.score)
    )
    scores: dict[str | None, dict[int, int]] = {}
    for name, score, number in connection.execute(query):
        scores.setdefault(name, {})[score] = int(number)
    if len(scores) > 1:
        every = {score: sum(some.get(score, 0) for some in scores.values()) for score in (1, 2, 3, 4)}
        scores = {**dict(sorted(scores.items(), key=lambda each: str(each[0]))), None: every}
    return [_answered(name, some) for name, some in scores.items()]


def _answered(service: str | None, scores: Mapping[int, int]) -> Answers:
    index, band = skm(scores) or (0.0, "D")
    numbers: dict[str, Any] = {f"score_{score}": scores.get(score, 0) for score in (1, 2, 3, 4)}
    return Answers(service=service, answers=sum(scores.values()), skm_index=index, band=band, **numbers)


def _midnight(day: int, zone: ZoneInfo) -> int:
    """The instant (ms) at which a date begins in a zone, by which requests are counted."""
    return int(datetime.combine(date.fromordinal(day), datetime.min.time(), zone).timestamp() * 1000)
