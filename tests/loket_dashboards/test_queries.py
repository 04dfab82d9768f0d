"""Every query of every panel is asked of a real Prometheus that holds a day from the real pipeline."""

import pytest

from support.boards import queries, with_variables
from support.day import BUSY, Lived

OF_THE_BROKERS_CLOCK = {"Galat jam", "Penundaan kirim", "Clock error", "Sending delay"}
"""Clocks of devices are compared with the broker's, which a replay leaves alone: test_live.py asks these."""


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_query_of_every_panel_has_an_answer(day: Lived, language: str) -> None:
    silent = []
    for asked in queries(language):
        if asked.title in OF_THE_BROKERS_CLOCK:
            continue
        expression = with_variables(asked.expression, unit=BUSY, employee="pgw-1")
        try:
            if not day.query(expression):
                silent.append(asked.name)
        except ValueError as refusal:
            silent.append(f"{asked.name}: {refusal}")
    assert silent == []
