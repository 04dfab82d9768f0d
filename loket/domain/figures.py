"""Every figure of a unit as a function of (state, now): what time alone changes is computed here and stored nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from loket.domain.contribution import Contribution, DatedFact, changes, settle
from loket.domain.days import service_days
from loket.domain.leg import Leg
from loket.domain.policy import Produces
from loket.domain.requests import RequestPresent
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.tally import DayTally
from loket.domain.unit import UnitState, open_legs

NO_DAY = DayTally()

OF_REQUESTS = ("request", "oldest_request", "feedback/")
"""With what the names of all other figures than those of tickets begin."""


class Present(Struct):
    """The figures of one service at an instant. `oldest_wait_start` (ms) is None where nobody waits.

    `judged`, `breached`, `expired` and `unserved` (of the expired, who still waited to be called) are cumulative since
    the state began; they may fall when a late event comes.
    `judges` is False where no target ever was: such a service has no judged, breached or over-target figures (rule 22).
    """

    waiting: int = 0
    early: int = 0
    over_target: int = 0
    oldest_wait_start: int | None = None
    judged: int = 0
    breached: int = 0
    expired: int = 0
    unserved: int = 0
    judges: bool = False

    def stage(self, leg: Leg, now: int) -> None:
        """Count an open leg where it stands at `now`."""
        if not leg.waits:
            return
        last = leg.stretches[-1]
        if now < last.wait_from and last.wait_from > last.began_at and now >= last.began_at:
            self.early += 1
            return
        self.waiting += 1
        start = min(max(last.wait_from, leg.opens_at or 0), now) - leg.earlier_wait_ms
        if self.oldest_wait_start is None or start < self.oldest_wait_start:
            self.oldest_wait_start = start
        if leg.target_ms is not None and now - start > leg.target_ms:
            self.over_target += 1


class DayFigures(Struct):
    """The exact figures of the service day of `now`, for one service: counts by figure, and what time brought."""

    day: int
    counts: dict[str, int] = field(default_factory=dict)
    judged: int = 0
    breached: int = 0
    expired: int = 0
    unserved: int = 0


class Figures(Struct):
    """What `evaluate` finds: by service label the present and the day's figures; `""` is the row without an issue."""

    now: int
    present: dict[str, Present] = field(default_factory=dict)
    day: dict[str, DayFigures] = field(default_factory=dict)
    requests: dict[str, RequestPresent] = field(default_factory=dict)


def stand(leg: Leg, ends_at: int, now: int) -> Contribution:
    """What time alone has brought an open leg by `now`, where it ends at `ends_at`: judgement and expiry."""
    brought = Contribution()
    if now >= ends_at:
        settle(leg, ends_at, brought)
    elif leg.first_called_at is None and leg.breach_at is not None and now > leg.breach_at:
        brought.judge(leg.service, leg.breach_at, breached=True)
    else:
        settle(leg, None, brought)
    return brought


def evaluate(state: UnitState, now: int) -> Figures:
    """The figures of a unit at `now` (ms): a function of its state and the instant, without effect on either."""
    figures = Figures(now)
    today = service_days(state.policy).day(now)
    tally = state.days.get(today, NO_DAY)
    labels = {*state.policy.services, *state.services, *state.tallies}
    for label in labels:
        found = state.tallies.get(label)
        settled = found.settled if found is not None else {}
        service = state.policy.services.get(label)
        present = figures.present[label] = Present(
            judged=settled.get("judged", 0),
            breached=settled.get("breached", 0),
            expired=settled.get("expired", 0),
            unserved=settled.get("unserved", 0),
            judges="judged" in settled or (service is not None and bool(service.targets)),
        )
        of_day = tally.settled.get(label, {})
        figures.day[label] = DayFigures(
            today,
            dict(tally.counts.get(label, {})),
            of_day.get("judged", 0),
            of_day.get("breached", 0),
            of_day.get("expired", 0),
            of_day.get("unserved", 0),
        )
        present.judges = present.judges or bool(present.judged)
        if has_requests(state, label):
            figures.requests[label] = state.requests.present(label, settled, now)
    for label, leg, ends_at in open_legs(state):
        _add_open(figures, label, leg, ends_at, today)
    return figures


def has_requests(state: UnitState, label: str) -> bool:
    """Whether a service has figures of requests: it gives documents, or somebody has asked for one."""
    policy = state.policy.services.get(label)
    if policy is not None and policy.produces is Produces.REQUEST:
        return True
    tally = state.tallies.get(label)
    return tally is not None and "requests_submitted" in tally.counts.total


def has_tickets(state: UnitState, label: str) -> bool:
    """Whether a service has figures of tickets: not one of which nothing but requests and answers is known."""
    if label == EMPTY_SERVICE:
        return True
    policy, tally = state.policy.services.get(label), state.tallies.get(label)
    if policy is None and tally is None:
        return True
    if policy is not None and policy.produces is Produces.TICKET:
        return True
    if tally is None:
        return False
    if tally.settled.keys() & {"judged", "expired"} or has_figures(tally.counts.total):
        return True
    # What a void took back entirely leaves durations, of services of which nothing else was ever counted.
    return any(not kind.startswith(OF_REQUESTS) for kind in tally.histograms)


def has_figures(amounts: Mapping[str, int]) -> bool:
    """Whether any of some figures that is not 0 is of tickets."""
    return any(amount and not name.startswith(OF_REQUESTS) for name, amount in amounts.items())


def _add_open(figures: Figures, label: str, leg: Leg, ends_at: int, today: int) -> None:
    now = figures.now
    present = figures.present.setdefault(label, Present())
    day = figures.day.setdefault(label, DayFigures(today))
    present.judges = present.judges or leg.target_ms is not None
    if now < ends_at:
        present.stage(leg, now)
    for change in _beyond_settled(leg, ends_at, now):
        setattr(present, change[0], getattr(present, change[0]) + change[1])
        if leg.day == today:
            setattr(day, change[0], getattr(day, change[0]) + change[1])


def _beyond_settled(leg: Leg, ends_at: int, now: int) -> Iterable[tuple[str, int]]:
    """What `stand` finds less what the tallies already hold of this leg."""
    if now < ends_at and (leg.first_called_at is not None or leg.breach_at is None or now <= leg.breach_at):
        return  # nearly always
    held = Contribution()
    settle(leg, None, held)
    for pair, amount in stand(leg, ends_at, now).settled.items():
        change = amount - held.settled.get(pair, 0)
        if change:
            yield pair[1], change


def brought_by_time(leg: Leg, ends_at: int, now: int) -> list[DatedFact]:
    """When time alone judged an open leg, by `now`; what the tallies hold of it already is left out."""
    held = Contribution()
    settle(leg, None, held)
    return changes(held.dated, stand(leg, ends_at, now).dated)
