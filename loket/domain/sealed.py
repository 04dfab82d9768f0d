"""Full pages of closed tickets, kept as their records were written: packed, and opened when somebody asks for a ticket.

```
closed tickets, packed one by one ──page is full and written──▶ sealed: one value, as it lies in the changelog
             ▲                                                    │
             └──────────── an event is of one of them ────────────┘
```

Which page a ticket is in is told by the hash of its subject, and by the page itself. A page with an open ticket is not
sealed, and none where the day never starts, as tickets there are forgotten one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from loket.domain.ids import Ids
from loket.domain.steps import Ticket
from loket.errors import LoketError

if TYPE_CHECKING:
    from loket.domain.state import PageKey, TicketKey, UnitState

__all__ = [
    "Glance",
    "RecordError",
    "Sealed",
    "drop_sealed",
    "glances",
    "seal",
    "seal_again",
    "sealed_of",
    "sealed_pages",
    "tickets_in",
    "unseal",
]

_64_BITS: Final = 2**64 - 1
_ENCODER: Final = msgspec.msgpack.Encoder()


class RecordError(LoketError):
    """A unit's records cannot be read: the state must be rebuilt from the log. Carries the unit and the reason."""

    def __init__(self, unit: str, reason: str) -> None:
        super().__init__(f"the state of unit {unit!r} cannot be read: {reason}; it has to be rebuilt from the log")
        self.unit = unit
        self.reason = reason


class Sealed(Struct, gc=False):
    """A page as it was written, to be unpacked by the state's `unpack`.

    `firsts` and `spans` keep what was found of its tickets and is costly to find, packed.
    """

    packed: bytes
    firsts: bytes | None = None
    spans: bytes | None = None


class Glance(Struct, array_like=True):
    """What has to be known of a ticket whose page stays sealed."""

    subject: str
    day: int
    steps: Raw
    ids: list[int]
    other_services: Raw
    other_employees: Raw
    page: int


_GLANCES: Final = msgspec.msgpack.Decoder(list[Glance])
_TICKETS: Final = msgspec.msgpack.Decoder(list[Ticket])

glances: Final[Callable[[bytes], list[Glance]]] = _GLANCES.decode


def seal(state: UnitState, page: PageKey, packed: bytes) -> None:
    """Keep a page as it was written, in place of its tickets, all of which are closed."""
    keys = state.pages[page]
    known = state.subjects.get(page[0])
    hashes = {hash(subject) & _64_BITS for _, subject in keys}
    if len(hashes) < len(keys) or (known is not None and any([known.get(one) is not None for one in hashes])):  # noqa: C419
        return  # two subjects have one hash: the page stays open
    for key in keys:
        del state.tickets[key]
        state.firsts.pop(key, None)
        for kept in state.spans.values():
            kept.pop(key, None)
    _keep(state, page, packed, hashes)


def seal_again(state: UnitState, page: PageKey, packed: bytes, subjects: list[str], known: set[int]) -> bool:
    """Put a page that was read back into a state, sealed; False if it has to be opened: two subjects have one hash.

    `known`: the hashes of the day's subjects in other sealed pages; those of this one are added.
    """
    hashes = {hash(subject) & _64_BITS for subject in subjects}
    if len(hashes) < len(subjects) or not known.isdisjoint(hashes):
        return False
    known |= hashes
    _keep(state, page, packed, hashes)
    return True


def _keep(state: UnitState, page: PageKey, packed: bytes, hashes: set[int]) -> None:
    found = state.subjects.get(page[0])
    if found is None:
        found = state.subjects[page[0]] = Ids()
    found.take([number for one in hashes for number in (one, page[1])])
    state.pages[page] = []
    state.sealed[page] = Sealed(packed)


def sealed_of(state: UnitState, key: TicketKey) -> PageKey | None:
    """The sealed page that a ticket is in, if it is in one; or that one with a subject of the same hash is in."""
    subjects = state.subjects.get(key[0])
    number = None if subjects is None else subjects.get(hash(key[1]) & _64_BITS)
    return None if number is None else (key[0], number)


def tickets_in(state: UnitState, page: PageKey) -> list[Ticket]:
    """The tickets of a sealed page, which stays sealed. Raises RecordError where what was read back makes no sense."""
    try:
        return _TICKETS.decode(state.unpack(state.sealed[page].packed))
    except (msgspec.MsgspecError, ValueError) as error:
        raise RecordError(state.unit, f"its page {page[0]}.{page[1]} makes no sense ({error})") from error


def unseal(state: UnitState, page: PageKey) -> None:
    """Keep the tickets of a page one by one again."""
    tickets = tickets_in(state, page)
    del state.sealed[page]
    subjects = state.subjects[page[0]]
    state.pages[page] = [(page[0], ticket.subject) for ticket in tickets]
    for key, ticket in zip(state.pages[page], tickets, strict=True):
        subjects.discard(hash(key[1]) & _64_BITS)
        state.tickets[key] = _ENCODER.encode(ticket)


def drop_sealed(state: UnitState, day: int) -> None:
    """Forget the sealed pages of a day."""
    state.subjects.pop(day, None)
    for page in [page for page in state.sealed if page[0] == day]:
        del state.sealed[page]


def sealed_pages(state: UnitState, day: int) -> Iterator[tuple[PageKey, Sealed]]:
    """The sealed pages of a day."""
    for page, sealed in state.sealed.items():
        if page[0] == day:
            yield page, sealed
