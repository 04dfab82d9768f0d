"""The JSON Schema (draft 2020-12) of `targets.yaml`, for editors: keys, values and bounds as the reader has them.

It is committed beside this module. `python -m loket.targets.schema` writes it again; a test compares, and reads the
same files by both. What a schema cannot say (dates that exist, hours in order, rules that can fire) the reader says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from loket.domain.events import ID_PATTERN
from loket.domain.policy import Clock, Produces, Since
from loket.targets.burning import MAX_PERIOD_HOURS, MAX_RULES, RULE_PATTERN
from loket.targets.dates import DATE_PATTERN
from loket.targets.durations import DURATION_PATTERN, SPAN_PATTERN
from loket.targets.hours import HOURS_KEYS
from loket.targets.promises import MAX_TARGET_SECONDS, SERVICE_KEYS
from loket.targets.reading import (
    COMMON_KEYS,
    MAX_BUDGET,
    MAX_LATE_HOURS,
    MAX_SHORT_SECONDS,
    MAX_WRAP_UP_SECONDS,
    UNIT_KEYS,
)
from loket.targets.weeks import DAYS, MAX_SPANS

__all__ = ["FILE", "schema", "schema_text"]

FILE: Final = Path(__file__).with_name("targets.schema.json")

_ID: Final = ID_PATTERN.replace(r"\A", "^").replace(r"\Z", "$")
"""As JSON Schema's regular expressions write it."""

Schema = dict[str, Any]


def schema() -> Schema:
    """The whole schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "targets.yaml",
        "description": "What a city promises: units, opening hours, services, targets with their dates.",
        **_mapping({"defaults": _or_nothing(_ref("organisation")), "units": _or_nothing(_ref("units"))}),
        "$defs": {
            "date": _text("A date.", f"^{DATE_PATTERN}$"),
            "duration": _text("A duration: 90s, 30m, 1h30m, 3d.", f"^(?=.){DURATION_PATTERN}$"),
            "span": _text("Hours: 07:30-16:00; over midnight 22:00-30:00.", f"^{SPAN_PATTERN}$"),
            "id": {"type": "string", "pattern": _ID, "not": {"const": "other"}},
            "hours": _week("closed", "Hours by day; a day that is not named is closed."),
            "breaks": _week("none", "Breaks by day, within the hours: nobody serves."),
            "name": _mapping({"id": _line("In Indonesian."), "en": _line("In English.")}),
            "organisation": _mapping(_common()),
            "units": {"type": "object", "propertyNames": _ref("id"), "additionalProperties": _or_nothing(_ref("unit"))},
            "unit": _mapping(_unit()),
            "service": _mapping(_service()),
        },
    }


def schema_text() -> str:
    """The text of the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _common() -> Schema:
    known: Schema = {
        "zone": _line("A zone of the IANA time zone database, such as Asia/Jakarta."),
        "day_starts": {
            "anyOf": [_text("A time of day.", "^([01][0-9]|2[0-3]):[0-5][0-9]$"), {"const": "never"}],
            "description": "When a service day begins.",
        },
        "late_hours": _number("How long after a day's end its late events count live.", 0, MAX_LATE_HOURS),
        "short_seconds": _number("Who leaves sooner is a short leaver.", 0, MAX_SHORT_SECONDS),
        "wrap_up_seconds": _number("After a service, no call gap.", 0, MAX_WRAP_UP_SECONDS),
        "budget": _mapping(
            {kind: {"type": "integer", "minimum": 1, "maximum": most} for kind, most in MAX_BUDGET.items()}
        ),
        **_hours(),
        "wait_starts": {
            "enum": ["issue", "opening"],
            "description": "From where waits are judged: the issue, or the opening of the day if that is later.",
        },
        "close_after": {
            "anyOf": [_ref("duration"), {"const": "never"}],
            "description": "So long after the hours of a day who still waits is not called any more.",
        },
        "burn_rate": {"anyOf": [{"const": "none"}, _burn()], "description": "When breached waits come too fast."},
    }
    return {key: known[key] for key in COMMON_KEYS}


