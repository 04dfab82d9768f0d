"""A reload takes what is right and changes nothing that is already valid (rule 10)."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.domain.policy import Policy, ServicePolicy, Target, UnitPolicy
from loket.targets import TargetsError, TargetsFile, refusals
from loket.targets.reading import ReadTargets

JAKARTA = ZoneInfo("Asia/Jakarta")


def at(day: str, hour: int = 12) -> int:
    return int((datetime.fromisoformat(day) + timedelta(hours=hour)).replace(tzinfo=JAKARTA).timestamp()) * 1_000


NOON = at("2026-06-15")


def targets(*promises: tuple[str, int], unit: str = "a", service: str = "x", more: str = "") -> str:
    lines = "".join(
        f"          - {{valid_from: {day}, seconds: {seconds}, objective: 0.8}}\n" for day, seconds in promises
    )
    return f"{more}units:\n  {unit}:\n    services:\n      {service}:\n        wait:\n{lines}"


class Edited:
    """A file that an operator edits; every edit has a later time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._edits = 0

    def write(self, text: str) -> None:
        self.path.write_text(text)
        self._edits += 1
        os.utime(self.path, ns=(self._edits * 10**9, self._edits * 10**9))


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    return Edited(tmp_path / "targets.yaml")


def test_without_a_file_the_defaults_are_in_force() -> None:
    file = TargetsFile(None)
    assert file.policy == Policy()
    result = file.reload(NOON)
    assert (result.valid, result.changed, result.policy) == (True, False, Policy())


def test_a_process_does_not_start_on_a_file_that_is_missing_or_wrong(edited: Edited) -> None:
    with pytest.raises(TargetsError, match="cannot be read"):
        TargetsFile(edited.path)
    edited.write("units: 5\n")
    with pytest.raises(TargetsError, match="line 1"):
        TargetsFile(edited.path)


def test_a_target_from_tomorrow_is_taken_and_the_reload_says_so_once(edited: Edited) -> None:
    edited.write(targets(("2026-01-01", 60)))
    file = TargetsFile(edited.path)
    assert not file.reload(NOON).changed
    edited.write(targets(("2026-01-01", 60), ("2026-06-16", 30)))
    result = file.reload(NOON)
    assert (result.valid, result.changed) == (True, True)
    assert len(file.policy.units["a"].services["x"].targets) == 2
    assert not file.reload(NOON).changed


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (targets(("2026-01-01", 61)), "units.a.services.x"),
        (targets(("2026-01-02", 60)), "units.a.services.x"),
        (targets(("2026-01-01", 60), ("2026-06-15", 30)), "units.a.services.x"),
        (targets(("2025-01-01", 30), ("2026-01-01", 60)), "units.a.services.x"),
        (targets(("2026-06-16", 60)), "units.a.services.x"),
        ("units: {a: {services: {x: }}}\n", "units.a.services.x"),
        ("units: {}\n", "units.a.services.x"),
        (
            targets(("2026-01-01", 60)) + "      y: {wait: [{valid_from: 2026-06-15, seconds: 1, objective: 0.5}]}\n",
            "units.a.services.y",
        ),
        (
            targets(("2026-01-01", 60))
            + "  b: {services: {x: {wait: [{valid_from: 2026-01-01, seconds: 1, objective: 0.5}]}}}\n",
            "units.b.services.x",
        ),
        (targets(("2026-01-01", 60)) + "    zone: Asia/Makassar\n", "units.a"),
        (targets(("2026-01-01", 60)) + "    day_starts: never\n", "units.a"),
        (targets(("2026-01-01", 60)) + "    short_seconds: 11\n", "units.a"),
        (targets(("2026-01-01", 60)) + "    wrap_up_seconds: 1\n", "units.a"),
    ],
)
def test_a_reload_that_changes_what_is_valid_is_refused_and_the_old_stays(edited: Edited, text: str, path: str) -> None:
    edited.write(targets(("2026-01-01", 60)))
    file = TargetsFile(edited.path)
    before = file.policy
    edited.write(text)
    result = file.reload(NOON)
    assert not result.valid
    assert not result.changed
    assert result.policy is file.policy is before
    assert result.error is not None
    assert [found.path for found in result.error.faults] == [path]
    assert "rebuild" in str(result.error)
    assert file.reload(NOON).error is result.error, "the verdict stays as long as the file does"


