"""Every query of every panel is asked of a real Prometheus that holds a day from the real pipeline."""

import pytest

from support.boards import queries, with_variables
from support.day import BUSY


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_query_of_every_panel_has_an_answer(day, language: str) -> None:
    silent = []
    for asked in queries(language):
        expression = with_variables(asked.expression, unit=BUSY, employee="pgw-1")
        try:
            if not day.query(expression):
                silent.append(asked.name)
        except ValueError as refusal:
            silent.append(f"{asked.name}: {refusal}")
    assert silent == []
