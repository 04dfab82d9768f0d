"""Processes that one command starts for itself, and everything that goes when it ends, however it ends."""

from loket.companions.companion import Companion, CompanionFailed
from loket.companions.interruption import Interrupted, interruptible
from loket.companions.run import Run

__all__ = ["Companion", "CompanionFailed", "Interrupted", "Run", "interruptible"]
