"""From record batches to units: each event once, in order, nothing after a hole, and each record counted once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loket.domain.events import Event
from loket.domain.policy import DAY, Budget, Policy, UnitPolicy
from loket.domain.state import OTHER
from loket.testing.builders import Office
from loket.wire.cloudevents import Decoder
from loket.wire.rejection import Reason
from loket_streams.errors import GapError, RecoveryError
from loket_streams.fetching import Found
from loket_streams.partitions import Partition, Partitions
from loket_streams.processing import EventTime, Processor, ServiceTime, Time, unit_by_unit
from loket_streams.tallies import Tallies
from support.changelogs import batch, record
from support.streams import as_told

MINUTE = 60_000
NOON = int(Office().at("12:00"))


class Reader:
    """A processor with one partition that is read from its beginning."""

    def __init__(self, time: Time | None = None, policy: Policy | None = None, now_ms: int | None = None) -> None:
        self.partitions = Partitions("loket.events", policy or Policy())
        self.partitions.assign([0], "member", 1)
        self.partitions.install(0, {}, dirty=(), changelog_next=0)
        self.partitions.seek({0: Found(None, 0, 1_000)})
        self.tallies = Tallies()
        decoder = Decoder(1) if now_ms is None else Decoder(1, clock="event", now=lambda: now_ms)
        self.process = Processor(self.partitions, decoder, self.tallies, time or ServiceTime()).process

    @property
    def partition(self) -> Partition:
        (partition,) = self.partitions
        return partition


def a_day(visits: int = 6) -> list[Event]:
    office = Office()
    told: list[Event] = []
    for visit in range(visits):
        subject = f"A{visit}"
        told += [
            office.issued(subject, at=f"09:{visit:02d}"),
            office.called(subject, at=f"09:{visit + 10:02d}", counter="1", employee="sari"),
            office.completed(subject, at=f"09:{visit + 20:02d}", counter="1", employee="sari"),
        ]
    return told


RECORDS = [record(event, offset, timestamp=NOON) for offset, event in enumerate(a_day())]


def test_every_record_once_however_often_and_in_whatever_pieces_it_is_fetched() -> None:
    whole = Reader()
    whole.process(batch(RECORDS))
    expected = as_told(whole.partition.units["u"])

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.tuples(st.integers(0, len(RECORDS) - 1), st.integers(1, len(RECORDS))), max_size=12))
    def law(pieces: list[tuple[int, int]]) -> None:
        reader = Reader()
        for begin, length in [*pieces, (0, len(RECORDS))]:
            fetched = RECORDS[begin : begin + length]
            if begin > (reader.partition.next or 0):
                continue  # a hole: the next test
            reader.process(batch(fetched))
        assert as_told(reader.partition.units["u"]) == expected
        assert sum(reader.tallies.events.values()) == len(RECORDS)
        assert reader.partition.next == len(RECORDS)

    law()


def test_after_a_hole_nothing_is_applied() -> None:
    reader = Reader()
    reader.process(batch(RECORDS[:5]))
    before = as_told(reader.partition.units["u"])
    with pytest.raises(GapError, match="offset 5 should have come and 6 came"):
        reader.process(batch(RECORDS[6:]))
    assert as_told(reader.partition.units["u"]) == before
    assert reader.partition.next == 5


def test_offsets_that_the_broker_says_are_empty_are_no_hole() -> None:
    reader = Reader()
    reader.process(batch(RECORDS[:5], end=8))
    reader.process(batch([], begin=8, end=9))
    reader.process(batch([record(None, 9)], begin=9))
    assert reader.partition.next == 10


def test_what_a_unit_contains_already_is_skipped_and_the_rest_of_the_partition_is_not() -> None:
    once = Reader()
    once.process(batch(RECORDS))
    again = Reader()
    again.process(batch(RECORDS[:9]))
    restored = Reader()
    restored.partition.units["u"] = again.partition.units["u"]
    other = Office("v").issued("B1", at="09:00")
    restored.process(batch([*RECORDS, record(other, len(RECORDS), timestamp=NOON)]))
    assert as_told(restored.partition.units["u"]) == as_told(once.partition.units["u"])
    assert restored.partition.units["v"].offset == len(RECORDS)
    assert restored.tallies.events["applied"] == len(RECORDS) - 9 + 1
    assert restored.tallies.events["duplicate"] == 0  # the domain would know them again, as long as the day is open


def test_what_a_unit_contains_already_is_skipped_when_its_day_is_closed_too() -> None:
    """Nobody remembers its events then: read again after a crash they would be late ones."""
    tomorrow = record(Office().issued("B1", at="+2 09:00", id="tomorrow"), len(RECORDS), timestamp=NOON + 2 * DAY)
    once = Reader()
    once.process(batch([*RECORDS, tomorrow]))
    assert once.partition.units["u"].admission.closed_day
    restored = Reader()
    restored.partition.units["u"] = once.partition.units["u"]
    before = as_told(once.partition.units["u"])
    restored.process(batch([*RECORDS, tomorrow]))
    assert as_told(restored.partition.units["u"]) == before
    assert not restored.tallies.late


def test_the_offset_of_the_last_record_is_in_the_unit_and_the_unit_is_due() -> None:
    reader = Reader()
    reader.process(batch(RECORDS[:4]))
    assert reader.partition.units["u"].offset == 3
    assert reader.partition.dirty == {"u"}


def test_a_partition_that_is_not_ours_is_left_alone() -> None:
    reader = Reader()
    reader.partitions.assign([], "member", 2)
    reader.process(batch(RECORDS))
    assert sum(reader.tallies.events.values()) == 0


def test_a_partition_without_a_position_is_not_read() -> None:
    reader = Reader()
    reader.partition.next = None
    with pytest.raises(RecoveryError):
        reader.process(batch(RECORDS))


def test_what_cannot_be_taken_is_counted_with_its_reason_and_the_stream_goes_on() -> None:
    reader = Reader(policy=Policy(units={"known": UnitPolicy(known=True)}))
    foreign = b'{"specversion":"1.0","type":"com.example.x","source":"s","id":"1"}'
    reader.process(
        batch(
            [
                record(b"\xff", 0, key=b"known"),
                record(b"\xff", 1, key=b"made-up-by-a-broken-device"),
                record(b"\xff", 2),
                record(foreign, 3, key=b"u"),
                record(RECORDS[0].value, 4, key=b"another", timestamp=NOON),
                record(RECORDS[0].value, 5, key=b"u", timestamp=NOON),
            ]
        )
    )
    assert reader.tallies.rejected == {
        ("known", Reason.NOT_JSON): 1,
        ("other", Reason.NOT_JSON): 2,
        ("other", Reason.KEY_MISMATCH): 1,
    }
    assert reader.tallies.events["rejected"] == 4
    assert reader.tallies.events["foreign"] == 1
    assert reader.tallies.events["applied"] == 1


def test_an_event_that_says_something_else_under_a_known_id_is_a_rejection_of_its_unit() -> None:
    office = Office()
    reader = Reader()
    told = [office.issued("A1", at="09:00", id="x"), office.issued("A2", at="09:01", id="x")]
    reader.process(batch([record(event, offset, timestamp=NOON) for offset, event in enumerate(told)]))
    assert reader.tallies.rejected == {("u", Reason.CONFLICTING_REPEAT): 1}


def test_late_events_are_counted_for_their_unit_rule_8() -> None:
    office = Office()
    reader = Reader()
    told = [office.issued("A1", at="09:00"), office.issued("A2", at="-1 09:00")]
    reader.process(batch([record(event, offset, timestamp=NOON) for offset, event in enumerate(told)]))
    assert reader.tallies.late == {"u": 1}


def test_received_is_the_brokers_time_rule_3() -> None:
    reader = Reader()
    reader.process(batch([record(Office().issued("A1", at="09:00"), 0, timestamp=NOON)]))
    assert reader.partition.received == NOON
    assert reader.partition.units["u"].received == NOON


def test_with_the_events_clock_received_is_the_events_own_time_rule_3() -> None:
    event = Office().issued("A1", at="09:00")
    reader = Reader(EventTime(None), now_ms=NOON)
    reader.process(batch([record(event, 0, timestamp=NOON + 99 * MINUTE)]))
    assert reader.partition.received == event.time
    assert reader.tallies.newest_event_ms == event.time


def test_who_is_silent_for_35_days_is_forgotten_in_service_and_in_no_replay_rule_35() -> None:
    office = Office()
    told: list[Event] = [
        office.completed("A1", at="09:00", employee="e"),
        office.completed("A2", at="+36 09:00", employee="f"),
    ]
    records = [record(event, offset, timestamp=int(event.time)) for offset, event in enumerate(told)]
    for time, known in ((ServiceTime(), {"f"}), (EventTime(None), {"e", "f"})):
        reader = Reader(time, now_ms=int(office.at("+36 10:00")))
        reader.process(batch(records))
        assert reader.partition.units["u"].people.keys() == known


def test_an_event_ahead_of_the_fixed_now_is_in_no_figure_rule_5() -> None:
    office = Office()
    now = int(office.at("09:00"))
    reader = Reader(EventTime(now), now_ms=now)
    told = [office.issued("A1", at="09:00"), office.issued("A2", at="09:00:00.001")]
    reader.process(batch([record(event, offset, timestamp=NOON) for offset, event in enumerate(told)]))
    assert reader.tallies.events["ahead"] == 1
    assert reader.tallies.newest_event_ms == now
    assert reader.partition.units["u"].offset == 0


def test_a_time_over_5_minutes_ahead_of_the_broker_is_never_now_rule_4() -> None:
    office = Office()
    reader = Reader()
    told = [office.issued("A1", at="12:05"), office.issued("A2", at="12:05:00.001")]
    reader.process(batch([record(event, offset, timestamp=NOON) for offset, event in enumerate(told)]))
    assert reader.tallies.newest_event_ms == office.at("12:05")
    assert reader.tallies.events["applied"] == 2


def test_beyond_the_budget_of_sources_they_share_one_name() -> None:
    reader = Reader(policy=Policy(defaults=UnitPolicy(budget=Budget(sources=2))))
    told = [Office(source=f"kiosk-{n}").issued(f"A{n}", at="11:59") for n in range(5)]
    reader.process(batch([record(event, offset, timestamp=NOON) for offset, event in enumerate(told)]))
    assert sorted(reader.tallies.sources["u"]) == ["kiosk-0", "kiosk-1", "other"]


def test_where_the_brokers_time_is_the_producers_no_clock_is_judged() -> None:
    reader = Reader()
    reader.process(batch([record(Office().issued("A1", at="09:00"), 0, timestamp=NOON, timestamp_type=0)]))
    assert reader.tallies.sources == {}


def of_unit(unit: str, number: int) -> list[Event]:
    office = Office(unit, source=unit)
    return [office.issued(f"A{visit}", at=f"09:{visit:02d}") for visit in range(number)]


interleavings = st.lists(st.sampled_from(["u", "v", "w", OTHER, "new"]), max_size=40)


@given(interleavings, st.sets(st.sampled_from(["u", "v", "w", OTHER])), st.integers(0, 10))
def test_of_a_batch_each_units_records_follow_one_another_in_their_order(
    units: list[str], known: set[str], begin: int
) -> None:
    taken = {unit: iter(of_unit(unit, 40)) for unit in units}
    log = [record(next(taken[unit]), offset) for offset, unit in enumerate(units)]
    found = list(unit_by_unit(log, begin, known))
    assert sorted(one.offset for one in found) == [one.offset for one in log[begin:]]
    own = known - {OTHER}
    of_others = [one.offset for one in found if one.key is None or one.key.decode() not in own]
    assert of_others == sorted(of_others), "what has no state of its own yet stays in the order of the log"
    for unit in own:
        places = [place for place, one in enumerate(found) if one.key == unit.encode()]
        assert places == list(range(places[0], places[0] + len(places))) if places else True
        offsets = [found[place].offset for place in places]
        assert offsets == sorted(offsets)


@given(interleavings.filter(bool), st.integers(1, 12))
def test_units_are_the_same_whether_they_come_one_after_the_other_or_by_turns(units: list[str], pieces: int) -> None:
    taken = {unit: iter(of_unit(unit, 40)) for unit in units}
    log = [record(next(taken[unit]), offset, timestamp=NOON) for offset, unit in enumerate(units)]
    whole, cut = Reader(), Reader()
    whole.partitions.unit_budget = cut.partitions.unit_budget = 2
    whole.process(batch(log))
    for begin in range(0, len(log), pieces):
        cut.process(batch(log[begin : begin + pieces]))
    assert list(whole.partition.units) == list(cut.partition.units)
    for name, state in whole.partition.units.items():
        assert as_told(state) == as_told(cut.partition.units[name])
    assert whole.tallies.events == cut.tallies.events
    assert whole.partition.record_ms == cut.partition.record_ms
