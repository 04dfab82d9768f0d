"""Opening hours, breaks, holidays, Ramadan, exceptions, turnaround and burn-rate rules in `targets.yaml`."""

from __future__ import annotations

from datetime import date

import pytest

from loket.domain.burn import Burn
from loket.domain.calendar import Calendar
from loket.domain.durations import HOUR, MINUTE
from loket.domain.halls import hours_of
from loket.domain.opening import OpeningHours, State
from loket.domain.policy import Clock, Policy, Produces, Since, Turnaround, UnitPolicy
from loket.targets.days_off import named_days_off, ramadan
from loket.targets.presets import PRESETS, preset_text
from loket.targets.reading import TargetsError, read_targets
from loket.testing.builders import Office

PERPRES = """\
defaults:
  hours: {mon-thu: 07:30-16:00, fri: 07:30-16:30}
  breaks: {mon-thu: 12:00-13:00, fri: 11:30-13:00}
  ramadan:
    hours: {mon-thu: 08:00-15:00, fri: 08:00-15:30}
    breaks: {mon-thu: 12:00-12:30, fri: 11:30-12:30}
  holidays: {country: ID, joint_leave: true}
"""


def read(text: str) -> Policy:
    return read_targets("targets.yaml", text.encode()).policy


def unit(text: str, defaults: str = "") -> UnitPolicy:
    """The unit `u` of some lines."""
    body = "".join(f"    {line}\n" for line in text.splitlines())
    return read(f"{defaults}units:\n  u:\n{body}" if body else f"{defaults}units:\n  u:\n").units["u"]


def fault(text: str) -> tuple[int, str, str]:
    with pytest.raises(TargetsError) as caught:
        read(text)
    (found,) = caught.value.faults
    return found.line, found.path, found.message


def week(policy: UnitPolicy, monday: str) -> float:
    """Hours of service time of seven days."""
    office = Office(day=monday, zone=policy.zone)
    return hours_of(policy).between(int(office.at("00:00")), int(office.at("+7 00:00"))) / HOUR


@pytest.mark.parametrize(
    ("monday", "hours"),
    [
        ("2026-06-22", 37.5),
        ("2026-02-23", 32.5),  # in Ramadan
        ("2026-03-16", 13.0),  # Ramadan: Mon and Tue, then joint leave, Nyepi, and Eid al-Fitr's joint leave
        ("2026-08-17", 30.0),  # Independence Day
        ("2025-08-18", 30.0),  # joint leave after it
    ],
)
def test_weeks_by_perpres_21_2023(monday: str, hours: float) -> None:
    assert week(unit("", PERPRES), monday) == hours


def test_who_works_in_joint_leave_has_its_days() -> None:
    assert week(unit("holidays: {country: ID, joint_leave: false}", PERPRES), "2025-08-18") == 37.5
    assert week(unit("holidays: none", PERPRES), "2026-08-17") == 37.5


def test_the_library_knows_public_holidays_and_joint_leave_of_2026() -> None:
    public = named_days_off("ID", joint_leave=False)
    both = named_days_off("ID", joint_leave=True)
    assert public[date(2026, 3, 21).toordinal()] == "Eid al-Fitr"
    assert date(2026, 3, 20).toordinal() not in public
    assert date(2026, 3, 20).toordinal() in both


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2021-04-13", "2021-05-12"),
        ("2024-03-12", "2024-04-09"),
        ("2025-03-01", "2025-03-30"),
        ("2026-02-19", "2026-03-20"),
    ],
)
def test_ramadan_is_as_it_was_decreed(first: str, last: str) -> None:
    days = ramadan()
    begin, end = date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal()
    assert set(range(begin, end + 1)) <= days
    assert begin - 1 not in days
    assert end + 1 not in days


