"""One row of a log to the events that it brings, as the mapping says.

```
cells ─▶ skip? ─▶ unit, subject ─▶ times ─▶ each event of the mapping whose time is there and whose `when` holds
```
"""

from __future__ import annotations

from collections.abc import Mapping as Cells
from typing import Any, Final

import msgspec
from msgspec import Struct

from loket.domain.events import Event, Id, Instant, Opaque
from loket.importing.conditions import holds
from loket.importing.identity import Identities, is_personal, slug
from loket.importing.localtime import LocalClock
from loket.importing.mapping import Cell, Constant, Emission, FieldOf, Mapping, TimeValue
from loket.importing.report import RefusedRowError
from loket.importing.times import RowTimes
from loket.wire.ids import convert_text
from loket.wire.pseudonyms import KIND_OF

__all__ = ["RowReader"]

_MAX_EVENT_ID: Final = 256
_KEPT: Final = 100_000


class RowReader:
    """Reads rows by one mapping. `secret` is the key of the mapping's hashes, if it names one."""

    def __init__(self, mapping: Mapping, secret: bytes | None) -> None:
        self._mapping = mapping
        self._clock = LocalClock(mapping.zone)
        self._identities = Identities(secret)
        self._unit = _Reader(FieldOf("unit", mapping.unit, Id), self._identities)
        self._emissions = [
            (emission, [_Reader(field, self._identities) for field in emission.fields], _required(emission.data))
            for emission in mapping.events
        ]

    def left_out(self, cells: Cells[str, str]) -> bool:
        """Whether `skip` names this row."""
        return any(holds(condition, cells) for condition in self._mapping.skip)

    def events(self, cells: Cells[str, str]) -> list[Event]:
        """The events of a row in the order of the mapping. Raises RefusedRowError: then the row brings none."""
        times = RowTimes(self._mapping.times, self._clock, cells)
        unit = self._unit.read(cells, times)
        if unit is None:
            raise RefusedRowError(self._unit.column, "", "names no unit")
        about = self._subject(cells)
        events: list[Event] = []
        for emission, fields, required in self._emissions:
            if emission.when is not None and not holds(emission.when, cells):
                continue
            at = times.of(emission.time)
            if at is None:
                continue
            said = {"unit": unit}
            for field in fields:
                value = field.read(cells, times)
                if value is not None:
                    said[field.name] = value
                elif field.name in required:
                    raise RefusedRowError(field.column, "", f"is empty, and the event needs its {field.name}")
            # The kind is one of the union, which its fields fit: each was read by the annotation of the struct.
            make: Any = emission.kind
            events.append(
                make(
                    source=self._mapping.source,
                    id=self._event_id(emission, about.get("subject", unit), cells),
                    time=Instant(at),
                    imported=True,
                    data=emission.data(**said),
                    **about,
                )
            )
        if not events:
            raise RefusedRowError("", "", "no event of the mapping fits this row: if that is right, name it in `skip`")
        return events

    def _subject(self, cells: Cells[str, str]) -> dict[str, str]:
        key = self._mapping.subject
        if key is None:
            return {}
        parts = [cells[column] for column in key.columns]
        return {"subject": self._identities.of_columns(key.columns, parts, key.prefix, key.always_hashed)}

    def _event_id(self, emission: Emission, about: str, cells: Cells[str, str]) -> str:
        parts = [cells[column] for column in emission.id_columns]
        legible = "/".join((about, emission.step, *parts))
        if len(legible.encode()) > _MAX_EVENT_ID or any("/" in part or not part.isprintable() for part in parts):
            return f"{about}/{emission.step}/{self._identities.hashed(*parts)}"
        return legible


def _required(data: type[Struct]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(data) if field.required)


class _Reader:
    """Reads one field of rows, fit for its annotation. What a text becomes is remembered: columns repeat themselves."""

    def __init__(self, field: FieldOf, identities: Identities) -> None:
        self.name = field.name
        self.column = field.value.column if isinstance(field.value, Cell) else ""
        self._value = field.value
        self._annotation = field.annotation
        self._identities = identities
        self._known: dict[str, Any] = {}

    def read(self, cells: Cells[str, str], times: RowTimes) -> Any:
        """The value, or None where the row has none. Raises RefusedRowError."""
        if isinstance(self._value, TimeValue):
            at = times.of(self._value.time)
            return None if at is None else Instant(at)
        cell = self._value.text if isinstance(self._value, Constant) else cells[self._value.column]
        if cell in self._known:
            return self._known[cell]
        text = cell if isinstance(self._value, Constant) else self._translated(self._value, cell)
        fit = None if text is None else self._fit(text, cell)
        if len(self._known) < _KEPT:
            self._known[cell] = fit
        return fit

    def _translated(self, value: Cell, cell: str) -> str | None:
        if not cell or cell in value.nobody:
            return None
        text = cell
        if value.values is not None:
            found = value.values.get(cell)
            if found is None and not value.keep_others:
                raise RefusedRowError(value.column, cell, "`values` has nothing for it: add it, or say `others: keep`")
            text = cell if found is None else found
        if value.hashed:
            kind = KIND_OF.get(self.name)
            text = self._identities.hashed(text) if kind is None else self._identities.pseudonym(kind, text)
        elif value.slug:
            text = slug(text)
        return value.prefix + text

    def _fit(self, text: str, cell: str) -> Any:
        try:
            return convert_text(text, self._annotation)
        except msgspec.ValidationError as error:
            if is_personal(text):
                # The number itself is not repeated: reports are kept and sent around.
                cell, why = "(a number of 16 or 18 digits)", "looks like a personal number: say `hash: true` for it"
            elif self._annotation in (Id, Opaque):
                why = "an id has 1 to 128 of A-Z a-z 0-9 . _ : / -: translate it by `values`, or say `slug: true`"
            else:
                why = str(error)
            raise RefusedRowError(self.column, cell, f"cannot be the event's {self.name}: {why}") from error
