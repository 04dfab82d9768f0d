"""`loket dead-letters`: what could not be taken, why, and what exactly it was."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]

Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Database = Annotated[str | None, typer.Option(help="SQLAlchemy's URL of the record.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Of this reason only.", show_default=False)]
Unit = Annotated[str | None, typer.Option(help="Of records with this key only.", show_default=False)]
Limit = Annotated[int, typer.Option(help="At most so many, the newest.", min=1)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Which = Annotated[str, typer.Argument(help="topic:partition:offset, as `list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    letters = typer.Typer(no_args_is_help=True, help="Records that could not be taken, untouched.")
    letters.command(name="list")(list_letters)
    letters.command()(show)
    app.add_typer(letters, name="dead-letters")


def list_letters(
    config: Config = None,
    database: Database = None,
    reason: Reason = None,
    unit: Unit = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List dead letters, the newest last."""
    from loket.settings import SinkSettings, load
    from loket_consumers.dead_letters import find, print_list
    from loket_consumers.engines import connect, reading
    from loket_consumers.migrating import check_schema

    settings = load(SinkSettings, config=config, options={"database": database})
    engine = connect(settings.database)
    check_schema(engine)
    with reading(engine) as connection:
        found, more = find(connection, reason=reason, unit=unit, limit=limit)
    print_list(found, more=more, json=json)


def show(which: Which, config: Config = None, database: Database = None) -> None:
    """Show one dead letter with its untouched bytes."""
    from loket.settings import SinkSettings, load
    from loket_consumers.dead_letters import print_one, take
    from loket_consumers.engines import connect, reading
    from loket_consumers.migrating import check_schema

    settings = load(SinkSettings, config=config, options={"database": database})
    engine = connect(settings.database)
    check_schema(engine)
    with reading(engine) as connection:
        print_one(take(connection, which))
