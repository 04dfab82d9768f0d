"""The tables of the event contract: attributes and data fields of each type in the contract's order, and the bounds.

Of two fields with the same fault the first of these is named, so the order is part of the contract.
"""

from functools import cache
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from loket.domain.events import Envelope
from loket.wire.fields import IDENTITY, Field, attribute_reader, corrections_reader, reader

__all__ = [
    "AHEAD_MS",
    "BEHIND_MS",
    "MAX_DEPTH",
    "MAX_VALUE_BYTES",
    "OURS",
    "attribute_fields",
    "data_fields",
    "data_type",
]

OURS: Final = "loket."
"""Types that begin so are of this contract; any other is foreign."""

MAX_VALUE_BYTES: Final = 64 * 1024
"""Of a record's value, uncompressed."""

MAX_DEPTH: Final = 32
"""How deep objects and arrays of a value may be nested, the outermost being 1."""

AHEAD_MS: Final = 24 * 3_600_000
"""How far an event's time may be ahead of the broker's."""

BEHIND_MS: Final = 30 * 24 * 3_600_000
"""How far an event's time may be behind the broker's, where it is not imported."""

ATTRIBUTES: Final = ("source", "id", "time", "subject", "sent", "imported", "data")
"""The attributes that are fields of an event (specversion and type tell what it is)."""

_FIRST: Final = "unit"
_LAST: Final = "from_unit"
_ORDER: Final[dict[str, tuple[str, ...]]] = {
    "loket.ticket.requeued": ("reason", "counter", "employee"),
    "loket.ticket.transferred": ("to_unit", "to_service", "to_employee", "counter", "employee"),
    "loket.feedback.given": ("service", "score"),
    "loket.event.corrected": ("of", "day", "set"),
}
"""Where the contract's row names the fields in another order than the struct holds them."""


@cache
def data_type(kind: type[Envelope]) -> type[Struct]:
    """The struct of the `data` of an event type."""
    found: type[Struct] = _described(kind)["data"].type
    return found


@cache
def attribute_fields(kind: type[Envelope]) -> tuple[Field, ...]:
    """The attributes of an event type; `data` is read as its fields, unread."""
    described = _described(kind)

    def read(name: str) -> Any:
        if name in IDENTITY:
            return attribute_reader(name, name)
        return reader(name, dict[str, Raw] if name == "data" else described[name].type)

    return tuple(Field(name, name, described[name].required, read(name)) for name in ATTRIBUTES)


@cache
def data_fields(kind: type[Envelope]) -> tuple[Field, ...]:
    """The data fields of an event type: the unit first, then the row of the contract, `from_unit` last."""
    described = _described(data_type(kind))
    row = _ORDER.get(str(kind.__struct_config__.tag), tuple(described))
    order = [_FIRST, *(name for name in row if name not in (_FIRST, _LAST))]
    if _LAST in described:
        order.append(_LAST)

    def read(name: str) -> Any:
        path, annotation = f"data.{name}", described[name].type
        return corrections_reader(path, annotation) if name == "set" else reader(path, annotation)

    return tuple(Field(name, f"data.{name}", described[name].required, read(name)) for name in order)


def _described(struct: type[Struct]) -> dict[str, Any]:
    return {field.name: field for field in msgspec.structs.fields(struct)}
