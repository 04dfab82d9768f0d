"""`loket sink`, `loket db`, `loket dead-letters`, `loket record`, `loket alerts`.

What is slow to import comes with each command.
"""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]

Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Database = Annotated[str | None, typer.Option(help="SQLAlchemy's URL of the record.", show_default=False)]
Bootstrap = Annotated[str | None, typer.Option(help="Kafka's address, host:port.", show_default=False)]
GroupId = Annotated[str | None, typer.Option(help="The consumer group of the sinks.", show_default=False)]
Targets = Annotated[str | None, typer.Option(help="The file with units, services and targets.", show_default=False)]
Clock = Annotated[str | None, typer.Option(help="service (the broker's), or event for replays.", show_default=False)]
Now = Annotated[str | None, typer.Option(help="The present of a replay, with --clock event.", show_default=False)]
MetricsHost = Annotated[str | None, typer.Option(help="Where the metrics are served.", show_default=False)]
MetricsPort = Annotated[int | None, typer.Option(help="Their port; 0 takes any free one.", show_default=False)]
UntilEnd = Annotated[bool, typer.Option("--until-end", help="Stop when all that is there at the start is stored.")]
AcceptLost = Annotated[
    bool,
    typer.Option("--accept-lost-events", help="Go on without events that retention removed before they were read."),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Log what the Kafka client does, too.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    from loket_consumers import alert_commands, dead_letter_commands, rebuild_commands, record_commands, report_commands

    app.command()(sink)
    database = typer.Typer(no_args_is_help=True, help="The tables of the record.")
    database.command()(upgrade)
    database.command()(check)
    app.add_typer(database, name="db")
    dead_letter_commands.register(app)
    record_commands.register(app)
    report_commands.register(app)
    rebuild_commands.register(app)
    alert_commands.register(app)


def sink(
    config: Config = None,
    database: Database = None,
    bootstrap: Bootstrap = None,
    group_id: GroupId = None,
    targets: Targets = None,
    clock: Clock = None,
    now: Now = None,
    metrics_host: MetricsHost = None,
    metrics_port: MetricsPort = None,
    until_end: UntilEnd = False,
    accept_lost_events: AcceptLost = False,
    verbose: Verbose = False,
) -> None:
    """Write every event and what it means to the database, until told to stop."""
    from loket.clock import SYSTEM_CLOCK
    from loket.logs import set_up_logs
    from loket.settings import SinkSettings, load
    from loket_consumers.running import run

    settings = load(
        SinkSettings,
        config=config,
        options={
            "database": database,
            "bootstrap": bootstrap,
            "group_id": group_id,
            "targets": targets,
            "clock": clock,
            "now": now,
            "metrics_host": metrics_host,
            "metrics_port": metrics_port,
        },
    )
    set_up_logs(verbose=verbose)
    run(settings, SYSTEM_CLOCK, until_end=until_end, accept_lost_events=accept_lost_events)


def upgrade(config: Config = None, database: Database = None) -> None:
    """Create the tables, or bring those of an older version to this one."""
    from loket.settings import SinkSettings, load
    from loket_consumers.engines import connect, shown
    from loket_consumers.migrating import upgrade as bring_up

    settings = load(SinkSettings, config=config, options={"database": database})
    engine = connect(settings.database)
    before, after = bring_up(engine)
    changed = "had" if before == after else "now has"
    print(f"{shown(engine)} {changed} the schema of this version ({after})")


def check(config: Config = None, database: Database = None) -> None:
    """Check that the database has the tables of this version, and change nothing."""
    from loket.settings import SinkSettings, load
    from loket_consumers.engines import connect, shown
    from loket_consumers.migrating import check_schema

    settings = load(SinkSettings, config=config, options={"database": database})
    engine = connect(settings.database, exists=True)
    print(f"{shown(engine)} has the schema of this version ({check_schema(engine)})")
