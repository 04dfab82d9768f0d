"""An office worked out by brute force, person by person, against the fold: they share no code.

People come, wait in the order of their coming, leave if nobody calls them in time, do not come when called, or are
served at one of some counters. The oracle knows of each person when they came, were called, were served and went, and
answers every question by looking at all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from loket.domain.events import Event
from loket.testing.builders import Office, unit_policy
from support.laws import law
from support.telling import Told

OPENS = int(Office().at("08:00"))
TARGET, SHORT = 300_000, 10_000


@dataclass
class Person:
    came: int
    called: int | None = None
    started: int | None = None
    ended: int | None = None
    by: str = ""

    @property
    def left(self) -> bool:
        return self.called is None and self.ended is not None

    @property
    def no_show(self) -> bool:
        return self.called is not None and self.started is None and self.ended is not None


@st.composite
def offices(draw: st.DrawFn) -> list[Person]:
    """Simulate a morning: first come, first called."""
    people: list[Person] = []
    free = dict.fromkeys(("e1", "e2")[: draw(st.integers(1, 2))], 0)
    came = 0
    for _ in range(draw(st.integers(1, 25))):
        came += draw(st.integers(0, 240)) * 1_000 + draw(st.sampled_from([0, 0, 1, 999]))
        patience = draw(st.sampled_from([5_000, 10_000, 200_000, 300_000, 400_000, 10**9, 10**9, 10**9]))
        name = min(free, key=lambda one: (free[one], one))
        called = max(came, free[name])
        if called - came > patience:
            people.append(Person(came, ended=came + patience))
        elif draw(st.integers(0, 7)) == 0:
            ended = called + 60_000
            free[name] = ended
            people.append(Person(came, called, None, ended, name))
        else:
            started = called + draw(st.integers(0, 40)) * 1_000
            free[name] = ended = started + draw(st.integers(10, 400)) * 1_000
            people.append(Person(came, called, started, ended, name))
    return people


def events_of(people: list[Person], now: int) -> list[Event]:
    """What the counters have told by an instant."""
    office = Office()
    told: list[Event] = []
    for number, person in enumerate(people):
        subject = f"A{number}"
        told.append(office.issued(subject, at=OPENS + person.came))
        if person.called is not None:
            told.append(office.called(subject, at=OPENS + person.called, employee=person.by))
        if person.started is not None:
            told.append(office.started(subject, at=OPENS + person.started, employee=person.by))
        if person.ended is not None:
            at = OPENS + person.ended
            if person.left:
                told.append(office.abandoned(subject, at=at))
            elif person.no_show:
                told.append(office.no_show(subject, at=at, employee=person.by))
            else:
                told.append(office.completed(subject, at=at, employee=person.by))
    return sorted((event for event in told if event.time <= OPENS + now), key=lambda event: int(event.time))


def expected(people: list[Person], now: int) -> dict[str, float | int | None]:
    """Every figure, by looking at each person."""
    here = [p for p in people if p.came <= now]
    called = [p for p in here if p.called is not None and p.called <= now]
    left = [p for p in here if p.left and p.ended is not None and p.ended <= now]
    gone = [p for p in called if p.no_show and p.ended is not None and p.ended <= now]
    started = [p for p in called if p.started is not None and p.started <= now]
    served = [p for p in started if p.ended is not None and p.ended <= now]
    waiting = [p for p in here if p not in called and p not in left]
    waits = [(p.called or 0) - p.came for p in called]
    patience = [(p.ended or 0) - p.came for p in left]
    breached = (
        sum(wait > TARGET for wait in waits)
        + sum(p > TARGET for p in patience)
        + sum(now - p.came > TARGET for p in waiting)
    )
    judged = len(waits) + sum(p > TARGET for p in patience) + sum(now - p.came > TARGET for p in waiting)
    within = sum(wait <= TARGET for wait in waits)
    offered = len(waits) + len(left)
    return {
        "issued": len(here),
        "visits": len(here),
        "answered": len(called),
        "left": len(left),
        "short_leavers": sum(p < SHORT for p in patience),
        "early_leavers": sum(p <= TARGET for p in patience),
        "waiting": len(waiting),
        "over_target": sum(now - p.came > TARGET for p in waiting),
        "oldest_wait_s": max(((now - p.came) / 1000 for p in waiting), default=None),
        "judged": judged,
        "breached": breached,
        "nobody_came": len(gone),
        "served": len(served),
        "closed": len(served) + len(gone) + len(left),
        "wait_s_sum": sum(waits) / 1000,
        "patience_s_sum": sum(patience) / 1000,
        "way_s_sum": sum((p.started or 0) - (p.called or 0) for p in started) / 1000,
        "service_s_sum": sum((p.ended or 0) - (p.started or 0) for p in served) / 1000,
        "lost_s_sum": sum((p.ended or 0) - (p.called or 0) for p in gone) / 1000,
        "answered_level": within / len(waits) if waits else None,
        "offered_level": within / offered if offered else None,
        "live_level": 1 - breached / judged if judged else None,
        **{f"served {name}": sum(p.by == name for p in served) for name in ("e1", "e2")},
    }


def found(told: Told, now: int) -> dict[str, float | int | None]:
    """The same figures, as the fold has them."""
    row = told.report("s", now=OPENS + now)
    names = "issued visits answered left short_leavers early_leavers waiting over_target oldest_wait_s judged breached"
    names += " nobody_came served wait_s_sum patience_s_sum way_s_sum service_s_sum lost_s_sum"
    figures: dict[str, float | int | None] = {name: getattr(row, name) for name in names.split()}
    figures["closed"] = row.closed.completed + row.closed.no_show + row.closed.abandoned
    for name in ("answered", "offered", "live"):
        figures[f"{name}_level"] = getattr(row.levels, name)
    for name in ("e1", "e2"):
        figures[f"served {name}"] = told.person(name)["served"]
    return figures


@law(offices(), st.integers(0, 9_000_000), st.randoms(use_true_random=False))
def test_the_fold_agrees_with_an_office_worked_out_by_brute_force(
    people: list[Person], now: int, random: object
) -> None:
    events = events_of(people, now)
    random.shuffle(events)  # type: ignore[attr-defined]
    told = Told(unit_policy({"s": TARGET / 1000}))
    told.tell(*events, received=OPENS)
    wanted = expected(people, now)
    got = found(told, now)
    live = wanted.pop("live_level"), got.pop("live_level")
    assert (live[0] is None) == (live[1] is None)
    assert live[0] is None or live[1] is None or abs(live[0] - live[1]) < 1e-12
    assert got == wanted
