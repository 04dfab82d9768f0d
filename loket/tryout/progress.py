"""How far a try is, on standard error: a bar in a terminal, a line for each step elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich import progress
from rich.console import Console
from rich.text import Text

__all__ = ["Progress"]


class Progress:
    """The steps of a try, one at a time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TextColumn("{task.percentage:>3.0f} %"),
            progress.TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: progress.TaskID | None = None

    def step(self, description: str, total: int | None = None) -> None:
        """Begin the next step; without a total it is not known how long it takes."""
        self.done()
        if not self._console.is_terminal:
            self._console.print(Text(description))
        self._task = self._bar.add_task(description, total=total or None)

    def at(self, reached: int) -> None:
        """So much of the step's total is done."""
        if self._task is not None:
            self._bar.update(self._task, completed=reached)

    def note(self, text: str) -> None:
        """Say something that stays."""
        self._console.print(Text(text))

    def done(self) -> None:
        """The step is over."""
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()
