"""A ticket as the record keeps it: all its steps, of which the live state has seen some and may have forgotten some.

```
steps   ──fold──▶ what the record says                                 basis record
  └─ not late, not forgotten ──fold──┐
     forgotten: legs as they were ───┴──▶ what the live figures say    basis live
                                                                       the same: basis both
```

Only where the day never starts does the live state forget legs of a ticket that goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct, field

from loket.domain.closing import forget
from loket.domain.days import Admission, QueueClosing, is_never, service_days
from loket.domain.leg import Leg
from loket.domain.legs import Folded, fold
from loket.domain.policy import UnitPolicy
from loket.domain.steps import Kind, Step, Ticket

__all__ = ["MAX_RECORD_STEPS", "Forgotten", "TicketRecord"]

MAX_RECORD_STEPS: Final = 10_000
"""Steps of one ticket in the record: what a broken device sends beyond them is in the archive alone."""

_PACK: Final = msgspec.msgpack.Encoder()


class Forgotten(Struct, array_like=True):
    """What the live state has forgotten of a ticket: its legs as they then were, and which steps."""

    legs: list[Leg] = field(default_factory=list)
    steps: set[tuple[int, int, int]] = field(default_factory=set)
    contradictions: int = 0
    skewed: int = 0


_TICKET: Final = msgspec.msgpack.Decoder(Ticket)
_FORGOTTEN: Final = msgspec.msgpack.Decoder(Forgotten)


class TicketRecord:
    """One ticket while its unit is worked on. `number` is its row's, None until it has one."""

    __slots__ = ("_live", "changed", "forgotten", "never", "number", "policy", "ticket")

    def __init__(
        self, ticket: Ticket, policy: UnitPolicy, *, number: int | None = None, forgotten: bytes | None = None
    ):
        self.ticket = ticket
        self.policy = policy
        self.never = is_never(policy)
        self.number = number
        self.forgotten = None if forgotten is None else _FORGOTTEN.decode(forgotten)
        self.changed = False
        self._live: Folded | None = None

    @classmethod
    def unpack(cls, number: int, steps: bytes, forgotten: bytes | None, policy: UnitPolicy) -> TicketRecord:
        """The ticket that a row holds."""
        return cls(_TICKET.decode(steps), policy, number=number, forgotten=forgotten)

    def packed(self) -> tuple[bytes, bytes | None]:
        """The columns `steps` and `forgotten` of the ticket's row."""
        return _PACK.encode(self.ticket), None if self.forgotten is None else _PACK.encode(self.forgotten)

    def live_steps(self) -> list[Step]:
        """The steps that the live state holds."""
        if self.forgotten is None:
            return self.ticket.live_steps()
        gone = self.forgotten.steps
        return [step for step in self.ticket.steps if not step.late and _name(step) not in gone]

    def has_late(self) -> bool:
        """Whether some steps are in the record alone."""
        return any(step.late for step in self.ticket.steps)

    def live(self) -> Folded:
        """The fold of the steps that the live state holds."""
        if self._live is None:
            self._live = self._fold(self.live_steps())
        return self._live

    def record(self) -> Folded:
        """The fold of all steps."""
        if self.forgotten is None and not self.has_late():
            return self.live()
        return self._fold(self.ticket.steps)

    def _fold(self, steps: list[Step]) -> Folded:
        if not steps:
            return Folded()
        return fold(steps, self.ticket.day, service_days(self.policy), never=self.never)

    def add_live(self, step: Step) -> bool:
        """Add a step that the live state takes; False if it repeats one. The same event is then late no more."""
        if self.has_late():
            self.ticket.steps = [
                other
                for other in self.ticket.steps
                if not (other.late and other.hash == step.hash and _same(other, step))
            ]
        self._live = None
        self.changed = True
        return self.ticket.add(step)

    def add_late(self, step: Step) -> bool | None:
        """Add a step that only the record takes; False if it repeats one, None if there is no room for more."""
        if len(self.ticket.steps) >= MAX_RECORD_STEPS:
            return None
        if step.kind != Kind.ADDED and any(_same(other, step) for other in self.ticket.steps):
            # The live figures keep what they have; of the two hashes the record takes the smaller by the fold itself.
            smaller = all(step.hash < other.hash for other in self.ticket.steps if _same(other, step))
            if smaller:
                self.changed = True
                self.ticket.add(step)
            return False
        self.changed = True
        return self.ticket.add(step)

    def forget(self, admission: Admission, closings: Mapping[int, Sequence[QueueClosing]]) -> bool:
        """Forget what the live state forgets now that days are closed; whether the live state keeps the ticket."""
        steps = self.live_steps()
        before = self.live()

        over, left = forget(steps, before, closings, admission, self.policy)
        if len(left) == len(steps):
            return True
        forgotten = self.forgotten or Forgotten()
        forgotten.legs.extend(over)
        forgotten.steps.update({_name(step) for step in steps} - {_name(step) for step in left})
        self.forgotten = forgotten
        self._live = None
        after = self.live()
        forgotten.contradictions += before.contradictions - after.contradictions
        forgotten.skewed += before.skewed - after.skewed
        self.changed = True
        return bool(left)


def _name(step: Step) -> tuple[int, int, int]:
    """What tells a step from all others of its ticket: an id that was forgotten may come again for something else."""
    return (step.hash, step.at, step.kind)


def _same(one: Step, other: Step) -> bool:
    """Whether two steps say the same (rule 17)."""
    return (
        one.at == other.at
        and one.kind == other.kind
        and one.from_unit == other.from_unit
        and one.people() == other.people()
    )
