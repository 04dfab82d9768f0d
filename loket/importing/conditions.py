"""What `when`, `skip` and `absent` ask of a row."""

from __future__ import annotations

from collections.abc import Mapping as Cells

from loket.importing.mapping import Condition, Test
from loket.importing.report import RefusedRowError

__all__ = ["holds"]


def holds(condition: Condition, cells: Cells[str, str]) -> bool:
    """Whether all of a condition's tests pass. Raises RefusedRowError where a number is asked for and there is none."""
    return all(_passes(test, cells[test.column]) for test in condition.tests)


def _passes(test: Test, cell: str) -> bool:
    match test.kind:
        case "is":
            return cell in test.texts
        case "not":
            return cell not in test.texts
        case "empty":
            return not cell
        case "filled":
            return bool(cell)
        case "above":
            return _number(test, cell) > test.bound
        case "below":
            return _number(test, cell) < test.bound


def _number(test: Test, cell: str) -> float:
    try:
        return float(cell)
    except ValueError as error:
        raise RefusedRowError(test.column, cell, f"is not a number, and `{test.kind}` asks for one") from error
