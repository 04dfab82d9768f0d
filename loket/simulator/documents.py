"""One document that was asked for, hours to weeks until it is handed over.

```
submitted ─▶ accepted ─▶ worked ─▶ (suspended ─▶ resumed) ─▶ worked ─▶ completed ─▶ (reopened ─▶ completed)
                                        └─▶ cancelled                        └─▶ corrected, feedback
```
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

from loket.domain import events as facts
from loket.domain.events import Envelope, Event
from loket.domain.policy import HOUR, SECOND
from loket.simulator.past import Past

__all__ = ["ask_for"]

_MINUTE: Final = 60 * SECOND
_DAY: Final = 24 * HOUR
_STAFF: Final = 4
_CANCELLED, _SUSPENDED = 0.03, 0.15
_REFUSED, _REOPENED, _CORRECTED, _ANSWERED = 0.04, 0.03, 0.01, 0.3
_ANSWERS: Final = (1, 2, 3, 3, 3, 4, 4, 4)


def ask_for(random: Random, past: Past, unit: str, service: str, ticket: str, at: int) -> None:
    """Tell of a document that is asked for at `at` (ms UTC), and of all that becomes of it."""
    subject = f"P-{ticket}"
    by: dict[str, Any] = {"employee": f"{unit}.berkas-{random.randrange(_STAFF)}"}

    def tell(kind: type[Envelope], data: Any, when: int, **said: Any) -> Event:
        return past.tell(kind, when, data(unit=unit, **said), subject)

    tell(facts.RequestSubmitted, facts.RequestSubmittedData, at, service=service)
    if random.random() < 0.5:  # the rest has never been looked at: it is judged by its submission alone
        at += random.randint(5, 120) * _MINUTE
        tell(facts.RequestAccepted, facts.RequestByData, at, **by)
    at += random.randint(10, 90) * _MINUTE
    tell(facts.RequestWorked, facts.RequestWorkedData, at, activity="periksa", **by)
    way = random.random()
    if way < _SUSPENDED:
        at += random.randint(1, 20) * _MINUTE
        tell(facts.RequestSuspended, facts.ReasonData, at, reason="berkas kurang")
        at += round(random.expovariate(1 / 4) * _DAY)
        if way < _CANCELLED:
            tell(facts.RequestCancelled, facts.ReasonData, at, reason="ditarik pemohon")
            return
        tell(facts.RequestResumed, facts.ReasonData, at)
    at = _next(random, at)
    tell(facts.RequestWorked, facts.RequestWorkedData, at - _MINUTE, activity="cetak", **by)
    outcome = "refused" if random.random() < _REFUSED else "handed_over"
    done = tell(facts.RequestCompleted, facts.RequestCompletedData, at, outcome=outcome, **by)
    drawn = random.random()
    if drawn < _REOPENED:
        tell(facts.RequestReopened, facts.ReasonData, at + 2 * _DAY, reason="salah nama")
        tell(facts.RequestCompleted, facts.RequestCompletedData, _next(random, at + 2 * _DAY), outcome=outcome, **by)
    elif drawn < _REOPENED + _CORRECTED:
        reference = facts.EventReference(source=done.source, id=done.id)
        said: dict[str, Any] = {"time": past.told(at - 30 * SECOND)}
        data = facts.CorrectedData(unit=unit, of=reference, set=said)
        past.tell(facts.EventCorrected, at + 3 * _DAY, data, subject)
    if random.random() < _ANSWERED:
        answered = at + random.randint(1, 600) * _MINUTE
        past.tell(
            facts.FeedbackGiven, answered, facts.FeedbackData(unit=unit, score=random.choice(_ANSWERS), service=service)
        )


def _next(random: Random, at: int) -> int:
    """Some time later: half within the hours to come, the rest after a night or more."""
    if random.random() < 0.5:
        return at + round(random.expovariate(1 / 90) * _MINUTE) + 2 * _MINUTE
    return at + round((12 + random.expovariate(1 / 30)) * HOUR)
