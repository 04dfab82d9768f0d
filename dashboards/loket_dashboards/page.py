"""One dashboard being written in one language: panels from left to right, with Grafana's schema by its foundation SDK.

Every panel has a title, a description that says what it answers, and a unit; every text comes in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import common as commons
from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.builders import heatmap, stat, table, text, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models import heatmap as heatmaps
from grafana_foundation_sdk.models import prometheus as prometheus_models
from grafana_foundation_sdk.models import text as texts

from loket_dashboards.language import Language, Text
from loket_dashboards.parts import (
    NOTHING,
    PROMETHEUS,
    RECORD,
    Built,
    Column,
    Line,
    Sql,
    Steps,
    Target,
    Words,
    mappings,
    ref,
    thresholds,
)
from loket_dashboards.sql import SqlQuery

__all__ = ["Page"]


class Page:
    """A dashboard in one language. `source`: where its Prometheus queries go."""

    def __init__(
        self,
        language: Language,
        slug: str,
        title: Text,
        description: Text,
        *,
        refresh: str = "30s",
        since: str = "now-12h",
        source: dashboard.DataSourceRef = PROMETHEUS,
    ) -> None:
        self.language = language
        self.slug = slug
        self._source = source
        self._frame = (
            boards.Dashboard(title.said(language))
            .uid(f"loket-{slug}-{language}")
            .description(description.said(language))
            .tags(["loket", str(language)])
            .refresh(refresh)
            .time(since, "now")
            .timezone("browser")
            .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
            .readonly()
        )

    def say(self, text: Text | str) -> str:
        """A text in the page's language; what is no text of ours (an id, a label) as it is."""
        return text if isinstance(text, str) else text.said(self.language)

    def uid(self, slug: str) -> str:
        """The uid of another dashboard in this language."""
        return f"loket-{slug}-{self.language}"

    def links(self, *others: tuple[str, Text]) -> None:
        """Links to other dashboards of this language; time and variables go along."""
        for slug, title in others:
            self._frame.link(
                boards.DashboardLink(self.say(title))
                .type(dashboard.DashboardLinkType.LINK)
                .url(f"/d/{self.uid(slug)}")
                .keep_time(True)
                .include_vars(True)
                .icon("dashboard")
                .tooltip(self.say(title))
            )

    def variable(self, variable: Any) -> None:
        """Add a variable."""
        self._frame.with_variable(variable)

    def annotation(self, name: Text, source: dashboard.DataSourceRef, target: Mapping[str, Any]) -> None:
        """Add marks on the time axis from a query."""
        query = dashboard.AnnotationQuery(
            name=self.say(name), datasource=source, enable=True, icon_color="blue", target=Target(target)
        )
        self._frame.annotation(Built(query))

    def row(self, title: Text) -> None:
        """Begin a row."""
        self._frame.with_row(boards.Row(self.say(title)))

    def note(self, content: Text, *, width: int = 24, height: int = 3) -> None:
        """A text in Markdown."""
        self._frame.with_panel(
            text.Panel().mode(texts.TextMode.MARKDOWN).content(self.say(content)).span(width).height(height)
        )

    def number(
        self,
        title: Text,
        description: Text,
        expression: str | Sql,
        *,
        unit: str = "short",
        decimals: int | None = None,
        width: int = 4,
        height: int = 4,
        big: int | None = None,
        words: Words | None = None,
        steps: Steps = (),
        nothing: Text = NOTHING,
    ) -> None:
        """A single number, or a state in words. `big`: its height in pixels, for who stands five metres away."""
        panel = (
            self._framed(stat.Panel(), title, description, width, height, nothing)
            .unit(unit)
            .graph_mode(common.BigValueGraphMode.NONE)
            .color_mode(common.BigValueColorMode.BACKGROUND if words else common.BigValueColorMode.VALUE)
            .reduce_options(commons.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        )
        if decimals is not None:
            panel.decimals(decimals)
        if big is not None:
            panel.text(commons.VizTextDisplayOptions().value_size(big).title_size(max(16, big // 4)))
        panel.mappings(mappings(words, self.language))
        panel.thresholds(thresholds(steps))
        self._ask(panel, [expression], instant=True)
        self._frame.with_panel(panel)

    def lines(
        self,
        title: Text,
        description: Text,
        lines: Sequence[Line],
        *,
        unit: str = "short",
        width: int = 12,
        height: int = 8,
        bars: bool = False,
        stacked: bool = False,
        every: str = "",
        most: float | None = None,
    ) -> None:
        """A graph over time; `every` is the least step, and the length of what bars count."""
        panel = (
            self._framed(timeseries.Panel(), title, description, width, height)
            .unit(unit)
            .min(0)
            .fill_opacity(60 if bars else 8)
            .line_width(0 if bars else 2)
            .draw_style(common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE)
            .show_points(common.VisibilityMode.AUTO)
            .legend(
                commons.VizLegendOptions()
                .display_mode(common.LegendDisplayMode.LIST)
                .placement(common.LegendPlacement.BOTTOM)
                .show_legend(True)
            )
            .tooltip(
                commons.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
            )
        )
        if every:
            panel.interval(every)
        if most is not None:
            panel.max(most)
        if stacked:
            panel.stacking(commons.StackingConfig().mode(common.StackingMode.NORMAL))
        self._ask(panel, [line.expression for line in lines], [self.say(line.legend) for line in lines])
        for number, line in enumerate(lines):
            if line.dashed:
                panel.override_by_query(
                    ref(number),
                    [
                        dashboard.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [10, 8]}),
                        dashboard.DynamicConfigValue("custom.fillOpacity", 0),
                    ],
                )
        self._frame.with_panel(panel)

    def sql_series(
        self,
        title: Text,
        description: Text,
        statement: str,
        *,
        unit: str = "short",
        width: int = 12,
        height: int = 8,
        most: float | None = None,
    ) -> None:
        """A graph of the record: columns `time`, `metric` and `value`."""
        panel = (
            self._framed(timeseries.Panel(), title, description, width, height)
            .unit(unit)
            .min(0)
            .draw_style(common.GraphDrawStyle.LINE)
            .show_points(common.VisibilityMode.ALWAYS)
        )
        if most is not None:
            panel.max(most)
        self._ask(panel, [Sql(statement)])
        self._frame.with_panel(panel)

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
        panel = self._framed(table.Panel(), title, description, width, height)
        for column, unit in units.items():
            panel.override_by_name(column, [dashboard.DynamicConfigValue("unit", unit)])
        self._ask(panel, [Sql(statement, is_series=False)])
        self._frame.with_panel(panel)

    def heat(self, title: Text, description: Text, expression: str, *, every: str = "15m", width: int = 12) -> None:
        """How many of each duration at each time, from a histogram's buckets."""
        panel = (
            self._framed(heatmap.Panel(), title, description, width, 8)
            .calculate(False)
            .interval(every)
            .color(heatmap.HeatmapColorOptions().mode(heatmaps.HeatmapColorMode.SCHEME).scheme("Blues").steps(32))
            .y_axis(heatmap.YAxisConfig().unit("s"))
        )
        self._ask(panel, [expression], ["{{le}}"], form=prometheus_models.PromQueryFormat.HEATMAP)
        self._frame.with_panel(panel)

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
        panel = self._framed(table.Panel(), title, description, width, height)
        self._ask(
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
        self._frame.with_panel(panel)

    def build(self) -> dashboard.Dashboard:
        """The dashboard; JSONEncoder of the SDK writes it."""
        return self._frame.build()

    def _framed(
        self, panel: Any, title: Text, description: Text, width: int, height: int, nothing: Text = NOTHING
    ) -> Any:
        """A panel with what every panel has."""
        framed = panel.title(self.say(title)).description(self.say(description)).no_value(self.say(nothing))
        return framed.span(width).height(height)

    def _ask(
        self,
        panel: Any,
        queries: Sequence[str | Sql],
        legends: Sequence[str] = (),
        *,
        instant: bool = False,
        form: prometheus_models.PromQueryFormat = prometheus_models.PromQueryFormat.TIME_SERIES,
    ) -> None:
        record = any(isinstance(query, Sql) for query in queries)
        panel.datasource(RECORD if record else self._source)
        for number, query in enumerate(queries):
            if isinstance(query, Sql):
                panel.with_target(SqlQuery(ref(number), query.statement, RECORD, is_series=query.is_series))
                continue
            asked = Dataquery().ref_id(ref(number)).expr(query).datasource(self._source).format(form)
            asked.editor_mode(prometheus_models.QueryEditorMode.CODE)
            if legends:
                asked.legend_format(legends[number])
            panel.with_target(asked.instant() if instant else asked.range())
