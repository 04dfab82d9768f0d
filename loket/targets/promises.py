"""Services and what is promised of them: waits, and the turnaround of requests, each from a day on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, Protocol, TypeVar

from loket.documents import Node
from loket.domain.durations import DAY, SECOND
from loket.domain.policy import Clock, Names, Produces, ServicePolicy, Since, Target, Turnaround
from loket.targets.dates import day_of
from loket.targets.durations import duration_of

__all__ = ["MAX_TARGET_SECONDS", "MAX_TURNAROUND_MS", "SERVICE_KEYS", "names_of", "read_service"]

MAX_TARGET_SECONDS: Final = 7 * 24 * 3_600
MAX_TURNAROUND_MS: Final = 3_650 * DAY
SERVICE_KEYS: Final = ("name", "kind", "wait", "turnaround")


class _Dated(Protocol):
    @property
    def valid_from(self) -> int: ...


_Promise = TypeVar("_Promise", bound=_Dated)


def names_of(found: Mapping[str, Node]) -> Names:
    """The names under the key `name`, in one language or both."""
    return found["name"].once("name", _names) if "name" in found else Names()


def _names(node: Node) -> Names:
    found = node.mapping(("id", "en"), what="`{id: …, en: …}`")
    texts = {key: item.text("a name") or "" for key, item in found.items()}
    return Names(**texts)


def read_service(node: Node) -> ServicePolicy:
    """One service."""
    if node.nothing:
        return ServicePolicy()
    found = node.mapping(SERVICE_KEYS, what="`name:`, `wait:` and the like")
    produces = Produces.TICKET
    if (item := found.get("kind")) is not None and (kind := item.choice("a kind of service", tuple(Produces))):
        produces = Produces(kind)
    targets = found["wait"].once("targets", _targets) if "wait" in found else ()
    turnarounds = found["turnaround"].once("turnarounds", _turnarounds) if "turnaround" in found else ()
    if turnarounds and produces is not Produces.REQUEST:
        found["turnaround"].fault("only requests have a turnaround: write `kind: request`, or leave it out")
    return ServicePolicy(names_of(found), targets, produces, turnarounds)


def _targets(section: Node) -> tuple[Target, ...]:
    return _dated((item, item.once("target", _target)) for item in section.sequence("targets"))


def _turnarounds(section: Node) -> tuple[Turnaround, ...]:
    return _dated((item, item.once("turnaround", _turnaround)) for item in section.sequence("targets"))


def _dated(read: Iterable[tuple[Node, _Promise | None]]) -> tuple[_Promise, ...]:
    promises: dict[int, _Promise] = {}
    for item, promise in read:
        if promise is None:
            continue
        if promise.valid_from in promises:
            item.fault("another target of this service has the same `valid_from`: leave one of the two out")
        promises.setdefault(promise.valid_from, promise)
    return tuple(promises[day] for day in sorted(promises))


def _target(node: Node) -> Target | None:
    keys = ("valid_from", "seconds", "objective")
    found = node.mapping(keys, required=keys, what="a target")
    day = day_of(found["valid_from"]) if "valid_from" in found else None
    seconds = None
    if (item := found.get("seconds")) is not None:
        seconds = item.number("seconds to be called within", Decimal("0.001"), MAX_TARGET_SECONDS, places=3)
    objective = _objective(found, "people")
    if day is None or seconds is None or objective is None:
        return None
    return Target(day, int(seconds * SECOND), objective)


def _turnaround(node: Node) -> Turnaround | None:
    keys = ("valid_from", "within", "objective")
    found = node.mapping((*keys, "clock", "from"), required=keys, what="a turnaround target")
    day = day_of(found["valid_from"]) if "valid_from" in found else None
    within = None
    if (item := found.get("within")) is not None:
        within = duration_of(item, "a turnaround", SECOND, MAX_TURNAROUND_MS)
    clock, since = Clock.WALL, Since.SUBMISSION
    if (item := found.get("clock")) is not None and (word := item.choice("a clock", tuple(Clock))):
        clock = Clock(word)
    if clock is Clock.SERVICE and "within" in found and found["within"].value.partition("d")[1]:
        found["within"].fault("a day of service hours is as long as the hours of that day: write hours, such as 15h")
    if (item := found.get("from")) is not None and (word := item.choice("a begin", tuple(Since))):
        since = Since(word)
    objective = _objective(found, "requests")
    if day is None or within is None or objective is None:
        return None
    return Turnaround(day, within, objective, clock, since)


def _objective(found: Mapping[str, Node], whom: str) -> float | None:
    item = found.get("objective")
    if item is None:
        return None
    objective = item.number(f"the share of {whom}, such as 0.8 for 80 %", 0, 1, places=9)
    if objective is None:
        return None
    if not 0 < objective < 1:
        item.fault(f"{item.value} is not between 0 and 1: write the share of {whom}, such as 0.8 for 80 %")
        return None
    return float(objective)
