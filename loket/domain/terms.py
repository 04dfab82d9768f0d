"""What a unit's people were counted and judged by: kept with its state, so that a restart changes no past (rule 10).

A running process refuses a file that says something else of days that have begun. This tells the same of a file that
was changed while no process ran.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from loket.domain.policy import ServicePolicy, Target, UnitPolicy

__all__ = ["Terms", "differences", "terms_of"]


class Terms(Struct, frozen=True, array_like=True):
    """Of a unit of the targets: its days, its thresholds (ms), and each service's targets as (from, ms, share)."""

    zone: str
    day_starts_ms: int | None
    short_ms: int
    wrap_up_ms: int
    targets: dict[str, list[tuple[int, int, float]]]
    waits_from_opening: bool = False
    close_after_ms: int | None = None


def terms_of(policy: UnitPolicy) -> Terms | None:
    """The terms of a policy; None for a unit that no target names, as a later file may name it."""
    if not policy.known:
        return None
    return Terms(
        policy.zone,
        policy.day_starts_ms,
        policy.short_ms,
        policy.wrap_up_ms,
        {
            name: [(target.valid_from, target.within_ms, target.objective) for target in service.targets]
            for name, service in policy.services.items()
            if service.targets
        },
        policy.waits_from_opening,
        policy.close_after_ms,
    )


def differences(before: Terms, policy: UnitPolicy, day: int) -> Iterator[str]:
    """What a policy says otherwise than the terms up to a service day, by the names of `targets.yaml`."""
    for name, old, new in (
        ("zone", before.zone, policy.zone),
        ("day_starts", before.day_starts_ms, policy.day_starts_ms),
        ("short_seconds", before.short_ms, policy.short_ms),
        ("wrap_up_seconds", before.wrap_up_ms, policy.wrap_up_ms),
        ("wait_starts", before.waits_from_opening, policy.waits_from_opening),
        ("close_after", before.close_after_ms, policy.close_after_ms),
    ):
        if old != new:
            yield name
    for service in sorted(before.targets.keys() | policy.services.keys()):
        old_targets = ServicePolicy(targets=tuple(Target(*told) for told in before.targets.get(service, ())))
        new_targets = policy.services.get(service, ServicePolicy())
        begins = {t.valid_from for t in (*old_targets.targets, *new_targets.targets) if t.valid_from <= day}
        if any(old_targets.target(begin) != new_targets.target(begin) for begin in begins):
            yield f"services.{service}"
