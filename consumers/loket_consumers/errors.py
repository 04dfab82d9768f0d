"""Why the sink or a command of the record stops: the record's branch of Loket's errors.

```
LoketError
└── RecordError                 exit status 1
    ├── SchemaError             the database has not the tables that this version works with
    │   ├── SchemaAbsent        none of them
    │   ├── SchemaBehind        those of an older version
    │   └── SchemaAhead         those of a newer one
    ├── DatabaseAbsent          SQLite has no such file
    ├── DatabaseAway            nobody answers, or not now: the sink tries again, a command stops
    ├── DatabaseRefuses         it answers, and does not do what was asked
    ├── GapError                events between what is stored and what came are missing: never applied
    ├── LogReplacedError        the topic ends before what is stored: another topic, or data that the broker lost
    ├── TargetsChanged          the targets say something else of the past than what people were judged by
    ├── PartitionsChangedError  the topic has got more partitions while the sink ran
    └── EventsCompacted         Kafka compacts the topic: events would go without a trace
```
"""

from collections.abc import Mapping

from loket.broker import Difference
from loket.domain.terms import listed
from loket.errors import LoketError

__all__ = [
    "DatabaseAbsent",
    "DatabaseAway",
    "DatabaseRefuses",
    "EventsCompacted",
    "GapError",
    "LogReplacedError",
    "PartitionsChangedError",
    "RecordError",
    "SchemaAbsent",
    "SchemaAhead",
    "SchemaBehind",
    "SchemaError",
    "TargetsChanged",
]


class RecordError(LoketError):
    """The record cannot be written or read without losing or inventing something."""


class SchemaError(RecordError):
    """The schema of the database at `url` is at `found` (None: there is none) and has to be at `wanted`."""

    def __init__(self, url: str, found: str | None, wanted: str) -> None:
        self.url, self.found, self.wanted = url, found, wanted
        super().__init__(self._text())

    def _text(self) -> str:
        return f"the schema of {self.url} is {self.found}, and this version of Loket works with {self.wanted}"


class SchemaAbsent(SchemaError):
    """The database has no tables of Loket."""

    def _text(self) -> str:
        return f"{self.url} has no tables of Loket yet: run `loket db upgrade`"


class SchemaBehind(SchemaError):
    """The tables are those of an older version of Loket."""

    def _text(self) -> str:
        return f"{super()._text()}: stop the sinks and run `loket db upgrade`"


class SchemaAhead(SchemaError):
    """The tables are those of a newer version of Loket."""

    def _text(self) -> str:
        return f"{super()._text()}: a newer Loket has upgraded it, so run that version here too"


class DatabaseAbsent(RecordError):
    """There is no `file`, and whoever only reads makes none."""

    def __init__(self, file: str) -> None:
        self.file = file
        super().__init__(
            f"there is no file {file}: set LOKET_DATABASE to the database that the sink writes, or run `loket db "
            "upgrade` to make a new one"
        )


class DatabaseAway(RecordError):
    """The database at `url` does not answer, or not now; what it was asked was rolled back and can be asked again."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(
            f"the database {url} cannot be used now ({reason}): start it, make room or end what locks it, and check "
            "LOKET_DATABASE"
        )


class DatabaseRefuses(RecordError):
    """The database at `url` refused a statement, which trying again would not mend."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(
            f"the database {url} refuses what the record needs ({reason}): compare its tables with `loket db check`, "
            "and look at the rights of the user in LOKET_DATABASE. Nothing is lost: the events stay in Kafka"
        )


class GapError(RecordError):
    """Offsets are missing: `expected` was the next to be stored, `found` came. Nothing from `found` on was stored."""

    def __init__(self, topic: str, partition: int, expected: int, found: int) -> None:
        self.topic, self.partition, self.expected, self.found = topic, partition, expected, found
        super().__init__(
            f"{topic}[{partition}]: the events from offset {expected} to {found - 1} are gone, as retention removed "
            f"them before they were stored, and the record would lack them. To go on without them start the sink once "
            f"with --accept-lost-events; import them again where their source still has them. Retention should be "
            f"longer than any outage: `loket topics check` shows it"
        )


class LogReplacedError(RecordError):
    """The topic ends at `end`, and what is stored reaches up to before `next`: it is not the log that was read."""

    def __init__(self, topic: str, partition: int, next: int, end: int) -> None:
        self.topic, self.partition, self.next, self.end = topic, partition, next, end
        super().__init__(
            f"{topic}[{partition}] ends at offset {end}, and the record contains it up to offset {next - 1}: the topic "
            f"was made anew, or the broker lost data. Use a topic of another name (LOKET_TOPIC), or another database, "
            f"as the offsets of this one mean other events"
        )


class TargetsChanged(RecordError):
    """The targets were changed while no sink ran, as no running one takes them (rule 10): `changed` by unit."""

    def __init__(self, changed: Mapping[str, list[str]]) -> None:
        self.changed = changed
        super().__init__(
            f"the targets say something else of days that have begun than what the record's people were counted and "
            f"judged by: {listed(changed)}. Put back what was there and let changes begin on a day to "
            f"come, or make the record anew with `loket rebuild` (docs/targets.md says how)"
        )


class PartitionsChangedError(RecordError):
    """The topic has a partition that it did not have when the sink started with `known` of them."""

    def __init__(self, topic: str, known: int, partition: int) -> None:
        self.topic, self.known, self.partition = topic, known, partition
        super().__init__(
            f"{topic} had {known} partitions and now has partition {partition}: a unit's events would be in two of "
            f"them, in no order that could be told. Make a topic of another name with {known} partitions"
        )


class EventsCompacted(RecordError):
    """Kafka compacts the topic of the events. `difference` says what it is set to and what has to be."""

    def __init__(self, difference: Difference) -> None:
        self.difference = difference
        super().__init__(str(difference))
