"""`loket targets check|show|diff|init|schema`: what a city promises, before any process reads it."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

__all__ = ["register"]

File = Annotated[Path, typer.Argument(help="targets.yaml", show_default=False)]
Day = Annotated[str | None, typer.Option("--day", help="A date (default: today).", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    targets = typer.Typer(no_args_is_help=True, help="Check, show, compare and begin targets.yaml.")
    for command in (check, show, diff, init, schema):
        targets.command()(command)
    app.add_typer(targets, name="targets")


def check(file: File) -> None:
    """Read the file. Exit status 2: it is wrong, and every fault is told with its line and path."""
    from loket.targets import load_targets

    policy = load_targets(file)
    services = sum(len(unit.services) for unit in policy.units.values())
    _say([f"{file} is right: {len(policy.units)} units, {services} services"])


def show(
    file: File,
    unit: Annotated[list[str] | None, typer.Argument(help="Units (default: all).", show_default=False)] = None,
    day: Day = None,
) -> None:
    """Show what the file comes to, all that is inherited included: the hours of a week and the targets in force."""
    from loket.errors import UsageError
    from loket.targets import load_targets
    from loket.targets.shown import shown

    policy = load_targets(file)
    for name in unit or ():
        if name not in policy.units:
            raise UsageError(f"{file} has no unit {name!r}: it has {', '.join(list(policy.units)[:20]) or 'none'}")
    _say(shown(policy, _day(day), tuple(unit or ())))


def diff(
    before: Annotated[Path, typer.Argument(help="The file in force.", show_default=False)],
    after: Annotated[Path, typer.Argument(help="The new one.", show_default=False)],
    day: Day = None,
) -> None:
    """Show what the new file changes from today on. Exit status 1: a running process would refuse it."""
    from loket.clock import SYSTEM_CLOCK
    from loket.documents import DocumentError, read_bytes
    from loket.targets import TargetsError, load_targets, refusals
    from loket.targets.reading import read_targets
    from loket.targets.shown import differences

    old = load_targets(before)
    try:
        new = read_targets(str(after), read_bytes(after))
    except TargetsError:
        raise
    except DocumentError as error:
        raise TargetsError(error.file, error.faults) from error
    _say(list(differences(old, new.policy, _day(day))) or ["nothing changes"])
    faults = list(refusals(old, new, SYSTEM_CLOCK.now_ms()))
    if faults:
        told = str(TargetsError(str(after), faults))
        Console(stderr=True, soft_wrap=True).print(Text(told, style="bold red"))
        raise typer.Exit(1)


def init(
    preset: Annotated[str, typer.Argument(help="Which one; without it they are listed.", show_default=False)] = "",
    file: Annotated[Path | None, typer.Option(help="Write it here (default: print it).", show_default=False)] = None,
) -> None:
    """Begin a file from a preset: each number with its source, or said to be no rule."""
    from loket.errors import UsageError
    from loket.targets.presets import PRESETS, preset_text

    if not preset:
        _say(f"{name:<22}{title}" for name, title in PRESETS.items())
        return
    if preset not in PRESETS:
        raise UsageError(f"{preset!r} is no preset: take one of {', '.join(PRESETS)}")
    text = preset_text(preset)
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise UsageError(f"{file} is there already and stays as it is: choose another name") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}): choose another place") from error
    _say([f"{file} is written: put your own units, hours and promises into it, then `loket targets check {file}`"])


def schema() -> None:
    """Print the JSON Schema of the file, by which editors complete and check it."""
    from loket.targets.schema import schema_text

    typer.echo(schema_text(), nl=False)


def _day(text: str | None) -> int:
    from loket.clock import SYSTEM_CLOCK
    from loket.domain.policy import DAY
    from loket.errors import UsageError

    if text is None:
        return date(1970, 1, 1).toordinal() + SYSTEM_CLOCK.now_ms() // DAY
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise UsageError(f"{text!r} is no date: write year-month-day, such as 2026-01-31") from None


def _say(lines: Iterable[str]) -> None:
    console = Console(soft_wrap=True)
    for line in lines:
        console.print(Text(line))
