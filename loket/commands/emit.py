"""`loket emit`: a counter's events into its outbox, and from there to Kafka."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from loket.harmless import LINE, MESSAGE, harmless

if TYPE_CHECKING:  # slow to import, and other commands are loaded with this one
    from loket.emitter import Emitter, Pseudonyms
    from loket.settings import EmitterSettings

__all__ = ["register"]

Events = Annotated[
    list[str] | None, typer.Argument(help="Events as JSON; without any, lines of standard input.", show_default=False)
]
Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Outbox = Annotated[str | None, typer.Option(help="The outbox (default: outbox.db).", show_default=False)]
Source = Annotated[str | None, typer.Option(help="The name of this device, and of no other.", show_default=False)]
Bootstrap = Annotated[str | None, typer.Option(help="Kafka's address, host:port.", show_default=False)]
KeyFile = Annotated[
    str | None, typer.Option(help="Replace ids by hashes with the key in this file.", show_default=False)
]
Unit = Annotated[str | None, typer.Option(help="With --send: send heartbeats of this unit …", show_default=False)]
Counter = Annotated[str | None, typer.Option(help="… and this counter.", show_default=False)]
Send = Annotated[bool, typer.Option("--send", help="Send what waits, and go on until told to stop.")]
Drain = Annotated[
    bool, typer.Option("--drain", help="With --send: stop when the input has ended and nothing waits any more.")
]
ShowStatus = Annotated[bool, typer.Option("--status", help="Say how much waits, and what stands in its way.")]
AsJson = Annotated[bool, typer.Option("--json", help="With --status: as JSON.")]
TakeAside = Annotated[
    Path | None, typer.Option("--aside", help="Move the events that were set aside to a new file.", show_default=False)
]

_CLOSE_S = 5.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(emit)


def emit(
    events: Events = None,
    config: Config = None,
    outbox: Outbox = None,
    source: Source = None,
    bootstrap: Bootstrap = None,
    key_file: KeyFile = None,
    unit: Unit = None,
    counter: Counter = None,
    send: Send = False,
    drain: Drain = False,
    status: ShowStatus = False,
    as_json: AsJson = False,
    aside: TakeAside = None,
) -> None:
    """Put events into the outbox of this counter, send them, or say how much waits.

    An event is an object with type, data and, of a ticket, subject; id, source and time are filled in. Each is answered
    by a line of JSON on standard output: its id once it is on the disk, or why it was refused. Exit status 1: at least
    one was.
    """
    from loket.settings import EmitterSettings, load

    options: dict[str, object] = {
        "outbox": outbox,
        "source": source,
        "bootstrap": bootstrap,
        "key_file": key_file,
        "unit": unit,
        "counter": counter,
    }
    settings = load(EmitterSettings, config=config, options=options)
    if status:
        _show(settings, as_json)
    elif aside is not None:
        _take_aside(settings, aside)
    else:
        _run(settings, events, send=send, drain=drain)


def _run(settings: "EmitterSettings", events: list[str] | None, *, send: bool, drain: bool) -> None:
    from loket.companions.interruption import Interrupted, interruptible

    emitter = _emitter(settings, send=send)
    refused = 0
    try:
        with interruptible():
            refused = _take(emitter, events, send=send)
            if send:
                emitter.wait(None if not drain else 0)
    except Interrupted as interrupted:
        left = emitter.close(_CLOSE_S)
        _tell(f"stopped; {left} events wait in {settings.outbox}, and are sent by the next `loket emit --send`")
        in_order = send and not (drain and left)  # a service that is stopped has done what it should
        raise typer.Exit(0 if in_order else interrupted.exit_status) from None
    finally:
        emitter.close(0)
    if refused:
        raise typer.Exit(1)


def _take(emitter: "Emitter", events: list[str] | None, *, send: bool) -> int:
    """Take all events there are; return how many were refused."""
    import msgspec

    from loket.emitter.lines import answers, lines_of

    if events is None and send and sys.stdin.isatty():
        return 0
    lines = (
        lines_of(sys.stdin.buffer) if events is None else (event.encode("utf-8", "surrogateescape") for event in events)
    )
    refused = 0
    for answer in answers(emitter, lines, until_full=not send):
        print(msgspec.json.encode(answer).decode(), flush=True)
        if answer.message is not None:
            refused += 1
            _tell(f"line {answer.line}: {answer.message}")
    return refused


def _emitter(settings: "EmitterSettings", *, send: bool) -> "Emitter":
    from loket.emitter import Emitter, Heartbeat, Limits
    from loket.settings import SettingsError

    if settings.source is None:
        raise SettingsError("the device needs a name that no other has: set LOKET_EMITTER_SOURCE or --source")
    if (settings.unit is None) != (settings.counter is None):
        raise SettingsError("a heartbeat needs both: set LOKET_EMITTER_UNIT and LOKET_EMITTER_COUNTER, or neither")
    return Emitter(
        settings.outbox,
        settings.source,
        connection=settings.connection if send else None,
        topic=settings.topic,
        limits=Limits(max_events=settings.max_events, max_bytes=settings.max_bytes),
        pseudonyms=_pseudonyms(settings),
        heartbeat=Heartbeat(settings.unit, settings.counter) if settings.unit and settings.counter else None,
    )


def _pseudonyms(settings: "EmitterSettings") -> "Pseudonyms | None":
    from loket.emitter import Pseudonyms

    if settings.key_file is None:
        return None
    return Pseudonyms.from_file(
        Path(settings.key_file), ("employee", "subject") if settings.pseudonyms == "all" else (settings.pseudonyms,)
    )


def _take_aside(settings: "EmitterSettings", file: Path) -> None:
    from loket.clock import DEVICE_CLOCK
    from loket.emitter import Limits
    from loket.emitter.device import Device, start_of_machine
    from loket.emitter.lines import write_aside
    from loket.emitter.outbox import Outbox

    limits = Limits(max_events=settings.max_events, max_bytes=settings.max_bytes)
    outbox = Outbox(Path(settings.outbox), limits, Device(DEVICE_CLOCK, start_of_machine()).read())
    try:
        rows = outbox.aside()
        if rows:
            write_aside(file, rows)
            outbox.forget_aside([row.seq for row in rows])
    finally:
        outbox.close()
    _tell(f"{len(rows)} events moved to {file}" if rows else "no event was set aside")


def _show(settings: "EmitterSettings", as_json: bool) -> None:
    import msgspec

    from loket.emitter import read_status

    found = read_status(Path(settings.outbox))
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    from loket.emitter.telling import told

    for line in told(found):
        Console(soft_wrap=True).print(Text(harmless(line, LINE)))


def _tell(line: str) -> None:
    Console(stderr=True, soft_wrap=True).print(Text(harmless(line, MESSAGE)))
