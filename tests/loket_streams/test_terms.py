"""A file of targets that was changed while no worker ran is held against what people were judged by (rule 10)."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from loket.domain.calendar import ALWAYS_VALID, CLOSED, Calendar, DayHours, Schedule
from loket.domain.durations import HOUR
from loket.domain.policy import Clock, ServicePolicy, Since, Target, Turnaround, UnitPolicy
from loket.domain.records import take_records
from loket.domain.state import UnitState
from loket.domain.terms import DAYS_OF_HOURS
from loket.domain.unit import apply
from loket.testing.builders import Office, unit_policy
from loket_streams.changelog import Packer, decode_unit, unpack
from loket_streams.errors import TermsError
from loket_streams.store import changed_terms

JUDGED_BY = unit_policy({"s": 300})
TODAY = date(2026, 1, 15).toordinal()
"""The builders' day."""


def read_back(written_by: UnitPolicy, policy: UnitPolicy) -> UnitState:
    """A unit that took an event today under one policy, as a worker with another one reads it."""
    office = Office()
    state = UnitState("u", written_by)
    apply(state, office.issued("A1", at="09:00", service="s"), int(office.at("09:00")))
    ((_, head),) = take_records(state, Packer().pack, unpack)
    return decode_unit("u", head or b"", {}, lambda _: policy)


def with_targets(*targets: Target) -> UnitPolicy:
    return replace(JUDGED_BY, services={"s": ServicePolicy(targets=targets)})


OLD = JUDGED_BY.services["s"].targets[0]


@pytest.mark.parametrize(
    ("policy", "changed"),
    [
        (JUDGED_BY, []),
        (replace(JUDGED_BY, zone="Asia/Makassar"), ["zone"]),
        (replace(JUDGED_BY, day_starts_ms=None), ["day_starts"]),
        (replace(JUDGED_BY, short_ms=1), ["short_seconds"]),
        (replace(JUDGED_BY, wrap_up_ms=1), ["wrap_up_seconds"]),
        (with_targets(replace(OLD, within_ms=1)), ["services.s"]),
        (with_targets(replace(OLD, objective=0.5)), ["services.s"]),
        (with_targets(OLD, Target(TODAY, 1, 0.8)), ["services.s"]),
        (with_targets(OLD, Target(TODAY + 1, 1, 0.8)), []),
        (with_targets(), ["services.s"]),
        (unit_policy({"s": 300, "t": 60}), ["services.t"]),
        (replace(JUDGED_BY, late_ms=1), []),
        (UnitPolicy(), ["services.s"]),
    ],
)
def test_what_of_the_past_a_file_says_otherwise(policy: UnitPolicy, changed: list[str]) -> None:
    assert changed_terms(read_back(JUDGED_BY, policy)) == changed


def test_a_unit_that_the_file_did_not_name_may_be_named() -> None:
    assert changed_terms(read_back(UnitPolicy(), JUDGED_BY)) == []
    assert changed_terms(read_back(UnitPolicy(), replace(JUDGED_BY, zone="Asia/Makassar"))) == []


def test_a_unit_is_held_against_what_it_was_last_written_by() -> None:
    later = with_targets(OLD, Target(TODAY + 1, 1, 0.8))
    assert changed_terms(read_back(later, JUDGED_BY)) == []
    assert changed_terms(read_back(later, later)) == []


def test_of_many_units_some_are_named() -> None:
    told = str(TermsError({f"u{number:02}": ["zone"] for number in range(12)}))
    assert "units.u09: zone, and 2 units more" in told
    assert "units.u10" not in told


PROMISED = Turnaround(1, 24 * HOUR, 0.9)
WITH_REQUESTS = replace(JUDGED_BY, services={"ktp": ServicePolicy(turnarounds=(PROMISED,))})


@pytest.mark.parametrize(
    ("promises", "changed"),
    [
        ((PROMISED,), []),
        ((PROMISED, replace(PROMISED, valid_from=TODAY + 1, within_ms=HOUR)), []),
        ((PROMISED, replace(PROMISED, valid_from=TODAY, within_ms=HOUR)), ["services.ktp"]),
        ((replace(PROMISED, within_ms=HOUR),), ["services.ktp"]),
        ((replace(PROMISED, objective=0.5),), ["services.ktp"]),
        ((replace(PROMISED, clock=Clock.SERVICE),), ["services.ktp"]),
        ((replace(PROMISED, since=Since.ACCEPTANCE),), ["services.ktp"]),
        ((), ["services.ktp"]),
    ],
)
def test_targets_of_requests_are_held_against_the_file_too(
    promises: tuple[Turnaround, ...], changed: list[str]
) -> None:
    policy = replace(WITH_REQUESTS, services={"ktp": ServicePolicy(turnarounds=promises)})
    assert changed_terms(read_back(WITH_REQUESTS, policy)) == changed


MORNINGS = DayHours(((8 * HOUR, 12 * HOUR),))
LONG_DAYS = DayHours(((8 * HOUR, 16 * HOUR),))
HELD = Calendar((Schedule(ALWAYS_VALID, (LONG_DAYS,) * 7),))


@pytest.mark.parametrize(
    ("calendar", "changed"),
    [
        (HELD, []),
        (Calendar(), ["hours"]),
        (replace(HELD, holidays=frozenset({TODAY - 7})), ["hours"]),
        (replace(HELD, holidays=frozenset({TODAY})), ["hours"]),
        (replace(HELD, holidays=frozenset({TODAY + 1})), []),
        (replace(HELD, holidays=frozenset({TODAY - 7}), exceptions=((TODAY - 7, LONG_DAYS),)), []),
        (replace(HELD, holidays=frozenset({TODAY - DAYS_OF_HOURS})), []),
        (replace(HELD, exceptions=((TODAY, MORNINGS),)), ["hours"]),
        (replace(HELD, exceptions=((TODAY + 3, CLOSED),)), []),
        (Calendar((*HELD.schedules, Schedule(TODAY + 1, (MORNINGS,) * 7))), []),
        (Calendar((*HELD.schedules, Schedule(TODAY - 1, (MORNINGS,) * 7))), ["hours"]),
    ],
)
def test_hours_of_days_gone_by_are_held_against_the_file_too(calendar: Calendar, changed: list[str]) -> None:
    """A holiday declared after the fact is refused by a worker that starts, as by one that runs."""
    assert changed_terms(read_back(replace(JUDGED_BY, calendar=HELD), replace(JUDGED_BY, calendar=calendar))) == changed


def test_what_an_earlier_version_did_not_write_is_not_held_against_the_file() -> None:
    state = read_back(WITH_REQUESTS, replace(JUDGED_BY, calendar=HELD))
    assert state.terms is not None
    assert changed_terms(state) == ["hours", "services.ktp", "services.s"]
    state.terms = replace(state.terms, turnarounds=None, hours=None)
    assert changed_terms(state) == ["services.s"]
