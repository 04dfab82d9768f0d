"""Events of offices that do not exist: a city's two offices in real time, and workloads of any size for tests.

Pure: the same arguments give the same events, and nothing reads a clock.
"""

from loket.simulator.city import OFFICES, demo_targets, events
from loket.simulator.workload import workload, workload_targets

__all__ = ["OFFICES", "demo_targets", "events", "workload", "workload_targets"]
