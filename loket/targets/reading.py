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
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from loket.documents import DocumentError, Node, parse_document, read_bytes
from loket.domain.events import ID_PATTERN
from loket.domain.policy import DAY, HOUR, MINUTE, SECOND, Policy, ServicePolicy, UnitPolicy
from loket.domain.state import OTHER
from loket.targets.burning import cannot_fire, read_burn
from loket.targets.durations import duration_of
from loket.targets.hours import HOURS_KEYS, WrittenHours, calendar_of, read_hours
from loket.targets.promises import names_of, read_service
from loket.targets.zones import zone_of

__all__ = ["COMMON_KEYS", "MAX_BUDGET", "UNIT_KEYS", "ReadTargets", "TargetsError", "load_targets", "read_targets"]

COMMON_KEYS: Final = (
    "zone",
    "day_starts",
    "late_hours",
    "short_seconds",
    "wrap_up_seconds",
    "budget",
    *HOURS_KEYS,
    "wait_starts",
    "close_after",
    "burn_rate",
)
UNIT_KEYS: Final = (*COMMON_KEYS, "name", "services")
MAX_BUDGET: Final = {"services": 1_000, "employees": 10_000, "counters": 10_000, "sources": 1_000}
"""The most that a unit's budget may allow: a series for each, in the state and in Prometheus."""

MAX_UNITS: Final = 100_000
MAX_LATE_HOURS: Final = 72
MAX_SHORT_SECONDS: Final = 3_600
MAX_WRAP_UP_SECONDS: Final = 3_600

_ID = re.compile(ID_PATTERN)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


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


class _Reading:
    """One reading of one file: values that are wrong become faults of the document, and the default stands in."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[int, int]] = {}
        self._organisation = WrittenHours()

    def policy(self, root: Node) -> Policy:
        sections = root.mapping(("defaults", "units"), what="`defaults:` and `units:`")
        defaults = UnitPolicy()
        if (section := sections.get("defaults")) is not None and not section.nothing:
            found = section.mapping(COMMON_KEYS, what="`zone: …` and the like")
            defaults = self._common(found, defaults)
            self._organisation = read_hours(found, self._organisation)
            defaults = replace(defaults, calendar=calendar_of(self._organisation))
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
        found = node.mapping(UNIT_KEYS, what="`name:`, `services:` and the like")
        services: dict[str, ServicePolicy] = {}
        if (section := found.get("services")) is not None and not section.nothing:
            services = section.once("services", self._services)
        unit = replace(self._common(found, defaults), known=True, names=names_of(found), services=services)
        unit = replace(unit, calendar=calendar_of(read_hours(found, self._organisation)))
        for _, told in cannot_fire(unit.burn, services):
            found["services"].fault(told)
        if len(services) > unit.budget.services:
            told = f"{len(services)} services, and the unit's budget allows {unit.budget.services}"
            found["services"].fault(f"{told}: raise `budget: {{services: …}}`")
        return unit

    def _services(self, section: Node) -> dict[str, ServicePolicy]:
        services: dict[str, ServicePolicy] = {}
        for key, service in section.entries("services"):
            if self._id(key, "a service's id"):
                services[key.value] = service.once("service", read_service)
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
        if (node := found.get("wait_starts")) is not None:
            word = node.choice("where a wait is judged from", ("issue", "opening"))
            unit = unit if word is None else replace(unit, waits_from_opening=word == "opening")
        if (node := found.get("close_after")) is not None:
            if node.kind == "scalar" and node.value == "never":
                unit = replace(unit, close_after_ms=None)
            elif (ms := duration_of(node, "a time after closing, or `never`", 0, DAY)) is not None:
                unit = replace(unit, close_after_ms=ms)
        if (node := found.get("burn_rate")) is not None:
            unit = replace(unit, burn=node.once("burn", read_burn))
        if (node := found.get("budget")) is not None:
            unit = replace(unit, budget=replace(unit.budget, **node.once("budget", self._budget)))
        return unit

    def _budget(self, node: Node) -> dict[str, int]:
        budget: dict[str, int] = {}
        for key, item in node.mapping(tuple(MAX_BUDGET), what="`services: …` and the like").items():
            allowed = item.whole(f"how many {key} of a unit have a name in the metrics", 1, MAX_BUDGET[key])
            if allowed is not None:
                budget[key] = allowed
        return budget
