"""What happened to employees' sessions on a service day, and the staffed time that it makes (rules 17, 32 and 33).

    started ──▶ open ──paused──▶ paused ──resumed──▶ open ──ended──▶ (nothing)
                 └── the day is over: ended by time alone, flagged

A pause and an end count from the end of the running service.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from enum import IntEnum, StrEnum

from msgspec import Struct, field

from loket.domain.leg import Work

__all__ = ["Added", "Session", "SessionKind", "SessionStep", "Sessions", "Window", "add_step", "sessions_of"]


class SessionKind(IntEnum):
    """What happens to a session, in the order in which it counts at one instant: what ends before what begins."""

    ENDED = 0
    PAUSED = 1
    STARTED = 2
    RESUMED = 3


class SessionStep(Struct, frozen=True, array_like=True):
    """One thing that happened to the session of an employee at a counter. `services` None: any service."""

    at: int
    kind: SessionKind
    hash: int
    counter: str
    employee: str
    services: tuple[str, ...] | None = None

    def order(self) -> tuple[int, int, int]:
        """Rule 2: time; at one instant what ends before what begins, then the smaller hash."""
        return (self.at, self.kind, self.hash)

    def place(self) -> tuple[int, int, str, str]:
        """What only one step may be: of several that name other services the smallest hash stands (rule 17)."""
        return (self.at, self.kind, self.counter, self.employee)


class Added(StrEnum):
    """What a step was beside those that are known: new, a repeat of one, or another word about one (rule 17)."""

    NEW = "new"
    REPEAT = "repeat"
    STANDS = "stands"
    OVERRULED = "overruled"


def add_step(steps: list[SessionStep], step: SessionStep) -> Added:
    """Put a step among others in the order of `SessionStep.order`. Of a repeat the smaller hash is kept."""
    rivals = [other for other in steps if other.at == step.at and other.place() == step.place()]
    for other in rivals:
        if other.services == step.services:
            if step.hash < other.hash:
                steps.remove(other)
                insort(steps, step, key=SessionStep.order)
            return Added.REPEAT
    insort(steps, step, key=SessionStep.order)
    if not rivals:
        return Added.NEW
    return Added.STANDS if step.hash < min(other.hash for other in rivals) else Added.OVERRULED


class Window(Struct, frozen=True):
    """A service day (ms), up to `now`. `lasts_ms`: where the day never starts, how long a session lasts at most."""

    begin: int
    end: int
    now: int
    lasts_ms: int | None = None

    @property
    def until(self) -> int:
        """Up to when the day is evaluated."""
        return min(self.now, self.end)

    def expired(self, instant: int | None) -> bool:
        """Whether time alone has ended what ends at an instant."""
        return instant is not None and self.now >= instant


class Session(Struct):
    """A stretch of staffed time at one counter. `services` None: any."""

    begin: int
    end: int
    services: tuple[str, ...] | None


class Sessions(Struct):
    """One employee's sessions on a day: staffed stretches, how many are open now, how many time alone has ended."""

    sessions: list[Session] = field(default_factory=list)
    active: int = 0
    flagged: int = 0


class _Open(Struct):
    services: tuple[str, ...] | None
    began_at: int
    since: int | None


def sessions_of(steps: Iterable[SessionStep], work: Iterable[Work], window: Window) -> Sessions:
    """The staffed time of one employee within the window, from his steps and his work."""
    told = Sessions()
    services = [piece for piece in work if piece.stage == "service" and not window.expired(piece.expires)]
    open_at: dict[str, _Open] = {}
    places = set()
    for step in sorted(steps, key=SessionStep.order):
        if step.at > window.until:
            break
        if step.place() in places:
            continue
        places.add(step.place())
        session = open_at.get(step.counter)
        if session is not None and _over(session, step.at, window):
            _expire(told, open_at.pop(step.counter), window)
            session = None
        if step.kind == SessionKind.STARTED:
            if session is not None and session.since is not None:
                _add(told, session, step.at, window)
            open_at[step.counter] = _Open(step.services, step.at, step.at)
        elif session is None:
            continue  # of a session that nobody has started
        elif step.kind == SessionKind.RESUMED:
            if session.since is None:
                session.since = step.at
        else:
            if session.since is not None:
                _add(told, session, _finished(services, step.at, window.until), window)
                session.since = None
            if step.kind == SessionKind.ENDED:
                del open_at[step.counter]
    for session in open_at.values():
        if _over(session, window.until, window):
            _expire(told, session, window)
            continue
        if window.lasts_ms is None and window.now >= window.end:
            told.flagged += 1
        if session.since is not None:
            told.active += window.now < window.end
            _add(told, session, window.until, window)
    return told


def _over(session: _Open, at: int, window: Window) -> bool:
    return window.lasts_ms is not None and session.began_at + window.lasts_ms <= at


def _expire(told: Sessions, session: _Open, window: Window) -> None:
    over = session.began_at + (window.lasts_ms or 0)
    told.flagged += window.begin < over <= window.end
    if session.since is not None:
        _add(told, session, over, window)


def _add(told: Sessions, session: _Open, end: int, window: Window) -> None:
    begin = window.begin if session.since is None else max(session.since, window.begin)
    end = min(end, window.until)
    if begin < end:
        told.sessions.append(Session(begin, end, session.services))


def _finished(services: Iterable[Work], at: int, until: int) -> int:
    """When the services that run at an instant are over: the instant itself where none does."""
    last = at
    for piece in services:
        if piece.begin < at and (piece.end is None or piece.end > at):
            last = max(last, until if piece.finish is None else piece.finish)
    return last
