"""Prints docs/metrics.md."""

from loket.catalogue.documentation import documentation

print(documentation(), end="")
