"""What becomes of the documents that an office's visitors ask for, long after the visit: in a minute here.

```
submitted ─▶ accepted ─▶ worked ─▶ (suspended ─▶ resumed) ─▶ worked ─▶ completed ─▶ (reopened ─▶ completed)
                                        └─▶ cancelled
```
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Final

from loket.domain import events as facts
from loket.domain.policy import SECOND
from loket.simulator.agenda import Agenda
from loket.simulator.devices import Devices

__all__ = ["Papers"]

_SOURCE: Final = "berkas"
_EMPLOYEES: Final = ("pgw-301", "pgw-302")
_ODDITIES: Final = {1: "suspended", 3: "refused", 4: "cancelled", 6: "reopened"}
"""What becomes of the first, third, … request of an office, so that each can be seen soon; then one in so many."""

_EVERY: Final = 8
_ANSWERS: Final = (1, 2, 3, 3, 3, 4, 4, 4)


@dataclass(slots=True, eq=False)
class Papers:
    """The back office of one unit."""

    unit: str
    agenda: Agenda
    devices: Devices
    random: Random
    _asked: int = 0

    def ask(self, service: str, ticket: str, at: int) -> None:
        """Somebody asks for a document at the end of a visit."""
        self._asked += 1
        subject = f"P-{ticket}"
        odd = _ODDITIES.get((self._asked - 1) % _EVERY + 1, "")
        who = _EMPLOYEES[self._asked % len(_EMPLOYEES)]
        by: dict[str, Any] = {"employee": who}
        self._tell(facts.RequestSubmitted, subject, at, facts.RequestSubmittedData, service=service, ticket=ticket)
        at += self._about(2)
        self._tell(facts.RequestAccepted, subject, at, facts.RequestByData, **by)
        at += self._about(4)
        self._tell(facts.RequestWorked, subject, at, facts.RequestWorkedData, activity="periksa berkas", **by)
        if odd in ("suspended", "cancelled"):
            at += self._about(2)
            self._tell(facts.RequestSuspended, subject, at, facts.ReasonData, reason="berkas kurang")
            at += self._about(9)
            if odd == "cancelled":
                self._tell(facts.RequestCancelled, subject, at, facts.ReasonData, reason="ditarik pemohon")
                return
            self._tell(facts.RequestResumed, subject, at, facts.ReasonData)
        at += self._about(5)
        self._tell(facts.RequestWorked, subject, at, facts.RequestWorkedData, activity="cetak", **by)
        outcome = "refused" if odd == "refused" else "handed_over"
        at += self._about(3)
        self._tell(facts.RequestCompleted, subject, at, facts.RequestCompletedData, outcome=outcome, **by)
        if odd == "reopened":
            at += self._about(6)
            self._tell(facts.RequestReopened, subject, at, facts.ReasonData, reason="salah nama")
            at += self._about(6)
            self._tell(facts.RequestCompleted, subject, at, facts.RequestCompletedData, outcome="handed_over", **by)
        if self._asked % 2:
            data = facts.FeedbackData(unit=self.unit, score=self.random.choice(_ANSWERS), service=service)
            answered = at + self._about(2)
            self.agenda.at(answered, lambda now: self.devices.tell(facts.FeedbackGiven, self._source, now, data))

    @property
    def _source(self) -> str:
        return f"{self.unit}/{_SOURCE}"

    def _about(self, seconds: float) -> int:
        return round(SECOND * (0.5 + self.random.gammavariate(4.0, seconds / 4.0)))

    def _tell(self, kind: type[facts.RequestEvent], subject: str, at: int, data: Any, **said: Any) -> None:
        told = data(unit=self.unit, **said)
        self.agenda.at(at, lambda now: self.devices.tell(kind, self._source, now, told, subject))
