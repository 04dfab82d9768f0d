"""`targets.yaml` is read exactly as documented, and refused with line, column, path and what to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.documents.parsing import MAX_BYTES
from loket.domain.policy import DAY, HOUR, MINUTE, Budget, Names, Policy, ServicePolicy, Target
from loket.errors import UsageError
from loket.targets import TargetsError, load_targets
from loket.targets.reading import read_targets

AS_DOCUMENTED = """\
defaults:
  zone: Asia/Jakarta
  day_starts: "03:00"      # or never
  late_hours: 6
  short_seconds: 10
  wrap_up_seconds: 0
  budget: {services: 50, employees: 200, counters: 100, sources: 16}
units:
  pkm-ciputat:
    name: {id: Puskesmas Ciputat, en: Ciputat health centre}
    services:
      poli-umum:
        name: {id: Poli umum, en: General clinic}
        wait:
          - {valid_from: 2026-01-01, seconds: 3600, objective: 0.8}
"""


def read(text: str) -> Policy:
    return read_targets("targets.yaml", text.encode()).policy


def refused(text: str) -> TargetsError:
    with pytest.raises(TargetsError) as caught:
        read(text)
    return caught.value


def fault(text: str) -> tuple[int, int, str, str]:
    (found,) = refused(text).faults
    return found.line, found.column, found.path, found.message


def in_unit(lines: str) -> str:
    return "units:\n  pkm-ciputat:\n" + "".join(f"    {line}\n" for line in lines.splitlines())


def in_target(inner: str) -> str:
    return in_unit(f"services:\n  poli-umum:\n    wait:\n      - {inner}")


def test_the_documented_example_says_what_it_shows() -> None:
    policy = read(AS_DOCUMENTED)
    unit = policy.units["pkm-ciputat"]
    assert unit.names == Names("Puskesmas Ciputat", "Ciputat health centre")
    assert unit.known
    assert (unit.zone, unit.day_starts_ms, unit.late_ms, unit.short_ms) == ("Asia/Jakarta", 3 * HOUR, 6 * HOUR, 10_000)
    assert unit.services["poli-umum"].names == Names("Poli umum", "General clinic")
    start = date(2026, 1, 1).toordinal()
    assert unit.services["poli-umum"].targets == (Target(start, 3_600_000, 0.8),)
    assert policy.defaults.budget == Budget(50, 200, 100, 16)
    assert not policy.defaults.known


def test_an_unknown_unit_follows_the_defaults_and_has_no_target() -> None:
    unit = read("defaults: {zone: Asia/Makassar}\n").unit("elsewhere")
    assert (unit.zone, unit.known, unit.services) == ("Asia/Makassar", False, {})


def test_a_unit_takes_from_the_defaults_what_it_does_not_say_itself() -> None:
    policy = read(
        "defaults: {late_hours: 2, short_seconds: 5, wrap_up_seconds: 90, budget: {services: 7, sources: 3}}\n"
        "units:\n  one: {late_hours: 0.5, wrap_up_seconds: 30.5, budget: {sources: 4}}\n  two:\n"
    )
    assert (policy.units["one"].late_ms, policy.units["one"].short_ms) == (HOUR // 2, 5_000)
    assert (policy.units["one"].wrap_up_ms, policy.units["two"].wrap_up_ms) == (30_500, 90_000)
    assert policy.units["one"].budget == Budget(services=7, sources=4)
    assert policy.units["two"].budget == Budget(services=7, sources=3)
    assert policy.units["two"].known


@pytest.mark.parametrize(
    ("written", "meant"),
    [('"03:00"', 3 * HOUR), ("00:00", 0), ("12:30", 12 * HOUR + 30 * MINUTE), ("23:59", DAY - MINUTE), ("never", None)],
)
def test_the_start_of_the_day_is_a_time_of_day_or_never(written: str, meant: int | None) -> None:
    # 12:30 without quotes is the number 750 to YAML 1.1
    assert read(f"defaults: {{day_starts: {written}}}").defaults.day_starts_ms == meant


def test_words_that_yaml_takes_for_something_else_are_ids_like_others() -> None:
    policy = read("units: {no: {services: {on: , 0123: , 12:30: }}}\n")
    assert list(policy.units["no"].services) == ["on", "0123", "12:30"]


def test_targets_may_stand_in_any_order_and_dates_in_quotes() -> None:
    policy = read(
        in_unit(
            "services:\n  a:\n    wait:\n"
            '      - {valid_from: "2026-07-01", seconds: 0.25, objective: 0.95}\n'
            "      - {valid_from: 2026-01-01, seconds: 60, objective: .8}\n"
        )
    )
    first, second = policy.units["pkm-ciputat"].services["a"].targets
    assert (first.within_ms, second.within_ms, second.objective) == (60_000, 250, 0.95)
    assert first.valid_from < second.valid_from


def test_what_is_written_once_may_be_repeated_by_an_alias() -> None:
    policy = read(
        in_unit(
            "services:\n"
            "  a: {wait: &usual [{valid_from: 2026-01-01, seconds: 60, objective: 0.8}]}\n"
            "  b: {wait: *usual}\n"
        )
    )
    services = policy.units["pkm-ciputat"].services
    assert services["a"] == services["b"] != ServicePolicy()


@pytest.mark.parametrize(
    ("text", "place", "path", "says"),
    [
        ("unit: {}", (1, 1), "unit", "did you mean `units`?"),
        ("defaults: {name: {id: x}}", (1, 12), "defaults.name", "unknown key"),
        ("units: {a: {zone: Asia/Djakarta}}", (1, 19), "units.a.zone", "did you mean `Asia/Jakarta`?"),
        ("units: {a: {zone: WITA}}", (1, 19), "units.a.zone", "did you mean `Asia/Makassar`?"),
        ("units: {a: {zone: jayapura}}", (1, 19), "units.a.zone", "did you mean `Asia/Jayapura`?"),
        ("defaults: {day_starts: 24:00}", (1, 24), "defaults.day_starts", '"03:00"'),
        ("defaults: {day_starts: 750}", (1, 24), "defaults.day_starts", '"03:00"'),
        ("defaults: {late_hours: -1}", (1, 24), "defaults.late_hours", "from 0 to 72"),
        ("defaults: {late_hours: 1e3}", (1, 24), "defaults.late_hours", "a number"),
        ('defaults: {late_hours: "6"}', (1, 24), "defaults.late_hours", "without quotes"),
        ("defaults: {late_hours: yes}", (1, 24), "defaults.late_hours", "a number"),
        ("defaults: {short_seconds: 1.0001}", (1, 27), "defaults.short_seconds", "at most 3 decimals"),
        ("defaults: {wrap_up_seconds: -1}", (1, 29), "defaults.wrap_up_seconds", "from 0 to 3600"),
        ("defaults: {wrap_up_seconds: 3601}", (1, 29), "defaults.wrap_up_seconds", "from 0 to 3600"),
        ("units: {a: {wrap_up_seconds: 1 min}}", (1, 30), "units.a.wrap_up_seconds", "a number"),
        ("defaults: {budget: {sources: 0}}", (1, 30), "defaults.budget.sources", "from 1 to"),
        ("defaults: {budget: {sources: 1.5}}", (1, 30), "defaults.budget.sources", "a whole number"),
        ("defaults: {budget: [1]}", (1, 20), "defaults.budget", "not a list"),
        ("units: [a]", (1, 8), "units", "not a list"),
        ("units: {a b: {}}", (1, 9), "units.a b", "1 to 128 characters"),
        ("units: {a: {services: {é: }}}", (1, 24), "units.a.services.é", "1 to 128 characters"),
        ("units: {a: {name: Kantor}}", (1, 19), "units.a.name", "`{id: …, en: …}`"),
        ('units: {a: {name: {id: ""}}}', (1, 24), "units.a.name.id", "write a name"),
        ('units: {a: {name: {id: "a\\tb"}}}', (1, 24), "units.a.name.id", "control characters"),
        ("units: {a: {services: {b: {wait: {valid_from: 2026-01-01}}}}}", (1, 34), "units.a.services.b.wait", "a list"),
        ("units: {a: }\nunits: {b: }\n", (2, 1), "units", "in line 1"),
        ("units:\n  a: {}\n  a: {}\n", (3, 3), "units.a", "in line 2"),
        ("units: {a: {services: {b: , c: }, budget: {services: 1}}}", (1, 23), "units.a.services", "allows 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, place: tuple[int, int], path: str, says: str) -> None:
    line, column, found, message = fault(text)
    assert (line, column) == place
    assert found == path
    assert says in message


@pytest.mark.parametrize(
    ("inner", "key", "says"),
    [
        ("{valid_from: 2026-01-01, seconds: 60, objective: 1}", ".objective", "0.8 for 80 %"),
        ("{valid_from: 2026-01-01, seconds: 60, objective: 0}", ".objective", "0.8 for 80 %"),
        ("{valid_from: 2026-01-01, seconds: 60, objective: 80}", ".objective", "0.8 for 80 %"),
        ("{valid_from: 2026-01-01, seconds: 60, objective: 80%}", ".objective", "0.8 for 80 %"),
        ("{valid_from: 2026-01-01, seconds: 0, objective: 0.8}", ".seconds", "out of bounds"),
        ("{valid_from: 2026-01-01, seconds: -5, objective: 0.8}", ".seconds", "out of bounds"),
        ("{valid_from: 2026-01-01, seconds: .inf, objective: 0.8}", ".seconds", "a number"),
        ("{valid_from: 2026-01-01, seconds: 999999999999999999999, objective: 0.8}", ".seconds", "a number"),
        ("{valid_from: 2026-02-30, seconds: 60, objective: 0.8}", ".valid_from", "year-month-day"),
        ("{valid_from: 01.02.2026, seconds: 60, objective: 0.8}", ".valid_from", "year-month-day"),
        ("{valid_from: 0026-01-01, seconds: 60, objective: 0.8}", ".valid_from", "from 1900"),
        ("{valid_from: ~, seconds: 60, objective: 0.8}", ".valid_from", "a date such as"),
        ("{valid_from: 2026-01-01, objective: 0.8}", "", "`seconds` is missing"),
        ("{}", "", "`valid_from` and `seconds` and `objective` are missing"),
        ("60", "", "as `key: value` lines"),
    ],
)
def test_a_target_that_cannot_be_one_is_refused(inner: str, key: str, says: str) -> None:
    line, _, path, message = fault(in_target(inner))
    assert line == 6
    assert path == f"units.pkm-ciputat.services.poli-umum.wait[0]{key}"
    assert says in message


def test_two_targets_from_one_day_are_refused() -> None:
    line, _, path, message = fault(
        in_unit(
            "services:\n  a:\n    wait:\n"
            "      - {valid_from: 2026-01-01, seconds: 60, objective: 0.8}\n"
            '      - {valid_from: "2026-01-01", seconds: 30, objective: 0.8}\n'
        )
    )
    assert (line, path) == (7, "units.pkm-ciputat.services.a.wait[1]")
    assert "same `valid_from`" in message


def test_all_faults_of_a_file_are_told_at_once_in_the_order_of_their_lines() -> None:
    error = refused("units:\n  a: {zone: Nowhere, late: 3}\n  b b: {}\ndefaults: {late_hours: x}\n")
    assert [(found.line, found.path) for found in error.faults] == [
        (2, "units.a.zone"),
        (2, "units.a.late"),
        (3, "units.b b"),
        (4, "defaults.late_hours"),
    ]
    assert str(error).count("\n") == 3
    assert str(error).startswith("targets.yaml, line 2, column 13: units.a.zone: `Nowhere`")


@pytest.mark.parametrize(("faults", "more"), [(99, "79"), (100, "at least 80"), (1_000, "at least 80")])
def test_a_file_with_many_faults_tells_the_first_and_how_many_more(faults: int, more: str) -> None:
    error = refused("units:\n" + "".join(f"  unit {number}: {{}}\n" for number in range(faults)))
    assert len(error.faults) == min(faults, 100)
    assert str(error).endswith(f"targets.yaml: and {more} faults more")


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"", 0, "is empty"),
        (b"# nothing yet\n", 0, "is empty"),
        (b"- a\n- b\n", 1, "not a list"),
        (b"units: {}\n---\nunits: {}\n", 2, "a second document"),
        (b"units:\n\ta: {}\n", 2, "never with tabs"),
        (b"units: {a: \n", 2, "not YAML"),
        (b"units: *none\n", 1, "`*none` names nothing"),
        (b"units: &a {b: *a}\n", 1, "`*a` names nothing"),
        (b"units: !!python/object/apply:os.system [ls]\n", 1, "means nothing here"),
        (b"units: {a: {name: {id: \xe9}}}\n", 1, "not UTF-8"),
        ("units: {}\n".encode("utf-16"), 1, "not UTF-8"),
        (b"units: {a: \x00}\n", 1, "YAML"),
        (b"units: " + b"[" * 100 + b"]" * 100, 1, "nested deeper"),
        (b"units: " + b"[" * 100_000, 1, "nest"),
        (b"#" * (MAX_BYTES + 1), 0, "larger than 16 MiB"),
    ],
)
def test_a_file_that_is_no_document_is_refused_whole(content: bytes, line: int, says: str) -> None:
    with pytest.raises(TargetsError) as caught:
        read_targets("targets.yaml", content)
    (found,) = caught.value.faults
    assert found.line == line
    assert says in found.message


def test_a_few_lines_that_stand_for_billions_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "aliases" in refused("\n".join(lines)).faults[0].message


def test_a_long_chain_of_aliases_is_counted_without_exhausting_the_stack() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3_000)]
    assert "aliases" in refused("\n".join(lines)).faults[0].message


def test_a_missing_file_is_a_wrong_call_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TargetsError, match="cannot be read: no such file or directory; check the path") as caught:
        load_targets(tmp_path / "none.yaml")
    assert isinstance(caught.value, UsageError)
    assert caught.value.exit_status == 2


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "targets.yaml"
    path.write_text("\ufeff" + AS_DOCUMENTED, encoding="utf-8")
    assert load_targets(path) == read(AS_DOCUMENTED)
    path.write_text("units: {a: {zone: x}}")
    with pytest.raises(TargetsError, match=r"line 1, column 19: units\.a\.zone"):
        load_targets(path)


@given(st.binary(max_size=200) | st.text(alphabet="{}[]:,-&*!|>'\"#%@ \nabunits0", max_size=200).map(str.encode))
def test_whatever_stands_in_a_file_it_is_read_or_refused_with_a_reason(content: bytes) -> None:
    try:
        read_targets("targets.yaml", content)
    except TargetsError as error:
        assert error.faults  # noqa: PT017 - both ends are right, this one has to have a reason


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("units:\n  other:\n", "units.other", "a unit's id"),
        ("units:\n  u:\n    services:\n      other:\n", "units.u.services.other", "a service's id"),
    ],
)
def test_no_unit_and_no_service_has_the_name_of_all_others(text: str, path: str, what: str) -> None:
    line, _, at, message = fault(text)
    assert (line, at) == (text.count("\n"), path)
    assert message == f"`other` cannot be {what}: the metrics call so what is beyond a budget; choose another id"


def test_other_may_be_part_of_an_id() -> None:
    assert list(read("units: {other-hall: {services: {Other: , others: }}}").units) == ["other-hall"]
