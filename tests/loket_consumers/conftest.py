"""What the tests of the record share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from loket_consumers.engines import connect
from loket_consumers.migrating import upgrade
from support.recorded import empty


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An empty record of each database in turn."""
    url = f"sqlite:///{tmp_path_factory.mktemp('record') / 'record.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("database")
    made = connect(url)
    upgrade(made)
    empty(made)
    yield made
    made.dispose()
