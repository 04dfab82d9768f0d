"""Draw docs/pictures: what the queries of a dashboard really answer on the simulated day. Not Grafana's own rendering.

    PYTHONPATH=tests python -m support.pictures docs/pictures

Needs the embedded broker, PostgreSQL and Prometheus, as the tests do.
"""

import math
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from pathlib import Path
from typing import Any

from support.boards import boards, with_variables
from support.day import BUSY, MONDAY_MS, Day, lived, written
from support.postgres import PostgresServer
from support.prometheus import Prometheus

WIDTH, CELL, HEIGHT = 1_200, 50, 34  # of the picture; of a column of Grafana's grid, and of a row
COLOURS = ("#3274d9", "#e0752d", "#508642", "#967302", "#962d82", "#447ebc", "#890f02", "#0a50a1")
JAKARTA = timezone(timedelta(hours=7))
SAID = "Drawn from the answers of the dashboard's queries on a simulated day; not Grafana's own rendering."


def _legend(labels: Mapping[str, str], form: str) -> str:
    for name, value in labels.items():
        form = form.replace(f"{{{{{name}}}}}", value)
    return form


def _told(value: float, unit: str) -> str:
    if math.isnan(value) or (unit in ("s", "dtdurations") and value < 0):
        return "–"  # below 0: since an instant of this machine's clock, which the simulated day knows nothing of
    if unit == "percentunit":
        return f"{100 * value:.1f} %"
    if unit in ("s", "dtdurations"):
        return f"{int(value // 60)} min" if value >= 60 else f"{value:.0f} s"
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


class _Picture:
    """One dashboard as SVG."""

    def __init__(self, board: Mapping[str, Any], prometheus: Prometheus, begin_s: float, end_s: float) -> None:
        self._board = board
        self._prometheus = prometheus
        self._begin, self._end = begin_s, end_s
        self._parts: list[str] = []

    def svg(self) -> str:
        """The whole picture."""
        shown = self._board["panels"]
        places = {id(panel): panel["gridPos"] for panel in shown}
        bottom = max(place["y"] + place["h"] for place in places.values())
        for panel in shown:
            place = places[id(panel)]
            left, top = place["x"] * CELL, 60 + place["y"] * HEIGHT
            width, height = place["w"] * CELL - 8, place["h"] * HEIGHT - 8
            if panel["type"] == "row":
                self._text(left + 4, top + 20, panel["title"], 15, bold=True)
                continue
            self._parts.append(f'<rect x="{left}" y="{top}" width="{width}" height="{height}" class="p"/>')
            self._text(left + 8, top + 18, panel["title"], 13, bold=True)
            if panel["type"] in ("stat", "timeseries"):
                (self._number if panel["type"] == "stat" else self._lines)(panel, left, top, width, height)
            else:
                self._text(left + 12, top + height / 2, f"({panel['type']}, not drawn here)", 13)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {70 + bottom * HEIGHT}" '
            'font-family="sans-serif"><style>.p{fill:#fff;stroke:#ccc}text{fill:#222}</style>'
            f'<rect width="{WIDTH}" height="{70 + bottom * HEIGHT}" fill="#f4f5f5"/>'
        )
        self._text(8, 26, self._board["title"], 20, bold=True)
        self._text(8, 46, SAID, 12)
        return head + "".join(self._parts) + "</svg>\n"

    def _text(self, x: float, y: float, text: str, size: int, *, bold: bool = False, colour: str = "") -> None:
        weight = ' font-weight="bold"' if bold else ""
        fill = f' style="fill:{colour}"' if colour else ""
        self._parts.append(f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}"{weight}{fill}>{escape(text)}</text>')

    def _number(self, panel: Mapping[str, Any], left: float, top: float, width: float, height: float) -> None:
        defaults = panel["fieldConfig"]["defaults"]
        answers = self._prometheus.query(with_variables(panel["targets"][0]["expr"], unit=BUSY), self._end)
        if not answers:
            told = defaults["noValue"]
        else:
            value = answers[0].value
            words = {key: said["text"] for m in defaults.get("mappings", ()) for key, said in m["options"].items()}
            told = words.get(f"{value:g}", _told(value, defaults["unit"]))
        self._text(left + 12, top + height / 2 + 18, told, 24 if len(told) < 12 else 16, bold=True)

    def _lines(self, panel: Mapping[str, Any], left: float, top: float, width: float, height: float) -> None:
        defaults = panel["fieldConfig"]["defaults"]
        step = 1_800 if panel.get("interval") == "30m" else 180
        drawn: list[tuple[str, list[tuple[float, float]]]] = []
        for target in panel["targets"]:
            expression = with_variables(target["expr"], unit=BUSY)
            for labels, points in self._prometheus.range(expression, self._begin, self._end, step):
                drawn.append((_legend(labels, target["legendFormat"]), points))
        highest = max((value for _, points in drawn for _, value in points if not math.isnan(value)), default=0) or 1
        x0, y0, inner, tall = left + 60, top + 30, width - 76, height - 84
        for share in (0, 0.5, 1):
            y = y0 + tall * (1 - share)
            self._parts.append(f'<line x1="{x0}" x2="{x0 + inner}" y1="{y:.0f}" y2="{y:.0f}" stroke="#e2e2e2"/>')
            self._text(left + 8, y + 4, _told(highest * share, defaults["unit"]), 11)
        for share in (0, 0.5, 1):
            at = datetime.fromtimestamp(self._begin + share * (self._end - self._begin), UTC).astimezone(JAKARTA)
            self._text(x0 + inner * share - 16, y0 + tall + 16, at.strftime("%H:%M"), 11)
        is_bars = defaults["custom"].get("drawStyle") == "bars"
        for number, (name, points) in enumerate(drawn):
            colour = COLOURS[number % len(COLOURS)]
            placed = [
                (x0 + inner * (at - self._begin) / (self._end - self._begin), y0 + tall * (1 - max(0, value) / highest))
                for at, value in points
                if not math.isnan(value)
            ]
            if is_bars:
                wide = 0.7 * inner * step / (self._end - self._begin) / len(drawn)
                self._parts += [
                    f'<rect x="{x - wide * (number + 1):.0f}" y="{y:.0f}" width="{wide:.0f}" '
                    f'height="{y0 + tall - y:.0f}" fill="{colour}"/>'
                    for x, y in placed
                ]
            else:
                path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
                self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            self._text(x0 + 150 * (number % 4), y0 + tall + 34 + 15 * (number // 4), f"━ {name}", 11, colour=colour)


def draw(day: Day, prometheus: Prometheus, folder: Path) -> None:
    """Draw the pictures of some dashboards."""
    end = day.moments[-1].now / 1000
    for slug in ("unit", "hall", "pipeline"):
        picture = _Picture(boards("en")[slug], prometheus, MONDAY_MS / 1000 + 600, end)
        (folder / f"{slug}.svg").write_text(picture.svg(), encoding="utf-8")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="loket-pictures-") as name:
        here = Path(name)
        here.chmod(0o755)
        (here / "postgres").mkdir()
        server, prometheus = PostgresServer(here / "postgres", durable=False), Prometheus(here)
        server.start()
        try:
            with server.database() as database:
                with lived(here, database) as day:
                    pass
                written(day, here / "data")
                prometheus.start()
                draw(day, prometheus, folder)
        finally:
            prometheus.kill()
            server.remove()


if __name__ == "__main__":
    main()
