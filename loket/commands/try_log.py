"""`loket try`: the figures of a log, from the metrics and from the record, and whether they agree."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

__all__ = ["register"]

DISAGREE: int = 1
UNFINISHED: int = 3

File = Annotated[Path, typer.Argument(help="A delimited log (CSV, TSV) with its mapping, or a .jsonl of CloudEvents.")]
MappingFile = Annotated[Path | None, typer.Option(help="How the log's columns become events.", show_default=False)]
TargetsFile = Annotated[Path | None, typer.Option(help="Units, services and their targets.", show_default=False)]
Now = Annotated[
    str | None,
    typer.Option(help="The instant of the figures (default: the newest accepted event).", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print the figures as JSON, and nothing else, on standard output.")]
Bootstrap = Annotated[
    str | None,
    typer.Option(help="Use this Kafka (host:port), in topics that are removed at the end.", show_default=False),
]
Topic = Annotated[
    str | None,
    typer.Option(
        help="With --bootstrap: import into this topic, keep it, and read all that it holds.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="try")(try_log)


def try_log(
    file: File,
    mapping: MappingFile = None,
    targets: TargetsFile = None,
    now: Now = None,
    json: Json = False,
    bootstrap: Bootstrap = None,
    topic: Topic = None,
) -> None:
    """Take a log of your own through the whole way, on this machine, and print its figures.

    Starts a broker, a worker and a sink of its own, imports the log, and compares what the metrics say with what the
    record says. Nothing is left behind.

    Exit status: 0 they agree, 1 they disagree, 2 the call, the file, the mapping or the targets are wrong, 3 it could
    not be finished.
    """
    import msgspec

    from loket.agreement.report import print_report
    from loket.clock import SYSTEM_CLOCK
    from loket.companions import Interrupted, interruptible
    from loket.errors import LoketError, UsageError
    from loket.tryout import Asked, Progress, run_try

    asked = Asked(file=file, mapping=mapping, targets=targets, now=now, bootstrap=bootstrap, topic=topic)
    console = Console(stderr=True)
    try:
        with interruptible(), Progress(console) as progress:
            report = run_try(asked, SYSTEM_CLOCK, progress)
    except Interrupted as interrupted:
        console.print(Text(f"{interrupted}; nothing is left behind"))
        raise typer.Exit(interrupted.exit_status) from None
    except UsageError:
        raise
    except LoketError as error:
        error.exit_status = UNFINISHED
        raise
    except Exception:  # noqa: BLE001 - a fault of Loket: status 1, as of any traceback, would say that the figures disagree
        console.print_exception()
        raise typer.Exit(UNFINISHED) from None
    if json:
        told = msgspec.json.encode(report).decode() + "\n"
    else:
        output = Console()
        with output.capture() as captured:
            print_report(report, output)
        told = captured.get()
    try:
        sys.stdout.write(told)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough (`| head`): the status says the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not report.agreement.metrics_equal_record:
        raise typer.Exit(DISAGREE)
