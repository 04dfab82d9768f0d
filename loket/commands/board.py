"""`loket board`: where the worker's own pages are, one for each unit and one for the screen in its hall."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from loket.errors import LoketError, UsageError

__all__ = ["BoardAway", "register"]

TIMEOUT_S = 10.0

Url = Annotated[
    str | None,
    typer.Option(help="Where the worker serves its board (default: where its settings say).", show_default=False),
]


class BoardAway(LoketError):
    """Nobody serves a board at an address; carries it and the reason."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"{url}: no board there ({reason}); start the worker with LOKET_BOARD_PORT, or name the address with --url"
        )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(board)


def board(url: Url = None) -> None:
    """Show the addresses of the worker's pages: units, and the screens in their halls. Exit status 1: no board."""
    from urllib.parse import quote

    from loket.harmless import harmless

    staff, public = _usual() if url is None else (url.rstrip("/"), None)
    told = _ask(f"{staff}/api/overview")
    console = Console(soft_wrap=True)
    console.print(Text(f"All units of this worker: {staff}/"))
    for row in sorted(told["units"], key=lambda row: str(row["unit"])):
        unit = str(row["unit"])
        name = row["name"].get("en") or row["name"].get("id") or unit
        console.print(Text(f"\n{harmless(name)}", style="bold"))
        console.print(Text(f"  staff  {staff}/unit?unit={quote(unit, safe='')}"))
        console.print(Text(f"  hall   {public or staff}/hall?unit={quote(unit, safe='')}"))
    if told["left_out"]:
        console.print(Text(f"\n{told['left_out']} more units have pages under the same addresses."))
    if told["of"] is not None and told["partitions"] < told["of"]:
        console.print(Text("\nOther workers have other units: ask each of them."))


def _usual() -> tuple[str, str | None]:
    """The addresses of this machine's worker, by its settings: the staff's, and the public one if there is one."""
    from loket.settings import WorkerSettings, load

    settings = load(WorkerSettings)
    if settings.board_port is None:
        raise UsageError("the settings ask for no board: set LOKET_BOARD_PORT (and start the worker with it), or --url")
    public = settings.board_public_port
    return (
        _address(settings.board_host, settings.board_port),
        None if public is None else _address(settings.board_public_host, public),
    )


def _address(host: str, port: int) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (all addresses: ours is one)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _ask(url: str) -> Any:
    import http.client
    import urllib.error
    import urllib.request

    import msgspec

    if not url.startswith(("http://", "https://")):
        raise BoardAway(url, "the address has to begin with http:// or https://")
    # No proxy of the environment: it would be asked for what runs on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            told = msgspec.json.decode(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            raise BoardAway(url, f"it answers with status {error.code}") from error
    except (OSError, http.client.HTTPException, ValueError, msgspec.MsgspecError) as error:
        raise BoardAway(url, str(getattr(error, "reason", error)) or type(error).__name__) from error
    if not isinstance(told, dict) or not {"units", "left_out", "partitions", "of"} <= told.keys():
        raise BoardAway(url, "something else answers")
    return told
