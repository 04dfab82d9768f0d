"""Reads `targets.yaml`: units, services, targets with their dates.

```
DocumentError
└── TargetsError            the file is wrong: every fault with line, column, path and what to do
```
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

from msgspec.structs import replace

from loket.documents import DocumentError, Node, parse_document, read_bytes
from loket.domain.events import ID_PATTERN
from loket.domain.policy import HOUR, MINUTE, SECOND, Names, Policy, ServicePolicy, Target, UnitPolicy
from loket.domain.state import OTHER

__all__ = ["ReadTargets", "TargetsError", "day_of", "load_targets", "read_targets", "zone_of"]

_COMMON: Final = ("zone", "day_starts", "late_hours", "short_seconds", "wrap_up_seconds", "budget")
_UNIT: Final = (*_COMMON, "name", "services")
_BUDGET: Final = {"services": 1_000, "employees": 10_000, "counters": 10_000, "sources": 1_000}
"""The most that a unit's budget may allow: a series for each, in the state and in Prometheus."""

MAX_UNITS: Final = 100_000
MAX_LATE_HOURS: Final = 72
MAX_SHORT_SECONDS: Final = 3_600
MAX_WRAP_UP_SECONDS: Final = 3_600
MAX_TARGET_SECONDS: Final = 7 * 24 * 3_600

_ID = re.compile(ID_PATTERN)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ZONES_BY_ABBREVIATION: Final = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
"""What the three zones of Indonesia are called there; the abbreviations are no names of the zone database."""


class TargetsError(DocumentError):
    """`targets.yaml` is wrong, or may not be taken while the service runs; `faults` says where and what to do."""


@dataclass(frozen=True, slots=True)
class ReadTargets:
    """What was read, and where each unit and service of it stands: path to (line, column)."""

    policy: Policy
    places: Mapping[str, tuple[int, int]]


def load_targets(path: Path) -> Policy:
    """Read `targets.yaml`; raise TargetsError with all of its faults if it has any."""
    try:
        return read_targets(str(path), read_bytes(path)).policy
    except TargetsError:
        raise
    except DocumentError as error:
        raise TargetsError(error.file, error.faults) from error


def read_targets(file: str, content: bytes) -> ReadTargets:
    """As `load_targets`, of bytes that were read already; `file` is the name in the errors."""
    reading = _Reading()
    try:
        root = parse_document(file, content)
        policy = reading.policy(root)
    except DocumentError as error:
        raise TargetsError(error.file, error.faults) from error
    if root.document.faults:
        raise TargetsError(file, root.document.faults)
    return ReadTargets(policy, reading.places)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _cities() -> Mapping[str, str]:
    """The zone of each city, the first where several have one of that name."""
    return {zone.rpartition("/")[2].casefold(): zone for zone in sorted(_zones(), reverse=True)}


def zone_of(node: Node) -> str | None:
    """A zone of the IANA database."""
    zone = node.text("a time zone such as Asia/Jakarta")
    if zone is None or zone in _zones():
        return zone
    meant = _ZONES_BY_ABBREVIATION.get(zone.upper()) or _cities().get(zone.casefold())
    hint = f" (did you mean `{meant}`?)" if meant else node.closest(zone, _zones())
    node.fault(f"`{zone}` is not a zone of the IANA time zone database{hint}: write one such as Asia/Jakarta")
    return None


def day_of(node: Node) -> int | None:
    """A date, with quotes or without, as its ordinal."""
    text = node.text("a date such as 2026-01-31")
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text) is None or not "1900" <= text <= "2999":
            raise ValueError
        return date.fromisoformat(text).toordinal()
    except ValueError:
        node.fault(f"`{text}` is not a date from 1900 to 2999: write year-month-day, such as 2026-01-31")
        return None


