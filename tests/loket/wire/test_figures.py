"""The schema of the figures is that of the code, and says what the rules' names are."""

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from loket.wire.figures import SCHEMA_FILE, Agreement, Difference, Rejection, TryReport, schema_text

TOP = """
    now units employees requests rejected duplicates contradictions late foreign not_yet skewed unknown_units agreement
"""
UNITS = (
    "unit service issued visits answered left early_leavers short_leavers waiting early over_target oldest_wait_s "
    "judged breached called_again nobody_came incomplete served services closed early_s_sum wait_s_sum wait_stretches "
    "patience_s_sum way_s_sum service_s_sum hold_s_sum lost_s_sum levels levels_without_no_shows "
    "wait_median_s wait_p90_s patience_median_s km_median_s km_median_low_s km_median_high_s km_p90_s km_p90_low_s "
    "km_p90_high_s level_counts"
)
EMPLOYEES = (
    "unit employee served services handed_on service_s_sum way_s_sum hold_s_sum served_wait_s_sum "
    "call_gap_s_sum call_gaps staffed_s serving_s"
)


def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def _report(**changes: Any) -> dict[str, Any]:
    report = TryReport(
        now="1999-02-28T21:59:59.000Z",
        units=[],
        employees=[],
        rejected=[Rejection(None, None, "not_json", None)],
        duplicates=0,
        contradictions=0,
        late=0,
        foreign=0,
        not_yet=0,
        skewed=0,
        unknown_units=["attic"],
        agreement=Agreement(
            True,
            [
                Difference(table="units", unit="attic", service=None, figure="issued", metrics=1, record=2, late=True),
                Difference(
                    table="employees", unit="attic", employee="E1", figure="served", metrics=1, record=2, late=True
                ),
            ],
        ),
    )
    told: dict[str, Any] = msgspec.to_builtins(report)
    return told | changes


def test_the_committed_schema_is_that_of_the_code() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run python -m loket.wire.figures"


def test_the_schema_is_valid_and_of_the_draft_that_it_names() -> None:
    jsonschema.Draft202012Validator.check_schema(_schema())
    assert _schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    ("of", "names"), [(None, TOP), ("UnitFigures", UNITS), ("EmployeeFigures", EMPLOYEES)], ids=str
)
def test_the_names_are_those_of_the_rules(of: str | None, names: str) -> None:
    described = _schema() if of is None else _schema()["$defs"][of]
    assert list(described["properties"]) == names.split()


def test_a_report_fits_the_schema() -> None:
    jsonschema.validate(_report(), _schema())


@pytest.mark.parametrize(
    "changes", [{"now": "yesterday"}, {"late": -1}, {"more": 1}, {"agreement": {"metrics_equal_record": True}}], ids=str
)
def test_what_is_no_report_does_not_fit(changes: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(_report(**changes), _schema())
