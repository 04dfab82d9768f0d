"""A request as the record keeps it: all its steps, of which the live state has taken those that are not late.

The live state's course is kept as it was when its last step came, so that it is what the metrics hold; the record's is
that of all steps.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from loket.domain.opening import OpeningHours
from loket.domain.request_corrections import course_as_corrected
from loket.domain.request_course import Course, RequestKind, RequestStep
from loket.domain.request_steps import MAX_REQUEST_IDS, Request

__all__ = ["MAX_RECORD_REQUEST_STEPS", "RequestRecord"]

MAX_RECORD_REQUEST_STEPS: Final = 10_000
"""Steps of one request in the record: what comes beyond them is in the archive alone."""

_PACK: Final = msgspec.msgpack.Encoder()
_UNPACK: Final = msgspec.msgpack.Decoder(Request)


class RequestRecord:
    """One request while its unit is worked on. `kept`: the live state holds it; `is_new`: it has no row yet."""

    def __init__(self, request: Request, *, kept: bool = False, live_ids: int = 0, is_new: bool = True) -> None:
        self.request = request
        self.kept = kept
        self.live_ids = live_ids
        self.is_new = is_new
        self.changed = False

    @classmethod
    def unpack(cls, steps: bytes, *, kept: bool, live_ids: int) -> RequestRecord:
        """The request that a row holds."""
        return cls(_UNPACK.decode(steps), kept=kept, live_ids=live_ids, is_new=False)

    def packed(self) -> bytes:
        """The column `steps`."""
        return _PACK.encode(self.request)

    @property
    def is_forgotten(self) -> bool:
        """Whether the live state held it once and does no more: what comes for it is late."""
        return not self.kept and not self.request.waits

    def begin_live(self) -> None:
        """Be held by the live state, which has forgotten corrections that waited before."""
        request = self.request
        request.steps = [step if step.late else replace(step, late=True) for step in request.steps]
        request.course, self.live_ids = Course(), 0

    def has_correction(self, id_hash: int) -> bool:
        """Whether the live state holds a correction by the hash of its id."""
        return self.kept and any(
            step.hash == id_hash and step.kind == RequestKind.CORRECTED and not step.late for step in self.request.steps
        )

    @property
    def has_late(self) -> bool:
        """Whether the record knows steps that the live state does not."""
        return any(step.late for step in self.request.steps)

    def take_live(self, step: RequestStep, hours: OpeningHours) -> tuple[bool, bool]:
        """Take a step that the live state takes; whether it is new, and whether it only contradicts."""
        request, before = self.request, self.request.course
        request.steps = [
            other for other in request.steps if not (other.late and other.hash == step.hash and _same(other, step))
        ]
        added = request.add(step)
        request.course = course_as_corrected(request.live_steps(), hours)
        self.kept = self.changed = True
        return added, request.course.only_contradicts(before)

    def remember(self) -> bool:
        """Remember an id for the live state, if it has room; whether it had."""
        if self.live_ids >= MAX_REQUEST_IDS:
            return False
        self.live_ids += 1
        return True

    def take_late(self, step: RequestStep) -> bool | None:
        """Take a step that only the record takes; False if it repeats one, None if there is no room for more."""
        if len(self.request.steps) >= MAX_RECORD_REQUEST_STEPS:
            return None
        alike = [] if step.is_told_apart_by_id else [o for o in self.request.steps if _same(o, step)]
        if any(other.hash <= step.hash for other in alike):
            return False
        self.changed = True
        return self.request.add(step) and not alike

    def measure(self, hours: OpeningHours) -> None:
        """Measure the target of an open request by other opening hours."""
        if self.kept and self.request.course.is_open and self.request.course.target_ms is not None:
            self.request.course = course_as_corrected(self.request.live_steps(), hours)
        self.changed = True

    def whole(self, hours: OpeningHours) -> Course:
        """The course of all steps. Of a late one that repeats one that was not the smaller hash stands."""
        if not self.has_late:
            return self.request.course
        steps: list[RequestStep] = []
        for step in self.request.steps:  # in order, so that of what says the same the smaller hash comes first
            if step.is_told_apart_by_id or not any(_same(step, other) for other in steps):
                steps.append(step)
        return course_as_corrected(steps, hours)


def _same(one: RequestStep, other: RequestStep) -> bool:
    """Whether two steps say the same (rule 17)."""
    return one.at == other.at and one.says() == other.says()
