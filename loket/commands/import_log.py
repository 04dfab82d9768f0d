"""`loket import`: a log of another system, or a file of CloudEvents, into the topic."""

import os
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from loket.harmless import LINE, harmless
from loket.importing.report import Report

__all__ = ["print_refused", "register"]

SHOWN: int = 10
REFUSED_SHOWN: int = 20
AGAIN: str = "Import the same log again to send the rest: what is there already is a repeat, and ignored."

File = Annotated[Path, typer.Argument(help="A delimited log (CSV, TSV), or a .jsonl file of CloudEvents.")]
MappingFile = Annotated[Path | None, typer.Option(help="How the log's columns become events.", show_default=False)]
Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Bootstrap = Annotated[str | None, typer.Option(help="Kafka's address, host:port.", show_default=False)]
Topic = Annotated[str | None, typer.Option(help="The topic of events.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing: show the first events and what is refused.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Send the first N events, by time.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="import")(import_log)


def import_log(
    file: File,
    mapping: MappingFile = None,
    config: Config = None,
    bootstrap: Bootstrap = None,
    topic: Topic = None,
    dry_run: DryRun = False,
    limit: Limit = None,
) -> None:
    """Send the events of a log to Kafka; a second import of the same log changes no figure.

    Rows that cannot be read are refused one by one and listed; the import goes on. Exit status 2: the file or the
    mapping is wrong, and nothing was sent.
    """
    from loket.broker import EventProducer
    from loket.importing import read_mapping, records_of, secret_of
    from loket.settings import Settings, load

    read = None if mapping is None else read_mapping(mapping)
    secret = None if read is None else secret_of(read, os.environ)
    settings = load(Settings, config=config, options={"bootstrap": bootstrap, "topic": topic})
    report = Report()
    console = Console(stderr=True)
    with _progress(console) as progress:
        reading = progress.add_task("reading", total=_size(file))
        records = islice(
            records_of(file, read, report, secret=secret, on_bytes=lambda at: progress.update(reading, completed=at)),
            limit,
        )
        if dry_run:
            shown = [record.value for record in islice(records, SHOWN)]
            for _ in records:  # to the end, for the report
                pass
            progress.update(reading, completed=_size(file))
        else:
            # Before the broker is asked: a file that is wrong as a whole is named whether or not there is a broker.
            first = next(records, None)
            progress.update(reading, completed=_size(file))
            sending = progress.add_task("sending", total=_total(report, limit, mapped=read is not None))
            sent = 0
            try:
                with EventProducer(settings.connection, settings.topic) as producer:
                    while first is not None:
                        producer.send(first.key, first.value, first.headers, first.timestamp_ms)
                        sent += 1
                        if sent % 1_000 == 0:
                            progress.update(sending, completed=sent)
                        first = next(records, None)
                    progress.update(sending, completed=sent)
            except KeyboardInterrupt:
                console.print(Text(f"Interrupted: up to {sent:,} events are sent. {AGAIN}"))
                raise
            shown = []
    print_refused(report, console)
    for value in shown:
        print(harmless(value.decode(errors="replace"), LINE))
    _summarise(
        report, console, f"that would be sent to {settings.topic}" if dry_run else f"sent to {settings.topic}", limit
    )


def print_refused(report: Report, console: Console) -> None:
    """Print the refused rows of a report, the first of them one by one."""
    if not report.refused:
        return
    table = Table(title=f"Rows refused: {report.refused:,}", title_justify="left", header_style="bold", box=None)
    table.add_column("line", justify="right")
    for column in ("column", "value", "why"):
        table.add_column(column, overflow="fold")
    for row in report.refused_rows[:REFUSED_SHOWN]:
        table.add_row(f"{row.line}", *(Text(harmless(told) or "–") for told in (row.column, row.value)), Text(row.why))
    console.print(table)
    if report.refused > REFUSED_SHOWN:
        console.print(f"… and {report.refused - REFUSED_SHOWN:,} more")


def _summarise(report: Report, console: Console, became: str, limit: int | None) -> None:
    parts = [f"rows read: {report.rows:,}"]
    if report.left_out:
        parts.append(f"left out by `skip`: {report.left_out:,}")
    if report.outside:
        parts.append(f"outside `from` and `until`: {report.outside:,}")
    if report.repeated:
        parts.append(f"repeats of earlier rows: {report.repeated:,}")
    parts.append(f"refused: {report.refused:,}")
    parts.append(f"events {became}: {min(report.events, limit or report.events):,}")
    console.print(Text(", ".join(parts)), soft_wrap=True)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _size(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None


def _total(report: Report, limit: int | None, *, mapped: bool) -> int | None:
    # A mapped log has been read whole before its first event; lines of CloudEvents are sent as they are read.
    return min(report.events, limit or report.events) if mapped else None
