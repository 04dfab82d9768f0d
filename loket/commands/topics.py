"""`loket topics apply|check`: the topics exist before the workers do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

__all__ = ["register"]

Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Bootstrap = Annotated[str | None, typer.Option(help="Kafka's address, host:port.", show_default=False)]
Partitions = Annotated[int | None, typer.Option(help="Of each topic; chosen once.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    topics = typer.Typer(no_args_is_help=True, help="Create and check the topics that Loket needs.")
    topics.command()(apply)
    topics.command()(check)
    app.add_typer(topics, name="topics")


def apply(config: Config = None, bootstrap: Bootstrap = None, partitions: Partitions = None) -> None:
    """Create the topics that are missing and check those that exist. Exit status 1: one is not as it must be."""
    from loket.broker import apply_topics, topics_of
    from loket.settings import TopicsSettings, load

    settings = load(TopicsSettings, config=config, options={"bootstrap": bootstrap, "partitions": partitions})
    specs = topics_of(settings)
    done = apply_topics(settings.connection, specs)
    for spec in specs:
        if spec.name in done.created:
            _say(f"created {spec.name} with {spec.partitions} partitions")
        elif not any(difference.topic == spec.name for difference in done.differences):
            _say(f"{spec.name} exists and is as it must be")
    _finish(done.differences)


def check(config: Config = None, bootstrap: Bootstrap = None, partitions: Partitions = None) -> None:
    """Check the topics and change nothing. Exit status 1: one is missing, or not as it must be."""
    from loket.broker import check_topics, topics_of
    from loket.settings import TopicsSettings, load

    settings = load(TopicsSettings, config=config, options={"bootstrap": bootstrap, "partitions": partitions})
    specs = topics_of(settings)
    differences = check_topics(settings.connection, specs)
    for spec in specs:
        if not any(difference.topic == spec.name for difference in differences):
            _say(f"{spec.name} is as it must be")
    _finish(differences)


def _finish(differences: Sequence[object]) -> None:
    for difference in differences:
        Console(stderr=True, soft_wrap=True).print(Text(str(difference), style="bold red"))
    if differences:
        raise typer.Exit(1)


def _say(line: str) -> None:
    Console(soft_wrap=True).print(Text(line))
