"""Loket: live service levels, alerts and a fair record from the events of service counters.

This package holds what every component must agree on (the domain, the wire, names, settings, the clock) and imports
none of the components.
"""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("loket")
