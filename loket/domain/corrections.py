"""The steps of a ticket as they are after corrections: what is folded (`event.corrected`).

steps as they were told ─┬─ corrections: of several of one event the latest stands ─┐
                         └─ the others ──────────────── fields replaced ────────────┴─▶ steps that count

What was told is kept, so that a correction may come before what it corrects, and a later one may take its place.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from loket.domain.policy import ServiceDays
from loket.domain.said import Correction, is_believable, standing
from loket.domain.steps import NEVER_BUCKET, Kind, Step, Ticket

__all__ = ["corrected", "counts_at", "is_corrected"]

_AT_COUNTER: Final = frozenset(
    {
        Kind.CALLED,
        Kind.RECALLED,
        Kind.STARTED,
        Kind.HELD,
        Kind.RESUMED,
        Kind.COMPLETED,
        Kind.REQUEUED,
        Kind.TRANSFERRED,
        Kind.NO_SHOW,
    }
)
_BY_NAME: Final[dict[str, frozenset[Kind]]] = {
    "counter": _AT_COUNTER,
    "employee": _AT_COUNTER | {Kind.ADDED},
    "service": frozenset({Kind.ISSUED, Kind.STARTED, Kind.ADDED}),
    "from_unit": frozenset(Kind) - {Kind.CORRECTED},
}
_REQUIRED: Final = frozenset({Kind.ISSUED, Kind.ADDED})
"""Kinds of steps that are none without a service."""


def is_corrected(steps: list[Step]) -> bool:
    """Whether there is a correction among the steps of a ticket."""
    return any([step.kind == Kind.CORRECTED for step in steps])  # noqa: C419 (a list is half as slow)


def corrected(steps: list[Step], day: int, days: ServiceDays, *, never: bool) -> tuple[list[Step], int]:
    """The steps that count, in their order, and how many corrections of them changed nothing because another stood, or
    because they would have moved an event to another service day, or to when it cannot have been."""
    said = standing((step, step.says) for step in steps if step.says is not None)
    found = Ticket("", day)
    contradictions: dict[int, int] = {}
    for step in steps:
        if step.kind == Kind.CORRECTED:
            continue
        told = said.get(step.hash)
        meant = step
        if told is not None:
            by, correction, others = told
            meant = _corrected(step, by, correction)
            is_refused = meant.at != step.at and not _may_move(step, meant.at, by.at, days, never=never)
            if is_refused:
                meant = step
            contradictions[step.hash] = others + is_refused
        found.add(meant)
    return found.steps, sum(contradictions.values())


def _may_move(step: Step, to: int, said_at: int, days: ServiceDays, *, never: bool) -> bool:
    return is_believable(to, said_at) and (never or days.day(to) == days.day(step.at))


def counts_at(steps: list[Step], step: Step, day: int, days: ServiceDays) -> int:
    """The instant (ms) at which a step of a ticket counts, which may be corrected."""
    if not is_corrected(steps):
        return step.at
    found, _ = corrected(steps, day, days, never=day == NEVER_BUCKET)
    return next((meant.at for meant in found if meant.hash == step.hash), step.at)


def _corrected(step: Step, by: Step, said: Correction) -> Step:
    """A step as a correction says it; what its type does not know is left."""
    kind = Kind(step.kind)
    changes: dict[str, Any] = {
        name: value
        for name, value in said.set.items()
        if kind in _BY_NAME.get(name, ()) and not (name == "service" and value is None and kind in _REQUIRED)
    }
    if "time" in said.set:
        changes["at"] = said.set["time"]
    if kind == Kind.ISSUED:
        if "appointment_at" in said.set:
            changes["number"] = said.set["appointment_at"]
        if "service" in changes:
            changes["target_ms"], changes["short_ms"] = by.target_ms, by.short_ms
        if "at" in changes:
            changes["opens_at"] = by.opens_at
    if kind == Kind.COMPLETED and "quantity" in said.set:
        changes["number"] = said.set["quantity"]
    return replace(step, **changes) if changes else step
