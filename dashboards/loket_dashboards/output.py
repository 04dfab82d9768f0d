"""Everything that is generated: by path, with its text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from loket_dashboards.alerts.alertmanager import EXAMPLE_UNITS
from loket_dashboards.alerts.files import alert_files
from loket_dashboards.city import city
from loket_dashboards.employees import employee, employees
from loket_dashboards.hall import hall
from loket_dashboards.history import history
from loket_dashboards.language import LANGUAGES, Language
from loket_dashboards.page import Page
from loket_dashboards.pipeline import pipeline
from loket_dashboards.requests import requests
from loket_dashboards.unit import unit

__all__ = ["BOARDS", "RESTRICTED", "generated", "write"]

BOARDS: Final[tuple[Callable[[Language], Page], ...]] = (
    city,
    hall,
    unit,
    employees,
    employee,
    requests,
    pipeline,
    history,
)

RESTRICTED: Final = frozenset({"employee"})
"""The dashboards that go into a folder with rights of its own."""


def generated(units: Sequence[str] = EXAMPLE_UNITS) -> Mapping[str, str]:
    """Every file by its path in the folder of the output, the same each time; `units` have routes of their own."""
    return dict(sorted(_files(units)))


def write(folder: Path, units: Sequence[str] = EXAMPLE_UNITS) -> list[Path]:
    """Write every file below a folder, and return them."""
    written = []
    for name, text in generated(units).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _files(units: Sequence[str]) -> Iterator[tuple[str, str]]:
    for language in LANGUAGES:
        for board in BOARDS:
            page = board(language)
            folder = "employees" if page.slug in RESTRICTED else "boards"
            text = json.dumps(page.build(), cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True)
            yield f"grafana/{language}/{folder}/{page.slug}.json", text + "\n"
    yield from alert_files(units).items()
