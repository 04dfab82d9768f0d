"""What a report says, as its JSON: rows under the names of `loket try --json`, of a unit and its periods."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, field

from loket.domain.summary import EmployeeFigures, UnitFigures
from loket_consumers.reports.documents import Answers, PeriodRequests, RequestRow

__all__ = ["FEWEST_PEOPLE", "Distribution", "Employees", "PeriodRows", "Promise", "Report", "has_come"]

FEWEST_PEOPLE = 5
"""A distribution over fewer people says what one of them did: it is not shown."""


class Promise(Struct, frozen=True, kw_only=True):
    """A target in force on the last day of a report: `objective` of the people called within `seconds`."""

    service: str
    seconds: float
    objective: float
    valid_from: str


class PeriodRows(Struct, frozen=True, kw_only=True):
    """One period: its days (both included) and its rows. Of an hour of the day `first` and `last` are the report's."""

    period: str
    first: str
    last: str
    units: list[UnitFigures]


class Distribution(Struct, frozen=True, kw_only=True):
    """How a figure lies over people: quartiles over those `people` who have `cases` of it, in their number together."""

    figure: str
    people: int
    cases: int
    p25: float
    median: float
    p75: float


class Employees(Struct, frozen=True, kw_only=True):
    """How many employees did something, and distributions over them; each person only if that was asked for.

    `distributions` is empty where fewer than FEWEST_PEOPLE have cases. `each` is in the order of names, which says
    nothing of merit.
    """

    people: int
    distributions: list[Distribution]
    each: list[EmployeeFigures] | UnsetType = UNSET


class Report(Struct, frozen=True, kw_only=True):
    """A unit from a first to a last service day (both included), by day of arrival, as the record tells it at `now`.

    `units`: a row for each service, and one with `service` null for the unit; or of one service alone. `periods` are
    empty unless asked for. `requests` are by the day of submission (a row for each service, and one with `service` null
    for all where there are several), `satisfaction` by the day of the answer; both are empty where the unit has none.
    """

    unit: str
    first: str = field(name="from")
    last: str = field(name="to")
    zone: str
    now: str
    by: str | None
    targets: list[Promise]
    units: list[UnitFigures]
    periods: list[PeriodRows]
    employees: Employees | UnsetType = UNSET
    requests: list[RequestRow] = field(default_factory=list)
    request_periods: list[PeriodRequests] = field(default_factory=list)
    satisfaction: list[Answers] = field(default_factory=list)

    @property
    def whole(self) -> UnitFigures:
        """The row of the unit as a whole, or of the one service."""
        return self.units[-1]

    @property
    def has_visits(self) -> bool:
        """Whether there is anything to tell of tickets: an office of documents alone has none."""
        return bool(self.units) and (not self.requests or has_come(self.whole))


def has_come(row: UnitFigures) -> bool:
    """Whether anybody came."""
    return bool(row.issued or row.answered or row.served or row.left)
