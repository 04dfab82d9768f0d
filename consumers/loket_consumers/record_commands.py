"""`loket record figures`: what the record says, under the names of reports."""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["register"]

Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Database = Annotated[str | None, typer.Option(help="SQLAlchemy's URL of the record.", show_default=False)]
Targets = Annotated[str | None, typer.Option(help="The file with units, services and targets.", show_default=False)]
Clock = Annotated[str | None, typer.Option(help="service, or event: now is the newest event.", show_default=False)]
Now = Annotated[
    str | None, typer.Option(help="The instant of the figures; the present by default.", show_default=False)
]
Basis = Annotated[
    Literal["record", "live"], typer.Option(help="All events, or those that were not late: what the metrics show.")
]
Day = Annotated[bool, typer.Option("--day", help="Only tickets of each unit's service day of that instant.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, in seconds, under the names of reports.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    record = typer.Typer(help="What the record says.")
    record.callback()(_record)
    record.command()(figures)
    app.add_typer(record, name="record")


def _record() -> None:
    """What the record says."""


def figures(
    config: Config = None,
    database: Database = None,
    targets: Targets = None,
    clock: Clock = None,
    now: Now = None,
    basis: Basis = "record",
    day: Day = False,
    json: Json = False,
) -> None:
    """Print the figures of every unit, service and employee at an instant."""
    import sys

    import msgspec

    from loket.clock import SYSTEM_CLOCK
    from loket.settings import SinkSettings, load
    from loket_consumers.engines import connect, reading
    from loket_consumers.migrating import check_schema
    from loket_consumers.record_figures import newest_event, record_figures
    from loket_consumers.record_table import show
    from loket_consumers.running import targets_of

    options = {"database": database, "targets": targets, "clock": clock, "now": now}
    settings = load(SinkSettings, config=config, options=options)
    policy = targets_of(settings).policy
    engine = connect(settings.database, exists=True)
    check_schema(engine)
    with reading(engine) as connection:
        instant = None if settings.now is None else int(settings.now)
        if instant is None and settings.clock == "event":
            instant = newest_event(connection)
        if instant is None:
            instant = SYSTEM_CLOCK.now_ms()
        found = record_figures(connection, policy, instant, live=basis == "live", today=day)
    if json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        show(found)
