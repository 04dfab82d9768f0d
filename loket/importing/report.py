"""What an import read, and what it refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["REFUSED_KEPT", "RefusedRow", "RefusedRowError", "Report"]

REFUSED_KEPT: Final = 1_000
"""Refused rows that are kept to be shown; the number counts on."""


class RefusedRowError(Exception):
    """A row cannot be read: it becomes a `RefusedRow`, the import goes on."""

    def __init__(self, column: str, value: str, why: str) -> None:
        self.column = column
        self.value = value
        self.why = why
        super().__init__(f"{column}: {value!r}: {why}")


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that brought no event: its line (from 1), the column at fault (empty: all of it), the value and why."""

    line: int
    column: str
    value: str
    why: str


@dataclass(slots=True)
class Report:
    """Counts of one import, filled while it is read; each row is in one of them or brought events.

    `left_out` rows are those that `skip` names, `outside` those before `from` or after `until`, `repeated` those whose
    events an earlier row had brought already.
    """

    rows: int = 0
    left_out: int = 0
    outside: int = 0
    repeated: int = 0
    events: int = 0
    refused: int = 0
    refused_rows: list[RefusedRow] = field(default_factory=list)

    def refuse(self, line: int, error: RefusedRowError) -> None:
        """Note a refused row; the value is cut, as it is only shown."""
        self.refused += 1
        if len(self.refused_rows) < REFUSED_KEPT:
            self.refused_rows.append(RefusedRow(line, error.column, error.value[:60], error.why))
