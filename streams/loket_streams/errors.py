"""Why a worker stops: the stream's branch of Loket's errors.

```
LoketError
└── StreamError               exit status 1
    ├── GapError              events between what was read and what came are missing: never applied
    │   └── RetentionError    the broker removed events before they were read
    ├── TruncatedError        the log ends before what the state contains: another topic, or lost by the broker
    ├── RecoveryError         the changelog cannot be read
    ├── TermsError            the targets say something else of the past than what people were judged by
    └── CheckpointError       a checkpoint was not written in time; tried again, and no offset is committed meanwhile
```
"""

from collections.abc import Mapping

from loket.domain.terms import listed
from loket.errors import LoketError

__all__ = [
    "CheckpointError",
    "GapError",
    "RecoveryError",
    "RetentionError",
    "StreamError",
    "TermsError",
    "TruncatedError",
]


class StreamError(LoketError):
    """The stream cannot go on without losing or inventing something; a restart begins from what is safe."""


class GapError(StreamError):
    """Offsets are missing: `expected` was the next to be applied, `found` came. Nothing from `found` on was applied."""

    def __init__(self, topic: str, partition: int, expected: int, found: int) -> None:
        self.topic, self.partition, self.expected, self.found = topic, partition, expected, found
        super().__init__(self._text())

    def _text(self) -> str:
        return (
            f"{self.topic}[{self.partition}]: offset {self.expected} should have come and {self.found} came, so the "
            f"worker stops before it applies what follows a hole. Start it again: it reads on from what is safe. If it "
            f"stops here once more, the events are gone from the topic: look at its cleanup.policy and its retention."
        )


class RetentionError(GapError):
    """The broker removed events from `expected` up to before `found`, and this worker had not read them."""

    def _text(self) -> str:
        return (
            f"{self.topic}[{self.partition}]: the events from offset {self.expected} to {self.found - 1} were removed "
            f"by retention before they were read, so the figures would lack them. To go on without them start the "
            f"worker once with --accept-lost-events; to have them, import them again. Retention should be longer than "
            f"any outage: `loket topics check` shows it."
        )


class TruncatedError(StreamError):
    """The topic ends at `end`, and the state contains events up to before `next`: it is not the log that was read."""

    def __init__(self, topic: str, partition: int, next: int, end: int) -> None:
        self.topic, self.partition, self.next, self.end = topic, partition, next, end
        super().__init__(
            f"{topic}[{partition}] ends at offset {end}, and the worker's state contains events up to {next - 1}: the "
            f"topic was made anew, or the broker lost data. Events sent now would be taken for known ones. Start the "
            f"worker with another LOKET_APP_ID (and `loket topics apply` for its changelog): it builds the figures "
            f"from the topic as it is."
        )


class RecoveryError(StreamError):
    """The changelog of a partition cannot be read; `reason` says what is wrong with it."""

    def __init__(self, topic: str, partition: int, reason: str) -> None:
        self.topic, self.partition, self.reason = topic, partition, reason
        super().__init__(
            f"{topic}[{partition}]: {reason}. The worker stops, as its figures would be wrong. If another start does "
            f"not mend it, set another LOKET_APP_ID: the figures are then built from the events that the topic has."
        )


class TermsError(StreamError):
    """The targets were changed while no worker ran, as no running one takes them (rule 10): `changed` by unit."""

    def __init__(self, changed: Mapping[str, list[str]]) -> None:
        self.changed = changed
        super().__init__(
            f"the targets say something else of days that have begun than what people were counted and judged by: "
            f"{listed(changed)}. Put back what was there and let changes begin on a day to come, or "
            f"rebuild (docs/targets.md says how)."
        )


class CheckpointError(StreamError):
    """The records of some units could not be written; they stay marked and are written again."""
