"""One ticket in one unit from an issue until it is closed, and its stretches: what the fold finds (rules 14 to 16)."""

from __future__ import annotations

from msgspec import Struct, field

from loket.domain.steps import EMPTY_SERVICE

COMPLETED = "completed"
NO_SHOW = "no_show"
ABANDONED = "abandoned"
TRANSFERRED = "transferred"
EXPIRED = "expired"
VOIDED = "voided"
OUTCOMES = (COMPLETED, NO_SHOW, ABANDONED, TRANSFERRED)
"""How events end a leg; time alone adds `expired`. A leg that is voided is in no figure."""


class Credit(Struct, frozen=True, array_like=True):
    """A duration (ms) that one employee's own work took: `way`, `service` or `hold`."""

    employee: str
    stage: str
    ms: int


class Work(Struct, frozen=True, array_like=True):
    """An employee's work on one stretch, from and to an instant (ms); `end` None: it still runs.

    `stage`: `way` (his own call until his own start, or a call that still runs), `call` (one that he did not serve),
    `service` or `hold`. `finish` is when a service ended for him, holds after which he went on included; None: it runs.
    `expires` is when time alone ends what no event has ended.
    """

    employee: str
    stage: str
    begin: int
    end: int | None
    finish: int | None = None
    expires: int | None = None


class Stretch(Struct, array_like=True):
    """From an issue or requeue to the next requeue or the end of the leg; instants and durations in ms, None: not so.

    `called_at` is where the wait ended: by a call, else a recall, else the start itself (`called` is then False).
    """

    began_at: int
    wait_from: int
    called_at: int | None = None
    called: bool = False
    caller: str | None = None
    started_at: int | None = None
    service: str = EMPTY_SERVICE
    server: str | None = None
    ended_at: int | None = None
    ended_by: str | None = None
    ender: str | None = None
    held: bool = False
    wait_ms: int = 0
    way_ms: int | None = None
    service_ms: int | None = None
    hold_ms: list[int] = field(default_factory=list)
    lost_ms: int | None = None
    credits: list[Credit] = field(default_factory=list)
    added: list[tuple[str, str | None]] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)


class Leg(Struct, array_like=True):
    """One ticket in one unit from an issue until it is closed. `outcome` None: open, until time alone ends it.

    `service` is the issued one; a leg without an issue has EMPTY_SERVICE and `issued_at` None. `target_ms` is what was
    stored with the issue. `first_at` and `last_at` are its first and last step; where the day never starts a ticket
    expires some time after the last. `opens_at` is the opening from which the wait is judged, if it was issued before.
    """

    day: int
    from_unit: str | None = None
    service: str = EMPTY_SERVICE
    issued_at: int | None = None
    appointment_at: int | None = None
    wait_from: int = 0
    target_ms: int | None = None
    short_ms: int = 0
    early_ms: int = 0
    stretches: list[Stretch] = field(default_factory=list)
    outcome: str | None = None
    ended_at: int | None = None
    completer: str | None = None
    quantity: int = 0
    incomplete: bool = False
    visit: bool = False
    first_called_at: int | None = None
    last_at: int = 0
    contradictions: int = 0
    skewed: int = 0
    first_at: int = 0
    opens_at: int | None = None

    @property
    def judged_from(self) -> int:
        """Where the judged wait starts: with the wait, or where it waits from opening with that, if it is later (9)."""
        return self.wait_from if self.opens_at is None else max(self.wait_from, self.opens_at)

    @property
    def breach_at(self) -> int | None:
        """The instant up to which a call is within the target; None without a target or an issue."""
        if self.target_ms is None or self.issued_at is None:
            return None
        return self.judged_from + self.target_ms

    @property
    def waits(self) -> bool:
        """Open and not called in its last stretch: somebody still waits (or is early)."""
        return self.outcome is None and self.issued_at is not None and self.stretches[-1].called_at is None

    @property
    def earlier_wait_ms(self) -> int:
        """What the person had waited before the last stretch, of the judged wait."""
        opens_at = self.opens_at or 0
        return sum(max(0, stretch.wait_ms - max(0, opens_at - stretch.wait_from)) for stretch in self.stretches[:-1])

    @property
    def observed_wait_ms(self) -> int:
        """All waits of this leg that a call ended."""
        return sum(stretch.wait_ms for stretch in self.stretches if stretch.called_at is not None)

    @property
    def total_ms(self) -> int:
        """The sum of the stages: early, wait, way, service, hold and lost (rule 16)."""
        return self.early_ms + sum(
            stretch.wait_ms
            + (stretch.way_ms or 0)
            + (stretch.service_ms or 0)
            + sum(stretch.hold_ms)
            + (stretch.lost_ms or 0)
            for stretch in self.stretches
        )
