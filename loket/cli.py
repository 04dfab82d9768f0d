"""The command `loket`: finds the commands, runs one, and turns an error of Loket's tree into one clear message.

```
loket.commands.*            Loket's own: every module there has register(app)
entry points loket.commands the components', which Loket does not import by name: each is a register(app)
```

`register` runs at every call of `loket`, so the modules that hold it import what is slow (Faust, SQLAlchemy) inside the
command that needs it.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

import loket
import loket.commands
from loket.errors import LoketError
from loket.harmless import MESSAGE, harmless

__all__ = ["ENTRY_POINT_GROUP", "Register", "build_app", "main"]

ENTRY_POINT_GROUP: Final = "loket.commands"

Register = Callable[[typer.Typer], None]


def _own() -> Iterator[Register]:
    for module in sorted(iter_modules(loket.commands.__path__), key=lambda found: found.name):
        yield import_module(f"{loket.commands.__name__}.{module.name}").register


def _contributed() -> Iterator[Register]:
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda found: found.name):
        try:
            register: Register = entry.load()
        except ImportError as error:  # one component that cannot be imported must not take the other commands away
            _complain(f"the commands of {entry.value.partition('.')[0]} are not available: {error}")
        else:
            yield register


def _version(wanted: bool) -> None:
    if wanted:
        print(f"loket {loket.__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Live service levels, alerts and a fair record from the events of service counters."""


def build_app() -> typer.Typer:
    """Return a new app with every command that is installed."""
    app = typer.Typer(
        rich_markup_mode="markdown",  # else the lines of a docstring's paragraphs stay lines, however wide the terminal
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"max_content_width": 120},
    )
    app.callback()(_root)
    for register in _own():
        register(app)
    for register in _contributed():
        register(app)
    return app


def _complain(message: str) -> None:
    # Text, not markup: a message may hold brackets, file names and what a user typed.
    Console(stderr=True, soft_wrap=True).print(Text(harmless(message, MESSAGE), style="bold red"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `loket` with `arguments` (the process's own by default) and exit.

    Exit status: 0 when the command says so, what the error carries for an error of Loket's tree (1 or 2 mostly), 2 for
    a wrong call.
    """
    try:
        build_app()(args=None if arguments is None else list(arguments), prog_name="loket")
    except LoketError as error:
        _complain(str(error))
        sys.exit(error.exit_status)
