"""`loket worker`: one process of the stream. What is slow to import comes with the command, not with the others."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]

Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Bootstrap = Annotated[str | None, typer.Option(help="Kafka's address, host:port.", show_default=False)]
AppId = Annotated[str | None, typer.Option(help="The name of the group and of the changelog.", show_default=False)]
Targets = Annotated[str | None, typer.Option(help="The file with units, services and targets.", show_default=False)]
Clock = Annotated[str | None, typer.Option(help="service (the broker's), or event for replays.", show_default=False)]
Now = Annotated[str | None, typer.Option(help="The present of a replay, with --clock event.", show_default=False)]
MetricsHost = Annotated[str | None, typer.Option(help="Where the metrics are served.", show_default=False)]
MetricsPort = Annotated[int | None, typer.Option(help="Their port; 0 takes any free one.", show_default=False)]
UntilEnd = Annotated[
    bool, typer.Option("--until-end", help="Be ready only when all that is there at the start is applied and durable.")
]
ReadyFile = Annotated[Path | None, typer.Option(help="A file to write when the worker is ready.", show_default=False)]
MemberId = Annotated[
    str | None,
    typer.Option(help="Of this worker alone: one that comes back in time keeps its partitions.", show_default=False),
]
Patience = Annotated[float, typer.Option(help="Seconds to wait at the start for a broker that does not answer.")]
AcceptLostEvents = Annotated[
    bool, typer.Option("--accept-lost-events", help="Go on without events that retention removed unread.")
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Log what Faust and the Kafka client do, too.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker(
    config: Config = None,
    bootstrap: Bootstrap = None,
    app_id: AppId = None,
    targets: Targets = None,
    clock: Clock = None,
    now: Now = None,
    metrics_host: MetricsHost = None,
    metrics_port: MetricsPort = None,
    until_end: UntilEnd = False,
    ready_file: ReadyFile = None,
    member_id: MemberId = None,
    patience: Patience = 60.0,
    accept_lost_events: AcceptLostEvents = False,
    verbose: Verbose = False,
) -> None:
    """Keep the live figures of all units up to date and serve them to Prometheus, until told to stop."""
    from loket.clock import SYSTEM_CLOCK
    from loket.logs import set_up_logs
    from loket.settings import WorkerSettings, load

    settings = load(
        WorkerSettings,
        config=config,
        options={
            "bootstrap": bootstrap,
            "app_id": app_id,
            "targets": targets,
            "clock": clock,
            "now": now,
            "metrics_host": metrics_host,
            "metrics_port": metrics_port,
        },
    )
    set_up_logs(verbose=verbose)
    import mode.loop

    mode.loop.use("uvloop")  # before anything of Faust is imported; later it has no effect
    from loket_streams import exporter
    from loket_streams.running import run

    run(
        settings,
        SYSTEM_CLOCK,
        pages=exporter.pages,
        until_end=until_end,
        accept_lost_events=accept_lost_events,
        patience_s=patience,
        ready_file=ready_file,
        member_id=member_id,
    )
