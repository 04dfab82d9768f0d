"""`event.corrected` of requests: the latest word about a step stands, whenever it comes, and no day bounds it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from loket.domain.calendar import Calendar, DayHours, Schedule
from loket.domain.events import Event, EventCorrected, FeedbackGiven, Instant
from loket.domain.figures import evaluate
from loket.domain.policy import DAY, HOUR, MINUTE, Clock, Produces, ServicePolicy, Since, Turnaround, UnitPolicy
from loket.domain.records import load, mark_all, split_key, take_records
from loket.domain.request_corrections import MAX_WAITING
from loket.domain.requests import KEPT_DAYS
from loket.domain.state import UnitState
from loket.domain.summary import flat_service
from loket.domain.tally import ServiceTally
from loket.domain.unit import Applied, apply
from loket.testing.builders import Office
from loket.testing.strategies import requests
from support.laws import law

o = Office("u")
_SHIFT = DayHours(((8 * HOUR, 16 * HOUR),))
CARDS = ServicePolicy(produces=Produces.REQUEST, turnarounds=(Turnaround(1, DAY, 0.9),))
PAPERS = ServicePolicy(
    produces=Produces.REQUEST, turnarounds=(Turnaround(1, 5 * HOUR, 0.9, Clock.SERVICE, Since.ACCEPTANCE),)
)
POLICY = UnitPolicy(
    services={"ktp": CARDS, "kk": PAPERS},
    known=True,
    calendar=Calendar((Schedule(1, (_SHIFT,) * 5 + (DayHours(),) * 2),)),
)
LATER = int(o.at("+40 08:00"))


def told(*log: Event, received: int | None = None) -> UnitState:
    """A state that received each event when it happened, or all at one instant."""
    state = UnitState("u", POLICY)
    for event in log:
        apply(state, event, int(event.time) if received is None else received)
    return state


def exact(state: UnitState, now: int = LATER) -> dict[str, dict[str, int]]:
    """All figures of services at `now` without zeros."""
    figures = evaluate(state, now)
    found = {name: flat_service(state.tallies.get(name, ServiceTally()), figures, name) for name in figures.present}
    flats = {name: {figure: n for figure, n in flat.items() if n} for name, flat in found.items() if name}
    return {name: flat for name, flat in flats.items() if flat}


def card() -> list[Event]:
    """Asked for on a Thursday, accepted, waiting for the citizen over a night, handed over after 26 hours."""
    return [
        o.request_submitted("R1", at="08:00", service="ktp"),
        o.request_accepted("R1", at="09:00", employee="sari"),
        o.request_suspended("R1", at="10:00"),
        o.request_resumed("R1", at="+1 08:00"),
        o.request_completed("R1", at="+1 10:00", employee="sari", outcome="handed_over"),
    ]


def test_every_order_gives_the_same_figures() -> None:
    submitted, _, _, _, completed = card()
    log = [
        submitted,
        completed,
        o.corrected("R1", at="+1 11:00", of=submitted, set={"time": "09:30"}),
        o.corrected("R1", at="+1 11:01", of=completed, set={"time": "+1 09:00", "outcome": "refused"}),
        o.corrected("R1", at="+1 10:30", of=completed, set={"time": "+1 18:00"}),
    ]
    found = {repr(exact(told(*order, received=int(o.at("+1 12:00"))))) for order in permutations(log)}
    assert len(found) == 1
    figures = exact(told(*log, received=int(o.at("+1 12:00"))))["ktp"]
    assert figures["requests_completed/refused"] == 1
    assert figures["request_citizen_seconds_ms"] == 23 * HOUR + 30 * MINUTE
    assert "requests_breached" not in figures


def test_each_step_is_corrected_days_later_and_the_totals_keep_what_was_taken_back() -> None:
    log = card()
    state = told(*log)
    assert exact(state)["ktp"]["requests_breached"] == 1
    counts = state.tallies["ktp"].counts
    two_weeks_later = [
        o.corrected("R1", at="+14 08:00", of=log[1], set={"time": "08:30"}),
        o.corrected("R1", at="+14 08:01", of=log[2], set={"time": "11:00"}),
        o.corrected("R1", at="+14 08:02", of=log[3], set={"time": "12:00"}),
        o.corrected("R1", at="+14 08:03", of=log[4], set={"time": "14:00", "outcome": "refused"}),
    ]
    assert [apply(state, event, int(event.time)) for event in two_weeks_later] == [Applied.APPLIED] * 4
    figures = exact(state)["ktp"]
    assert (figures["requests_completed/refused"], figures.get("requests_breached")) == (1, None)
    assert figures["request_legal_seconds_ms"] == 5 * HOUR + 30 * MINUTE
    assert counts.total["requests_completed/handed_over"] == counts.corrected["requests_completed/handed_over"] == 1
    assert [apply(state, event, int(event.time)) for event in two_weeks_later] == [Applied.DUPLICATE] * 4
    assert exact(state)["ktp"] == figures
    assert state.late == 0


def test_a_corrected_service_has_the_target_of_its_day() -> None:
    """Rule 10: papers are promised within five service hours of the acceptance; the suspension is left out."""
    log = card()
    state = told(*log, o.corrected("R1", at="+1 11:00", of=log[0], set={"service": "kk"}))
    counts = {name: state.tallies[name].counts for name in ("ktp", "kk")}
    assert counts["ktp"].total["requests_submitted"] == counts["ktp"].corrected["requests_submitted"] == 1
    assert set(exact(state)) == {"kk"}
    assert (exact(state)["kk"]["requests_judged"], exact(state)["kk"].get("requests_breached")) == (1, None)


def test_what_would_make_an_event_invalid_is_left_or_changes_nothing() -> None:
    log = card()
    plain = exact(told(*log))
    without_service = o.corrected("R1", at="+1 11:00", of=log[0], set={"service": None})
    assert exact(told(*log, without_service)) == plain
    for impossible in ("+2 11:01", -1, -62_135_596_800_000, 253_402_300_799_999):
        state = told(*log)
        event = o.corrected("R1", at="+1 11:00", of=log[4], set={"time": impossible, "outcome": "refused"})
        assert apply(state, event, int(event.time)) is Applied.CONTRADICTION
        assert exact(state) == plain


def test_one_of_something_that_never_came_changes_nothing_and_only_so_many_wait() -> None:
    log = card()
    strays: list[Event] = [
        o.corrected("R9", at="08:00", of=o.request_accepted("R9", at="07:00"), set={"time": "07:30"})
        for _ in range(MAX_WAITING + 5)
    ]
    state = told(*strays, *log)
    assert exact(state) == exact(told(*log))
    assert len(getattr(state.requests.get("R9"), "steps", ())) == MAX_WAITING
    assert state.late == 0  # a ticket of this name would still take them
    apply(state, o.heartbeat(at=LATER), LATER + KEPT_DAYS * DAY)
    assert state.requests.held == {}
    assert not state.requests.is_forgotten("R9")
    assert state.requests.is_forgotten("R1")


def test_a_request_that_is_completed_before_it_was_submitted_takes_no_time_and_can_be_corrected() -> None:
    """Rule 36: ends before it starts, duration 0, flagged."""
    log: list[Event] = [o.request_completed("R1", at="07:00"), o.request_submitted("R1", at="08:00")]
    state = told(*log, received=int(o.at("09:00")))
    figures = exact(state)["ktp"]
    assert figures["requests_completed/none"] == figures["request_citizen_seconds_count"] == 1
    assert "request_citizen_seconds_ms" not in figures
    assert state.tallies[""].counts.exact("skewed_durations") == 1
    apply(state, o.corrected("R1", at="09:30", of=log[1], set={"time": "06:00"}), int(o.at("09:30")))
    assert exact(state)["ktp"]["request_citizen_seconds_ms"] == HOUR


def test_one_for_a_request_that_is_forgotten_is_late() -> None:
    log = card()
    state = told(*log)
    before = exact(state)
    late = o.corrected("R1", at="+90 08:00", of=log[4], set={"time": "+1 07:00"})
    assert apply(state, late, int(late.time)) is Applied.LATE
    assert (state.late, exact(state)) == (1, before)


def test_one_that_names_a_closed_day_is_applied_where_the_request_is_held() -> None:
    log = card()
    state = told(*log)
    named = o.corrected("R1", at="+9 08:00", day="2026-01-16", of=log[4], set={"time": "+1 07:00"})
    assert apply(state, named, int(named.time)) is Applied.APPLIED
    assert "requests_breached" not in exact(state)["ktp"]


def test_a_ticket_and_a_request_of_one_name_take_each_what_is_theirs() -> None:
    issued, called = o.issued("R1", at="08:00", service="s"), o.called("R1", at="08:10", employee="sari")
    log: list[Event] = [issued, called, *card()]
    state = told(*log, received=int(o.at("23:00")))
    for event, expected in (
        (o.corrected("R1", at="+1 10:30", of=log[6], set={"time": "+1 07:00"}), Applied.APPLIED),
        (o.corrected("R1", at="+1 10:20", of=log[6], set={"time": "+1 06:00"}), Applied.CONTRADICTION),
        (o.corrected("R1", at="11:00", day="2026-01-15", of=called, set={"time": "08:20"}), Applied.APPLIED),
    ):
        assert apply(state, event, int(o.at("23:30"))) is expected
    figures = exact(state)
    assert figures["ktp"]["request_citizen_seconds_ms"] == 23 * HOUR
    assert figures["s"]["wait_seconds_ms"] == 20 * MINUTE
    assert state.tallies[""].counts.exact("contradictions") == 1  # the ticket of that name does not count it again


def test_corrections_that_wait_survive_the_records_of_a_state() -> None:
    log = card()
    state = told(o.corrected("R1", at="08:00", of=log[4], set={"time": "+0 20:00"}), *log[:2])
    mark_all(state)
    records = {split_key(key)[1]: value for key, value in take_records(state)}
    head = records.pop(None)
    assert head is not None
    again = load(head, {name: value for name, value in records.items() if name and value}, POLICY)
    for event in log[2:]:
        apply(again, event, int(event.time))
    assert exact(again)["ktp"]["request_citizen_seconds_ms"] == 12 * HOUR


def _distinct(log: list[Event]) -> list[Event]:
    """The requests' events of a log, of what says the same the first: of a repeat only one can be corrected."""
    found: dict[Any, Event] = {}
    for event in log:
        if not isinstance(event, (EventCorrected, FeedbackGiven)):
            found.setdefault((type(event), int(event.time), event.subject, repr(event.data)), event)
    return list(found.values())


