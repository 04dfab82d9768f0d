"""Tables of a dashboard: a row for each service, unit or counter, or rows of the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models import prometheus as prometheus_models

from loket_dashboards.frame import Frame
from loket_dashboards.language import Text
from loket_dashboards.parts import Column, Sql, mappings, ref, thresholds

__all__ = ["Tables"]


class Tables(Frame):
    """A dashboard that takes tables."""

    def sql_table(
        self,
        title: Text,
        description: Text,
        statement: str,
        units: Mapping[str, str],
        *,
        width: int = 24,
        height: int = 9,
    ) -> None:
        """A table of the record; `units`: of its columns."""
        panel = self.framed(table.Panel(), title, description, width, height)
        for column, unit in units.items():
            panel.override_by_name(column, [dashboard.DynamicConfigValue("unit", unit)])
        self.ask(panel, [Sql(statement, is_series=False)])
        self.add(panel)

    def table(
        self,
        title: Text,
        description: Text,
        key: str,
        columns: Sequence[Column],
        *,
        names: Mapping[str, Text],
        worst: Text | None = None,
        hidden: Sequence[str] = (),
        link: tuple[str, str] | None = None,
        height: int = 12,
        width: int = 24,
    ) -> None:
        """A row for each value of a label, joined from instant queries; `worst`: the column whose largest come first.

        `names` are the headings of labels, `link` a column's label and the dashboard that it leads to.
        """
        panel = self.framed(table.Panel(), title, description, width, height)
        self.ask(
            panel,
            [column.expression for column in columns],
            instant=True,
            form=prometheus_models.PromQueryFormat.TABLE,
        )
        several = len(columns) > 1
        values = [f"Value #{ref(number)}" if several else "Value" for number in range(len(columns))]
        if several:
            panel.with_transformation(
                dashboard.DataTransformerConfig(id_val="joinByField", options={"byField": key, "mode": "outer"})
            )
        heading = {label: self.say(name) for label, name in names.items()}
        heading |= {value: self.say(column.title) for value, column in zip(values, columns, strict=True)}
        times = ["Time", *(f"Time {number + 1}" for number in range(len(columns)))]
        panel.with_transformation(
            dashboard.DataTransformerConfig(
                id_val="organize",
                options={
                    "excludeByName": dict.fromkeys((*times, *hidden), True),
                    "indexByName": {name: place for place, name in enumerate([*names, *values])},
                    "renameByName": heading,
                },
            )
        )
        if worst is not None:
            panel.with_transformation(
                dashboard.DataTransformerConfig(
                    id_val="sortBy", options={"fields": {}, "sort": [{"field": self.say(worst), "desc": True}]}
                )
            )
        for column in columns:
            properties = [dashboard.DynamicConfigValue("unit", column.unit)]
            if column.decimals is not None:
                properties.append(dashboard.DynamicConfigValue("decimals", column.decimals))
            if column.words:
                properties.append(dashboard.DynamicConfigValue("mappings", mappings(column.words, self.language)))
            if column.thresholds:
                properties.append(dashboard.DynamicConfigValue("thresholds", thresholds(column.thresholds).build()))
                properties.append(dashboard.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
            panel.override_by_name(self.say(column.title), properties)
        if link is not None:
            label, slug = link
            target = {
                "title": self.say(Text("Buka unit ini", "Open this unit")),
                "url": f"/d/{self.uid(slug)}?var-{key}=${{__data.fields.{key}}}&${{__url_time_range}}",
            }
            panel.override_by_name(heading[label], [dashboard.DynamicConfigValue("links", [target])])
        self.add(panel)
