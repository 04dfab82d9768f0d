"""One dashboard being written in one language: panels from left to right."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import common as commons
from grafana_foundation_sdk.builders import heatmap, stat, timeseries
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models import heatmap as heatmaps
from grafana_foundation_sdk.models import prometheus as prometheus_models

from loket_dashboards.language import Text
from loket_dashboards.parts import NOTHING, Line, Sql, Steps, Words, mappings, ref, thresholds
from loket_dashboards.tables import Tables

__all__ = ["Page"]


class Page(Tables):
    """A dashboard in one language, with numbers, graphs and tables."""

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
        legend: str = "",
    ) -> None:
        """A single number, or a state in words; with a `legend` one for each series, beside its name.

        `big`: its height in pixels, for who stands five metres away.
        """
        panel = (
            self.framed(stat.Panel(), title, description, width, height, nothing)
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
        if legend:
            panel.text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        self.ask(panel, [expression], [legend] if legend else (), instant=True)
        self.add(panel)

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
            self.framed(timeseries.Panel(), title, description, width, height)
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
        self.ask(panel, [line.expression for line in lines], [self.say(line.legend) for line in lines])
        for number, line in enumerate(lines):
            if line.dashed:
                panel.override_by_query(
                    ref(number),
                    [
                        dashboard.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [10, 8]}),
                        dashboard.DynamicConfigValue("custom.fillOpacity", 0),
                    ],
                )
        self.add(panel)

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
            self.framed(timeseries.Panel(), title, description, width, height)
            .unit(unit)
            .min(0)
            .draw_style(common.GraphDrawStyle.LINE)
            .show_points(common.VisibilityMode.ALWAYS)
        )
        if most is not None:
            panel.max(most)
        self.ask(panel, [Sql(statement)])
        self.add(panel)

    def heat(self, title: Text, description: Text, expression: str, *, every: str = "15m", width: int = 12) -> None:
        """How many of each duration at each time, from a histogram's buckets."""
        panel = (
            self.framed(heatmap.Panel(), title, description, width, 8)
            .calculate(False)
            .interval(every)
            .color(heatmap.HeatmapColorOptions().mode(heatmaps.HeatmapColorMode.SCHEME).scheme("Blues").steps(32))
            .y_axis(heatmap.YAxisConfig().unit("s"))
        )
        self.ask(panel, [expression], ["{{le}}"], form=prometheus_models.PromQueryFormat.HEATMAP)
        self.add(panel)
