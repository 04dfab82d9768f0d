"""The targets in force while a process runs: read again when the file changes, refused where the past would change.

```
          file unchanged ──────────────────────────────▶ the policy in force, the last verdict
reload ─▶ file gone, not YAML, wrong ──▶ refused ──────▶ the policy in force stays
          a target already valid differs ─▶ refused ───▶ the policy in force stays      (rule 10)
          else ────────────────────────────────────────▶ the new policy is in force
```
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from loket.documents import DocumentError, Fault, read_bytes
from loket.domain.calendar import ALWAYS_VALID, Calendar
from loket.domain.policy import Policy, ServiceDays, ServicePolicy, Target, Turnaround, UnitPolicy
from loket.targets.reading import ReadTargets, TargetsError, read_targets

__all__ = ["ReloadResult", "TargetsFile", "refusals"]

DAYS_COMPARED: Final = 800
"""Days before today whose hours are compared where the week has changed."""


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """What a look at the file came to: `policy` is in force, `error` says why the file's own content is not."""

    policy: Policy
    changed: bool
    error: TargetsError | None = None

    @property
    def valid(self) -> bool:
        """Whether the file as it is now is in force."""
        return self.error is None


class TargetsFile:
    """`targets.yaml` of a running process. Without a path: the defaults, for ever.

    Raises TargetsError at once if the file cannot be read or is wrong: a process does not start on targets that it does
    not have. Later the last good policy stays in force.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._error: TargetsError | None = None
        self._seen: tuple[int, ...] | None = None
        self._digest = b""
        self.policy = Policy()
        if path is not None:
            self._seen = _identity(path)
            content = _content(path)
            self.policy = read_targets(str(path), content).policy
            self._digest = _digest(content)

    def reload(self, now_ms: int) -> ReloadResult:
        """Look at the file, and take it if it is right and changes nothing that is already valid at `now_ms`.

        Cheap where the file did not change: a call every few seconds costs one `stat`.
        """
        path = self._path
        if path is None:
            return ReloadResult(self.policy, changed=False)
        # Taken before the content, so that a file written while it is read is looked at again.
        seen = _identity(path)
        if seen is not None and seen == self._seen:
            return ReloadResult(self.policy, changed=False, error=self._error)
        self._seen = seen
        try:
            content = _content(path)
            digest = _digest(content)
            if digest == self._digest:  # touched, or back to what is in force
                self._error = None
                return ReloadResult(self.policy, changed=False)
            read = read_targets(str(path), content)
            if faults := list(refusals(self.policy, read, now_ms)):
                raise TargetsError(str(path), faults)
        except TargetsError as error:
            self._error = error
            return ReloadResult(self.policy, changed=False, error=error)
        self._error = None
        self._digest = digest
        changed = read.policy != self.policy
        self.policy = read.policy
        return ReloadResult(self.policy, changed=changed)


def refusals(in_force: Policy, read: ReadTargets, now_ms: int) -> Iterator[Fault]:
    """What of a new file may not be taken while the process runs, as the tickets counted so far were judged by the old.

    Those are: another target on any service day up to the present one of the unit, another zone, another start of the
    day, another threshold for short leavers, another wrap-up, another begin of judged waits or end of the queue after
    the hours, and other hours of a day that was or is.
    """
    new = read.policy
    yield from _of_days(in_force.defaults, new.defaults, "defaults", read, now_ms)
    for unit in sorted(in_force.units.keys() | new.units.keys()):
        path = f"units.{unit}"
        before, after = in_force.unit(unit), new.unit(unit)
        if unit in in_force.units:
            yield from _of_days(before, after, path, read, now_ms)
        # A unit that comes new may have a zone of its own: its service days are those that it brings.
        days = before if unit in in_force.units else after
        today = ServiceDays(days.zone, days.day_starts_ms).day(now_ms)
        for service in sorted(before.services.keys() | after.services.keys()):
            service_path = f"{path}.services.{service}"
            old, young = before.services.get(service, ServicePolicy()), after.services.get(service, ServicePolicy())
            for what, one, other in (
                ("target", old.targets, young.targets),
                ("turnaround target", old.turnarounds, young.turnarounds),
            ):
                if (day := _first_difference(one, other, today)) is not None:
                    told = (
                        f"the {what} valid on {date.fromordinal(day)} is another than the one by which people were "
                        f"judged: put the old one back and add a target with `valid_from: "
                        f"{date.fromordinal(today + 1)}` or later, or rebuild (docs/targets.md says how)"
                    )
                    yield _fault(read, service_path, told)


def _of_days(before: UnitPolicy, after: UnitPolicy, path: str, read: ReadTargets, now_ms: int) -> Iterator[Fault]:
    for key, old, new in (
        ("zone", before.zone, after.zone),
        ("day_starts", before.day_starts_ms, after.day_starts_ms),
        ("short_seconds", before.short_ms, after.short_ms),
        ("wrap_up_seconds", before.wrap_up_ms, after.wrap_up_ms),
        ("wait_starts", before.waits_from_opening, after.waits_from_opening),
        ("close_after", before.close_after_ms, after.close_after_ms),
    ):
        if old != new:
            told = (
                f"`{key}` changes, by which people were counted already: put the old one back, or rebuild "
                "(docs/targets.md says how)"
            )
            yield _fault(read, path, told)

    if before.calendar != after.calendar:
        today = ServiceDays(before.zone, before.day_starts_ms).day(now_ms)
        if (day := first_other_hours(before.calendar, after.calendar, today)) is not None:
            told = (
                f"the hours of {date.fromordinal(day)} change, by which people were judged already: put the old ones "
                f"back, and write new ones from {date.fromordinal(today + 1)} on as a schedule or an exception; a hall "
                "that closes today tells it by `queue.closed`; or rebuild (docs/targets.md says how)"
            )
            yield _fault(read, path, told)


@lru_cache(maxsize=1_024)
def first_other_hours(before: Calendar, after: Calendar, today: int) -> int | None:
    """The first day up to today with other hours, of the last DAYS_COMPARED and of all with hours of their own."""
    days = set(range(today - DAYS_COMPARED, today + 1))
    for calendar in (before, after):
        days.update(day for day, _ in calendar.exceptions)
        days.update(schedule.valid_from for schedule in calendar.schedules if schedule.valid_from > ALWAYS_VALID)
    days |= before.holidays ^ after.holidays | before.ramadan ^ after.ramadan
    exceptions = [dict(calendar.exceptions) for calendar in (before, after)]
    for day in sorted(day for day in days if 0 < day <= today):
        old, new = (
            own[day] if day in own else calendar.usual(day)
            for own, calendar in zip(exceptions, (before, after), strict=True)
        )
        if old != new:
            return day
    return None


def _first_difference(old: Sequence[Target | Turnaround], new: Sequence[Target | Turnaround], today: int) -> int | None:
    """The first service day up to today on which the two promise something else."""
    for day in sorted({promise.valid_from for promise in (*old, *new) if promise.valid_from <= today}):
        if _in_force(old, day) != _in_force(new, day):
            return day
    return None


def _in_force(promises: Sequence[Target | Turnaround], day: int) -> object:
    """What is promised on a day, whatever the day from which it is."""
    found = [promise for promise in promises if promise.valid_from <= day]
    return replace(found[-1], valid_from=0) if found else None


def _fault(read: ReadTargets, path: str, told: str) -> Fault:
    # What was taken out has no place of its own: the fault stands where its unit stands.
    place = path
    while place and place not in read.places:
        place = place.rpartition(".")[0]
    line, column = read.places.get(place, (0, 0))
    return Fault(line, column, path, told)


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    # The inode and the time of its change too: a mounted configuration is swapped by a link, with times of its own.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except DocumentError as error:
        raise TargetsError(error.file, error.faults) from error


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
