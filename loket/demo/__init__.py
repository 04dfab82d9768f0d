"""`loket demo`: two offices that do not exist, in real time, through the whole way on this machine."""

from loket.demo.running import run_demo
from loket.demo.screen import LinesScreen, LiveScreen, Screen

__all__ = ["LinesScreen", "LiveScreen", "Screen", "run_demo"]
