"""`loket demo`: two offices that do not exist, in real time, through the whole way on this machine."""

from loket.demo.running import run_demo
from loket.demo.screen import LinesScreen, LiveScreen, Screen
from loket.demo.watching import MonitoringMissing

__all__ = ["LinesScreen", "LiveScreen", "MonitoringMissing", "Screen", "run_demo"]