def test_the_refusal_names_the_line_and_the_first_day_that_may_be_taken(edited: Edited) -> None:
    edited.write(targets(("2026-01-01", 60)))
    file = TargetsFile(edited.path)
    edited.write("# edited\n" + targets(("2026-01-01", 59)))
    error = file.reload(NOON).error
    assert error is not None
    assert error.faults[0].line == 5
    assert "valid on 2026-01-01" in str(error)
    assert "`valid_from: 2026-06-16` or later" in str(error)


def test_the_default_zone_may_not_change_either_as_unknown_units_follow_it(edited: Edited) -> None:
    edited.write("defaults: {zone: Asia/Jakarta}\n")
    file = TargetsFile(edited.path)
    edited.write("defaults: {zone: Asia/Jayapura}\n")
    error = file.reload(NOON).error
    assert error is not None
    assert [found.path for found in error.faults] == ["defaults"]


def test_before_the_day_starts_it_is_still_yesterday(edited: Edited) -> None:
    edited.write(targets(("2026-01-01", 60)))
    file = TargetsFile(edited.path)
    edited.write(targets(("2026-01-01", 60), ("2026-06-15", 30)))
    assert file.reload(at("2026-06-15", hour=2)).changed


def test_a_new_unit_names_and_bounds_are_taken(edited: Edited) -> None:
    edited.write(targets(("2026-01-01", 60)))
    file = TargetsFile(edited.path)
    edited.write(
        targets(("2026-01-01", 60), more="defaults: {late_hours: 8, budget: {sources: 20}}\n")
        + "    name: {id: Kantor}\n"
        + "  b: {zone: Asia/Makassar, services: {x: {wait: [{valid_from: 2026-06-16, seconds: 1, objective: 0.5}]}}}\n"
    )
    result = file.reload(NOON)
    assert result.changed, result.error
    assert result.policy.units["a"].names.id == "Kantor"
    assert result.policy.units["b"].zone == "Asia/Makassar"


def test_a_target_that_says_the_same_again_changes_nothing(edited: Edited) -> None:
    edited.write(targets(("2026-01-01", 60)))
    file = TargetsFile(edited.path)
    edited.write(targets(("2026-01-01", 60), ("2026-03-01", 60)))
    assert file.reload(NOON).valid


def test_a_file_that_goes_or_breaks_leaves_the_last_good_one_until_it_comes_back(edited: Edited) -> None:
    good = targets(("2026-01-01", 60))
    edited.write(good)
    file = TargetsFile(edited.path)
    before = file.policy
    edited.path.unlink()
    gone = file.reload(NOON)
    assert not gone.valid
    assert "cannot be read" in str(gone.error)
    edited.write("units:\n\tbroken")
    assert not file.reload(NOON).valid
    edited.write(good)
    back = file.reload(NOON)
    assert (back.valid, back.changed) == (True, False)
    assert file.policy is before


def test_a_file_swapped_for_one_of_the_same_size_and_time_is_seen(edited: Edited, tmp_path: Path) -> None:
    edited.write(targets(("2026-01-01", 60)))
    file = TargetsFile(edited.path)
    other = tmp_path / "next.yaml"
    other.write_text(targets(("2026-01-01", 61)))
    stat = edited.path.stat()
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.rename(edited.path)
    assert not file.reload(NOON).valid


