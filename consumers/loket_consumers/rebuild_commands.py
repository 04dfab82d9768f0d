"""`loket rebuild`: the record anew from what it was made of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from loket.settings import SinkSettings
    from loket_consumers.rebuilding.rebuild import Meaning, Outcome, Steps

__all__ = ["register"]

FromKafka = Annotated[bool, typer.Option("--from-kafka", help="From the topic, not from the archive in the database.")]
Check = Annotated[bool, typer.Option("--check", help="Compare only: exit status 1 where the record differs.")]
Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Database = Annotated[str | None, typer.Option(help="SQLAlchemy's URL of the record.", show_default=False)]
Bootstrap = Annotated[str | None, typer.Option(help="Kafka's address, host:port.", show_default=False)]
Targets = Annotated[str | None, typer.Option(help="The file with units, services and targets.", show_default=False)]
Clock = Annotated[str | None, typer.Option(help="As the sink's: service, or event for replays.", show_default=False)]
Now = Annotated[str | None, typer.Option(help="As the sink's: the present of a replay.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rebuild)


def rebuild(
    from_kafka: FromKafka = False,
    check: Check = False,
    config: Config = None,
    database: Database = None,
    bootstrap: Bootstrap = None,
    targets: Targets = None,
    clock: Clock = None,
    now: Now = None,
) -> None:
    """Make the record anew from its archive by the targets of now, compare both, and put it in place at once.

    Sinks may run meanwhile. Killed at any moment it leaves the record whole: as it was, or as it is now.
    """
    from rich.console import Console

    from loket.settings import SinkSettings, load
    from loket.tryout.progress import Progress
    from loket_consumers.engines import connect, shown
    from loket_consumers.migrating import check_schema
    from loket_consumers.rebuilding.errors import RecordDiffers
    from loket_consumers.rebuilding.rebuild import rebuild as make

    options = {"database": database, "bootstrap": bootstrap, "targets": targets, "clock": clock, "now": now}
    settings = load(SinkSettings, config=config, options=options)
    meaning = _meaning(settings)
    engine = connect(settings.database, exists=True)
    check_schema(engine)
    try:
        with Progress(Console(stderr=True)) as steps:
            if from_kafka:
                outcome = _from_kafka(engine, settings, meaning, steps, check=check)
            else:
                outcome = make(engine, meaning, steps, check=check)
        _tell(outcome, shown(engine))
        if check and not outcome.same:
            raise RecordDiffers(shown(engine))
    finally:
        engine.dispose()


def _meaning(settings: "SinkSettings") -> "Meaning":
    from loket.clock import SYSTEM_CLOCK
    from loket.wire.cloudevents import Decoder
    from loket_consumers.reading import EventTime, ServiceTime
    from loket_consumers.rebuilding.rebuild import Meaning
    from loket_consumers.running import targets_of

    now = None if settings.now is None else int(settings.now)

    def decoder(partitions: int) -> Decoder:
        return Decoder(partitions, clock=settings.clock, now=lambda: SYSTEM_CLOCK.now_ms() if now is None else now)

    time = EventTime(now) if settings.clock == "event" else ServiceTime()
    return Meaning(decoder, time, targets_of(settings).policy)


def _from_kafka(
    engine: object, settings: "SinkSettings", meaning: "Meaning", steps: "Steps", *, check: bool
) -> "Outcome":
    import uuid

    from sqlalchemy import Engine

    from loket.broker import KafkaEventConsumer, partition_count
    from loket.clock import SYSTEM_CLOCK
    from loket_consumers.rebuilding.kafka import Topic
    from loket_consumers.rebuilding.rebuild import rebuild as make

    assert isinstance(engine, Engine)
    partitions = partition_count(settings.connection, settings.topic)
    consumer = KafkaEventConsumer(
        settings.connection,
        settings.topic,
        f"{settings.group_id}-rebuild-{uuid.uuid4().hex[:8]}",
        session_timeout_ms=int(settings.session_timeout_s * 1_000),
        max_poll_interval_ms=600_000,
    )
    try:
        topic = Topic(consumer, settings.topic, partitions, SYSTEM_CLOCK.monotonic)
        return make(engine, meaning, steps, source=topic, check=check)
    finally:
        consumer.close()


def _tell(outcome: "Outcome", url: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(header_style="dim", box=None, pad_edge=False)
    table.add_column("table")
    for name in ("rows before", "rows now", "only before", "only now"):
        table.add_column(name, justify="right")
    for row in outcome.tables:
        numbers = (row.before, row.after, row.only_before, row.only_after)
        table.add_row(row.table, *(f"{number:,}" for number in numbers), style="" if row.same else "bold")
    console.print(table)
    if outcome.same:
        said = f"{url} is what its {outcome.records:,} records come to."
    elif outcome.swapped:
        said = f"{url} now is what its {outcome.records:,} records come to."
    else:
        said = f"{outcome.records:,} records come to something else; nothing was changed."
    console.print(Text(said))
    console.print(Text(f"digest {outcome.digest}"), soft_wrap=True)
