"""`loket status`: who waits where, as a worker's metrics tell it."""

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

__all__ = ["register"]

Url = Annotated[
    str | None,
    typer.Option(help="Where the worker serves its metrics (default: where its settings say).", show_default=False),
]
People = Annotated[bool, typer.Option("--employees", help="Show what employees have done, too.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status(url: Url = None, people: People = False) -> None:
    """Show waiting, oldest wait, service level, served and lag, once. Exit status 1: no worker answers."""
    from loket.board import board_of, render
    from loket.catalogue.pipeline import PARTITION_READY, TARGETS_VALID
    from loket.scrape import Unreadable, scrape
    from loket.wire.instant import format_instant

    base = (url or _usual()).rstrip("/").removesuffix("/metrics")
    samples = scrape(f"{base}/metrics")
    if not any(sample.name == TARGETS_VALID.name for sample in samples):
        raise Unreadable(f"{base}/metrics", "it is of another program, or of a sink")
    if people:
        samples += scrape(f"{base}/metrics/employees")
    board = board_of(samples)
    console = Console()
    reading = sum(sample.name == PARTITION_READY.name and not sample.value for sample in samples)
    if reading:
        console.print(Text(f"{reading} partitions are not read to their ends yet: their units are not shown."))
    if board.now_ms is None:
        console.print(Text(f"The worker has no figures yet: {base}/-/ready says what it waits for."))
        return
    console.print(render(board, people=people))
    behind = f", {board.behind_s:,.0f} s behind" if board.behind_s else ""
    console.print(Text(f"at {format_instant(board.now_ms)}; lag: {board.lag:,} records{behind}"))


def _usual() -> str:
    """The address of this machine's worker, by its settings."""
    from loket.settings import WorkerSettings, load

    settings = load(WorkerSettings)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.metrics_host, settings.metrics_host)  # noqa: S104 (all addresses: ours is one)
    return f"http://[{host}]:{settings.metrics_port}" if ":" in host else f"http://{host}:{settings.metrics_port}"