def test_what_a_unit_says_goes_first_and_the_rest_is_the_organisations() -> None:
    found = unit("hours: {mon-sat: 08:00-11:45}", PERPRES)
    hours = hours_of(found)
    monday = Office(day="2026-06-22")
    assert hours.closing(int(monday.at("03:00")), int(monday.at("+1 03:00"))) == int(monday.at("11:45"))
    friday = Office(day="2026-06-26")  # the organisation's break begins at 11:30 and would end after these hours
    assert hours.closing(int(friday.at("03:00")), int(friday.at("+1 03:00"))) == int(friday.at("11:30"))
    assert week(found, "2026-08-17") == 3 * 3.75 + 3.5 + 3.75  # Monday is a holiday, Friday ends at 11:30


def test_a_break_within_hours_is_one_and_the_unit_is_open_around_it() -> None:
    hours, monday = hours_of(unit("hours: 08:00-16:00\nbreaks: 12:00-13:00")), Office(day="2026-06-22")
    states = [hours.state(int(monday.at(time))) for time in ("11:59", "12:00", "13:00")]
    assert states == [State.OPEN, State.BREAK, State.OPEN]


def test_hours_may_be_several_and_go_over_midnight() -> None:
    found = unit("hours:\n  mon: [08:00-12:00, 14:00-17:00]\n  sat: 22:00-30:00")
    assert week(found, "2026-06-22") == 4 + 3 + 8


def test_exceptions_of_a_unit_are_beside_those_of_the_organisation() -> None:
    defaults = (
        "defaults:\n  hours: {mon-fri: 08:00-16:00}\n  exceptions:\n"
        "    - {date: 2026-06-22, hours: closed, reason: local holiday}\n    - {date: 2026-06-23, hours: closed}\n"
    )
    found = unit("exceptions:\n  - {date: 2026-06-23, hours: 09:00-12:00, breaks: 10:00-10:30}", defaults)
    assert week(found, "2026-06-22") == 3 * 8 + 2.5
    period = unit("exceptions:\n  - {from: 2026-06-22, to: 2026-06-26, hours: 08:00-09:00}", defaults)
    assert week(period, "2026-06-22") == 5


def test_schedules_hold_from_their_day_on() -> None:
    found = unit(
        "schedules:\n  - {valid_from: 2026-06-24, hours: {mon-fri: 08:00-10:00}}\n"
        "  - {valid_from: 2026-01-01, hours: {mon-fri: 08:00-12:00}}"
    )
    assert week(found, "2026-06-22") == 4 + 4 + 2 + 2 + 2
    assert [schedule.valid_from for schedule in found.calendar.schedules] == [
        date(2026, 1, 1).toordinal(),
        date(2026, 6, 24).toordinal(),
    ]


def test_ramadan_days_may_be_told_and_the_hours_be_the_usual_ones() -> None:
    told = unit(
        "ramadan:\n  dates: [{from: 2026-06-22, to: 2026-06-23}]\n  hours: 08:00-09:00\n  breaks: none", PERPRES
    )
    assert week(told, "2026-06-22") == 1 + 1 + 3 * 7.5
    assert week(unit("ramadan: none", PERPRES), "2026-02-23") == 37.5


def test_files_without_hours_have_none() -> None:
    found = unit("")
    assert found.calendar == Calendar()
    assert hours_of(found).between(0, 8 * HOUR) == 8 * HOUR
    assert (found.waits_from_opening, found.close_after_ms) == (False, None)


def test_where_waits_are_judged_from_and_when_nobody_is_called_any_more() -> None:
    found = unit("wait_starts: opening\nclose_after: 1h30m")
    assert (found.waits_from_opening, found.close_after_ms) == (True, 90 * MINUTE)
    found = unit("wait_starts: issue\nclose_after: never", "defaults: {wait_starts: opening, close_after: 10m}\n")
    assert (found.waits_from_opening, found.close_after_ms) == (False, None)


