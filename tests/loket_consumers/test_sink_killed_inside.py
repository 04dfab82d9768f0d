"""SIGKILL at every place of the transaction: afterwards each record is stored once, and the rows are the domain's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from loket.domain.policy import DAY, Policy
from loket_consumers.engines import connect
from loket_consumers.migrating import upgrade
from support import dying_sink
from support.logs import DAY_BEGINS
from support.oracle import Oracle, without_zeros
from support.recorded import figures, of_record, results


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'record.db'}" if request.param == "sqlite" else request.getfixturevalue("database")
    made = connect(url)
    upgrade(made)
    yield made
    made.dispose()


def test_whatever_is_killed_in_the_transaction_is_stored_once_afterwards(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    environment = os.environ | {"PYTHONPATH": str(Path(dying_sink.__file__).parents[1])}
    # The same database sees a sink die at all places in turn, each a little further in the log.
    places = ("_guard:2", "load:1", "save:2", "insert:5", "insert:9", "commit:3", "save:1")
    done = subprocess.run(
        [sys.executable, "-m", "support.dying_sink", url, *places],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr

    oracle = Oracle(Policy())
    assert results(engine) == oracle.apply_all(dying_sink.LOG)
    now = DAY_BEGINS + DAY
    for live in (True, False):
        found = figures(engine, now, Policy(), live=live)
        assert (without_zeros(found.units), without_zeros(found.employees)) == of_record(oracle, now)
