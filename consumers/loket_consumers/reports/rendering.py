"""Pages in a terminal, as Markdown, and as one HTML file that needs no other."""

from __future__ import annotations

import html
import re

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loket.harmless import harmless
from loket_consumers.reports.grids import Grid, Page

__all__ = ["print_page", "to_html", "to_markdown"]

MANY_COLUMNS = 8
"""More of them stand closer, so that 80 columns hold them."""

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ccc }
th:first-child, td:first-child { text-align: left } .faint td { color: #555 } .strong td { font-weight: bold }
footer { color: #555; font-size: .9rem; margin-top: 2rem } @media print { body { margin: 0 } }
"""


def print_page(page: Page, console: Console) -> None:
    """Print a page in a terminal of 80 columns."""
    console.print(Text(harmless(page.title), style="bold reverse"))
    for sentence in page.sentences:
        console.print(Text(harmless(sentence)))
    for grid in page.grids:
        console.print(Padding(Text(grid.title, style="bold"), (1, 0, 0, 0)))
        console.print(_table(grid))
    for note in page.notes:
        console.print(Padding(Text(harmless(note), style="dim"), (1, 0, 0, 0)))


def _table(grid: Grid) -> Table:
    between = 1 if len(grid.columns) > MANY_COLUMNS else 2
    table = Table(header_style="dim", box=None, pad_edge=False, padding=(0, between, 0, 0))
    for index, column in enumerate(grid.columns):
        if index == 0:
            table.add_column(column, overflow="fold")
        else:
            table.add_column(column, justify="right", no_wrap=True)
    for index, row in enumerate(grid.rows):
        style = "bold" if index in grid.strong else "dim" if index in grid.faint else ""
        table.add_row(*(Text(harmless(cell)) for cell in row), style=style)
    return table


def to_markdown(page: Page) -> str:
    """The page as Markdown with tables."""
    parts = [f"# {_marked(page.title)}", *(f"- {_marked(sentence)}" for sentence in page.sentences)]
    text = "\n\n".join([parts[0], "\n".join(parts[1:])])
    for grid in page.grids:
        head = [_marked(_one_line(column)) for column in grid.columns]
        lines = [head, ["---", *("---:" for _ in head[1:])], *([_marked(cell) for cell in row] for row in grid.rows)]
        text += f"\n\n## {_marked(grid.title)}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return text + "".join(f"\n\n{_marked(note)}" for note in page.notes) + "\n"


def _marked(text: str) -> str:
    """A text in which Markdown and HTML find nothing of theirs."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", harmless(text, "\\"))


def _one_line(column: str) -> str:
    """A heading that was made for narrow columns: hyphenated or in two words."""
    return column.replace("-\n", "-" if column.startswith("no-") else "").replace("\n", " ")


def to_html(page: Page, language: str) -> str:
    """The page as one HTML file."""

    def shown(text: str) -> str:
        return html.escape(harmless(text, "\\"))

    body = [f"<h1>{shown(page.title)}</h1>", "<ul>", *(f"<li>{shown(told)}</li>" for told in page.sentences), "</ul>"]
    for grid in page.grids:
        body += [f"<h2>{shown(grid.title)}</h2>", "<table>", "<thead><tr>"]
        body += [f'<th scope="col">{shown(_one_line(column))}</th>' for column in grid.columns]
        body += ["</tr></thead>", "<tbody>"]
        for index, row in enumerate(grid.rows):
            kind = "strong" if index in grid.strong else "faint" if index in grid.faint else ""
            cells = "".join(f"<td>{shown(cell)}</td>" for cell in row)
            body.append(f'<tr class="{kind}">{cells}</tr>' if kind else f"<tr>{cells}</tr>")
        body += ["</tbody>", "</table>"]
    body += ["<footer>", *(f"<p>{shown(note)}</p>" for note in page.notes), "</footer>"]
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{shown(page.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )
