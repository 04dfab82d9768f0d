"""Pieces of an alert's text: names and figures that Prometheus looks up when the alert is evaluated."""

from __future__ import annotations

from typing import Final

from loket_dashboards.language import Language, Text
from loket_dashboards.promql import select

__all__ = [
    "COUNTERS",
    "LAG",
    "LOG",
    "LONGEST",
    "OPEN_REQUESTS",
    "TABLE",
    "TARGET",
    "VALUE",
    "WAITING",
    "WAITING_IN_ALL",
    "looked_up",
    "service",
    "unit",
]

VALUE: Final = '{{ printf "%.0f" $value }}'
"""The value of the alert's expression as a whole number."""


def looked_up(query: str, *labels: str, form: str = "%.0f") -> str:
    """The value of a query at that moment, or a question mark; `%q` in it stand for the alert's labels."""
    named = " ".join(f"$labels.{label}" for label in labels)
    return (
        f"{{{{ with printf `{query}` {named} | query }}}}"
        f'{{{{ . | first | value | printf "{form}" }}}}{{{{ else }}}}?{{{{ end }}}}'
    )


def _name(metric: str, language: Language, *labels: str) -> str:
    matchers = ",".join(f"{label}=%q" for label in labels)
    named = " ".join(f"$labels.{label}" for label in labels)
    select(metric, ",".join(f'{label}="x"' for label in labels))
    return (
        f"{{{{ with printf `{metric}{{{matchers}}}` {named} | query }}}}"
        f'{{{{ . | first | label "name_{language}" }}}}{{{{ else }}}}{{{{ $labels.{labels[-1]} }}}}{{{{ end }}}}'
    )


def unit(language: Language) -> str:
    """The unit's name, or its id where no name is known."""
    return _name("loket_unit_info", language, "unit")


def service(language: Language) -> str:
    """The service's name, or its id."""
    return _name("loket_service_info", language, "unit", "service")


TARGET: Final = looked_up("max(loket_target_seconds{unit=%q,service=%q}) / 60", "unit", "service")
"""The service's target in minutes."""

LONGEST: Final = looked_up(
    "(time() - min(loket_oldest_wait_start_timestamp_seconds{unit=%q,service=%q})) / 60", "unit", "service"
)
"""The longest running wait in minutes."""

WAITING: Final = looked_up("max(loket_tickets_waiting{unit=%q,service=%q})", "unit", "service")
"""How many wait for the service."""

WAITING_IN_ALL: Final = looked_up("sum(max without (instance) (loket_tickets_waiting{unit=%q}))", "unit")
"""How many wait for any service of the unit."""

OPEN_REQUESTS: Final = looked_up("max(loket_requests_open{unit=%q,service=%q})", "unit", "service")
"""How many requests of the service are open."""

COUNTERS: Final = looked_up("max(loket_counters_open{unit=%q})", "unit")
"""How many counters of the unit are open."""

LAG: Final = 10_000
"""Events that wait for the worker or for the sink: as many are told."""

LOG: Final = Text(
    "Baca catatan prosesnya (journalctl -u loket-…).", "Read the log of the process (journalctl -u loket-…)."
)
TABLE: Final = Text("docs/operations.md: apa arti pesannya.", "docs/operations.md: what its message means.")
