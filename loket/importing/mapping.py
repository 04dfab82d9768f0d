"""How a delimited log becomes events, as frozen values: what `mapping.yaml` says (docs/import.md explains each key).

```
UsageError
├── DocumentError
│   └── MappingError        the mapping is wrong: every fault with line, column, path and what to do
└── LogError                the log is not what the mapping says: encoding, delimiter, columns
```
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

from loket.documents import DocumentError
from loket.domain.events import Envelope
from loket.errors import UsageError
from loket.harmless import LINE, harmless
from loket.importing.timeformat import TimeFormat

__all__ = [
    "Cell",
    "ColumnTime",
    "Condition",
    "Constant",
    "DateColumn",
    "Duration",
    "Emission",
    "FieldOf",
    "FirstTime",
    "Format",
    "LogError",
    "Mapping",
    "MappingError",
    "ShiftedTime",
    "Subject",
    "Test",
    "Time",
    "TimeValue",
    "Value",
]


class MappingError(DocumentError):
    """`mapping.yaml` is wrong, or does not fit what it is used for; `faults` says where and what to do."""


class LogError(UsageError):
    """The log as a whole is not what the mapping says; nothing of it was sent.

    Carries `file`, and `line` (from 1, 0 where it is the file as a whole).
    """

    def __init__(self, file: str, line: int, message: str) -> None:
        self.file = file
        self.line = line
        super().__init__(harmless(f"{file}, line {line}: {message}" if line else f"{file}: {message}", LINE))


@dataclass(frozen=True, slots=True)
class Format:
    """How the file is written. `columns` names the columns of a file whose first line is a row already."""

    delimiter: str = ","
    encoding: str = "utf-8"
    quotes: bool = True
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """What is asked of one cell: to be one of some texts or none of them, empty or not, above or below a number."""

    column: str
    kind: Literal["is", "not", "empty", "filled", "above", "below"]
    texts: frozenset[str] = frozenset()
    bound: float = 0.0


@dataclass(frozen=True, slots=True)
class Condition:
    """All of some tests."""

    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """The same text for every row."""

    text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a column, perhaps translated; `nobody` are texts that mean that there is none."""

    column: str
    values: dict[str, str] | None = None
    keep_others: bool = True
    nobody: frozenset[str] = frozenset()
    prefix: str = ""
    slug: bool = False
    hashed: bool = False


@dataclass(frozen=True, slots=True)
class TimeValue:
    """One of the mapping's times, for a field that is an instant."""

    time: str


Value = Constant | Cell | TimeValue


@dataclass(frozen=True, slots=True)
class Subject:
    """The key columns that make a ticket's id, the same in every import."""

    columns: tuple[str, ...]
    prefix: str = ""
    always_hashed: bool = False


@dataclass(frozen=True, slots=True)
class DateColumn:
    """The column that has the date of the times of day."""

    column: str
    format: TimeFormat


@dataclass(frozen=True, slots=True)
class ColumnTime:
    """A time that stands in a column: an instant, a local time, or a time of day with its `date`.

    A time of day more than `slack_ms` before the time `after` is of the next day.
    """

    column: str
    format: TimeFormat
    date: DateColumn | None = None
    after: str | None = None
    slack_ms: int = 0
    absent: Condition | None = None


@dataclass(frozen=True, slots=True)
class FirstTime:
    """The first of some times that the row has."""

    times: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Duration:
    """How long something took: a column, read in `unit_ms` milliseconds or, where that is None, as H:MM:SS."""

    column: str
    unit_ms: int | None


@dataclass(frozen=True, slots=True)
class ShiftedTime:
    """Another time, later or earlier by durations."""

    time: str
    plus: tuple[Duration, ...] = ()
    minus: tuple[Duration, ...] = ()


Time = ColumnTime | FirstTime | ShiftedTime


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A data field of an event: its name, where its text comes from, and the annotation that it has to fit."""

    name: str
    value: Value
    annotation: Any


@dataclass(frozen=True, slots=True)
class Emission:
    """An event that a row brings when it has the time and `when` holds. `step` makes its id, with the subject."""

    kind: type[Envelope]
    data: type[Struct]
    step: str
    time: str
    when: Condition | None
    fields: tuple[FieldOf, ...]
    id_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapping:
    """The whole of `mapping.yaml`. `columns` are all that it needs; `secret` names the variable with the key of hashes.

    Rows whose first event lies before `from_ms`, or at or after `until_ms`, are left out.
    """

    file: str
    format: Format
    zone: str
    source: str
    unit: Value
    subject: Subject | None
    times: dict[str, Time]
    events: tuple[Emission, ...]
    columns: tuple[str, ...]
    skip: tuple[Condition, ...] = ()
    from_ms: int | None = None
    until_ms: int | None = None
    secret: str | None = None
