"""`loket demo`: a simulated city in this terminal."""

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

__all__ = ["register"]

DISAGREE: int = 1
UNFINISHED: int = 3

Seconds = Annotated[
    float | None,
    typer.Option(min=1, help="End after so long, with a summary (default: at Ctrl-C).", show_default=False),
]

Monitoring = Annotated[
    bool,
    typer.Option(
        "--monitoring", help="With Prometheus and Alertmanager, if they are installed: alerts fire and resolve."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(seconds: Seconds = None, monitoring: Monitoring = False) -> None:
    """Show a civil registry and a health centre at work, on this machine and with nothing to set up.

    Exit status: 0 at Ctrl-C or when metrics and record agree after --seconds, 1 they disagree, 2 a program for
    --monitoring is missing, 3 it could not go on.
    """
    import signal

    from loket.agreement.report import print_report
    from loket.clock import SYSTEM_CLOCK
    from loket.companions import Interrupted, interruptible
    from loket.demo import LinesScreen, LiveScreen, MonitoringMissing, run_demo
    from loket.errors import LoketError

    console = Console()
    screen = LiveScreen(console) if console.is_terminal else LinesScreen(console)
    try:
        with interruptible():
            answers = run_demo(SYSTEM_CLOCK, screen, seconds, monitoring=monitoring)
    except Interrupted as interrupted:
        console.print(Text("The demo has ended; nothing is left behind."))
        raise typer.Exit(0 if interrupted.signal_number == signal.SIGINT else interrupted.exit_status) from None
    except MonitoringMissing:
        raise
    except LoketError as error:
        error.exit_status = UNFINISHED
        raise
    except Exception:  # noqa: BLE001 - a fault of Loket: status 1, as of any traceback, would say that the figures disagree
        console.print_exception()
        raise typer.Exit(UNFINISHED) from None
    if answers is None:
        return
    print_report(answers.report(), console)
    if not answers.agreement.metrics_equal_record:
        raise typer.Exit(DISAGREE)
