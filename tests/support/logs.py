"""Logs of tickets for the tests: any events of a few people in a few days, in any order, repeated and contradicted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from hypothesis import strategies as st

from loket.domain import events
from loket.domain.calendar import Calendar, DayHours, Schedule
from loket.domain.events import Event, Instant
from loket.domain.policy import HOUR, MINUTE, Policy, ServicePolicy, Target, UnitPolicy
from loket.wire.cloudevents import encode
from loket.wire.contract import data_type
from loket.wire.instant import format_instant
from loket.wire.record import WireRecord

__all__ = ["DAY_BEGINS", "POLICY", "UNITS", "arrivals", "log_of", "make", "to_records", "whole_policy"]

DAY_BEGINS: Final = 1_769_803_200_000
"""2026-01-30T20:00:00Z, which is 03:00 in Jakarta."""

_SERVICES: Final = {
    "general": ServicePolicy(targets=(Target(valid_from=1, within_ms=30 * MINUTE, objective=0.8),)),
    "dental": ServicePolicy(),
}

UNITS: Final = ("clinic", "ward")

_HOURS: Final = DayHours(((9 * HOUR, 17 * HOUR),), ((12 * HOUR, 13 * HOUR),))

POLICY: Final = Policy(
    units={
        "clinic": UnitPolicy(
            services=_SERVICES,
            short_ms=2 * MINUTE,
            wrap_up_ms=5 * MINUTE,
            known=True,
            calendar=Calendar((Schedule(1, (_HOURS,) * 7),)),
            waits_from_opening=True,
            close_after_ms=HOUR,
        ),
        "ward": UnitPolicy(services=_SERVICES, day_starts_ms=None, known=True),
    }
)
"""`clinic` has service days and opens 9 to 17, `ward` never closes; no other unit is known."""


def whole_policy(policy: Policy = POLICY) -> Policy:
    """The same policy where nothing is ever late: what the record has to say."""
    import msgspec

    patient = 10_000 * 24 * HOUR
    return Policy(
        defaults=msgspec.structs.replace(policy.defaults, late_ms=patient),
        units={name: msgspec.structs.replace(unit, late_ms=patient) for name, unit in policy.units.items()},
    )


_PEOPLE: Final = (None, "ani", "budi")
_COUNTERS: Final = (None, "1")


def make(kind: str, id: str, at: int, subject: str | None, unit: str, **data: Any) -> Event:
    """An event of a type (without `loket.`), by its data fields."""
    cls: Any = events.EVENT_TYPES[f"loket.{kind}"]
    described = {field: given for field, given in data.items() if given is not None}
    data_cls = data_type(cls)
    built: Event = cls(source="s", id=id, time=Instant(at), subject=subject, data=data_cls(unit=unit, **described))
    return built


def _correction(draw: st.DrawFn, id: str, at: int, subject: str, unit: str) -> Event:
    """A correction of some event of the log, or of one that never comes."""
    moved = at + draw(st.integers(-4, 4)) * 20 * MINUTE
    values: dict[str, st.SearchStrategy[Any]] = {
        "time": st.just(format_instant(Instant(moved))),
        "employee": st.sampled_from([None, "ani", "cici"]),
        "counter": st.sampled_from([None, "2"]),
        "service": st.sampled_from([None, "general", "dental"]),
        "from_unit": st.sampled_from([None, "hall", unit]),
        "appointment_at": st.sampled_from([None, format_instant(Instant(at + HOUR))]),
        "quantity": st.sampled_from([None, 2]),
        "outcome": st.sampled_from([None, "refused"]),
    }
    names = draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=3, unique=True))
    of = events.EventReference(source="s", id=f"e{draw(st.integers(95, 140))}")
    return make("event.corrected", id, at, subject, unit, of=of, set={name: draw(values[name]) for name in names})


_AT_COUNTER: Final = (
    "ticket.called",
    "ticket.recalled",
    "service.held",
    "service.resumed",
    "ticket.no_show",
    "ticket.requeued",
    "ticket.transferred",
)
_KINDS: Final = (
    *["ticket.issued"] * 4,
    *_AT_COUNTER,
    "ticket.called",
    "service.started",
    "service.started",
    "service.added",
    "service.completed",
    "service.completed",
    "ticket.abandoned",
    "ticket.voided",
    "event.corrected",
    "queue.closed",
    "counter.heartbeat",
    *["session.started"] * 3,
    "session.paused",
    "session.resumed",
    "session.ended",
)


_OF_REQUESTS: Final = (
    *["request.submitted"] * 6,
    "request.accepted",
    *["request.completed"] * 4,
    "request.reopened",
    *["event.corrected"] * 8,
)


@st.composite
def _one(draw: st.DrawFn, id: str, days: int, *, requests: bool) -> Event:
    kind = draw(st.sampled_from((*_KINDS, *_OF_REQUESTS) if requests else _KINDS))
    unit = draw(st.sampled_from(UNITS))
    day = draw(st.integers(0, days - 1))
    at = DAY_BEGINS + day * 24 * HOUR + draw(st.integers(0, 12)) * 2 * HOUR + draw(st.integers(0, 7)) * 10 * MINUTE
    at += draw(st.sampled_from([0, 0, 0, 1]))
    subject = draw(st.sampled_from(["A1", "A1", "A2"]))
    service = draw(st.sampled_from(["general", "general", "dental"]))
    employee, counter = draw(st.sampled_from(_PEOPLE)), draw(st.sampled_from(_COUNTERS))
    from_unit = draw(st.sampled_from([None, None, None, "hall"]))
    if kind == "queue.closed":
        return make(kind, id, at, None, unit, service=draw(st.sampled_from([None, "general"])))
    if kind.startswith("session."):
        services = draw(st.sampled_from([None, None, ("general",), ("dental", "general")]))
        named = {"services": services} if kind == "session.started" else {}
        return make(kind, id, at, None, unit, counter=counter or "2", employee=employee or "ani", **named)
    if kind == "event.corrected":
        return _correction(draw, id, at, subject, unit)
    if kind == "counter.heartbeat":
        return make(kind, id, at, None, unit, counter="1")
    if kind == "ticket.issued":
        appointment = draw(st.sampled_from([None, None, Instant(at + HOUR), Instant(at - HOUR)]))
        return make(kind, id, at, subject, unit, service=service, appointment_at=appointment, from_unit=from_unit)
    if kind == "service.started":
        other = draw(st.sampled_from([None, None, "dental"]))
        return make(kind, id, at, subject, unit, employee=employee, counter=counter, service=other, from_unit=from_unit)
    if kind == "service.added":
        return make(kind, id, at, subject, unit, service=service, employee=employee, from_unit=from_unit)
    if kind == "service.completed":
        quantity = draw(st.sampled_from([None, None, 3]))
        given = {"employee": employee, "counter": counter, "quantity": quantity, "from_unit": from_unit}
        return make(kind, id, at, subject, unit, **given)
    if kind == "request.submitted":
        return make(kind, id, at, subject, unit, service=service)
    if kind.startswith("request."):
        by = None if kind == "request.reopened" else employee
        return make(kind, id, at, subject, unit, employee=by)
    if kind in _AT_COUNTER:
        return make(kind, id, at, subject, unit, employee=employee, counter=counter, from_unit=from_unit)
    return make(kind, id, at, subject, unit, from_unit=from_unit)


@st.composite
def log_of(
    draw: st.DrawFn, days: int = 4, most: int = 40, *, conflicts: bool = True, requests: bool = False
) -> list[Event]:
    """Events of a few days, about a few people; with `conflicts` some share an id and say different things, and with
    `requests` people ask for documents under the names of tickets."""
    count = draw(st.integers(1, most))
    ids = [
        f"e{draw(st.integers(0, 10)) if conflicts and draw(st.integers(0, 9)) == 0 else 100 + n}" for n in range(count)
    ]
    log = [draw(_one(name, days, requests=requests)) for name in ids]
    repeats = draw(st.lists(st.integers(0, count - 1), max_size=count // 3))
    log += [log[index] for index in repeats]
    return log


@st.composite
def arrivals(draw: st.DrawFn, log: Sequence[Event], days: int = 4) -> list[tuple[Event, int]]:
    """The log in an order of arrival, each event with the broker's time: mostly in order, some very late."""
    delays = [draw(st.sampled_from([0, 0, 0, 1, 5, 10, 20, 40, 60, 90])) * HOUR for _ in log]
    order = sorted(range(len(log)), key=lambda n: (int(log[n].time) + delays[n], n))
    return [(log[n], max(int(log[n].time) + delays[n], DAY_BEGINS)) for n in order]


def to_records(
    arrived: Iterable[tuple[Event, int]], *, topic: str = "loket.events", partition: int = 0, begin: int = 0
) -> list[WireRecord]:
    """The records that a broker with one partition would hold."""
    records = []
    for offset, (event, received) in enumerate(arrived, start=begin):
        encoded = encode(event)
        records.append(
            WireRecord(topic, partition, offset, received, encoded.key, encoded.value, tuple(encoded.headers))
        )
    return records
