"""Where a report goes: the terminal or a file, which is written whole or not at all.

```
UsageError
└── OutputError     exit status 2: a format that does not go there, or a file that cannot be written
```
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from loket.errors import UsageError
from loket_consumers.reports.asking import Answer, UnusualAnswer
from loket_consumers.reports.daily import daily_page
from loket_consumers.reports.files import Table as TableOfCsv
from loket_consumers.reports.files import to_csv, to_json, to_xlsx
from loket_consumers.reports.grids import Page
from loket_consumers.reports.pages import report_page
from loket_consumers.reports.rendering import print_page, to_html, to_markdown
from loket_consumers.reports.unusual_page import unusual_page, unusual_to_csv, unusual_to_json
from loket_consumers.reports.words import Language, Words

__all__ = ["OutputError", "format_of", "write", "write_unusual"]

TABLE: Final = "table"
_BY_NAME: Final = {
    ".csv": "csv",
    ".json": "json",
    ".xlsx": "xlsx",
    ".md": "md",
    ".html": "html",
    ".htm": "html",
    ".txt": TABLE,
}
_UNUSUAL_ROWS: Final = {"csv": unusual_to_csv, "json": unusual_to_json}
WIDTH: Final = 80


class OutputError(UsageError):
    """The report cannot be written there, or not so."""


def format_of(format: str | None, output: Path | None, *, daily: bool) -> str:
    """The format that was asked for, or that the file's name says. Raises OutputError."""
    chosen = format
    if chosen is None:
        chosen = TABLE if output is None else _BY_NAME.get(output.suffix.lower())
    if chosen is None:
        raise OutputError(f"{output} does not say its format: name it {', '.join(_BY_NAME)}, or give --format")
    if daily and chosen in ("csv", "xlsx"):
        raise OutputError(f"--daily is a page, no {chosen}: take --by hour in its place, or write .html or .md")
    if chosen == "xlsx" and output is None:
        raise OutputError("a workbook does not go to the terminal: give --output report.xlsx")
    return chosen


def write(
    answer: Answer, format: str, output: Path | None, language: Language, table: TableOfCsv | None = None
) -> None:
    """Write an answer; a CSV has rows of `table`, or of what the unit has, visits first. Raises OutputError."""
    report = answer.report
    told: bytes | Page
    if format == "csv":
        told = to_csv(report, table or ("visits" if report.has_visits or not report.requests else "requests"))
    elif format == "json":
        told = to_json(report)
    elif format == "xlsx":
        told = to_xlsx(report)
    else:
        told = _page(answer, Words(language))
    _put(told, format, output, language)


def write_unusual(answer: UnusualAnswer, format: str, output: Path | None, language: Language) -> None:
    """Write what is unusual. Raises OutputError."""
    if format == "xlsx":
        raise OutputError("--unusual is no workbook: take csv, or .html and .md for people")
    rows = _UNUSUAL_ROWS[format](answer.report) if format in _UNUSUAL_ROWS else None
    _put(rows or unusual_page(answer.report, answer.policy, Words(language)), format, output, language)


def _put(told: bytes | Page, format: str, output: Path | None, language: Language) -> None:
    if isinstance(told, bytes):
        content = told
    elif format == TABLE and output is None:
        print_page(told, Console())
        return
    else:
        content = _text(told, format, language).encode()
    if output is None:
        sys.stdout.buffer.write(content)
        return
    _write(output, content)
    print(f"written: {output} ({len(content):,} bytes)", file=sys.stderr)


def _page(answer: Answer, words: Words) -> Page:
    if answer.week_before is not None:
        return daily_page(answer.report, answer.week_before, answer.policy, words)
    return report_page(answer.report, words, answer.service)


def _text(page: Page, format: str, language: Language) -> str:
    if format == "md":
        return to_markdown(page)
    if format == "html":
        return to_html(page, language)
    text = io.StringIO()
    print_page(page, Console(width=WIDTH, file=text))
    return text.getvalue()


def _write(output: Path, content: bytes) -> None:
    """Write beside it and put it in its place: who reads the file finds the old or the new one, whole."""
    try:
        with tempfile.NamedTemporaryFile(dir=output.parent, prefix=f".{output.name}.", delete=False) as file:
            beside = Path(file.name)
            try:
                file.write(content)
                file.flush()
                beside.chmod(0o644)
                beside.replace(output)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise OutputError(f"{output} cannot be written ({error.strerror}): make its folder, or name another") from error