_TODAY = date(2026, 6, 15).toordinal()
_TARGETS = st.lists(
    st.builds(Target, st.integers(_TODAY - 3, _TODAY + 3), st.integers(1, 2), st.just(0.8)),
    max_size=4,
    unique_by=lambda target: target.valid_from,
).map(lambda found: tuple(sorted(found, key=lambda target: target.valid_from)))
_POLICIES = st.dictionaries(
    st.sampled_from("ab"),
    st.builds(
        UnitPolicy,
        services=st.dictionaries(st.sampled_from("xy"), st.builds(ServicePolicy, targets=_TARGETS), max_size=2),
        known=st.just(True),
    ),
    max_size=2,
).map(lambda units: Policy(units=units))


@given(_POLICIES, _POLICIES)
def test_a_reload_is_refused_exactly_where_some_day_up_to_today_would_be_judged_otherwise(
    old: Policy, new: Policy
) -> None:
    def judged(policy: Policy) -> list[tuple[int, float] | None]:
        found = [
            policy.unit(unit).target(service, day)
            for unit in "ab"
            for service in "xy"
            for day in range(_TODAY - 5, _TODAY + 1)
        ]
        return [None if target is None else (target.within_ms, target.objective) for target in found]

    refused = bool(list(refusals(old, ReadTargets(new, {}), NOON)))
    assert refused == (judged(old) != judged(new))


HOURS = "defaults: {{hours: {{mon-fri: {}}}{}}}\n"


@pytest.mark.parametrize(
    ("before", "after", "refused_for"),
    [
        (("08:00-16:00", ""), ("08:00-15:00", ""), "the hours of 2024-04-08 change"),
        (("08:00-16:00", ""), ("08:00-16:00", ", exceptions: [{date: 2026-06-16, hours: closed}]"), ""),
        (
            ("08:00-16:00", ""),
            ("08:00-16:00", ", exceptions: [{date: 2026-06-15, hours: closed}]"),
            "the hours of 2026-06-15 change",
        ),
        (  # a holiday declared after the fact
            ("08:00-16:00", ""),
            ("08:00-16:00", ", exceptions: [{date: 2020-06-15, hours: closed}]"),
            "the hours of 2020-06-15 change",
        ),
        (("08:00-16:00", ""), ("08:00-16:00", ", wait_starts: opening"), "`wait_starts` changes"),
        (("08:00-16:00", ""), ("08:00-16:00", ", close_after: 30m"), "`close_after` changes"),
        (("08:00-16:00", ""), ("08:00-16:00", ", zone: Asia/Makassar"), "`zone` changes"),
        (("08:00-16:00", ""), ("08:00-16:00", ", burn_rate: none"), ""),
    ],
)
def test_hours_up_to_today_stand_and_those_to_come_may_change(
    edited: Edited, before: tuple[str, str], after: tuple[str, str], refused_for: str
) -> None:
    edited.write(HOURS.format(*before))
    file = TargetsFile(edited.path)
    edited.write(HOURS.format(*after))
    result = file.reload(NOON)
    assert (refused_for in str(result.error)) if refused_for else result.changed
    assert result.valid == (not refused_for)


def test_new_hours_from_tomorrow_are_a_schedule(edited: Edited) -> None:
    schedule = "{{valid_from: {}, hours: {}}}"
    edited.write("defaults: {schedules: [" + schedule.format("2026-01-01", "08:00-16:00") + "]}\n")
    file = TargetsFile(edited.path)
    both = [schedule.format("2026-01-01", "08:00-16:00"), schedule.format("2026-06-16", "08:00-12:00")]
    edited.write("defaults: {schedules: [" + ", ".join(both) + "]}\n")
    assert file.reload(NOON).changed
    edited.write("defaults: {schedules: [" + ", ".join(both).replace("06-16", "06-15") + "]}\n")
    assert not file.reload(NOON).valid


def test_a_turnaround_already_valid_stands(edited: Edited) -> None:
    text = (
        "units:\n  a:\n    services:\n      x:\n        kind: request\n        turnaround:\n"
        "          - {{valid_from: 2026-01-01, within: {}, objective: 0.9}}\n"
    )
    edited.write(text.format("24h"))
    file = TargetsFile(edited.path)
    edited.write(text.format("12h"))
    assert "the turnaround target valid on 2026-01-01" in str(file.reload(NOON).error)
