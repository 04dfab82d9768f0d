"""`targets.yaml`: what a city promises, read into a `loket.domain.policy.Policy`, and read again when it changes."""

from loket.targets.reading import TargetsError, load_targets
from loket.targets.reloading import ReloadResult, TargetsFile, refusals

__all__ = ["ReloadResult", "TargetsError", "TargetsFile", "load_targets", "refusals"]
