"""Units that no target names, beyond the budget of units: one state, `other`, tallies all of a partition's (events.md).

A broken device that invents units fills neither memory nor the changelog; SQL keeps the names. Who has a state of its
own keeps it: units of the targets always have one, of others those that came first in the log.

In the state of the others the subject, the id and the employee of an event carry their unit in front, so that two units
that hand out the same number never share a ticket. All other names are tallied as `other`.

Not promised: a worker that is killed between a checkpoint and its commit, and started with targets that now name one of
the others, counts what that unit sent in those seconds twice in the live figures.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from loket.domain.events import Event, QueueClosed
from loket.domain.policy import Budget, UnitPolicy

__all__ = ["among_others", "policy_of_others"]

NOBODY: Final = Budget(services=0, employees=0, counters=0, sources=0)
"""No name has a label of its own."""


def policy_of_others(defaults: UnitPolicy) -> UnitPolicy:
    """What the state of the others follows: the defaults, as each of its units would, and no label but `other`."""
    return replace(defaults, budget=NOBODY, known=False)


def among_others(event: Event) -> Event | None:
    """The event as the state of the others takes it, or None for what would reach the other units in it.

    `queue.closed` ends waits of its unit: here it would end those of all. The day's end does it, and the record knows.
    """
    if isinstance(event, QueueClosed):
        return None
    unit, data = event.data.unit, event.data
    employee = getattr(data, "employee", None)
    if employee is not None:
        data = replace(data, employee=_of(unit, employee))
    subject = event.subject if event.subject is None else _of(unit, event.subject)
    return replace(event, id=_of(unit, event.id), subject=subject, data=data)


def _of(unit: str, name: str) -> str:
    """A name that no two units share: a zero byte is in no id (events.md)."""
    return f"{unit}\0{name}"
