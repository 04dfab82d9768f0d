"""One day in a real Prometheus and a real PostgreSQL, for all tests that ask."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loket.embedded import EmbeddedBroker
from support.day import BUSY, LATER_MS, MONDAY_MS, Day, Lived, Moment, lived, written
from support.postgres import PostgresServer
from support.prometheus import Prometheus


@pytest.fixture(scope="session")
def day(
    embedded: EmbeddedBroker, promtool: Path, postgres: PostgresServer, prometheus_program: Path
) -> Iterator[Lived]:
    """The day; it takes about half a minute."""
    with tempfile.TemporaryDirectory(prefix="loket-day-") as name, postgres.database() as database:
        folder = Path(name)
        with lived(folder, database) as told:
            pass
        server = Prometheus(folder)
        written(told, folder / "data")
        try:
            server.start()
            yield Lived(told, server, database, _busiest(told, server))
        finally:
            server.kill()


def _busiest(day: Day, server: Prometheus) -> Moment:
    """The moment at which the most people wait over target, of those that the day of the week before was lived at."""
    begins = MONDAY_MS + LATER_MS + 600_000
    found = [moment for moment in day.moments if begins < moment.now < begins + 2_160_000]

    def over(moment: Moment) -> float:
        (sample,) = server.query(f'sum(loket_tickets_over_target{{unit="{BUSY}"}})', moment.now / 1000)
        return sample.value

    return max(found, key=over)
