"""Laws of service time: whatever the calendar and the zone, these hold (definitions: three clocks)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume
from hypothesis import strategies as st

from loket.domain.calendar import ALWAYS, CLOSED, Calendar, DayHours, Schedule, Week
from loket.domain.durations import DAY, HOUR, MINUTE
from loket.domain.intervals import difference, union
from loket.domain.opening import BLOCK_MS, OpeningHours, State
from support.laws import law

ZONES = (
    "Asia/Jakarta",
    "Asia/Jayapura",
    "Europe/Amsterdam",
    "America/New_York",
    "Asia/Jerusalem",
    "Australia/Lord_Howe",  # its clocks change by half an hour
    "America/Sao_Paulo",  # at midnight, until 2019
    "Pacific/Apia",  # left out 2011-12-30
)
FROM = int(datetime(2008, 1, 1, tzinfo=UTC).timestamp()) * 1000
UNTIL = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp()) * 1000
SKIPS = [
    int(datetime.fromisoformat(text).timestamp()) * 1000
    for text in (
        "2011-12-30T10:00+00:00",
        "2018-11-04T03:00+00:00",
        "2024-02-29T12:00+00:00",
        "2026-03-08T07:00+00:00",
        "2026-03-29T01:00+00:00",
        "2026-10-25T01:00+00:00",
    )
]
SKIPS += [BLOCK_MS * 640]

instants = st.one_of(
    st.integers(FROM, UNTIL),
    st.builds(lambda skip, near: skip + near, st.sampled_from(SKIPS), st.integers(-2 * DAY, 2 * DAY)),
)
amounts = st.one_of(st.integers(0, 20 * HOUR), st.integers(0, 400 * HOUR), st.integers(0, 100).map(lambda n: n * HOUR))


@st.composite
def day_hours(draw: st.DrawFn, latest: int = 36 * 60, earliest: int = 0) -> DayHours:
    """Up to three hours of a day with breaks strictly within them, over midnight too, in minutes."""
    kind = draw(st.integers(0, 5))
    if kind < 2 and not earliest:
        return (CLOSED, ALWAYS)[kind]
    edges = sorted(set(draw(st.lists(st.integers(earliest, latest), min_size=2, max_size=6))))
    spans = [(begin * MINUTE, end * MINUTE) for begin, end in zip(edges[::2], edges[1::2], strict=False)]
    breaks = []
    for begin, end in spans:
        if end - begin > 3 * MINUTE and draw(st.booleans()):
            third = (end - begin) // (3 * MINUTE) * MINUTE
            breaks.append((begin + third, begin + 2 * third))
    return DayHours(tuple(spans), tuple(breaks))


@st.composite
def calendars(draw: st.DrawFn, latest: int = 36 * 60, earliest: int = 0) -> Calendar:
    """Weeks with holidays, Ramadan and exceptions around the days on which clocks change; some with years closed."""
    days = day_hours(latest, earliest)

    def week() -> Week:
        return draw(st.tuples(days, days, days, days, days, days, days))

    near = st.builds(
        lambda skip, more: datetime.fromtimestamp(skip // 1000, UTC).toordinal() + more,
        st.sampled_from(SKIPS),
        st.integers(-4, 4),
    )
    closed = draw(st.frozensets(near, max_size=4))
    if draw(st.integers(0, 4)) == 0:
        begin = draw(near)
        closed |= frozenset(range(begin, begin + draw(st.integers(1, 1_500))))
    schedules = [Schedule(1, week(), week() if draw(st.booleans()) else None)]
    if draw(st.booleans()):
        schedules.append(Schedule(draw(near), week()))
    exceptions = draw(st.dictionaries(near, days, max_size=3))
    return Calendar(tuple(schedules), closed, draw(st.frozensets(near, max_size=4)), tuple(sorted(exceptions.items())))


engines = st.builds(OpeningHours, st.sampled_from(ZONES), calendars())


@law(engines, instants, instants, instants)
def test_service_time_is_additive(engine: OpeningHours, a: int, b: int, c: int) -> None:
    assert engine.between(a, c) == engine.between(a, b) + engine.between(b, c)


@law(engines, instants, instants)
def test_service_time_is_never_below_zero_and_at_most_wall_time(engine: OpeningHours, a: int, b: int) -> None:
    begin, end = sorted((a, b))
    assert 0 <= engine.between(begin, end) <= end - begin


@law(engines, instants)
def test_a_unit_is_open_where_service_time_passes(engine: OpeningHours, instant: int) -> None:
    assert engine.between(instant, instant + 1) == (engine.state(instant) is State.OPEN)


@law(engines, instants, amounts)
def test_a_deadline_is_the_first_instant_at_which_so_much_has_passed(engine: OpeningHours, a: int, ms: int) -> None:
    due = engine.deadline(a, ms)
    if due is None:
        assert engine.between(a, a + 49 * 365 * DAY) < ms
        return
    assert due >= a
    assert engine.between(a, due) == ms
    assert ms == 0 or engine.between(a, due - 1) == ms - 1


@law(engines, instants, amounts)
def test_within_ends_where_more_has_passed(engine: OpeningHours, a: int, ms: int) -> None:
    last, due = engine.last_within(a, ms), engine.deadline(a, ms)
    if last is None:
        assert engine.between(a, a + 49 * 365 * DAY) <= ms
        return
    assert due is not None
    assert due <= last
    assert engine.between(a, last) == ms
    assert engine.between(a, last + 1) == ms + 1


@law(engines, instants)
def test_until_the_next_opening_nothing_passes_and_then_it_does(engine: OpeningHours, instant: int) -> None:
    opens = engine.next_opening(instant)
    assume(opens is not None)
    assert opens is not None
    assert engine.between(instant, opens) == 0
    assert engine.state(opens) is State.OPEN


@law(engines, instants, amounts.filter(bool))
def test_a_window_has_as_much_service_time_as_it_says(engine: OpeningHours, end: int, ms: int) -> None:
    begin = engine.before(end, ms)
    assert begin <= end
    if engine.between(0, end) >= ms:
        assert engine.between(begin, end) == ms
        assert engine.between(begin + 1, end) == ms - 1


@law(engines, instants, st.integers(1, 40 * HOUR))
def test_the_first_opening_and_the_closing_of_a_day_are_its_edges(
    engine: OpeningHours, begin: int, length: int
) -> None:
    end = begin + length
    opens, closes = engine.first_opening(begin, end), engine.closing(begin, end)
    if opens is None:
        assert engine.between(begin, end) == 0
        assert closes is None
    else:
        assert begin <= opens < end
        assert engine.between(begin, opens) == 0
        assert engine.state(opens) is State.OPEN
        if closes is None:
            assert engine.state(end - 1) is State.OPEN
            assert engine.state(end) is State.OPEN
        else:
            assert engine.between(closes, end) == 0
            assert engine.state(closes - 1) is State.OPEN
            assert engine.state(closes) is not State.OPEN


@law(st.sampled_from(ZONES), calendars(), st.lists(st.tuples(instants, instants), min_size=2, max_size=5))
def test_what_was_asked_before_changes_nothing(zone: str, calendar: Calendar, asked: list[tuple[int, int]]) -> None:
    engine = OpeningHours(zone, calendar)
    once = [engine.between(a, b) for a, b in asked]
    assert once == [OpeningHours(zone, calendar).between(a, b) for a, b in asked]
    assert once == [engine.between(a, b) for a, b in asked]


@law(st.sampled_from(ZONES), calendars(latest=24 * 60, earliest=4 * 60), instants, st.integers(0, 60 * 60))
def test_minute_for_minute_it_is_what_the_clock_on_the_wall_says(
    zone: str, calendar: Calendar, begin: int, minutes: int
) -> None:
    """The second computation asks the wall clock for each minute; hours begin after the clocks have changed."""
    begin -= begin % MINUTE
    assume(zone != "Pacific/Apia")
    exceptions = dict(calendar.exceptions)
    local = datetime.fromtimestamp(begin // 1000, ZoneInfo(zone)).date()
    wall: dict[date, list[tuple[int, int]]] = {}
    for offset in range(-1, minutes // (24 * 60) + 3):
        day = local + timedelta(days=offset)
        found = exceptions.get(day.toordinal()) or calendar.usual(day.toordinal())
        wall[day] = difference(union(found.hours), union(found.breaks))
    served = 0
    for minute in range(minutes):
        moment = datetime.fromtimestamp(begin // 1000 + 60 * minute, ZoneInfo(zone))
        time_ms = (moment.hour * 60 + moment.minute) * MINUTE
        served += any(a <= time_ms < b for a, b in wall[moment.date()])
    assert OpeningHours(zone, calendar).between(begin, begin + minutes * MINUTE) == served * MINUTE
