"""PromQL of the catalogue's names: a metric or label that does not exist cannot be written.

Two workers show the same unit for a moment while a partition moves, so whatever is of units is aggregated with
`max without (instance)` before anything else (docs/metrics.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from loket.catalogue import METRICS, Kind, Metric
from loket.errors import LoketError

__all__ = [
    "SERVICE",
    "UNIT",
    "UnknownName",
    "by",
    "exact",
    "gained",
    "grown",
    "metric_of",
    "named",
    "one",
    "select",
    "shown",
]

_METRICS: Final = {metric.name: metric for metric in METRICS}
_PARTS: Final = {
    Kind.HISTOGRAM: ("_bucket", "_sum", "_count"),
    Kind.SUMMARY: ("_sum", "_count"),
}
_ALWAYS: Final = ("instance", "job")

UNIT: Final = 'unit="$unit"'
"""The unit that a dashboard is about."""

SERVICE: Final = 'unit="$unit",service=~"$service"'
"""Its services that were chosen."""


class UnknownName(LoketError):
    """A query names a metric or label that the catalogue does not have: correct the query."""


def metric_of(name: str) -> Metric:
    """The metric of a series' name, which for histograms and summaries ends with the part."""
    metric = _METRICS.get(name)
    if metric is not None and metric.kind not in _PARTS:
        return metric
    for kind, parts in _PARTS.items():
        for part in parts:
            whole = _METRICS.get(name.removesuffix(part)) if name.endswith(part) else None
            if whole is not None and whole.kind is kind:
                return whole
    raise UnknownName(f"the catalogue has no series {name}")


def _labels_of(name: str) -> tuple[str, ...]:
    bucket = ("le",) if name.endswith("_bucket") else ()
    return (*metric_of(name).labels, *bucket, *_ALWAYS)


def _check(name: str, labels: Iterable[str]) -> None:
    known = _labels_of(name)
    for label in labels:
        if label not in known:
            raise UnknownName(f"{name} has no label {label}")


def select(name: str, matchers: str = "", after: str = "") -> str:
    """A selector of series as every instance shows them; `after` is a range and an offset."""
    found = [re.split("[=!]", part)[0] for part in matchers.split(",")] if matchers else []
    _check(name, found)
    return f"{name}{{{matchers}}}{after}" if matchers else f"{name}{after}"


def one(name: str, matchers: str = "", after: str = "", *, least: bool = False) -> str:
    """The series once, whichever worker shows them: the highest value, or with `least` the lowest."""
    return f"{'min' if least else 'max'} without (instance) ({select(name, matchers, after)})"


def by(labels: str, name: str, matchers: str = "", after: str = "", *, how: str = "sum") -> str:
    """The series once, summed by some labels ('' for a single number)."""
    _check(name, [label.strip() for label in labels.split(",") if label])
    return f"{how} by ({labels}) ({one(name, matchers, after)})"


def exact(labels: str, name: str, matchers: str = "", offset: str = "") -> str:
    """What a counter, sum or count holds less what later events took back (rule 23), summed by some labels."""
    metric = metric_of(name)
    prefix, corrections = "loket_", "loket_corrections_total"
    if name.startswith("loket_employee_"):
        prefix, corrections = "loket_employee_", "loket_employee_corrections_total"
    if metric.kind not in (Kind.COUNTER, *_PARTS) or name.endswith("_bucket"):
        raise UnknownName(f"{name} has no corrections")
    figure = name.removeprefix(prefix).removesuffix("_total")
    after = f" offset {offset}" if offset else ""
    taken = f'figure="{figure}"' + (f",{matchers}" if matchers else "")
    return f"{by(labels, name, matchers, after)} - {by(labels, corrections, taken, after)}"


def gained(labels: str, name: str, during: str, matchers: str = "") -> str:
    """How many came in the time before: whole people, as a unit's counters go on over restarts."""
    return f"({exact(labels, name, matchers)}) - ({exact(labels, name, matchers, during)})"


def grown(labels: str, name: str, during: str, matchers: str = "") -> str:
    """About how much a counter, sum, count or bucket grew in the time before, as `increase` extrapolates it."""
    _check(name, [label.strip() for label in labels.split(",") if label])
    return f"sum by ({labels}) (max without (instance) (increase({select(name, matchers, f'[{during}]')})))"


def shown(labels: str, name: str, during: str, matchers: str = "") -> str:
    """How much a gauge of the day grew in the time before, or since the day began: exact, whole people."""
    now = by(labels, name, matchers)
    before = by(labels, name, matchers, f" offset {during}")
    on = f"on ({labels}) "
    return f"(({now}) - {on}(({before}) <= {on}({now}))) or {on}({now})"


def named(expression: str, language: str, matchers: str = UNIT) -> str:
    """The series of services with the service's name in a language as label."""
    name = f"name_{language}"
    names = f"max by (unit, service, {name}) ({select('loket_service_info', matchers)})"
    return f"({expression}) * on (unit, service) group_left ({name}) {names}"
