"""A page in Prometheus' text format, made of the catalogue's metrics.

Written here rather than with prometheus-client's registry, as that takes six times as long for a page of 100,000
series; its parser reads what this writes, and a test compares the two. Samples carry no timestamps: a series that is
no longer written goes stale by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.utils import floatToGoString

from loket.catalogue import Metric

__all__ = ["CONTENT_TYPE", "Page", "bound", "label", "labels", "number"]

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


def label(name: str, value: str) -> str:
    """A label, whatever its value holds: a source may be any text."""
    if "\\" in value or '"' in value or "\n" in value:
        value = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{name}="{value}"'


def labels(**values: str | int) -> str:
    """Some labels, as they stand between the braces."""
    return ",".join(label(name, str(value)) for name, value in values.items())


def number(amount: float, parts: int = 1) -> str:
    """An amount in whole units of a metric, where `parts` of the amount make one: exact to the millisecond."""
    return str(amount) if parts == 1 else str(amount / parts)


def bound(ms: int) -> str:
    """The upper bound of a bucket, in seconds, as Prometheus writes it."""
    written: str = floatToGoString(ms / 1000)  # type: ignore[no-untyped-call]  # of prometheus-client
    return written


class Page:
    """One page being written: samples in any order, grouped by their metric in the end.

    Who writes many samples takes `lines` of a metric and appends whole lines.
    """

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._lines: dict[Metric, list[str]] = {metric: [] for metric in metrics}

    def lines(self, metric: Metric) -> list[str]:
        """The lines of a metric, to append to."""
        return self._lines[metric]

    def add(self, metric: Metric, labels: str, amount: float) -> None:
        """Add a sample; the amount is in parts of the metric's unit."""
        value = number(amount, metric.parts)
        self._lines[metric].append(f"{metric.name}{{{labels}}} {value}\n" if labels else f"{metric.name} {value}\n")

    def series(self) -> int:
        """How many samples there are."""
        return sum(len(lines) for lines in self._lines.values())

    def render(self) -> bytes:
        """The page in UTF-8."""
        parts = []
        for metric, lines in self._lines.items():
            parts.append(f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n".encode())
            # In pieces, as a join or an encoding holds the interpreter from its beginning to its end.
            parts.append("".join(lines).encode(errors="replace"))
        return b"".join(parts)
