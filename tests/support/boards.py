"""The committed dashboards as the tests read them: every query of every panel, with Grafana's variables put in."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["GENERATED", "Asked", "boards", "panels", "queries", "with_variables"]

GENERATED = Path(__file__).parents[2] / "dashboards" / "generated"


@dataclass(frozen=True)
class Asked:
    """One query of a panel."""

    board: str
    title: str
    ref: str
    expression: str

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.board}: {self.title} ({self.ref})"


@cache
def boards(language: str = "en") -> Mapping[str, Any]:
    """The dashboards of a language by their slug."""
    found = sorted((GENERATED / "grafana" / language).rglob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in found}


def panels(board: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The panels of a dashboard, those in rows too."""
    for panel in board["panels"]:
        if panel["type"] != "row":
            yield panel
        yield from panel.get("panels", ())


def queries(language: str = "en", kind: str = "prometheus") -> Sequence[Asked]:
    """The queries of all dashboards of a language to one kind of data source."""
    return [
        Asked(slug, panel["title"], target["refId"], target.get("expr") or target["rawSql"])
        for slug, board in boards(language).items()
        for panel in panels(board)
        for target in panel.get("targets", ())
        if target["datasource"]["type"] == kind
    ]


def with_variables(expression: str, **values: str) -> str:
    """The expression with Grafana's variables put in; a variable without a value is an error."""
    known = {"__interval": "30m", "__range": "2h", "__rate_interval": "12m", "service": ".*", **values}

    def put(found: re.Match[str]) -> str:
        return known[found[1]]

    return re.sub(r"\$\{?(\w+)\}?", put, expression)