def _hours() -> Schema:
    ramadan = {"hours": _ref("hours"), "breaks": _ref("breaks")}
    period = _mapping({"from": _ref("date"), "to": _ref("date")}, required=("from", "to"))
    known: Schema = {
        "hours": _ref("hours"),
        "breaks": _ref("breaks"),
        "ramadan": {
            "anyOf": [{"const": "none"}, _mapping({**ramadan, "dates": {"type": "array", "items": period}})],
            "description": "Hours in Ramadan; dates: where the computed ones are wrong.",
        },
        "schedules": {
            "type": "array",
            "description": "Hours with dates, instead of `hours`: each holds from its day on.",
            "items": _mapping(
                {"valid_from": _ref("date"), **ramadan, "ramadan": _mapping(ramadan)}, required=("valid_from", "hours")
            ),
        },
        "holidays": {
            "anyOf": [
                {"const": "none"},
                _mapping(
                    {"country": _text("Two letters.", "^[A-Z]{2}$"), "joint_leave": {"type": "boolean"}},
                    required=("country",),
                ),
            ],
            "description": "Public holidays and, unless false, joint leave close the unit.",
        },
        "exceptions": {
            "type": "array",
            "description": "Single days, or periods, with hours of their own.",
            "items": {
                **_mapping(
                    {
                        "date": _ref("date"),
                        "from": _ref("date"),
                        "to": _ref("date"),
                        "hours": _day("closed"),
                        "breaks": _day("none"),
                        "reason": _line("For people."),
                    },
                    required=("hours",),
                ),
                "oneOf": [{"required": ["date"]}, {"required": ["from", "to"]}],
            },
        },
    }
    return {key: known[key] for key in HOURS_KEYS}


def _burn() -> Schema:
    rule = {
        **_mapping(
            {
                "window": _ref("duration"),
                "budget": _number("The share of the budget spent in the window.", 0.000001, 1),
                "factor": _number("The burn.", 0.001, 1_000),
            },
            required=("window",),
        ),
        "oneOf": [{"required": ["budget"]}, {"required": ["factor"]}],
    }
    rules = {
        "type": "object",
        "propertyNames": {"pattern": f"^{RULE_PATTERN}$"},
        "additionalProperties": rule,
        "maxProperties": MAX_RULES,
    }
    period = _number("Service hours of the period that a budget is for; 165 unless written.", 1, MAX_PERIOD_HOURS)
    return _mapping({"period_hours": period, "rules": rules}, required=("rules",))


def _unit() -> Schema:
    services = {
        "type": "object",
        "propertyNames": _ref("id"),
        "additionalProperties": _or_nothing(_ref("service")),
    }
    known: Schema = {**_common(), "name": _ref("name"), "services": _or_nothing(services)}
    return {key: known[key] for key in UNIT_KEYS}


def _service() -> Schema:
    objective = {
        "type": "number",
        "exclusiveMinimum": 0,
        "exclusiveMaximum": 1,
        "description": "The share, such as 0.8.",
    }
    wait = {
        "valid_from": _ref("date"),
        "seconds": _number("To be called within.", 0.001, MAX_TARGET_SECONDS),
        "objective": objective,
    }
    turnaround = {
        "valid_from": _ref("date"),
        "within": _ref("duration"),
        "objective": objective,
        "clock": {"enum": [str(clock) for clock in Clock]},
        "from": {"enum": [str(since) for since in Since]},
    }
    known: Schema = {
        "name": _ref("name"),
        "kind": {"enum": [str(produces) for produces in Produces]},
        "wait": {"type": "array", "items": _mapping(wait, required=tuple(wait))},
        "turnaround": {
            "type": "array",
            "items": _mapping(turnaround, required=("valid_from", "within", "objective")),
        },
    }
    return {key: known[key] for key in SERVICE_KEYS}


def _week(nothing: str, description: str) -> Schema:
    days = f"({'|'.join(DAYS)})"
    by_day = {
        "type": "object",
        "patternProperties": {f"^{days}(-{days})?$": _day(nothing)},
        "additionalProperties": False,
    }
    return {"anyOf": [*_day(nothing)["anyOf"], by_day], "description": description}


def _day(nothing: str) -> Schema:
    return {
        "anyOf": [{"const": nothing}, _ref("span"), {"type": "array", "items": _ref("span"), "maxItems": MAX_SPANS}]
    }


def _mapping(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    needs = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **needs, "additionalProperties": False}


def _or_nothing(inner: Schema) -> Schema:
    return {"anyOf": [inner, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _text(description: str, pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern, "description": description}


def _line(description: str) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": 256, "description": description}


def _number(description: str, low: float, high: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high, "description": description}


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")