class _Reading:
    """One reading of one file: values that are wrong become faults of the document, and the default stands in."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[int, int]] = {}

    def policy(self, root: Node) -> Policy:
        sections = root.mapping(("defaults", "units"), what="`defaults:` and `units:`")
        defaults = UnitPolicy()
        if (section := sections.get("defaults")) is not None and not section.nothing:
            defaults = self._common(section.mapping(_COMMON, what="`zone: …` and the like"), defaults)
        units: dict[str, UnitPolicy] = {}
        if (section := sections.get("units")) is not None and not section.nothing:
            for key, node in section.entries("units"):
                if self._id(key, "a unit's id"):
                    units[key.value] = node.once("unit", lambda node: self._unit(node, defaults))
            if len(units) > MAX_UNITS:
                section.fault(f"{len(units)} units; one file may have {MAX_UNITS}: split the city's log by topic")
        return Policy(defaults, units)

    def _id(self, key: Node, what: str) -> bool:
        self.places[key.path] = (key.line, key.column)
        if key.value == OTHER:
            key.fault(f"`{OTHER}` cannot be {what}: the metrics call so what is beyond a budget; choose another id")
            return False
        if _ID.match(key.value):
            return True
        key.fault(f"`{key.value[:40]}` cannot be {what}: 1 to 128 characters of A-Z a-z 0-9 . _ : / -")
        return False

    def _unit(self, node: Node, defaults: UnitPolicy) -> UnitPolicy:
        if node.nothing:  # `pkm-ciputat:` alone: a known unit that follows the defaults
            return replace(defaults, known=True)
        found = node.mapping(_UNIT, what="`name:`, `services:` and the like")
        services: dict[str, ServicePolicy] = {}
        if (section := found.get("services")) is not None and not section.nothing:
            services = section.once("services", self._services)
        unit = replace(self._common(found, defaults), known=True, names=self._names(found), services=services)
        if len(services) > unit.budget.services:
            told = f"{len(services)} services, and the unit's budget allows {unit.budget.services}"
            found["services"].fault(f"{told}: raise `budget: {{services: …}}`")
        return unit

    def _services(self, section: Node) -> dict[str, ServicePolicy]:
        services: dict[str, ServicePolicy] = {}
        for key, service in section.entries("services"):
            if self._id(key, "a service's id"):
                services[key.value] = service.once("service", self._service)
        return services

    def _common(self, found: Mapping[str, Node], unit: UnitPolicy) -> UnitPolicy:
        if (node := found.get("zone")) is not None and (zone := zone_of(node)) is not None:
            unit = replace(unit, zone=zone)
        if (node := found.get("day_starts")) is not None:
            text = node.text('a time of day such as "03:00", or never')
            time = _TIME_OF_DAY.fullmatch(text or "")
            if time is not None:
                unit = replace(unit, day_starts_ms=int(time[1]) * HOUR + int(time[2]) * MINUTE)
            elif text == "never":
                unit = replace(unit, day_starts_ms=None)
            elif text is not None:
                node.fault(f'`{text}` is not a time of day: write hours and minutes, such as "03:00", or never')
        if (node := found.get("late_hours")) is not None:
            hours = node.number("hours that late events of a day are taken", 0, MAX_LATE_HOURS, places=2)
            if hours is not None:
                unit = replace(unit, late_ms=int(hours * HOUR))
        if (node := found.get("short_seconds")) is not None:
            seconds = node.number("seconds under which leaving is short", 0, MAX_SHORT_SECONDS, places=3)
            if seconds is not None:
                unit = replace(unit, short_ms=int(seconds * SECOND))
        if (node := found.get("wrap_up_seconds")) is not None:
            seconds = node.number("seconds after a service that are no call gap", 0, MAX_WRAP_UP_SECONDS, places=3)
            if seconds is not None:
                unit = replace(unit, wrap_up_ms=int(seconds * SECOND))
        if (node := found.get("budget")) is not None:
            unit = replace(unit, budget=replace(unit.budget, **node.once("budget", self._budget)))
        return unit

    def _budget(self, node: Node) -> dict[str, int]:
        budget: dict[str, int] = {}
        for key, item in node.mapping(tuple(_BUDGET), what="`services: …` and the like").items():
            allowed = item.whole(f"how many {key} of a unit have a name in the metrics", 1, _BUDGET[key])
            if allowed is not None:
                budget[key] = allowed
        return budget

    def _names(self, found: Mapping[str, Node]) -> Names:
        return found["name"].once("name", self._name) if "name" in found else Names()

    def _name(self, node: Node) -> Names:
        names = Names()
        for key, item in node.mapping(("id", "en"), what="`{id: …, en: …}`").items():
            if (name := item.text("a name")) is not None:
                names = replace(names, **{key: name})
        return names

    def _service(self, node: Node) -> ServicePolicy:
        if node.nothing:
            return ServicePolicy()
        found = node.mapping(("name", "wait"), what="`name:` and `wait:`")
        targets = found["wait"].once("targets", self._targets) if "wait" in found else ()
        return ServicePolicy(self._names(found), targets)

    def _targets(self, section: Node) -> tuple[Target, ...]:
        targets: dict[int, Target] = {}
        for item in section.sequence("targets"):
            target = item.once("target", self._target)
            if target is None:
                continue
            if target.valid_from in targets:
                item.fault("another target of this service has the same `valid_from`: leave one of the two out")
            targets.setdefault(target.valid_from, target)
        return tuple(targets[day] for day in sorted(targets))

    def _target(self, node: Node) -> Target | None:
        keys = ("valid_from", "seconds", "objective")
        found = node.mapping(keys, required=keys, what="a target")
        day = seconds = objective = None
        if (item := found.get("valid_from")) is not None:
            day = day_of(item)
        if (item := found.get("seconds")) is not None:
            seconds = item.number("seconds to be called within", Decimal("0.001"), MAX_TARGET_SECONDS, places=3)
        if (item := found.get("objective")) is not None:
            objective = item.number("the share of people, such as 0.8 for 80 %", 0, 1, places=9)
            if objective is not None and not 0 < objective < 1:
                item.fault(f"{item.value} is not between 0 and 1: write the share of people, such as 0.8 for 80 %")
                objective = None
        if day is None or seconds is None or objective is None:
            return None
        return Target(day, int(seconds * SECOND), float(objective))
