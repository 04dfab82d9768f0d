"""Why a rebuild does not begin, or ends without a swap.

```
RecordError                     exit status 1
├── RebuildRuns                 another one is under way
├── NothingToRebuild            the archive is empty
├── RecordDiffers               what `--check` is for
├── KafkaLacks                  Kafka has not all that the archive has
└── KafkaSilent                 nothing came of what should
```
"""

from loket_consumers.errors import RecordError

__all__ = ["KafkaLacks", "KafkaSilent", "NothingToRebuild", "RebuildRuns", "RecordDiffers"]


class RebuildRuns(RecordError):
    """Somebody else rebuilds the record at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(f"another rebuild of {url} is under way: wait until it ends")


class NothingToRebuild(RecordError):
    """There are no events to rebuild the record at `url` from."""

    def __init__(self, url: str, source: str) -> None:
        self.url, self.source = url, source
        super().__init__(f"{source} has no events for {url}: there is nothing to rebuild")


class RecordDiffers(RecordError):
    """The record at `url` is not what its events come to; nothing was changed."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(f"{url} is not what its events come to by these targets: `loket rebuild` makes it so")


class KafkaLacks(RecordError):
    """`topic` has not the record at `offset` that the archive has (or begins after it)."""

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        self.topic, self.partition, self.offset = topic, partition, offset
        super().__init__(
            f"{topic}[{partition}] has no record at offset {offset} any more, which the archive has: rebuild from the "
            f"archive, without --from-kafka"
        )


class KafkaSilent(RecordError):
    """Nothing came of `topic` for `seconds`, where records should."""

    def __init__(self, topic: str, seconds: float) -> None:
        self.topic, self.seconds = topic, seconds
        super().__init__(
            f"Kafka has sent nothing of {topic} for {seconds:.0f} s: look at `loket topics check`; "
            "the record is as it was"
        )
