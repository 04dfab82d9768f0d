"""The assigned partitions: the units of each, how far it is read, and what of it is safe.

```
assign ──▶ loading ──install──▶ loaded ──seek──▶ reading ──end found at the assignment applied──▶ ready
             ▲   (changelog read)                   │  ▲
             └────── fresh ─── assign ◀─────────────┘  └── kept: in the next generation too, nothing is loaded again
```

All offsets here are the next to read, apply or write: everything below is done. What reads this from another thread
(the exporter) holds `lock` while it looks into a unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from threading import RLock

from loket.domain.policy import Policy, UnitPolicy
from loket.domain.requesting import follow
from loket.domain.state import OTHER, UnitState
from loket_streams.errors import GapError, RecoveryError, RetentionError, TruncatedError
from loket_streams.fetching import Found
from loket_streams.strangers import policy_of_others

__all__ = ["Partition", "Partitions"]


class Partition:
    """One assigned partition of the source topic, with the units whose events it carries."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.units: dict[str, UnitState] = {}
        self.strangers = 0
        """Units of these that no target names."""

        self.dirty: set[str] = set()
        """Units that changed since their records were last written."""

        self.loaded = False
        """Whether the changelog is read and `units` holds what it says."""

        self.next: int | None = None
        """The next offset to apply; None until the positions are set."""

        self.durable: int | None = None
        """Every event below is contained in records that Kafka has acknowledged; what is committed."""

        self.end: int | None = None
        """The end offset of the source found when the partition was assigned."""

        self.ready = False
        """Whether everything below `end` has been applied, so that the units may be exported."""

        self.received: int | None = None
        """`received` (rule 3) of the last applied record, in ms."""

        self.record_ms: int | None = None
        """The broker's time of the last applied record, in ms."""

        self.changelog_next = 0
        """The offset that the next record written to the changelog should get, if nobody else writes."""

        self.checkpoint_ms: int | None = None
        """When (wall time, ms) the state that Kafka has was taken; None before the first checkpoint."""

    def advance(self, next: int) -> None:
        """Note that everything below `next` is applied."""
        self.next = next
        if not self.ready and self.end is not None and next >= self.end:
            self.ready = True

    def mark(self, units: Iterable[str]) -> None:
        """Have the records of these units written by the next checkpoint."""
        self.dirty.update(units)


class Partitions:
    """All partitions of the source topic that are assigned to this worker, and the policy that their units follow."""

    def __init__(
        self, topic: str, policy: Policy, *, accept_lost_events: bool = False, unit_budget: int | None = None
    ) -> None:
        self.topic = topic
        self.policy = policy
        self.unit_budget = unit_budget
        """How many units of a partition that no target names have a state of their own; None: all, as in a replay."""

        self.lock = RLock()
        self.assigned: dict[int, Partition] = {}
        self.generations = 0
        """Assignments so far, the first included."""

        self._accept_lost_events = accept_lost_events
        self._member: tuple[str, int] | None = None

    def __iter__(self) -> Iterator[Partition]:
        return iter(list(self.assigned.values()))

    @property
    def member(self) -> tuple[str, int] | None:
        """The group's name for this member and the generation of its assignment; None before the first."""
        return self._member

    def get(self, number: int) -> Partition | None:
        """Return an assigned partition."""
        return self.assigned.get(number)

    def assign(self, numbers: Iterable[int], member: str, generation: int) -> None:
        """Take over a new assignment: a partition is kept if nobody else can have had it in between, else begun anew.

        Nobody can where this member took part in the generation before under the same name. Partitions that are not
        assigned are forgotten, with all that was known of them.
        """
        in_sequence = self._member is not None and self._member == (member, generation - 1)
        self._member = (member, generation)
        self.generations += 1
        with self.lock:
            before = self.assigned
            self.assigned = {}
            for number in sorted(numbers):
                known = before.get(number)
                is_kept = in_sequence and known is not None and known.loaded and known.next is not None
                self.assigned[number] = known if is_kept and known is not None else Partition(number)

    def install(
        self, number: int, units: Mapping[str, UnitState], *, dirty: Iterable[str], changelog_next: int
    ) -> None:
        """Put in what the changelog says of a partition that was begun anew."""
        partition = self.assigned[number]
        with self.lock:
            partition.units = dict(units)
            partition.strangers = _strangers(partition)
            partition.dirty = set(dirty)
            partition.changelog_next = changelog_next
            partition.loaded = True

    def seek(self, found: Mapping[int, Found]) -> Mapping[int, int]:
        """Decide where each partition is read on from, and what has to be applied before it is ready.

        Raises RetentionError where events were removed unread, TruncatedError where the log ends before what the state
        contains.
        """
        return {number: self._seek(number, there) for number, there in found.items()}

    def _seek(self, number: int, found: Found) -> int:
        partition = self.assigned[number]
        if not partition.loaded:
            raise RecoveryError(self.topic, number, "its units were not recovered before it is read")
        contained = max((state.offset + 1 for state in partition.units.values()), default=0)
        wanted = partition.next
        if wanted is None:
            # Without a committed offset: a first start, or one that ended before its first commit. Then the topic still
            # has everything that the state contains, or must not be read on from its beginning.
            wanted = found.committed if found.committed is not None else min(found.begin, contained)
        elif found.committed is not None and found.committed > wanted:
            raise GapError(self.topic, number, wanted, found.committed)
        if max(wanted, contained) > found.end:
            raise TruncatedError(self.topic, number, max(wanted, contained), found.end)
        if wanted < found.begin:
            if (found.committed is not None or contained) and not self._accept_lost_events:
                raise RetentionError(self.topic, number, wanted, found.begin)
            wanted = found.begin
        if partition.durable is None:
            partition.durable = wanted
        if not partition.ready:
            partition.end = found.end
        partition.advance(wanted)
        return wanted

    def policy_of(self, unit: str) -> UnitPolicy:
        """What a unit's state follows."""
        if unit == OTHER and self.unit_budget is not None:
            return policy_of_others(self.policy.defaults)
        return self.policy.unit(unit)

    def state_for(self, partition: Partition, unit: str) -> UnitState:
        """The state to which a unit's events go: its own, or beyond the budget the one of all others (`OTHER`)."""
        state = partition.units.get(unit)
        if state is not None:
            return state
        if unit not in self.policy.units and unit != OTHER:
            if self.unit_budget is not None and partition.strangers >= self.unit_budget:
                return self.state_for(partition, OTHER)
            partition.strangers += 1
        state = partition.units[unit] = UnitState(unit, self.policy_of(unit))
        return state

    def durable(self, partition: int) -> int | None:
        """Return the offset that may be committed for a partition, or None while there is none."""
        known = self.assigned.get(partition)
        return known.durable if known is not None and known.loaded else None

    def follow(self, policy: Policy) -> None:
        """Have all units follow a policy that was read anew."""
        with self.lock:
            self.policy = policy
            for partition in self:
                for unit, state in partition.units.items():
                    follow(state, self.policy_of(unit))
                partition.strangers = _strangers(partition)

    @property
    def ready(self) -> bool:
        """Whether every assigned partition is ready; without any, whether there was an assignment at all."""
        return self.generations > 0 and all(partition.ready for partition in self)


def _strangers(partition: Partition) -> int:
    return sum(not state.policy.known and state.unit != OTHER for state in partition.units.values())
