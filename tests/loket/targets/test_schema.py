"""The published JSON Schema is what the module makes, and takes and refuses what the reader does."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from loket.targets.presets import PRESETS, preset_text
from loket.targets.reading import TargetsError, read_targets
from loket.targets.schema import FILE, schema, schema_text

VALIDATOR = Draft202012Validator(schema())


class _Texts(yaml.SafeLoader):
    """YAML as editors read it: a date is a text."""


_Texts.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Texts.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+$"), list("-+0123456789"))


def by_schema(text: str) -> bool:
    return VALIDATOR.is_valid(yaml.load(text, Loader=_Texts))


def by_reader(text: str) -> bool:
    try:
        read_targets("targets.yaml", text.encode())
    except TargetsError:
        return False
    return True


def test_the_committed_schema_is_the_modules() -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text()
    Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_right_by_the_schema(name: str) -> None:
    assert by_schema(preset_text(name))


UNIT = "units:\n  u:\n    "
RIGHT = [
    "units:\n  u:\n",
    "defaults: {zone: Asia/Jakarta, day_starts: never, late_hours: 6.5, short_seconds: 10, wrap_up_seconds: 0}\n",
    UNIT + "hours: {mon-thu: 07:30-16:00, fri: [07:30-11:30, 13:00-16:30], sat: closed}\n",
    UNIT + "hours: closed\n",
    UNIT + "hours: 22:00-30:00\n    breaks: none\n",
    UNIT + "ramadan: none\n    holidays: none\n    burn_rate: none\n    close_after: never\n",
    UNIT + "ramadan: {hours: 08:00-12:00, dates: [{from: 2026-01-01, to: 2026-01-02}]}\n",
    UNIT + "schedules: [{valid_from: 2026-01-01, hours: 08:00-12:00, ramadan: {hours: 09:00-12:00}}]\n",
    UNIT + "exceptions: [{date: 2026-01-01, hours: closed, reason: x},"
    " {from: 2026-02-01, to: 2026-02-03, hours: 08:00-12:00}]\n",
    UNIT + "burn_rate: {period_hours: 165, rules: {1h: {window: 1h, budget: 0.02}, 5d: {window: 37h30m, factor: 1}}}\n",
    UNIT + "wait_starts: opening\n    close_after: 90s\n    budget: {services: 3}\n",
    UNIT + "name: {id: A, en: B}\n    services: "
    "{s: {wait: [{valid_from: 2026-01-01, seconds: 0.5, objective: 0.8}]}, t: }\n",
    UNIT + "services: {s: {kind: request, turnaround: "
    "[{valid_from: 2026-01-01, within: 3d, objective: 0.9, clock: wall, from: acceptance}]}}\n",
]
WRONG = [
    "unit: {}\n",
    "units:\n  other:\n",
    "units:\n  a b:\n",
    UNIT + "opens: 08:00\n",
    UNIT + "hours: 8-16\n",
    UNIT + "hours: {monday: 08:00-12:00}\n",
    UNIT + "hours: {mon: open}\n",
    UNIT + "day_starts: 25:00\n",
    UNIT + "late_hours: 73\n",
    UNIT + "holidays: {}\n",
    UNIT + "holidays: {country: ID, joint_leave: perhaps}\n",
    UNIT + "exceptions: [{date: 2026-01-01}]\n",
    UNIT + "exceptions: [{hours: closed}]\n",
    UNIT + "exceptions: [{date: 2026-01-01, from: 2026-01-01, to: 2026-01-02, hours: closed}]\n",
    UNIT + "schedules: [{hours: closed}]\n",
    UNIT + "wait_starts: noon\n",
    UNIT + "close_after: soon\n",
    UNIT + "burn_rate: {rules: {a: {window: 1h}}}\n",
    UNIT + "burn_rate: {rules: {a: {window: 1h, budget: 0.1, factor: 2}}}\n",
    UNIT + "burn_rate: {}\n",
    UNIT + "budget: {services: 0}\n",
    UNIT + "services: {s: {kind: document}}\n",
    UNIT + "services: {s: {wait: [{valid_from: 2026-01-01, seconds: 60, objective: 1}]}}\n",
    UNIT + "services: {s: {wait: [{valid_from: 2026-01-01, seconds: 60}]}}\n",
    UNIT + "services: {s: {kind: request, turnaround: [{valid_from: 2026-01-01, within: fast, objective: 0.9}]}}\n",
]


@pytest.mark.parametrize("text", RIGHT)
def test_both_take_what_is_right(text: str) -> None:
    assert by_reader(text)
    assert by_schema(text)


@pytest.mark.parametrize("text", WRONG)
def test_both_refuse_what_is_wrong(text: str) -> None:
    assert not by_reader(text)
    assert not by_schema(text)
