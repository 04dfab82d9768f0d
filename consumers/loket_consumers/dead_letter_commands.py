"""`loket dead-letters`: what could not be taken, why, what exactly it was, and once more to the topic."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["register"]

Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Database = Annotated[str | None, typer.Option(help="SQLAlchemy's URL of the record.", show_default=False)]
Bootstrap = Annotated[str | None, typer.Option(help="Kafka's address, host:port.", show_default=False)]
Topic = Annotated[str | None, typer.Option(help="The topic of events.", show_default=False)]
Clock = Annotated[str | None, typer.Option(help="service (the broker's), or event for replays.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Of this reason only.", show_default=False)]
Unit = Annotated[str | None, typer.Option(help="Of records with this key only.", show_default=False)]
Source = Annotated[str | None, typer.Option(help="Of this source only.", show_default=False)]
Id = Annotated[str | None, typer.Option("--id", help="Of events with this id only.", show_default=False)]
Since = Annotated[
    str | None, typer.Option(help="That came at this time or later, as 2026-01-31T09:00:00+07:00.", show_default=False)
]
Until = Annotated[str | None, typer.Option(help="That came before this time.", show_default=False)]
Seen = Annotated[
    bool | None,
    typer.Option("--replayed/--not-replayed", help="Only those that were replayed, or were not.", show_default=False),
]
Limit = Annotated[int, typer.Option(help="At most so many, the newest.", min=1)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Which = Annotated[str, typer.Argument(help="topic:partition:offset, as `list` shows it.")]
These = Annotated[
    list[str] | None,
    typer.Argument(help="topic:partition:offset, as `list` shows it; all by default.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing: say what would be sent.")]
Again = Annotated[bool, typer.Option("--again", help="Those that were replayed before, too.")]
KeyByUnit = Annotated[
    bool,
    typer.Option("--key-by-unit", help="Where the key is not the unit of the event, send it with that as its key."),
]
AsImported = Annotated[
    bool,
    typer.Option("--as-imported", help="Mark events that are over 30 days old as imported, so that they are taken."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    letters = typer.Typer(no_args_is_help=True, help="Records that could not be taken, untouched.")
    letters.command(name="list")(list_letters)
    letters.command()(show)
    letters.command()(replay)
    app.add_typer(letters, name="dead-letters")


def list_letters(
    config: Config = None,
    database: Database = None,
    reason: Reason = None,
    unit: Unit = None,
    source: Source = None,
    id: Id = None,
    since: Since = None,
    until: Until = None,
    replayed: Seen = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List dead letters, the newest last, and how many there are of each reason."""
    from loket_consumers.dead_letters import Chosen, count, find
    from loket_consumers.engines import reading
    from loket_consumers.letters_shown import print_list

    chosen = Chosen(
        reason=reason,
        unit=unit,
        source=source,
        id=id,
        since=_instant("--since", since),
        until=_instant("--until", until),
        replayed=replayed,
    )
    with _record(config, {"database": database}) as (_, engine), reading(engine) as connection:
        found, counts = find(connection, chosen, limit), count(connection, chosen)
    print_list(found, counts, json=json)


def show(which: Which, config: Config = None, database: Database = None) -> None:
    """Show one dead letter with its untouched bytes."""
    from loket_consumers.dead_letters import take
    from loket_consumers.engines import reading
    from loket_consumers.letters_shown import print_one

    with _record(config, {"database": database}) as (_, engine), reading(engine) as connection:
        print_one(take(connection, which))


def replay(
    these: These = None,
    config: Config = None,
    database: Database = None,
    bootstrap: Bootstrap = None,
    topic: Topic = None,
    clock: Clock = None,
    reason: Reason = None,
    unit: Unit = None,
    source: Source = None,
    id: Id = None,
    since: Since = None,
    until: Until = None,
    again: Again = False,
    key_by_unit: KeyByUnit = False,
    as_imported: AsImported = False,
    dry_run: DryRun = False,
) -> None:
    """Send dead letters to the topic again, once what had them refused was mended.

    Only those are sent that this version of Loket takes now, and that were not replayed before. They count once,
    however often they are sent; the record says when they were. Update workers and sinks before you replay.
    """
    from loket_consumers.dead_letters import Chosen
    from loket_consumers.replay_run import run

    options = {"database": database, "bootstrap": bootstrap, "topic": topic, "clock": clock}
    chosen = Chosen(
        reason=reason,
        unit=unit,
        source=source,
        id=id,
        since=_instant("--since", since),
        until=_instant("--until", until),
        replayed=None if again else False,
    )
    with _record(config, options) as (settings, engine):
        run(settings, engine, chosen, these or (), key_by_unit=key_by_unit, as_imported=as_imported, dry_run=dry_run)


@contextmanager
def _record(config: Path | None, options: dict[str, str | None]) -> Iterator[tuple[Any, Any]]:
    """The settings, and the record's database with the schema of this version."""
    from loket.settings import SinkSettings, load
    from loket_consumers.engines import connect
    from loket_consumers.migrating import check_schema

    settings = load(SinkSettings, config=config, options=options)
    engine = connect(settings.database, exists=True)
    try:
        check_schema(engine)
        yield settings, engine
    finally:
        engine.dispose()


def _instant(option: str, text: str | None) -> int | None:
    from loket.errors import UsageError
    from loket.wire.instant import parse_instant

    if text is None:
        return None
    try:
        return int(parse_instant(text))
    except ValueError as error:
        raise UsageError(f"{option} {text!r} names no instant: write it like 2026-01-31T09:00:00+07:00") from error
