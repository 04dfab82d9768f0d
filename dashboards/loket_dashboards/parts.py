"""Parts of panels: what is asked, in which words values are said, and where the data come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.cog import builder
from grafana_foundation_sdk.models import dashboard

from loket_dashboards.language import Language, Text

__all__ = [
    "EMPLOYEES",
    "GRAFANA",
    "NOTHING",
    "PROMETHEUS",
    "RECORD",
    "Built",
    "Column",
    "Line",
    "Sql",
    "Steps",
    "Target",
]
__all__ += ["Words", "mappings", "ref", "thresholds"]

Words = Mapping[int, tuple[Text, str]]
"""What values mean: text and colour by value."""

Steps = Sequence[tuple[float | None, str]]
"""From which value on which colour; the first from None."""

NOTHING: Final = Text("– tidak ada data", "– no data")
PROMETHEUS: Final = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
EMPLOYEES: Final = dashboard.DataSourceRef(type_val="prometheus", uid="${employees}")
RECORD: Final = dashboard.DataSourceRef(type_val="grafana-postgresql-datasource", uid="${record}")
GRAFANA: Final = dashboard.DataSourceRef(type_val="grafana", uid="-- Grafana --")


@dataclass(frozen=True, slots=True)
class Line:
    """One query of a graph. `legend`: a text, or labels in Grafana's braces. Dashed: a target or another day."""

    expression: str
    legend: Text | str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Sql:
    """One query of the record, in PostgreSQL's SQL."""

    statement: str
    is_series: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: the instant query, its heading, unit and, where they are, its words for values."""

    expression: str
    title: Text
    unit: str = "short"
    decimals: int | None = None
    words: Words | None = None
    thresholds: Steps = ()


class Built(builder.Builder[dashboard.AnnotationQuery]):
    """A part that needs no builder, where the SDK asks for one."""

    def __init__(self, built: dashboard.AnnotationQuery) -> None:
        self._built = built

    def build(self) -> dashboard.AnnotationQuery:
        """The part."""
        return self._built


class Target(dashboard.AnnotationTarget):
    """The query of an annotation in the words of its data source, which the SDK's type does not know."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__()
        self._fields = dict(fields)

    def to_json(self) -> dict[str, object]:
        """As Grafana reads it."""
        return self._fields


def ref(number: int) -> str:
    """The letter of a query in its panel."""
    return chr(ord("A") + number)


def thresholds(steps: Steps) -> boards.ThresholdsConfig:
    """Colours by value; without steps one that says nothing: a number alone is neither good nor bad."""
    listed = [dashboard.Threshold(value=value, color=colour) for value, colour in (steps or ((None, "text"),))]
    return boards.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(listed)


def mappings(words: Words | None, language: Language) -> list[Any]:
    """The words for values."""
    if not words:
        return []
    options = {
        str(value): dashboard.ValueMappingResult(text=said.said(language), color=colour, index=place)
        for place, (value, (said, colour)) in enumerate(words.items())
    }
    return [dashboard.ValueMap(options=options)]
