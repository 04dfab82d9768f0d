"""What the pages are told, as JSON. Instants are milliseconds UTC; None: not known, or not so."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from loket.domain.opening import State
from loket.domain.policy import Names

__all__ = [
    "AlertTold",
    "Alerts",
    "CallTold",
    "Data",
    "DataState",
    "HallTold",
    "OverviewTold",
    "Queue",
    "QueueTold",
    "RowTold",
    "ServiceTold",
    "Taken",
    "UnitTold",
    "WaitTold",
]


class DataState(StrEnum):
    """Whether what is told is the present. Only LIVE is, and REPLAY of its own time."""

    LIVE = "live"
    REPLAY = "replay"
    """Read by the events' own clock: as of the newest of them."""

    LATE = "late"
    """Events wait to be applied: it is as of when the last applied one was received."""

    AWAY = "away"
    """Kafka does not answer, or the worker stands still: nothing new can come."""

    STARTING = "starting"
    ELSEWHERE = "elsewhere"
    """Another worker has this unit."""

    UNKNOWN = "unknown"
    """No target names the unit, and no event did."""


class Data(Struct, frozen=True):
    """Of the data: their state, as of when they are, and when the broker received the unit's last event."""

    state: DataState
    as_of: int | None = None
    last_event: int | None = None

    @property
    def is_present(self) -> bool:
        """Whether a judgement of the queue may be shown."""
        return self.state in (DataState.LIVE, DataState.REPLAY)


class Queue(StrEnum):
    """How the longest wait stands to its service's target (the dashboards' words)."""

    NOBODY = "nobody"
    WITHIN = "within"
    NEAR = "near"
    OVER = "over"
    NO_TARGET = "no_target"


class QueueTold(Struct, frozen=True):
    """The queue of a service or a unit. `state` None: the data are not the present. `start`: of the longest wait."""

    state: Queue | None = None
    waiting: int = 0
    over_target: int | None = None
    start: int | None = None
    target_ms: int | None = None


class ServiceTold(Struct, frozen=True):
    """One service. `expected_ms`: how long who comes now will wait."""

    service: str
    name: Names
    queue: QueueTold
    expected_ms: int | None = None


class CallTold(Struct, frozen=True):
    """A number that was called. `number` None: it is a pseudonym, which tells people nothing."""

    number: str | None
    at: int
    counter: str | None
    service: Names


class Taken(Struct, frozen=True):
    """Who takes care of an alert."""

    at: str
    by: str
    note: str | None = None


class AlertTold(Struct, frozen=True):
    """An alert of the unit. `ended` None: it fires."""

    id: str
    name: str
    severity: str
    service: str | None
    started: str
    ended: str | None
    summary: Names
    steps: dict[str, list[str]]
    runbook_url: str | None
    taken: Taken | None


class Alerts(Struct, frozen=True):
    """What the receiver of alerts tells. `state`: ok, none (no receiver is set), away, unreadable, or waiting."""

    state: str
    shown: tuple[AlertTold, ...] = ()
    left_out: int = 0


class UnitTold(Struct, frozen=True):
    """The staff's page of a unit. `hours` None: it has no opening hours. `level`: live, of today."""

    unit: str
    name: Names
    data: Data
    hours: State | None = None
    zone: str = ""
    queue: QueueTold = QueueTold()
    services: tuple[ServiceTold, ...] = ()
    counters_open: int | None = None
    calls: tuple[CallTold, ...] = ()
    served: int = 0
    level: float | None = None
    alerts: Alerts = Alerts("none")
    can_take: bool = False


class WaitTold(Struct, frozen=True):
    """A service as the public is told: who waits, and how long who comes now will wait."""

    name: Names
    waiting: int
    expected_ms: int | None


class HallTold(Struct, frozen=True):
    """The hall's page of a unit: no employees, no alerts, no judgement; nothing that is not the present."""

    unit: str
    name: Names
    data: Data
    hours: State | None = None
    zone: str = ""
    waiting: int | None = None
    services: tuple[WaitTold, ...] = ()
    calls: tuple[CallTold, ...] = ()


class RowTold(Struct, frozen=True):
    """One unit of the overview."""

    unit: str
    name: Names
    data: Data
    hours: State | None
    queue: QueueTold
    counters_open: int | None
    level: float | None
    known: bool


class OverviewTold(Struct, frozen=True):
    """The units of this worker, the worst first. `left_out`: how many more there are than are shown.

    `partitions` and `of`: how many partitions of the events it has, of all.
    """

    data: Data
    units: tuple[RowTold, ...] = ()
    left_out: int = 0
    partitions: int = 0
    of: int | None = None
