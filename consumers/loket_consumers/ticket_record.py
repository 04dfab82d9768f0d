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

from typing import Final

import msgspec
from msgspec import Struct, field

from loket.domain.closing import forget
from loket.domain.contribution import contributions
from loket.domain.days import Admission, is_never, service_days
from loket.domain.leg import Leg
from loket.domain.legs import Folded, fold
from loket.domain.policy import UnitPolicy
from loket.domain.steps import MAX_IDS, Kind, Step, Ticket
from loket.domain.unit import Applied

__all__ = ["MAX_RECORD_STEPS", "Forgotten", "TicketRecord", "TicketRow", "Verdict"]

MAX_RECORD_STEPS: Final = 10_000
"""Steps of one ticket in the record: what a broken device sends beyond them is in the archive alone."""

_TAKES_BACK: Final = frozenset({Kind.ISSUED, Kind.REQUEUED, Kind.VOIDED, Kind.CORRECTED})
"""What may take contradictions of earlier steps away."""

_PACK: Final = msgspec.msgpack.Encoder()
_PACK_SORTED: Final = msgspec.msgpack.Encoder(order="deterministic")
"""A set of steps is the same in whatever batches they came."""


class Forgotten(Struct, array_like=True):
    """What the live state has forgotten of a ticket: its legs as they then were, and which steps."""

    legs: list[Leg] = field(default_factory=list)
    steps: set[tuple[int, int, int]] = field(default_factory=set)
    contradictions: int = 0
    skewed: int = 0


_TICKET: Final = msgspec.msgpack.Decoder(Ticket)
_FORGOTTEN: Final = msgspec.msgpack.Decoder(Forgotten)


class TicketRow(Struct, frozen=True):
    """What the row of a ticket holds of it. `live_ids`: how many ids the live state remembers of it."""

    number: int
    steps: bytes
    forgotten: bytes | None
    live_ids: int
    live_contradictions: int


class Verdict(Struct):
    """What became of a step live and in the record; of a step that was taken it is final once `decide` was called."""

    result: str
    recorded: str


class TicketRecord:
    """One ticket while its unit is worked on. `number` is its row's, None until it has one.

    Steps are taken without a fold; `decide` folds once, and only where that leaves a doubt once for each step, to tell
    which of them changed nothing (rule 12: a contradiction).
    """

    def __init__(self, ticket: Ticket, policy: UnitPolicy) -> None:
        self.ticket = ticket
        self.policy = policy
        self.never = is_never(policy)
        self.number: int | None = None
        self.forgotten: Forgotten | None = None
        self.live_ids = 0
        self.changed = False
        self._has_late = False
        self._live: Folded | None = None
        self._contradictions = 0
        self._before: list[Step] = []
        self._undecided: list[tuple[Step, Verdict]] = []
        self._in_order = True

    @classmethod
    def unpack(cls, row: TicketRow, policy: UnitPolicy) -> TicketRecord:
        """The ticket that a row holds."""
        record = cls(_TICKET.decode(row.steps), policy)
        record.number = row.number
        record.live_ids = row.live_ids
        record._has_late = any([step.late for step in record.ticket.steps])  # noqa: C419 (a list is half as slow)
        record._contradictions = row.live_contradictions
        if row.forgotten is not None:
            record.forgotten = _FORGOTTEN.decode(row.forgotten)
            record._contradictions -= record.forgotten.contradictions
        return record

    def packed(self) -> tuple[bytes, bytes | None]:
        """The columns `steps` and `forgotten` of the ticket's row."""
        return _PACK.encode(self.ticket), None if self.forgotten is None else _PACK_SORTED.encode(self.forgotten)

    def live_steps(self) -> list[Step]:
        """The steps that the live state holds."""
        if self.forgotten is not None:
            gone = self.forgotten.steps
            return [step for step in self.ticket.steps if not step.late and _name(step) not in gone]
        return self.ticket.live_steps() if self._has_late else self.ticket.steps

    def live(self) -> Folded:
        """The fold of the steps that the live state holds."""
        if self._live is None:
            self._live = self._fold(self.live_steps())
        return self._live

    def record(self) -> Folded:
        """The fold of all steps."""
        return self.live() if self.forgotten is None and not self._has_late else self._fold(self.ticket.steps)

    def _fold(self, steps: list[Step]) -> Folded:
        if not steps:
            return Folded()
        return fold(steps, self.ticket.day, service_days(self.policy), never=self.never)

    def take_live(self, step: Step, verdict: Verdict) -> None:
        """Take a step that the live state takes. If the same event was late before, it is no more."""
        steps = self.ticket.steps
        if not self._undecided:
            self._before = list(steps)
        if steps and (self._has_late or step.kind in _TAKES_BACK or step.order() < steps[-1].order()):
            self._in_order = False
        if not self._add(step):
            self._in_order = False
            verdict.result = verdict.recorded = Applied.DUPLICATE
        self._undecided.append((step, verdict))

    def _add(self, step: Step) -> bool:
        """Put a step in its place; False if it repeats another."""
        if self._has_late:
            self.ticket.steps = [
                other
                for other in self.ticket.steps
                if not (other.late and other.hash == step.hash and _same(other, step))
            ]
            self._has_late = any(other.late for other in self.ticket.steps)
        self._live = None
        self.changed = True
        return self.ticket.add(step)

    def decide(self) -> None:
        """Tell of each step taken since the last time whether it changed nothing because another stood."""
        if not self._undecided:
            return
        after = self.live().contradictions
        # Steps that come in order only ever add contradictions: where there are none more, none of them was one.
        if not self._in_order or after != self._contradictions:
            self._replay()
        self._contradictions = after
        self._undecided.clear()
        self._in_order = True

    def _replay(self) -> None:
        again = TicketRecord(Ticket(self.ticket.subject, self.ticket.day, self._before), self.policy)
        again.forgotten = self.forgotten
        again._has_late = any(step.late for step in self._before)
        for step, verdict in self._undecided:
            before = again.live()
            if again._add(step):
                after = again.live()
                if after.contradictions > before.contradictions and _equal(before, after):
                    verdict.result = verdict.recorded = Applied.CONTRADICTION

    def remember(self, id_hash: int, content: int) -> bool:
        """Remember an id for the live state, if it has room; whether it had."""
        if self.never:  # where ids are forgotten with the steps, and not with the day
            return self.ticket.remember(id_hash, content)
        if self.live_ids >= MAX_IDS:
            return False
        self.live_ids += 1
        return True

    def take_late(self, step: Step) -> bool | None:
        """Take a step that only the record takes; False if it repeats one, None if there is no room for more."""
        if len(self.ticket.steps) >= MAX_RECORD_STEPS:
            return None
        by_id = step.kind in (Kind.ADDED, Kind.CORRECTED)
        alike = [other for other in self.ticket.steps if not by_id and _same(other, step)]
        if not alike or all(step.hash < other.hash for other in alike):  # the smallest stands
            self._has_late = self.changed = True
            added = self.ticket.add(step)
            return added and not alike
        return False

    def forget(self, admission: Admission) -> bool:
        """Forget what the live state forgets now that days are closed; whether the live state keeps the ticket."""
        self.decide()
        steps = self.live_steps()
        before = self.live()
        over, left = forget(steps, before, admission, self.policy)
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
        self._contradictions = after.contradictions
        self.changed = True
        return bool(left)


def _equal(one: Folded, other: Folded) -> bool:
    return contributions(one.legs) == contributions(other.legs)


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
        and (one.kind != Kind.VOIDED or one.number == other.number)
    )