@law(requests(o, steps=8).map(_distinct).filter(bool), st.data())
def test_law_corrections_make_the_figures_of_the_log_that_says_it_at_once(
    log: list[Event], data: st.DataObject
) -> None:
    made, meant = Office("u", source="back-office"), dict(enumerate(log))
    corrections: list[Event] = []
    for index in data.draw(st.lists(st.integers(0, len(log) - 1), max_size=4, unique=True)):
        event = log[index]
        by_name = {
            "time": st.sampled_from((-9 * DAY, -HOUR, MINUTE, 7 * HOUR)).map(lambda ms: int(event.time) + ms),  # noqa: B023
            "employee": st.sampled_from(("sari", None)),
            "outcome": st.sampled_from(("refused", None)),
            "service": st.sampled_from(("ktp", "kk")),
        }
        fields = [name for name in by_name if name == "time" or name in type(event.data).__struct_fields__]
        chosen = data.draw(st.lists(st.sampled_from(fields), min_size=1, unique=True))
        told_of = {name: data.draw(by_name[name]) for name in chosen}
        corrections.append(made.corrected(event.subject, at=int(event.time) + DAY, of=event, set=told_of))
        moved_to = told_of.pop("time", None)
        time = Instant(moved_to) if isinstance(moved_to, int) else event.time
        meant[index] = replace(event, time=time, data=replace(event.data, **told_of))
    arrived = data.draw(st.permutations([*log, *corrections]))
    at_once = int(o.at("08:00"))
    assert exact(told(*arrived, received=at_once)) == exact(told(*meant.values(), received=at_once))
