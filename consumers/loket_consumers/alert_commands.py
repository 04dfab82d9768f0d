"""`loket alerts`: receive what Alertmanager tells, show it, and take care of one."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]

Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Database = Annotated[str | None, typer.Option(help="SQLAlchemy's URL of the record.", show_default=False)]
Targets = Annotated[str | None, typer.Option(help="The file with units, services and targets.", show_default=False)]
Host = Annotated[str | None, typer.Option(help="Where alerts are received.", show_default=False)]
Port = Annotated[int | None, typer.Option(help="Its port; 0 takes any free one.", show_default=False)]
Unit = Annotated[str | None, typer.Option(help="Only this unit's.", show_default=False)]
Hours = Annotated[float, typer.Option(min=0, max=87_600, help="Also those that ended in the last hours.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, as the receiver serves them.")]
Id = Annotated[str, typer.Argument(help="The alert's id, as `loket alerts list` shows it.", show_default=False)]
By = Annotated[str, typer.Option(help="Who takes care of it.", show_default=False)]
Note = Annotated[str, typer.Option(help="What is done.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    alerts = typer.Typer(no_args_is_help=True, help="Alerts: received, taken care of, over.")
    alerts.command()(receive)
    alerts.command("list")(list_alerts)
    alerts.command()(acknowledge)
    app.add_typer(alerts, name="alerts")


def receive(
    config: Config = None,
    database: Database = None,
    targets: Targets = None,
    listen_host: Host = None,
    listen_port: Port = None,
) -> None:
    """Keep what Alertmanager's webhook tells in the record, until told to stop."""
    from loket.clock import SYSTEM_CLOCK
    from loket.logs import set_up_logs
    from loket.settings import AlertsSettings, load
    from loket_consumers.alerts.running import run

    options = {"database": database, "targets": targets, "listen_host": listen_host, "listen_port": listen_port}
    settings = load(AlertsSettings, config=config, options=options)
    set_up_logs(verbose=False)
    run(settings, SYSTEM_CLOCK)


def list_alerts(
    config: Config = None, database: Database = None, unit: Unit = None, hours: Hours = 24, json: Json = False
) -> None:
    """Show the alerts that fire and those of the last hours: who took them, and how long until all was normal."""
    import sys

    import msgspec
    from rich.console import Console

    from loket.clock import SYSTEM_CLOCK
    from loket.settings import AlertsSettings, load
    from loket_consumers.alerts.keeping import kept
    from loket_consumers.alerts.listing import lines
    from loket_consumers.alerts.site import shown
    from loket_consumers.engines import connect
    from loket_consumers.migrating import check_schema

    engine = connect(load(AlertsSettings, config=config, options={"database": database}).database)
    check_schema(engine)
    now = SYSTEM_CLOCK.now_ms()
    found = kept(engine, now, unit=unit, since=now - int(hours * 3_600_000))
    if json:
        sys.stdout.buffer.write(msgspec.json.encode([shown(alert) for alert in found]) + b"\n")
    elif found:
        console = Console(soft_wrap=True)
        for alert in found:
            for line in lines(alert, now):
                console.print(line)
    else:
        print(f"no alert fires or ended in the last {hours:g} h")


def acknowledge(id: Id, by: By, note: Note = "", config: Config = None, database: Database = None) -> None:
    """Take care of an alert. Exit status 1: there is none of that id, or somebody else has it."""
    from loket.clock import SYSTEM_CLOCK
    from loket.settings import AlertsSettings, load
    from loket_consumers.alerts.keeping import acknowledge as take
    from loket_consumers.engines import connect
    from loket_consumers.migrating import check_schema

    engine = connect(load(AlertsSettings, config=config, options={"database": database}).database)
    check_schema(engine)
    found = take(engine, id, by.strip(), note.strip(), SYSTEM_CLOCK.now_ms())
    print(f"{found.acknowledged_by} takes care of {found.name} ({found.id})")
