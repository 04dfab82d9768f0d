"""One dashboard being written in one language: its frame, with Grafana's schema by its foundation SDK.

Every panel has a title, a description that says what it answers, and a unit; every text comes in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.builders import text
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models import prometheus as prometheus_models
from grafana_foundation_sdk.models import text as texts

from loket_dashboards.language import Language, Text
from loket_dashboards.parts import NOTHING, PROMETHEUS, RECORD, Built, Sql, Target, ref
from loket_dashboards.sql import SqlQuery

__all__ = ["Frame"]


class Frame:
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
        self.add(text.Panel().mode(texts.TextMode.MARKDOWN).content(self.say(content)).span(width).height(height))

    def add(self, panel: Any) -> None:
        """Add a panel, to the right of the last one where it fits."""
        self._frame.with_panel(panel)

    def build(self) -> dashboard.Dashboard:
        """The dashboard; JSONEncoder of the SDK writes it."""
        return self._frame.build()

    def framed(
        self, panel: Any, title: Text, description: Text, width: int, height: int, nothing: Text = NOTHING
    ) -> Any:
        """A panel with what every panel has."""
        framed = panel.title(self.say(title)).description(self.say(description)).no_value(self.say(nothing))
        return framed.span(width).height(height)

    def ask(
        self,
        panel: Any,
        queries: Sequence[str | Sql],
        legends: Sequence[str] = (),
        *,
        instant: bool = False,
        form: prometheus_models.PromQueryFormat = prometheus_models.PromQueryFormat.TIME_SERIES,
    ) -> None:
        """Put the queries of a panel to their data source; `legends`: one for each query, or none."""
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
