"""Ctrl-C and signals to end become an exception, so that everything opened is closed on the way out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interrupted", "interruptible", "uninterrupted"]

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The process was asked to end. Not an Exception: nothing that handles errors may hold it up."""

    def __init__(self, signal_number: int) -> None:
        self.signal_number = signal_number
        super().__init__(f"ended by {signal.Signals(signal_number).name}")

    @property
    def exit_status(self) -> int:
        """What a shell reports for a program that a signal ended."""
        return 128 + self.signal_number


@contextmanager
def interruptible() -> Iterator[None]:
    """Within: the first of SIGINT, SIGTERM and SIGHUP raises Interrupted in the main thread, later ones change nothing.

    What runs while the exception passes has to end by itself (give it deadlines): it is not interrupted again.
    """
    before = {number: signal.getsignal(number) for number in _ENDING}
    seen = False

    def interrupt(number: int, _frame: FrameType | None) -> None:
        nonlocal seen
        if not seen:
            seen = True
            raise Interrupted(number)

    for number in _ENDING:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Within: signals to end are held back, and delivered at its end. For steps that have deadlines of their own."""
    held: list[int] = []
    before = {number: signal.getsignal(number) for number in _ENDING}

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    for number in _ENDING:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])
