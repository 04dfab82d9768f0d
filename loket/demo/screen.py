"""What the demo shows: a live table in a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from loket.board import Board, render

__all__ = ["LinesScreen", "LiveScreen", "Screen"]

LINE_EVERY_S: Final = 3.0


class Screen(Protocol):
    """Where the demo shows itself; a context manager for as long as the offices are open."""

    def say(self, line: str) -> None:
        """Print a line that stays."""
        ...

    def show(self, board: Board, elapsed_s: float) -> None:
        """Show the present, `elapsed_s` after the doors opened."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class LiveScreen:
    """A table that moves."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._console = console

    def say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)

    def show(self, board: Board, elapsed_s: float) -> None:
        told = Text(f"{elapsed_s:4.0f} s   lag {board.lag} records   Ctrl-C ends the demo", style="dim")
        self._live.update(Group(render(board, people=True), told), refresh=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()


class LinesScreen:
    """One line for both offices together, every few seconds: for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = -LINE_EVERY_S

    def say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)

    def show(self, board: Board, elapsed_s: float) -> None:
        if elapsed_s - self._last < LINE_EVERY_S:
            return
        self._last = elapsed_s
        told = []
        for line in board.lines:
            if not line.service:
                level = "–" if line.level is None else f"{100 * line.level:.0f} %"
                oldest = "" if line.oldest_wait_s is None else f" (oldest {line.oldest_wait_s:.0f} s)"
                told.append(f"{line.unit}: waiting {line.waiting}{oldest}, served {line.served}, level {level}")
        self.say(f"{elapsed_s:4.0f} s  {'; '.join(told)}; lag {board.lag}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return
