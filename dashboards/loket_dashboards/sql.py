"""Queries of Grafana's PostgreSQL data source, for which the foundation SDK has no types."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.dashboard import DataSourceRef

__all__ = ["SqlQuery"]


class _Query(variants.Dataquery):
    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def to_json(self) -> dict[str, Any]:
        return self._fields


class SqlQuery(builder.Builder[variants.Dataquery]):
    """A query in SQL: of a series (columns time, metric, value) or of a table."""

    def __init__(self, ref_id: str, statement: str, source: DataSourceRef, *, is_series: bool) -> None:
        self._fields = {
            "refId": ref_id,
            "datasource": source,
            "editorMode": "code",
            "format": "time_series" if is_series else "table",
            "rawQuery": True,
            "rawSql": statement,
        }

    def build(self) -> variants.Dataquery:
        """The query."""
        return _Query(self._fields)