def test_a_turnaround_in_wall_or_service_time_from_submission_or_acceptance() -> None:
    found = unit(
        "services:\n  kk:\n    kind: request\n    turnaround:\n"
        "      - {valid_from: 2026-02-01, within: 15h, objective: 0.9, clock: service, from: acceptance}\n"
        "      - {valid_from: 2026-01-01, within: 1d, objective: 0.95}\n"
    ).services["kk"]
    assert found.produces is Produces.REQUEST
    january, february = date(2026, 1, 1).toordinal(), date(2026, 2, 1).toordinal()
    assert found.turnarounds == (
        Turnaround(january, 24 * HOUR, 0.95),
        Turnaround(february, 15 * HOUR, 0.9, Clock.SERVICE, Since.ACCEPTANCE),
    )
    assert found.turnaround(january - 1) is None
    assert found.turnaround(february) == found.turnarounds[1]


def test_burn_rate_rules_are_a_share_of_a_period_or_a_factor() -> None:
    found = unit(
        "burn_rate:\n  period_hours: 165\n  rules:\n"
        "    fast: {window: 1h, budget: 0.02}\n    slow: {window: 37h30m, factor: 1}"
    ).burn
    assert [(rule.name, rule.window_ms, rule.factor) for rule in found.rules] == [
        ("fast", HOUR, 3.3),
        ("slow", 37.5 * HOUR, 1.0),
    ]
    assert found.chosen
    assert unit("burn_rate: none").burn == Burn((), chosen=True)


S = "units:\n  u:\n    "
REQUEST = "services: {s: {kind: request, turnaround: "
WAIT = "services:\n      s:\n        wait: [{valid_from: 2026-01-01, seconds: 60, objective: 0.6}]\n"


