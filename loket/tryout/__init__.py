"""`loket try`: a log of one's own through the whole way, and whether its two ends tell the same."""

from loket.tryout.asked import Asked
from loket.tryout.progress import Progress
from loket.tryout.trying import run_try

__all__ = ["Asked", "Progress", "run_try"]
