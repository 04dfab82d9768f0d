"""Ctrl-C and signals to end become an exception, so that everything opened is closed on the way out."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from types import FrameType

__all__ = ["Interrupted", "interruptible", "uninterrupted"]

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ANEW_S = 0.01


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
    Raised inside a destructor or a callback of C, where Python tells an exception and drops it, it is raised anew.
    Raised where a library holds a lock, what passes may wait for that lock for ever: what has not ended after
    `patience_s` is ended at once, with the same exit status; a run's caretaker clears up after it.
    """
    before = {number: signal.getsignal(number) for number in _ENDING}
    told = sys.unraisablehook
    main = threading.main_thread().ident
    seen = hooked = over = False
    anew: threading.Thread | None = None
    asked: list[int] = []
    stirred, ended = threading.Event(), threading.Event()

    def guard() -> None:
        stirred.wait()
        if not ended.wait(patience_s):
            stuck = Interrupted(asked[0])
            os.write(2, f"{stuck}; it could not end in order within {patience_s:g} s, and ended at once\n".encode())
            os._exit(stuck.exit_status)

    def interrupt(number: int, _frame: FrameType | None) -> None:
        nonlocal seen
        if not asked:  # once: a second signal inside `set` would wait for the first
            asked.append(number)
            stirred.set()
        if not (seen or hooked or over):
            seen = True
            raise Interrupted(number)

    def again(number: int) -> None:
        while True:
            sleep(_ANEW_S)
            if seen or over or main is None:
                return
            signal.pthread_kill(main, number)

    def dropped(unraisable: sys.UnraisableHookArgs) -> None:
        nonlocal seen, hooked, anew
        if not isinstance(unraisable.exc_value, Interrupted):
            told(unraisable)
            return
        # Not from here: what is raised in this hook is dropped, too. A busy machine may take long to start a thread,
        # so what comes meanwhile is not raised, and comes again until it is.
        hooked = True
        seen = False
        anew = threading.Thread(target=again, args=(unraisable.exc_value.signal_number,), daemon=True)
        anew.start()
        hooked = False

    threading.Thread(target=guard, daemon=True).start()
    for number in _ENDING:
        signal.signal(number, interrupt)
    sys.unraisablehook = dropped
    try:
        yield
        if anew is not None:
            anew.join()  # dropped in the last moment: it comes now
    finally:
        over = True
        if anew is not None:
            anew.join()  # it may not signal once the handlers of before are back
        sys.unraisablehook = told
        for number, handler in before.items():
            signal.signal(number, handler)
        ended.set()
        stirred.set()


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
