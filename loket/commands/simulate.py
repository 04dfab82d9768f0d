"""`loket simulate`: the log of a city that does not exist, to try an installation with."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from loket.errors import UsageError

__all__ = ["SimulationError", "register"]

TOLD: int = 2_000

Output = Annotated[Path, typer.Argument(help="The log to write: a .jsonl file of CloudEvents, for `loket import`.")]
TargetsOut = Annotated[
    Path | None, typer.Option("--targets", help="Write the city's targets here.", show_default="beside the log")
]
Units = Annotated[int, typer.Option(min=1, max=10_000, help="Offices of the city.")]
Events = Annotated[int, typer.Option(min=1, help="About so many events.")]
First = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")]
Days = Annotated[int, typer.Option(min=1, max=3_660, help="So many days from then on.")]
Seed = Annotated[int, typer.Option(help="Another one gives another city.")]


class SimulationError(UsageError):
    """The log cannot be written there."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    output: Output,
    targets: TargetsOut = None,
    units: Units = 100,
    events: Events = 3_000_000,
    first: First = datetime(2025, 1, 1),  # noqa: DTZ001 (a day and no instant)
    days: Days = 365,
    seed: Seed = 1,
) -> None:
    """Write a year of a city: tickets, sessions, documents over weeks, corrections that come days later.

    The default is a hundredth of a city's traffic. The same options give the same log. Nothing is sent: `loket import`
    does that, and a sink with `--clock event` takes the log as if it had been there.
    """
    from rich.console import Console

    from loket.simulator.year import year, year_targets
    from loket.tryout.progress import Progress
    from loket.wire.cloudevents import encode

    if output.suffix != ".jsonl":
        raise SimulationError(f"{output} is no .jsonl file, as `loket import` reads them: name it {output.stem}.jsonl")
    beside = output.with_suffix(".targets.yaml") if targets is None else targets
    day: date = first.date()
    written = 0
    try:
        with Progress(Console(stderr=True)) as steps, output.open("wb") as log:
            steps.step(f"writing {output}", events)
            for event in year(seed, units, events, first=day, days=days):
                log.write(encode(event).value + b"\n")
                written += 1
                if written % TOLD == 0:
                    steps.at(written)
        beside.write_text(year_targets(units, day), encoding="utf-8")
    except OSError as error:
        raise SimulationError(
            f"{error.filename or output} cannot be written ({error.strerror}): name another"
        ) from error
    print(f"{written:,} events of {units:,} units in {output}, their targets in {beside}")
