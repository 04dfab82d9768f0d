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
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from loket.documents import DocumentError, Fault, read_bytes
from loket.domain.policy import Policy, ServiceDays, ServicePolicy, Target, UnitPolicy
from loket.targets.reading import ReadTargets, TargetsError, read_targets

__all__ = ["ReloadResult", "TargetsFile", "refusals"]


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
    day, another threshold for short leavers, another wrap-up.
    """
    new = read.policy
    yield from _of_days(in_force.defaults, new.defaults, "defaults", read)
    for unit in sorted(in_force.units.keys() | new.units.keys()):
        path = f"units.{unit}"
        before, after = in_force.unit(unit), new.unit(unit)
        if unit in in_force.units:
            yield from _of_days(before, after, path, read)
        # A unit that comes new may have a zone of its own: its service days are those that it brings.
        days = before if unit in in_force.units else after
        today = ServiceDays(days.zone, days.day_starts_ms).day(now_ms)
        for service in sorted(before.services.keys() | after.services.keys()):
            old, young = before.services.get(service, ServicePolicy()), after.services.get(service, ServicePolicy())
            if (day := _first_difference(old, young, today)) is not None:
                told = (
                    f"the target valid on {date.fromordinal(day)} is another than the one by which people were judged: "
                    f"put the old one back and add a target with `valid_from: {date.fromordinal(today + 1)}` or later, "
                    "or rebuild (docs/targets.md says how)"
                )
                yield _fault(read, f"{path}.services.{service}", told)


def _of_days(before: UnitPolicy, after: UnitPolicy, path: str, read: ReadTargets) -> Iterator[Fault]:
    for key, old, new in (
        ("zone", before.zone, after.zone),
        ("day_starts", before.day_starts_ms, after.day_starts_ms),
        ("short_seconds", before.short_ms, after.short_ms),
        ("wrap_up_seconds", before.wrap_up_ms, after.wrap_up_ms),
    ):
        if old != new:
            told = (
                f"`{key}` changes, by which people were counted already: put the old one back, or rebuild "
                "(docs/targets.md says how)"
            )
            yield _fault(read, path, told)


def _first_difference(old: ServicePolicy, new: ServicePolicy, today: int) -> int | None:
    """The first service day up to today on which the two promise something else."""
    for day in sorted({target.valid_from for target in (*old.targets, *new.targets) if target.valid_from <= today}):
        if _promise(old.target(day)) != _promise(new.target(day)):
            return day
    return None


def _promise(target: Target | None) -> tuple[int, float] | None:
    return None if target is None else (target.within_ms, target.objective)


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
