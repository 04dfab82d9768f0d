"""Ctrl-C and signals to end become an exception, so that everything opened is closed on the way out."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interrupted", "interruptible", "uninterrupted"]

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AGAIN_S = 0.1


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
def interruptible(patience_s: float = 60) -> Iterator[None]:
    """Within: the first of SIGINT, SIGTERM and SIGHUP raises Interrupted in the main thread, later ones change nothing.

    What runs while the exception passes has to end by itself (give it deadlines): it is not interrupted again.
    Python drops what is raised inside a destructor, and a library may catch whatever its tasks raise (kafka-python
    does): it is raised again until it passes. Raised where a library holds a lock, what passes may wait for that lock
    for ever: what has not ended after `patience_s` is ended at once, with the same exit status; a run's caretaker
    clears up after it.
    """
    before = {number: signal.getsignal(number) for number in _ENDING}
    told = sys.unraisablehook
    main = threading.main_thread().ident
    asked: list[int] = []
    stirred, ended = threading.Event(), threading.Event()

    def interrupt(number: int, _frame: FrameType | None) -> None:
        if ended.is_set() or _is_passing():
            return
        if not asked:  # once: a second signal inside `set` would wait for the first
            asked.append(number)
            stirred.set()
        raise Interrupted(asked[0])

    def guard() -> None:
        stirred.wait()
        for _ in range(max(1, round(patience_s / _AGAIN_S))):
            if ended.wait(_AGAIN_S):
                return
            if main is not None:
                signal.pthread_kill(main, asked[0])
        stuck = Interrupted(asked[0])
        os.write(2, f"{stuck}; it could not end in order within {patience_s:g} s, and ended at once\n".encode())
        os._exit(stuck.exit_status)

    def dropped(unraisable: sys.UnraisableHookArgs) -> None:
        if not isinstance(unraisable.exc_value, Interrupted):
            told(unraisable)

    guarding = threading.Thread(target=guard, daemon=True)
    guarding.start()
    for number in _ENDING:
        signal.signal(number, interrupt)
    sys.unraisablehook = dropped
    try:
        yield
        if asked:
            guarding.join()  # dropped in the last moment: it comes now
    finally:
        ended.set()
        stirred.set()
        guarding.join()  # it may not signal once the handlers of before are back
        sys.unraisablehook = told
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_passing() -> bool:
    """Whether an Interrupted is on its way through what runs in this thread."""
    error = sys.exc_info()[1]
    while error is not None:
        if isinstance(error, Interrupted):
            return True
        error = error.__context__
    return False


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
