"""What a metric is: its name, kind, unit, help text, labels, and the figure of the domain that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["MILLISECONDS", "PREFIX", "Kind", "Metric"]

PREFIX: Final = "loket_"

MILLISECONDS: Final = 1_000
"""Parts of a base unit in which the domain keeps durations and instants."""


class Kind(StrEnum):
    """The types of Prometheus' text format. A summary here has a sum and a count and no quantiles."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric, in base units (seconds, ratios, bytes).

    `figure` is the name under which the domain keeps what the metric shows; where `values` are given, the part after
    the figure's "/" is the value of the last label. `parts` of the figure make one unit of the metric: 1000 ms are a
    second. A histogram or summary shows the figures `<figure>_ms` and `<figure>_count`.

    `needs_target`: the values of the last label that exist only where the service has a target, all of them if there is
    no such label (rule 22). `without_issue`: whether tickets without an issue, in the row of service "", have it too.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    figure: str = ""
    values: tuple[str, ...] = ()
    parts: int = 1
    bounds_ms: tuple[int, ...] = ()
    needs_target: tuple[str, ...] | bool = False
    without_issue: bool = False

    @property
    def is_distribution(self) -> bool:
        """Whether it has a sum and a count."""
        return self.kind in (Kind.HISTOGRAM, Kind.SUMMARY)

    def figures(self) -> Iterator[tuple[str, str | None]]:
        """The figures that it shows, each with the value of the last label, None where the figure has no label."""
        if not self.values:
            yield self.figure, None
        for value in self.values:
            yield f"{self.figure}/{value}", value

    def corrections(self, prefix: str = PREFIX) -> Iterator[tuple[str, str, int]]:
        """How its corrections are called (rule 23): the figure as a label, the domain's figure, parts of a unit.

        The label is the metric's name without `loket_` and `_total`, with `_sum` and `_count` for what has both.
        """
        name = self.name.removeprefix(prefix).removesuffix("_total")
        if self.is_distribution:
            yield f"{name}_sum", f"{self.figure}_ms", MILLISECONDS
            yield f"{name}_count", f"{self.figure}_count", 1
        else:
            yield name, self.figure, self.parts

    def exists(self, value: str | None, *, judges: bool, in_force: bool) -> bool:
        """Whether a service has the series for a value of the last label from the start.

        `judges`: it has targets, now or later; `in_force`: one was valid when any open ticket was issued, so that
        tickets without one (`none`) are exceptions, whose series begin with them.
        """
        if value == "none" and in_force:
            return False
        needs = self.needs_target if isinstance(self.needs_target, bool) else value in self.needs_target
        return judges or not needs
