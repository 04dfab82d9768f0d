"""Ids of events: which texts are ids, and the ids of one event at a glance.

Nearly every event names units, services, counters and employees that have been named before. Those are kept, and one
look into a set says that all ids of an event are good; a pattern for each of them took half of the decoder's time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, get_args

import msgspec

from loket.domain.events import (
    EVENT_TYPES,
    ID_PATTERN,
    OPAQUE_PATTERN,
    Data,
    Event,
    Id,
    Opaque,
    SessionStartedData,
)

__all__ = ["KnownIds", "convert_text", "is_id"]

_KEPT: Final = 100_000
_SUBJECTS_KEPT: Final = 10_000
"""Fewer, as subjects are ever new: one comes back a few times, soon."""

_PATTERNS: Final[dict[Any, Callable[[str], object]]] = {
    Id: re.compile(ID_PATTERN).match,
    Opaque: re.compile(OPAQUE_PATTERN).match,
}
_is_opaque: Final = _PATTERNS[Opaque]


def is_id(kind: Any, text: str) -> bool:
    """Whether a text can be an id of a kind, `Id` or `Opaque`. Any text can be what is no id."""
    fits = _PATTERNS.get(kind)
    return fits is None or fits(text) is not None


def convert_text(text: str, annotation: Any) -> Any:
    """The value that a text gives for an annotation of the domain. Raises msgspec.ValidationError where it cannot."""
    value = msgspec.convert(text, annotation, strict=False)
    if isinstance(value, str) and not is_id(annotation, value):
        raise msgspec.ValidationError("not an id")
    return value


class KnownIds:
    """The ids that have been found good, as long as they are not too many: somebody may make them up."""

    def __init__(self) -> None:
        self._known: set[str | None] = {None}
        self._subjects: set[str] = set()

    def covers(self, event: Event) -> bool:
        """Whether all ids of an event are good. False is no verdict: then each has to be looked at."""
        subject = event.subject
        if subject is not None and subject not in self._subjects:
            if not _is_opaque(subject):
                return False
            if len(self._subjects) > _SUBJECTS_KEPT:
                self._subjects.clear()
            self._subjects.add(subject)
        ids = _IDS_OF[type(event.data)](event.data)
        return self._known.issuperset(ids) or self._learn(ids)

    def _learn(self, ids: tuple[str | None, ...]) -> bool:
        if len(self._known) > _KEPT:
            self._known = {None}
        good = all(name is None or _is_opaque(name) for name in ids)  # what is good for people is good for all
        if good:
            self._known.update(ids)
        return good


def _ids_of(data: type[Data]) -> Callable[[Any], tuple[str | None, ...]]:
    """How the ids of an event's data are taken from it, all at once."""
    names = [
        field.name
        for field in msgspec.structs.fields(data)
        if any(part in (Id, Opaque) for part in (field.type, *get_args(field.type)))
    ]
    # The unit twice: of one name alone the getter would give no tuple.
    taken: Callable[[Any], tuple[str | None, ...]] = attrgetter("unit", *names)
    if data is not SessionStartedData:
        return taken
    return lambda data: (*taken(data), *(data.services or ()))


_IDS_OF: Final = {
    field.type: _ids_of(field.type)
    for kind in EVENT_TYPES.values()
    for field in msgspec.structs.fields(kind)
    if field.name == "data"
}
