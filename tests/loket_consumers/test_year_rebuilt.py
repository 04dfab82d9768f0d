"""A sample of a city's year, corrections among it: what the sink made of it and what a rebuild makes are one record."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, select

from loket.simulator.year import year, year_targets
from loket.targets.reading import read_targets
from loket_consumers.engines import reading
from loket_consumers.rebuilding.rebuild import Meaning, rebuild
from loket_consumers.request_schema import feedback, requests
from loket_consumers.schema import archive, legs
from support.dying_rebuild import MEANING, Quiet
from support.recorded import store_all

UNITS, FIRST = 3, date(2025, 3, 3)


def test_a_sample_of_a_year_is_rebuilt_to_the_same_record(engine: Engine) -> None:
    policy = read_targets("targets.yaml", year_targets(UNITS, FIRST).encode()).policy
    log = [(event, int(event.time)) for event in year(1, UNITS, 3_000, first=FIRST, days=12)]
    store_all(engine, log, [400, 400, 1_000], policy)
    meaning = Meaning(MEANING.decoder, MEANING.time, policy)
    first = rebuild(engine, meaning, Quiet())
    assert first.records == len(log)
    assert [row for row in first.tables if not row.same] == []
    again = rebuild(engine, meaning, Quiet(), check=True)
    assert (again.digest, again.same) == (first.digest, True)
    with reading(engine) as connection:
        for table in (legs, requests, feedback):
            assert connection.execute(select(table).limit(1)).first() is not None
        late = select(archive).where(archive.c.result == "late").limit(1)
        assert connection.execute(late).first() is not None  # what comes days later