@pytest.mark.parametrize(
    ("text", "line", "path", "says"),
    [
        (S + "hours: 16:00-08:00\n", 3, "units.u.hours", "ends before it begins; over midnight write 16:00-32:00"),
        (S + "hours: 08:00-08:00\n", 3, "units.u.hours", "ends before it begins"),
        (S + "hours: 8-16\n", 3, "units.u.hours", "`8-16` are no hours"),
        (S + "hours: 08:00-48:30\n", 3, "units.u.hours", "no time of day"),
        (
            S + "hours: {mon: [10:00-12:00, 11:00-13:00]}\n",
            3,
            "units.u.hours.mon[1]",
            "begin before the ones above end",
        ),
        (S + "hours: {monday: 08:00-12:00}\n", 3, "units.u.hours.monday", "is no day"),
        (S + "hours: {fri-mon: 08:00-12:00}\n", 3, "units.u.hours.fri-mon", "is no day"),
        (S + "hours: {mon-fri: 08:00-12:00, wed: closed}\n", 3, "units.u.hours.wed", "wed has hours here already"),
        (S + "hours: 08:00-12:00\n    breaks: 11:00-13:00\n", 4, "units.u.breaks", "not within the hours of mon"),
        (S + "holidays: {country: XX}\n", 3, "units.u.holidays.country", "no country whose holidays are known"),
        (S + "holidays: {}\n", 3, "units.u.holidays", "`country` is missing"),
        (S + "exceptions: [{date: 2026-02-30, hours: closed}]\n", 3, "units.u.exceptions[0].date", "is not a date"),
        (S + "exceptions: [{hours: closed}]\n", 3, "units.u.exceptions[0]", "either `date: …`"),
        (
            S + "exceptions: [{from: 2026-01-02, to: 2026-01-01, hours: closed}]\n",
            3,
            "units.u.exceptions[0]",
            "ends before it begins",
        ),
        (
            S + "exceptions: [{date: 2026-01-01, hours: closed}, {date: 2026-01-01, hours: closed}]\n",
            3,
            "units.u.exceptions[1]",
            "2026-01-01 has an exception here already",
        ),
        (
            S + "schedules: [{valid_from: 2026-01-01, hours: closed}, {valid_from: 2026-01-01, hours: closed}]\n",
            3,
            "units.u.schedules[1]",
            "the same `valid_from`",
        ),
        (
            S + "hours: closed\n    schedules: [{valid_from: 2026-01-01, hours: closed}]\n",
            3,
            "units.u.hours",
            "exclude each other",
        ),
        (S + "wait_starts: noon\n", 3, "units.u.wait_starts", "one of issue, opening"),
        (S + "close_after: soon\n", 3, "units.u.close_after", "is not a duration"),
        (S + "close_after: 25h\n", 3, "units.u.close_after", "out of bounds"),
        (S + "opens: 08:00\n", 3, "units.u.opens", "unknown key"),
        (S + "zone: Asia/Bandung\n", 3, "units.u.zone", "not a zone"),
        (S + "burn_rate: {rules: {a: {window: 1h}}}\n", 3, "units.u.burn_rate.rules.a", "either `budget: …`"),
        (
            S + "burn_rate: {rules: {a: {window: 5m, factor: 2}}}\n",
            3,
            "units.u.burn_rate.rules.a.window",
            "out of bounds",
        ),
        (
            S + "burn_rate: {rules: {A b: {window: 1h, factor: 2}}}\n",
            3,
            "units.u.burn_rate.rules.A b",
            "cannot be a rule's name",
        ),
        (
            S + "burn_rate: {rules: {a: {window: 1h, factor: 2.6}}}\n    " + WAIT,
            5,
            "units.u.services",
            "can never fire for `s`: it waits for a burn of 2.6, and with an objective of 0.6 the burn is at most 2.5",
        ),
        (
            S + "services: {s: {turnaround: [{valid_from: 2026-01-01, within: 1h, objective: 0.9}]}}\n",
            3,
            "units.u.services.s.turnaround",
            "only requests have a turnaround",
        ),
        (
            S + REQUEST + "[{valid_from: 2026-01-01, within: 1d, objective: 0.9, clock: service}]}}\n",
            3,
            "units.u.services.s.turnaround[0].within",
            "write hours",
        ),
        (S + "services: {s: {kind: document}}\n", 3, "units.u.services.s.kind", "one of ticket, request"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_path_and_reason(text: str, line: int, path: str, says: str) -> None:
    found = fault(text)
    assert found[:2] == (line, path)
    assert says in found[2]


def test_a_rule_that_somebody_wrote_for_the_organisation_must_fire_in_each_unit() -> None:
    rules = "defaults: {burn_rate: {rules: {a: {window: 1h, factor: 2.6}}}}\n"
    line, path, message = fault(rules + S + WAIT)
    assert (line, path) == (5, "units.u.services")
    assert "can never fire" in message
    assert not unit("services: {s: {wait: [{valid_from: 2026-01-01, seconds: 60, objective: 0.6}]}}").burn.chosen


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_right_and_has_the_hours_of_perpres_21_2023(name: str) -> None:
    policy = read(preset_text(name))
    (found,) = policy.units.values()
    assert week(found, "2026-06-22") == 37.5
    assert week(found, "2026-02-23") == 32.5
    assert [rule.factor for rule in found.burn.rules] == [3.3, 2.75, 2.2, 1.0]
    assert found.waits_from_opening
    for service in found.services.values():
        assert service.names.id
        assert service.names.en
        assert service.targets or service.turnarounds


def test_presets_name_their_sources_or_say_that_there_is_no_rule() -> None:
    texts = {name: preset_text(name) for name in PRESETS}
    assert all("Perpres 21/2023" in text and "no rule" in text for text in texts.values())
    assert "Kepmenkes 129/2008" in texts["hospital-outpatients"]
    assert "Kepmenkes 129/2008" in texts["pharmacy"]
    assert "Permendagri 19/2018" in texts["civil-registry"]
    civil = next(iter(read(texts["civil-registry"]).units.values())).services["ktp-el"].turnarounds[0]
    assert (civil.within_ms, civil.since, civil.clock) == (24 * HOUR, Since.ACCEPTANCE, Clock.WALL)
    pharmacy = next(iter(read(texts["pharmacy"]).units.values())).services
    assert [pharmacy[name].turnarounds[0].within_ms // MINUTE for name in ("obat-jadi", "obat-racikan")] == [30, 60]


def test_units_with_the_same_hours_share_what_is_computed() -> None:
    policy = read(PERPRES + "units:\n  a:\n  b:\n")
    first, second = (hours_of(policy.units[name]) for name in ("a", "b"))
    assert isinstance(first, OpeningHours)
    assert first is second
